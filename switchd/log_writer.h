// Lines to a descriptor that perhaps nobody reads: the log of `switchd ... 2>&1 | reader`, whose reader may
// have stopped. Whoever logs must not wait for it, so what does not fit is lost, and counted: the first line
// that fits again stands behind one that tells how many were. A line is never cut: what of it does not fit at
// once comes before the next.
//
// A pipe or terminal is opened anew, to be nonblocking for us only: others may have the same one as we were
// given. A socket is told so with each piece. What cannot be opened anew is asked first whether it takes a
// piece of pipe_bytes, which a pipe then does unless others are quicker. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "transports/fd.h"

namespace lanyard {

class LogWriter {
 public:
  // `fd` stays its owner's, and open as long as this lives.
  explicit LogWriter(int fd);

  // `line` ends with a newline. `lost` writes the line that tells how many were lost.
  template <class LostLine>
  void write(std::string_view line, LostLine lost) {
    const bool is_taken = lost_ == 0 ? take(line) : take(lost(lost_).append(line));
    lost_ = is_taken ? 0 : lost_ + 1;
  }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }  // that have not been told of

 private:
  static constexpr std::size_t pipe_bytes = 4096;  // that a pipe with room takes at once (PIPE_BUF, pipe(7))

  [[nodiscard]] bool take(std::string_view line);  // false: not a byte of it
  [[nodiscard]] bool write_rest();                 // true: nothing is left
  [[nodiscard]] std::size_t write_some(std::string_view bytes) const;

  int fd_;
  Fd own_;  // the same, opened anew
  bool is_socket_ = false;
  std::string rest_;  // of a line that was begun
  std::uint64_t lost_ = 0;
};

}  // namespace lanyard
