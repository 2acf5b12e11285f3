// Cuts a byte stream into frames where the bytes lie (QEMU's stream wire, net/stream.c: 32-bit big-endian length,
// then the frame). Incremental: any split of the bytes gives the same frames.
//
// Data flow:  window() says where the next bytes go  ->  someone reads into it  ->  received() appends the frames
// that became whole. They stay valid until the next window().
//
//             headroom            received bytes              room
//   chunk: |..............|[len frame][len frame][len fra ~ |.........|
//                          ^ base                ^begin   ^end
//
// A frame cut by the end of what was received is completed in place while there is room; otherwise its head is
// copied in front of the base of the next chunk, so that every frame lies contiguous. That is the only copy.
//
// When nobody else holds the chunk it is used again from its base: a stream that is forwarded at once lives in one
// warm chunk. When no chunk is free the reader discards: bytes go to a scratch buffer, framing is kept, and the
// frames are counted (no_buffer), until a chunk is free at a moment when no frame is half discarded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "frames/buffer.h"
#include "frames/check.h"
#include "frames/frame_batch.h"

namespace lanyard {

class StreamReader {
 public:
  struct Window {
    std::byte* data = nullptr;
    std::size_t bytes = 0;  // never 0
  };
  struct Result {
    bool bad_length = false;  // a length of 0 or above frame_bytes_max: the framing is lost, close the connection
    std::uint32_t frames = 0;  // appended
    std::uint64_t bytes = 0;   // of all whole frames, also those skipped or discarded; without length headers
    std::uint32_t runts = 0;  // lengths 1 to 13, skipped
    std::uint32_t oversize = 0;  // above max_frame_bytes, skipped
    std::uint32_t discarded = 0;  // whole frames that went to scratch
    std::uint32_t heads_copied = 0;  // by the window() before
  };

  // Frames above `max_frame_bytes` are skipped and counted. REQUIRES: limits::frame_bytes_min to frame_bytes_max.
  explicit StreamReader(std::size_t max_frame_bytes = limits::frame_bytes_max) { set_max_frame_bytes(max_frame_bytes); }
  // Of frames that become whole from now on. REQUIRES: likewise.
  void set_max_frame_bytes(std::size_t max_frame_bytes) {
    LANYARD_CHECK(max_frame_bytes >= limits::frame_bytes_min && max_frame_bytes <= limits::frame_bytes_max);
    max_frame_bytes_ = max_frame_bytes;
  }

  // Where to put the next bytes. `scratch`, not empty, is used while `chunks` has none free. Frames handed out
  // before lose their memory unless someone took a reference on their buffer.
  [[nodiscard]] Window window(FramePool& chunks, std::span<std::byte> scratch);

  // `bytes` bytes, at most the window's, were put into the last window. After bad_length nothing may be received.
  Result received(std::size_t bytes, PortIndex ingress, FrameBatch& batch);

  // Gives the chunk back; what was half received is lost. Also on destruction.
  void reset();

  // Bytes of a frame not yet whole.
  [[nodiscard]] std::size_t partial_bytes() const { return static_cast<std::size_t>(end_ - begin_); }
  [[nodiscard]] bool discarding() const { return discarding_; }

 private:
  void rewind_to_base();
  [[nodiscard]] bool move_to(Buffer* chunk);
  void start_discarding();
  void stop_discarding(Buffer* chunk);
  [[nodiscard]] Window room_in_chunk() const;
  Result discard(std::size_t bytes);
  void count_discarded(std::uint32_t length, Result& result) const;

  std::size_t max_frame_bytes_ = 0;
  BufferRef chunk_;
  std::byte* begin_ = nullptr;  // first byte not yet given out as a frame
  std::byte* end_ = nullptr;    // end of the bytes received
  std::uint32_t heads_copied_ = 0;

  bool discarding_ = false;
  const std::byte* scratch_ = nullptr;
  std::size_t skip_bytes_ = 0;                // of the frame being discarded
  std::uint32_t skip_length_ = 0;             // its whole length
  std::array<std::byte, limits::length_header_bytes> header_{};  // a length header received in pieces
  std::size_t header_bytes_ = 0;
};

}  // namespace lanyard
