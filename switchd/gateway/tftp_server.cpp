// The transfers of the TFTP server; see the header.
#include "switchd/gateway/tftp_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "frames/utf8.h"

namespace lanyard {

namespace {

constexpr unsigned timeout_s_max = 30;  // that a client may choose: a transfer that is given up holds a file open

// As clients write it: from the top of the folder, and with Windows' separators.
std::string relative_name(std::string name) {
  std::replace(name.begin(), name.end(), '\\', '/');
  name.erase(0, std::min(name.find_first_not_of('/'), name.size()));
  return name;
}

// Nothing that waits, no device, and nothing outside the folder.
Fd open_beneath(const Fd& folder, const std::string& name) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(::syscall(SYS_openat2, folder.get(), name.c_str(), &how, sizeof how)));
}

// As much as there is up to the end of the file; negative: it cannot be read.
ssize_t read_at(const Fd& file, std::span<std::byte> bytes, off_t at) {
  ssize_t got = 0;
  do got = ::pread(file.get(), bytes.data(), bytes.size(), at);
  while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

TftpServer::TftpServer(std::size_t block_bytes_max, Send send, Report report)
    : block_bytes_max_(block_bytes_max), send_(std::move(send)), report_(std::move(report)) {}

std::string TftpServer::check_folder(const std::string& path) {
  Fd folder;
  return open_folder(path, folder);
}

std::string TftpServer::open_folder(const std::string& path, Fd& folder) {
  folder = Fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return folder ? std::string() : fmt::format("tftp: cannot open the folder {}: {}", path, std::strerror(errno));
}

void TftpServer::take(const Udp4Endpoint& client, std::span<const std::byte> message, std::int64_t now_ms) {
  const TftpRequest request = parse_tftp(message);
  const auto transfer = find(client);
  if (const auto* read = std::get_if<TftpRead>(&request)) return begin(client, *read, now_ms);
  if (std::holds_alternative<TftpWrite>(request)) return refuse(client, TftpError::access, "nothing is written here");
  if (std::holds_alternative<TftpMalformed>(request))
    return send_(client, write_tftp_error(TftpError::illegal, "malformed"));
  if (transfer == transfers_.end()) return;
  if (const auto* ack = std::get_if<TftpAck>(&request)) {
    if (ack->block != static_cast<std::uint16_t>(transfer->block)) return;  // of an earlier one, doubled
    transfer->heard_ms = now_ms;
    if (!transfer->is_last && send_block(*transfer, now_ms)) return;
  }
  transfers_.erase(transfer);
}

void TftpServer::begin(const Udp4Endpoint& client, const TftpRead& read, std::int64_t now_ms) {
  if (const auto old = find(client); old != transfers_.end()) transfers_.erase(old);
  if (read.mode == TftpMode::other)
    return refuse(client, TftpError::illegal, "the mode is neither octet nor netascii");
  Fd file = open_file(client, relative_name(read.file));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return;
  make_room(client.mac);
  Transfer& transfer = transfers_.emplace_back();
  transfer.client = client;
  transfer.file = std::move(file);
  transfer.is_netascii = read.mode == TftpMode::netascii;
  transfer.heard_ms = now_ms;
  transfer.timeout_ms = timeout_ms;
  std::vector<TftpOption> agreed;
  if (read.block_bytes) {
    transfer.block_bytes = std::min(*read.block_bytes, block_bytes_max_);
    agreed.push_back({"blksize", transfer.block_bytes});
  }
  if (read.timeout_s && *read.timeout_s <= timeout_s_max) {
    transfer.timeout_ms = std::int64_t{*read.timeout_s} * 1000;
    agreed.push_back({"timeout", *read.timeout_s});
  }
  if (read.wants_size && !transfer.is_netascii)
    agreed.push_back({"tsize", static_cast<std::uint64_t>(status.st_size)});
  if (!agreed.empty()) return send(transfer, write_tftp_options(agreed), now_ms);
  if (!send_block(transfer, now_ms)) transfers_.pop_back();
}

// Nothing where it is not for this client, which has been told.
Fd TftpServer::open_file(const Udp4Endpoint& client, const std::string& name) {
  Fd folder;
  if (const std::string wrong = open_folder(folder_, folder); !wrong.empty()) {
    report_(wrong);
    send_(client, write_tftp_error(TftpError::not_found, "there is no folder"));
    return {};
  }
  Fd file = open_beneath(folder, name);
  const int error = errno;
  struct stat status {};
  if (file && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) return file;
  const bool is_none = file || error == ENOENT || error == ENOTDIR;
  const std::string why = error == EXDEV   ? "it is outside the folder"
                          : is_none        ? "no such file"
                          : error == ENOSYS ? "this needs Linux 5.6 or later"
                                            : std::strerror(error);
  refuse(client, is_none ? TftpError::not_found : TftpError::access, fmt::format("{}: {}", cut_text(name, 200), why));
  return {};
}

void TftpServer::refuse(const Udp4Endpoint& client, TftpError error, const std::string& text) {
  report_(fmt::format("TFTP: {} is refused: {}", to_string(client.address), text));
  send_(client, write_tftp_error(error, text));
}

void TftpServer::make_room(MacAddress guest) {
  std::map<std::uint64_t, std::size_t> of_guests;
  std::size_t most = 0;
  for (const Transfer& each : transfers_) most = std::max(most, ++of_guests[each.client.mac.value()]);
  const bool has_too_many = of_guests[guest.value()] >= transfers_of_guest_max;
  if (!has_too_many && transfers_.size() < transfers_max) return;
  auto gone = transfers_.end();
  for (auto each = transfers_.begin(); each != transfers_.end(); ++each) {
    const MacAddress mac = each->client.mac;
    if (has_too_many ? mac != guest : of_guests[mac.value()] < most) continue;
    if (gone == transfers_.end() || each->heard_ms < gone->heard_ms) gone = each;
  }
  transfers_.erase(gone);
}

TftpServer::Transfers::iterator TftpServer::find(const Udp4Endpoint& client) {
  return std::find_if(transfers_.begin(), transfers_.end(),
                      [&](const Transfer& each) { return each.client == client; });
}

// Fills `block` as far as the file goes; negative: it cannot be read.
ssize_t TftpServer::read_octets(Transfer& transfer, Bytes& block) {
  const auto at = static_cast<off_t>(transfer.block * transfer.block_bytes);
  return read_at(transfer.file, block, at);
}

ssize_t TftpServer::read_netascii(Transfer& transfer, Bytes& block) {
  constexpr std::byte carriage_return{'\r'}, line_feed{'\n'}, nul{0};
  const std::size_t bytes = block.size();
  block.clear();
  if (transfer.second) block.push_back(*std::exchange(transfer.second, std::nullopt));
  while (block.size() < bytes) {
    Bytes raw(bytes - block.size());
    const ssize_t got = read_at(transfer.file, raw, transfer.at);
    if (got < 0) return got;
    raw.resize(static_cast<std::size_t>(got));
    if (raw.empty()) break;
    for (const std::byte byte : raw) {
      if (block.size() == bytes) break;  // pairs have filled it
      ++transfer.at;
      const bool is_pair = byte == carriage_return || byte == line_feed;
      block.push_back(is_pair ? carriage_return : byte);
      if (!is_pair) continue;
      const std::byte second = byte == line_feed ? line_feed : nul;
      if (block.size() < bytes)
        block.push_back(second);
      else
        transfer.second = second;
    }
  }
  return static_cast<ssize_t>(block.size());
}

bool TftpServer::send_block(Transfer& transfer, std::int64_t now_ms) {
  Bytes block(transfer.block_bytes);
  const ssize_t got = transfer.is_netascii ? read_netascii(transfer, block) : read_octets(transfer, block);
  if (got < 0) {
    refuse(transfer.client, TftpError::other, std::strerror(errno));
    return false;
  }
  block.resize(static_cast<std::size_t>(got));
  transfer.is_last = block.size() < transfer.block_bytes;
  ++transfer.block;  // on the wire its last 16 bits: after 65535 comes 0
  send(transfer, write_tftp_data(static_cast<std::uint16_t>(transfer.block), block), now_ms);
  return true;
}

void TftpServer::send(Transfer& transfer, Bytes message, std::int64_t now_ms) {
  transfer.sent = std::move(message);
  transfer.tries = 1;
  transfer.deadline_ms = now_ms + transfer.timeout_ms;
  send_(transfer.client, transfer.sent);
}

void TftpServer::fill(PollSet& polled, std::int64_t now_ms) const {
  for (const Transfer& transfer : transfers_) polled.wake_within(transfer.deadline_ms - now_ms);
}

void TftpServer::poll(std::int64_t now_ms) {
  std::erase_if(transfers_,
                [&](const Transfer& each) { return each.deadline_ms <= now_ms && each.tries == tries_max; });
  for (Transfer& transfer : transfers_) {
    if (transfer.deadline_ms > now_ms) continue;
    ++transfer.tries;
    transfer.deadline_ms = now_ms + transfer.timeout_ms;
    send_(transfer.client, transfer.sent);
  }
}

}  // namespace lanyard
