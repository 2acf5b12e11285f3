// Serves the files of one folder by TFTP, to be read only, for guests that boot by network. What lies outside
// the folder is not reached, by whatever name or symbolic link (openat2(2), RESOLVE_BENEATH), nor is what is
// no regular file. The folder itself is looked up for each transfer: it may be removed and made again, moved, or be a
// link that leads elsewhere by now. libslirp has a server of its own, which follows links to wherever they lead
// and sends nothing again.
//
// A transfer is known by the client's address and port; the server answers from its own port 69, as QEMU's
// does. One block is under way at a time (RFC 1350): each acknowledgement brings the next. One that is not
// answered is sent again after the timeout, and after tries_max of them the transfer ends; doubled
// acknowledgements are left out (RFC 1123, 4.2.3.1). Files are sent as they are, or translated to netascii
// for clients that ask for it, as those of old routers.
//
// Bounded: transfers, together and of one guest. Of a guest that has too many, the one makes room that was
// not acknowledged for longest; where all together are too many, one of a guest that has most of them. So
// nobody who comes is refused, and transfers that go on go on, however many others begin and are left. One
// thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "frames/tftp.h"
#include "frames/udp4_packet.h"
#include "switchd/gateway/poll_set.h"
#include "transports/fd.h"

namespace lanyard {

class TftpServer {
 public:
  static constexpr std::size_t transfers_max = 128;
  static constexpr std::size_t transfers_of_guest_max = 8;
  static constexpr unsigned tries_max = 6;
  static constexpr std::int64_t timeout_ms = 1000;  // where the client does not say

  using Send = std::function<void(const Udp4Endpoint& client, std::span<const std::byte> message)>;
  using Report = std::function<void(const std::string& line)>;  // for people: why a file was not served

  // `block_bytes_max`: of what fits a frame.
  TftpServer(std::size_t block_bytes_max, Send send, Report report);

  // Empty, or why nothing could be served from there.
  [[nodiscard]] static std::string check_folder(const std::string& path);
  // From now on; an empty one: nothing is served. Transfers under way go on.
  void serve(std::string folder) { folder_ = std::move(folder); }
  [[nodiscard]] bool is_serving() const { return !folder_.empty(); }

  void take(const Udp4Endpoint& client, std::span<const std::byte> message, std::int64_t now_ms);

  // Before and after a wait.
  void fill(PollSet& polled, std::int64_t now_ms) const;
  void poll(std::int64_t now_ms);

 private:
  using Bytes = std::vector<std::byte>;
  struct Transfer {
    Udp4Endpoint client;
    Fd file;
    bool is_netascii = false;
    std::int64_t at = 0;              // netascii: in the file, of what comes next
    std::optional<std::byte> second;  // netascii: of a pair whose first byte was the block's last
    std::size_t block_bytes = tftp_block_bytes;
    std::int64_t timeout_ms = 0;
    std::uint64_t block = 0;  // last sent; 0: the options
    bool is_last = false;
    Bytes sent;
    unsigned tries = 0;
    std::int64_t deadline_ms = 0;
    std::int64_t heard_ms = 0;  // of the client
  };
  using Transfers = std::list<Transfer>;

  void begin(const Udp4Endpoint& client, const TftpRead& read, std::int64_t now_ms);
  [[nodiscard]] static std::string open_folder(const std::string& path, Fd& folder);
  [[nodiscard]] Fd open_file(const Udp4Endpoint& client, const std::string& name);
  void refuse(const Udp4Endpoint& client, TftpError error, const std::string& text);
  void make_room(MacAddress guest);
  [[nodiscard]] Transfers::iterator find(const Udp4Endpoint& client);
  [[nodiscard]] static ssize_t read_octets(Transfer& transfer, Bytes& block);
  [[nodiscard]] static ssize_t read_netascii(Transfer& transfer, Bytes& block);
  [[nodiscard]] bool send_block(Transfer& transfer, std::int64_t now_ms);  // false: the file cannot be read
  void send(Transfer& transfer, Bytes message, std::int64_t now_ms);

  std::size_t block_bytes_max_;
  Send send_;
  Report report_;
  std::string folder_;  // its path
  Transfers transfers_;
};

}  // namespace lanyard
