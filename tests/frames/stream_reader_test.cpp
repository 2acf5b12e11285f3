// Stream framing: any split of the bytes gives the same frames, where the bytes lie.
#include "frames/stream_reader.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/support/frames.h"

namespace stream_reader_test {

using namespace lanyard;
using lanyard::test::frame;
using lanyard::test::mac;
using lanyard::test::on_stream;

namespace {

struct Reading {
  explicit Reading(std::size_t chunks = 8)
      : memory(chunks * limits::chunk_bytes), pool(memory, limits::chunk_bytes), scratch(4096) {}

  // Gives the reader `bytes` in one piece, as far as its window goes; what is left goes into the next.
  void feed(const std::string& bytes) {
    std::size_t at = 0;
    while (at < bytes.size() && !totals.bad_length) {
      const StreamReader::Window window = reader.window(pool, scratch);
      REQUIRE(window.bytes > 0);
      const std::size_t part = std::min(window.bytes, bytes.size() - at);
      std::memcpy(window.data, bytes.data() + at, part);
      batch.clear();
      const StreamReader::Result got = reader.received(part, 7, batch);
      totals.runts += got.runts;
      totals.oversize += got.oversize;
      totals.discarded += got.discarded;
      totals.heads_copied += got.heads_copied;
      totals.bad_length = got.bad_length;
      REQUIRE(got.frames == batch.size());
      for (const Frame& one : batch.frames()) {
        CHECK(one.ingress == 7);
        CHECK(one.length_header);
        frames.emplace_back(reinterpret_cast<const char*>(one.data), one.bytes);
        if (hold) {
          one.owner->add_reference();
          held.emplace_back(one.owner);
        }
      }
      at += part;
    }
  }

