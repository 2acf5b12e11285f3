// Frame memory: who holds a buffer, when it comes home, and which one is taken next.
#include "frames/buffer.h"

#include <array>
#include <catch2/catch.hpp>
#include <set>
#include <utility>
#include <vector>

namespace buffer_test {

using namespace lanyard;

namespace {
constexpr std::size_t bytes_each = 64;
}

TEST_CASE("a pool cuts its memory into as many buffers as fit") {
  std::array<std::byte, 4 * bytes_each + 17> memory;
  FramePool pool(memory, bytes_each);
  CHECK(pool.capacity() == 4);
  CHECK(pool.buffer_bytes() == bytes_each);
  std::set<std::byte*> places;
  for (int i = 0; i < 4; ++i) {
    Buffer* buffer = pool.take();
    REQUIRE(buffer != nullptr);
    CHECK(buffer->size() == bytes_each);
    CHECK(&buffer->pool() == &pool);
    CHECK(&pool.at(buffer->index()) == buffer);
    CHECK(buffer->memory() == memory.data() + buffer->index() * bytes_each);
    places.insert(buffer->memory());
  }
  CHECK(places.size() == 4);
}

TEST_CASE("an empty pool gives nothing until a buffer comes home") {
  std::array<std::byte, 2 * bytes_each> memory;
  FramePool pool(memory, bytes_each);
  Buffer* first = pool.take();
  Buffer* second = pool.take();
  CHECK(pool.take() == nullptr);
  CHECK(pool.free_count() == 0);
  second->release();
  CHECK(pool.take() == second);
  CHECK(first != second);
}

TEST_CASE("the buffer used last is taken first") {
  std::array<std::byte, 8 * bytes_each> memory;
  FramePool pool(memory, bytes_each);
  std::vector<Buffer*> taken;
  for (int i = 0; i < 5; ++i) taken.push_back(pool.take());
  taken[1]->release();
  taken[3]->release();
  CHECK(pool.take() == taken[3]);
  CHECK(pool.take() == taken[1]);
}

TEST_CASE("a buffer comes home when its last reference is given back") {
  std::array<std::byte, bytes_each> memory;
  FramePool pool(memory, bytes_each);
  Buffer* buffer = pool.take();
  CHECK_FALSE(buffer->shared());
  buffer->add_reference();
  CHECK(buffer->shared());
  buffer->release();
  CHECK(pool.free_count() == 0);
  CHECK_FALSE(buffer->shared());
  buffer->release();
  CHECK(pool.free_count() == 1);
}

TEST_CASE("a pool is under pressure while no more than its reserve is free") {
  std::array<std::byte, 4 * bytes_each> memory;
  FramePool pool(memory, bytes_each, 2);
  CHECK_FALSE(pool.under_pressure());
  const BufferRef first(pool.take());
  CHECK_FALSE(pool.under_pressure());
  {
    const BufferRef second(pool.take());
    CHECK(pool.under_pressure());
  }
  CHECK_FALSE(pool.under_pressure());
}

TEST_CASE("a held reference ends with its scope, once, wherever it was moved") {
  std::array<std::byte, 2 * bytes_each> memory;
  FramePool pool(memory, bytes_each);
  {
    BufferRef held(pool.take());
    REQUIRE(held);
    BufferRef moved(std::move(held));
    CHECK(moved.get()->memory() == moved->memory());
    CHECK(pool.free_count() == 1);
    BufferRef target(pool.take());
    CHECK(pool.free_count() == 0);
    target = std::move(moved);  // what it held before comes home
    CHECK(pool.free_count() == 1);
    target.reset();
    CHECK_FALSE(target);
    CHECK(pool.free_count() == 2);
    target.reset();
  }
  CHECK(pool.free_count() == 2);
}

}  // namespace buffer_test
