// Egress queues: what waits, what is merged, what is copied, what is refused.
#include "frames/egress_queue.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "frames/bytes.h"

namespace egress_queue_test {

using namespace lanyard;

namespace {

struct Pools {
  Pools() : chunk_memory(32 * limits::chunk_bytes), slot_memory(128 * limits::slot_bytes),
            chunks(chunk_memory, limits::chunk_bytes), slots(slot_memory, limits::slot_bytes) {}
  // `count` frames of `bytes` behind one another in one chunk, as a stream brings them. The caller has a reference.
  std::vector<Frame> in_chunk(int count, std::uint32_t bytes) {
    Buffer* chunk = chunks.take();
    std::byte* at = chunk->memory() + 100;
    std::vector<Frame> frames;
    for (int i = 0; i < count; ++i) {
      store_be32(at, bytes);
      std::memset(at + 4, i, bytes);
      frames.push_back({at + 4, chunk, bytes, 0, true});
      at += 4 + bytes;
    }
    return frames;
  }
  Frame in_slot(std::uint32_t bytes) {
    Buffer* slot = slots.take();
    std::byte* data = slot->memory() + limits::slot_headroom_bytes;
    std::memset(data, 0x5A, bytes);
    return {data, slot, bytes, 0, false};
  }
  [[nodiscard]] bool all_back() const {
    return chunks.free_count() == chunks.capacity() && slots.free_count() == slots.capacity();
  }
  std::vector<std::byte> chunk_memory, slot_memory;
  FramePool chunks, slots;
};

std::string bytes_of(const EgressQueue& queue) {
  std::string all;
  for (std::size_t i = 0; i < queue.segment_count(); ++i)
    all.append(reinterpret_cast<const char*>(queue.segment(i).data), queue.segment(i).bytes);
  return all.substr(queue.front_offset());
}

}  // namespace

TEST_CASE("neighbouring frames of a chunk leave a stream port as one segment") {
  Pools pools;
  EgressQueue queue(Wire::stream, 100, pools.chunks);
  const auto frames = pools.in_chunk(32, 1514);
  for (const Frame& frame : frames) REQUIRE(queue.push(frame));
  CHECK(queue.segment_count() == 1);
  CHECK(queue.segment(0).data == frames[0].data - 4);
  CHECK(queue.segment(0).bytes == 32 * 1518);
  CHECK(queue.queued_frames() == 32);
  frames[0].owner->release();
  CHECK_FALSE(pools.all_back());
  const auto left = queue.sent(32 * 1518);
  CHECK(left.frames == 32);
  CHECK(left.bytes == 32 * 1514);
  CHECK(pools.all_back());
}

TEST_CASE("a datagram leaves a stream port from its slot, with its length written in front") {
  Pools pools;
  EgressQueue queue(Wire::stream, 100, pools.chunks);
  const Frame frame = pools.in_slot(60);
  REQUIRE(queue.push(frame));
  CHECK(queue.segment(0).data == frame.data - 4);
  CHECK(load_be32(queue.segment(0).data) == 60);
  frame.owner->release();
  queue.clear();
  CHECK(pools.all_back());
}

TEST_CASE("a datagram port has one segment for each frame, without length headers") {
  Pools pools;
  EgressQueue queue(Wire::datagram, 100, pools.chunks);
  const auto frames = pools.in_chunk(3, 64);
  for (const Frame& frame : frames) REQUIRE(queue.push(frame));
  CHECK(queue.segment_count() == 3);
  CHECK(queue.segment(1).data == frames[1].data);
  CHECK(queue.segment(1).bytes == 64);
  frames[0].owner->release();
  queue.clear();
}

TEST_CASE("short writes leave the rest queued, in order, at any byte") {
  Pools pools;
  std::mt19937 random(7);
  EgressQueue queue(Wire::stream, 1000, pools.chunks);
  const auto frames = pools.in_chunk(20, 100);
  const Frame other = pools.in_slot(70);
  for (const Frame& frame : frames) REQUIRE(queue.push(frame));
  REQUIRE(queue.push(other));
  const std::string all = bytes_of(queue);
  std::string sent;
  std::uint64_t left = 0;
  while (!queue.empty()) {
    const std::string rest = bytes_of(queue);
    REQUIRE(sent + rest == all);
    const std::size_t part = 1 + random() % std::min<std::size_t>(rest.size(), 90);
    sent += rest.substr(0, part);
    left += queue.sent(part).frames;
  }
  CHECK(left == 21);
  CHECK(sent == all);
  CHECK(queue.queued_bytes() == 0);
  frames[0].owner->release();
  other.owner->release();
  CHECK(pools.all_back());
}

TEST_CASE("a full queue refuses by frames and by bytes, and keeps nothing of what it refused") {
  Pools pools;
  EgressQueue few(Wire::stream, 2, pools.chunks);
  const auto frames = pools.in_chunk(3, 64);
  CHECK(few.push(frames[0]));
  CHECK(few.push(frames[1]));
  CHECK_FALSE(few.push(frames[2]));
  EgressQueue many(Wire::stream, limits::queue_frames_max, pools.chunks);
  const auto large = pools.in_chunk(4, 65'000);
  std::size_t queued = 0;
  while (many.push(large[queued % 4])) ++queued;
  CHECK(queued == limits::queue_bytes_max / 65'004);
  CHECK(many.queued_bytes() <= limits::queue_bytes_max);
  frames[0].owner->release();
  large[0].owner->release();
  few.clear();
  many.clear();
  CHECK(pools.all_back());
}

TEST_CASE("a queue that waits pins a bounded number of buffers; further frames are copied out, in order") {
  Pools pools;
  EgressQueue queue(Wire::stream, 8192, pools.chunks);
  std::string expected;
  std::size_t pushed = 0;
  for (; pushed < 300; ++pushed) {
    const Frame frame = pools.in_slot(static_cast<std::uint32_t>(60 + pushed % 50));
    std::memset(frame.data, static_cast<int>(pushed), frame.bytes);
    const bool queued = queue.push(frame);
    if (queued) expected.append(reinterpret_cast<const char*>(frame.data - 4), frame.bytes + 4);
    frame.owner->release();
    REQUIRE(queued);
  }
  CHECK(queue.copied_out() > 200);
  CHECK(pools.slots.capacity() - pools.slots.free_count() <= limits::queue_pinned_bytes_max / limits::slot_bytes);
  CHECK(pools.chunks.capacity() - pools.chunks.free_count() <= 2);
  CHECK(bytes_of(queue) == expected);
  queue.clear();
  CHECK(pools.all_back());
}

TEST_CASE("a run is queued as its frames would be one by one, up to what does not follow or does not fit") {
  Pools pools;
  EgressQueue queue(Wire::stream, 100, pools.chunks);
  const auto frames = pools.in_chunk(20, 100);
  Frame far = pools.in_slot(100);
  const std::span<const Frame> all(frames);

  SECTION("an empty queue has nothing that could grow") {
    CHECK(queue.extend(all, 1514) == 0);
    CHECK(queue.empty());
  }
  SECTION("all of a run") {
    REQUIRE(queue.push(frames[0]));
    CHECK(queue.extend(all.subspan(1), 1514) == 19);
    CHECK(queue.queued_frames() == 20);
    CHECK(queue.queued_bytes() == 20 * 104);
    CHECK(queue.segment_count() == 1);
    EgressQueue one_by_one(Wire::stream, 100, pools.chunks);
    for (const Frame& frame : frames) REQUIRE(one_by_one.push(frame));
    CHECK(bytes_of(queue) == bytes_of(one_by_one));
    const auto left = queue.sent(20 * 104);
    CHECK(left.frames == 20);
    CHECK(left.bytes == 20 * 100);
  }
  SECTION("up to a gap") {
    REQUIRE(queue.push(frames[0]));
    std::vector<Frame> gap(frames.begin() + 1, frames.begin() + 5);
    gap.insert(gap.end(), frames.begin() + 6, frames.end());
    CHECK(queue.extend(gap, 1514) == 4);
    CHECK(queue.queued_frames() == 5);
  }
  SECTION("up to a frame in another buffer") {
    REQUIRE(queue.push(frames[0]));
    const std::vector<Frame> mixed{frames[1], far, frames[2]};
    CHECK(queue.extend(mixed, 1514) == 1);
  }
  SECTION("up to a frame that is too long") {
    REQUIRE(queue.push(frames[0]));
    CHECK(queue.extend(all.subspan(1), 99) == 0);
  }
  SECTION("up to the end of the queue, in frames") {
    EgressQueue small(Wire::stream, 7, pools.chunks);
    REQUIRE(small.push(frames[0]));
    CHECK(small.extend(all.subspan(1), 1514) == 6);
    CHECK_FALSE(small.push(frames[7]));
    CHECK(small.queued_frames() == 7);
  }
  SECTION("not on datagram wires") {
    EgressQueue datagrams(Wire::datagram, 100, pools.chunks);
    REQUIRE(datagrams.push(frames[0]));
    CHECK(datagrams.extend(all.subspan(1), 1514) == 0);
    datagrams.clear();
  }
  queue.clear();
  frames[0].owner->release();
  far.owner->release();
  CHECK(pools.all_back());
}

TEST_CASE("a run stops where the queue is full in bytes") {
  Pools pools;
  EgressQueue queue(Wire::stream, limits::queue_frames_max, pools.chunks);
  std::uint64_t queued = 0;
  std::vector<Frame> firsts;
  while (true) {
    const auto frames = pools.in_chunk(170, 1514);
    firsts.push_back(frames[0]);
    if (!queue.push(frames[0])) break;
    const std::size_t extended = queue.extend(std::span(frames).subspan(1), 1514);
    queued += 1 + extended;
    if (extended + 1 == frames.size()) continue;
    CHECK_FALSE(queue.push(frames[extended + 1]));
    break;
  }
  CHECK(queue.queued_frames() == queued);
  CHECK(queue.queued_bytes() == queued * 1518);
  CHECK(queue.queued_bytes() <= limits::queue_bytes_max);
  CHECK(queue.queued_bytes() + 1518 > limits::queue_bytes_max);
  queue.clear();
  for (const Frame& frame : firsts) frame.owner->release();
  CHECK(pools.all_back());
}

namespace {

// As the data plane queues a run: what grows the last segment, what is kept where it lies, the rest one by one. Returns
// which of the frames were taken.
std::vector<bool> queue_run(EgressQueue& queue, std::span<const Frame> frames, std::size_t frame_bytes_max) {
  std::vector<bool> taken;
  while (taken.size() < frames.size()) {
    const std::span<const Frame> rest = frames.subspan(taken.size());
    const std::size_t extended = queue.extend(rest, frame_bytes_max);
    const std::size_t pinned = queue.pin_each(rest.subspan(extended), frame_bytes_max);
    taken.insert(taken.end(), extended + pinned, true);
    if (extended + pinned > 0) continue;
    taken.push_back(rest.front().bytes <= frame_bytes_max && queue.push(rest.front()));
  }
  return taken;
}

}  // namespace

TEST_CASE("runs of any frames are queued as one by one: the same are taken, the same bytes leave") {
  const Wire wire = GENERATE(Wire::stream, Wire::datagram);
  const auto seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u);
  INFO((wire == Wire::stream ? "stream" : "datagram") << ", seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Pools pools;
  EgressQueue runs(wire, 400, pools.chunks);
  EgressQueue singles(wire, 400, pools.chunks);
  for (int turn = 0; turn < 200; ++turn) {
    for (std::size_t part = below(4); part > 0; --part) {
      const auto bytes = static_cast<std::uint32_t>(60 + below(1500));
      std::vector<Frame> some;  // with a gap perhaps: from a chunk, from a slot, or two from one slot
      if (below(2) == 0 && pools.chunks.free_count() > 1) some = pools.in_chunk(1 + static_cast<int>(below(30)), bytes);
      else if (pools.slots.free_count() > 0) some = {pools.in_slot(bytes)};
      if (some.empty()) continue;
      if (!some[0].length_header && below(3) == 0) {
        some.push_back({some[0].data + bytes, some[0].owner, bytes, 0, false, true});
        std::memset(some[1].data, 0x77, bytes);
      }
      Buffer* owner = some[0].owner;
      if (some.size() > 4 && below(2) == 0) some.erase(some.begin() + 3);
      const std::vector<bool> taken = queue_run(runs, some, 1400);
      for (std::size_t i = 0; i < some.size(); ++i)
        REQUIRE(taken[i] == (some[i].bytes <= 1400 && singles.push(some[i])));
      owner->release();
    }
    REQUIRE(bytes_of(runs) == bytes_of(singles));
    REQUIRE(runs.queued_frames() == singles.queued_frames());
    REQUIRE(runs.queued_bytes() == singles.queued_bytes());
    REQUIRE(runs.segment_count() == singles.segment_count());
    if (runs.empty() || below(3) != 0) continue;
    EgressQueue::Left left;
    EgressQueue::Left expected;
    if (wire == Wire::stream) {
      const std::size_t part = 1 + below(runs.queued_bytes());
      left = runs.sent(part);
      expected = singles.sent(part);
    } else {
      const std::size_t segments = 1 + below(runs.segment_count());
      left = runs.pop_front(segments);
      for (std::size_t i = 0; i < segments; ++i) {
        const EgressQueue::Left one = singles.pop_front();
        expected = {expected.frames + one.frames, expected.bytes + one.bytes};
      }
    }
    REQUIRE(left.frames == expected.frames);
    REQUIRE(left.bytes == expected.bytes);
  }
  CHECK(runs.copied_out() == singles.copied_out());
  CHECK(runs.clear().frames == singles.clear().frames);
  CHECK(pools.all_back());
}

}  // namespace egress_queue_test