  std::vector<std::byte> memory;
  FramePool pool;
  std::vector<std::byte> scratch;
  StreamReader reader;
  FrameBatch batch;
  StreamReader::Result totals;
  std::vector<std::string> frames;
  bool hold = false;  // as a slow port does
  std::vector<BufferRef> held;
};

std::vector<std::string> some_frames(std::mt19937& random, int count) {
  const std::size_t sizes[] = {14, 42, 60, 64, 594, 1514, 9014, limits::frame_bytes_max};
  std::vector<std::string> frames;
  for (int i = 0; i < count; ++i)
    frames.push_back(frame(mac(1), mac(2), sizes[random() % (i % 5 == 0 ? 8 : 6)], static_cast<unsigned>(i)));
  return frames;
}

}  // namespace

TEST_CASE("frames come out of a stream whole, however its bytes are cut") {
  const unsigned seed = GENERATE(range(1U, 21U));
  std::mt19937 random(seed);
  const std::vector<std::string> sent = some_frames(random, 120);
  std::string bytes;
  for (const std::string& one : sent) bytes += on_stream(one);
  Reading reading;
  reading.hold = seed % 3 == 0;
  INFO("seed " << seed);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t part = std::min<std::size_t>(bytes.size() - at, 1 + random() % (seed % 2 == 0 ? 40'000 : 700));
    reading.feed(bytes.substr(at, part));
    at += part;
    if (random() % 4 == 0) reading.held.clear();
  }
  CHECK(reading.totals.discarded + reading.frames.size() == sent.size());
  if (reading.totals.discarded == 0) CHECK(reading.frames == sent);
  reading.held.clear();
  reading.reader.reset();
  CHECK(reading.pool.free_count() == reading.pool.capacity());
}

TEST_CASE("one byte at a time is a stream like any other") {
  Reading reading;
  const std::string sent = frame(mac(1), mac(2), 1514, 5);
  for (const char byte : on_stream(sent) + on_stream(sent)) reading.feed(std::string(1, byte));
  CHECK(reading.frames == std::vector<std::string>{sent, sent});
}

TEST_CASE("a frame lies where its bytes were received") {
  Reading reading;
  const StreamReader::Window window = reading.reader.window(reading.pool, reading.scratch);
  const std::string bytes = on_stream(frame(mac(1), mac(2))) + on_stream(frame(mac(1), mac(2), 100));
  std::memcpy(window.data, bytes.data(), bytes.size());
  const auto got = reading.reader.received(bytes.size(), 1, reading.batch);
  REQUIRE(got.frames == 2);
  CHECK(reading.batch.frames()[0].data == window.data + 4);
  CHECK(reading.batch.frames()[1].data == window.data + 4 + 60 + 4);
}

TEST_CASE("a stream that is forwarded at once lives in one warm chunk") {
  Reading reading;
  const std::string bytes = on_stream(frame(mac(1), mac(2), 1514));
  const StreamReader::Window first = reading.reader.window(reading.pool, reading.scratch);
  for (int i = 0; i < 1000; ++i) reading.feed(bytes);
  const StreamReader::Window last = reading.reader.window(reading.pool, reading.scratch);
  CHECK(first.data == last.data);
  CHECK(reading.pool.free_count() == reading.pool.capacity() - 1);
}

TEST_CASE("lengths 1 to 13 are skipped as runts and the frames behind them arrive") {
  const unsigned length = GENERATE(range(1U, 14U));
  Reading reading;
  std::byte header[4];
  store_be32(header, length);
  const std::string good = frame(mac(1), mac(2));
  reading.feed(std::string(reinterpret_cast<const char*>(header), 4) + std::string(length, 'x') + on_stream(good));
  CHECK(reading.totals.runts == 1);
  CHECK(reading.frames == std::vector<std::string>{good});
}

TEST_CASE("the longest frame passes and one byte more breaks the framing") {
  Reading reading;
  const std::string longest = frame(mac(1), mac(2), limits::frame_bytes_max);
  reading.feed(on_stream(longest));
  CHECK(reading.frames.size() == 1);
  CHECK_FALSE(reading.totals.bad_length);
  std::byte header[4];
  store_be32(header, limits::frame_bytes_max + 1);
  reading.feed(std::string(reinterpret_cast<const char*>(header), 4));
  CHECK(reading.totals.bad_length);
}

TEST_CASE("a length of 0 breaks the framing, after the frames before it") {
  Reading reading;
  const std::string good = frame(mac(1), mac(2));
  reading.feed(on_stream(good) + std::string(4, '\0'));
  CHECK(reading.frames.size() == 1);
  CHECK(reading.totals.bad_length);
}

TEST_CASE("a frame above the port's max-frame is skipped, the framing kept") {
  Reading reading;
  reading.reader = StreamReader(1514);
  const std::string good = frame(mac(1), mac(2), 1514);
  reading.feed(on_stream(frame(mac(1), mac(2), 1515)) + on_stream(good));
  CHECK(reading.totals.oversize == 1);
  CHECK(reading.frames == std::vector<std::string>{good});
}

TEST_CASE("frames that would be refused anyway are counted as that also while memory is short") {
  Reading reading(1);
  reading.reader = StreamReader(1514);
  reading.hold = true;
  const std::string good = on_stream(frame(mac(1), mac(2), 1000));
  while (!reading.reader.discarding()) {
    reading.feed(good);
    (void)reading.reader.window(reading.pool, reading.scratch);
  }
  reading.feed(good + on_stream(frame(mac(1), mac(2), 1515)) + on_stream("short") + good);
  CHECK(reading.totals.oversize == 1);
  CHECK(reading.totals.runts == 1);
  CHECK(reading.totals.discarded == 2);
}

TEST_CASE("without a free chunk the stream is drained, frames are counted, and framing survives until there is one") {
  const unsigned seed = GENERATE(range(1U, 11U));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  Reading reading(1);
  reading.hold = true;  // the one chunk is pinned by the first frames
  const std::vector<std::string> sent = some_frames(random, 400);
  std::string bytes;
  for (const std::string& one : sent) bytes += on_stream(one);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t part = std::min<std::size_t>(bytes.size() - at, 1 + random() % 5000);
    reading.feed(bytes.substr(at, part));
    at += part;
    if (random() % 40 == 0) reading.held.clear();
  }
  CHECK(reading.totals.discarded > 0);
  CHECK(reading.frames.size() + reading.totals.discarded == sent.size());
  // What arrived is a subsequence of what was sent, byte for byte.
  std::size_t at = 0;
  for (const std::string& one : reading.frames) {
    while (at < sent.size() && sent[at] != one) ++at;
    REQUIRE(at < sent.size());
    ++at;
  }
}

}  // namespace stream_reader_test
