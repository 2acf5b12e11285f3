// The files of a capture: one, or numbered ones of a bounded size of which the newest are kept. Each begins with the
// section and interface blocks that came so far, so that it can be read by itself (draft-ietf-opsawg-pcapng).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace lanyard::cli {

struct CaptureTarget {
  std::string path;                // empty or "-": standard output
  std::uint64_t rotate_bytes = 0;  // a file may have; 0: any number
  std::uint64_t files_max = 0;     // kept; 0: all

  [[nodiscard]] bool is_output() const { return path.empty() || path == "-"; }
};

// "lan.pcapng" and 3: "lan.00003.pcapng"
[[nodiscard]] std::string numbered_path(const std::string& path, std::uint64_t number);
// How many bytes of `blocks` are whole blocks that fit into `room`: at least the first. What is cut or no block counts as
// one with all behind it. Of this machine's byte order, as the daemon's are.
[[nodiscard]] std::size_t fitting_bytes(std::string_view blocks, std::uint64_t room);

class CaptureFiles {
 public:
  explicit CaptureFiles(CaptureTarget target) : target_(std::move(target)) {}
  ~CaptureFiles();
  CaptureFiles(const CaptureFiles&) = delete;
  CaptureFiles& operator=(const CaptureFiles&) = delete;

  // What cannot be opened or written is an Exit.
  void add_header(std::string_view blocks);
  void add_records(std::string_view blocks);

 private:
  void open_next();
  void write(std::string_view blocks);

  CaptureTarget target_;
  std::string header_;
  std::string path_;  // of the open file
  std::deque<std::string> kept_;
  std::uint64_t number_ = 0;
  std::uint64_t written_ = 0;  // to the open file
  int fd_ = -1;
};

}  // namespace lanyard::cli
