// The files of a capture; see the header.
#include "tools/lanyard/capture_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "switchd/control/words.h"
#include "tools/lanyard/exit.h"
#include "tools/lanyard/output.h"

namespace lanyard::cli {

namespace {

constexpr std::size_t block_bytes_min = 12;  // type, length, and the length again
constexpr std::size_t block_length_at = 4;

// Of the first block; all there is, where that is none.
std::size_t block_bytes(std::string_view blocks) {
  std::uint32_t bytes = 0;
  if (blocks.size() < block_bytes_min) return blocks.size();
  std::memcpy(&bytes, blocks.data() + block_length_at, sizeof bytes);
  return bytes < block_bytes_min || bytes > blocks.size() ? blocks.size() : bytes;
}

}  // namespace

std::string numbered_path(const std::string& path, std::uint64_t number) {
  const std::size_t slash = path.rfind('/');
  const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t dot = path.rfind('.');
  const std::size_t end = dot == std::string::npos || dot <= name ? path.size() : dot;
  return fmt::format("{}.{:05}{}", path.substr(0, end), number, path.substr(end));
}

std::size_t fitting_bytes(std::string_view blocks, std::uint64_t room) {
  std::size_t bytes = block_bytes(blocks);
  while (bytes < blocks.size()) {
    const std::size_t next = block_bytes(blocks.substr(bytes));
    if (bytes + next > room) break;
    bytes += next;
  }
  return bytes;
}

CaptureFiles::~CaptureFiles() {
  if (fd_ >= 0 && !target_.is_output()) ::close(fd_);
}

void CaptureFiles::add_header(std::string_view blocks) {
  if (blocks.empty()) return;
  header_ += blocks;
  if (fd_ >= 0)
    write(blocks);
  else
    open_next();
}

void CaptureFiles::add_records(std::string_view blocks) {
  while (!blocks.empty()) {
    if (fd_ < 0) open_next();
    const bool bounded = target_.rotate_bytes > 0;
    const std::uint64_t room = bounded ? target_.rotate_bytes - std::min(written_, target_.rotate_bytes) : ~std::uint64_t{0};
    const std::size_t bytes = fitting_bytes(blocks, room);
    if (bytes > room && written_ > header_.size()) {
      open_next();
      continue;
    }
    write(blocks.substr(0, bytes));
    blocks.remove_prefix(bytes);
  }
}

void CaptureFiles::open_next() {
  if (target_.is_output()) {
    fd_ = STDOUT_FILENO;
    path_ = "standard output";
  } else {
    if (fd_ >= 0) ::close(fd_);
    path_ = target_.rotate_bytes > 0 ? numbered_path(target_.path, ++number_) : target_.path;
    constexpr mode_t only_mine = 0600;  // it is what others send and receive
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, only_mine);
    if (fd_ < 0) throw Exit{exit_refused, fmt::format("{} cannot be opened: {}", printable(path_), std::strerror(errno))};
    kept_.push_back(path_);
  }
  if (target_.files_max > 0 && kept_.size() > target_.files_max) {
    ::unlink(kept_.front().c_str());
    kept_.pop_front();
  }
  written_ = 0;
  write(header_);
}

void CaptureFiles::write(std::string_view blocks) {
  write_all(fd_, blocks, printable(path_));
  written_ += blocks.size();
}

}  // namespace lanyard::cli
