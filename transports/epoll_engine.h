// The epoll engine: readiness, then recvmmsg, sendmmsg, recv and sendmsg. Runs everywhere, also where io_uring is
// blocked (containers, CI, hardened hosts), and is the partner for differential tests.
//
// One turn: one epoll_wait, after a pause where frames gather (gathering.h), which a blocked descriptor ends; for each
// readable transport one receive (a chunk of stream, or up to 64 datagrams), so that none starves another;
// level-triggered, so what remains is told again. Writability is asked for only while a descriptor is blocked. A device
// (TAP) gives and takes one frame with each read and write.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "transports/engine.h"
#include "transports/receive.h"
#include "transports/send.h"

namespace lanyard {

class EpollEngine final : public Engine {
 public:
  // `wake_fd` is an eventfd that ends a wait; it outlives the engine. Throws std::system_error without descriptors.
  EpollEngine(const DataContext& context, int wake_fd);
  ~EpollEngine() override;

  [[nodiscard]] std::string_view name() const override { return "epoll"; }
  [[nodiscard]] std::uint64_t now_ns() const override;
  [[nodiscard]] bool start() override;
  [[nodiscard]] int attach(Transport& transport) override;
  void detach(Transport& transport) override;
  void wait(std::uint64_t deadline_ns) override;
  void flush(Transport& transport) override;

 private:
  void receive_stream(Transport& transport);
  void receive_datagrams(Transport& transport);
  [[nodiscard]] unsigned refill_slots();
  [[nodiscard]] Buffer* take_slot_behind(std::size_t message);
  void flush_stream(Transport& transport, Port& port);
  void flush_datagrams(Transport& transport, Port& port);
  [[nodiscard]] bool send_plan(Transport& transport, Port& port);
  [[nodiscard]] bool let_gather();
  void set_blocked(Transport& transport, bool blocked);
  void forget_blocked(const Transport& transport);

  // Of a UNIX stream at once. Less than a chunk holds: what was read is still in the cache when it is sent, and the peer
  // has written more by then. With 64 or 256 KiB a full-size frame in bursts costs up to a tenth more. Of TCP as much as
  // a chunk holds: each send is segments and acknowledgements, and with 64 KiB it costs up to twice as much.
  static constexpr std::size_t unix_receive_bytes = 128 * limits::kibi;
  static constexpr std::size_t blocked_asked_max = 64;  // descriptors; with more there is no pause
  static constexpr std::size_t datagrams = limits::datagrams_per_receive;
  struct alignas(cmsghdr) Control {
    std::array<std::byte, receive_control_bytes> bytes;
  };

  Fd epoll_;
  int wake_fd_;
  std::array<epoll_event, 64> events_{};
  int next_event_ = 0;   // those before it are done
  int event_count_ = 0;
  std::vector<pollfd> blocked_;  // the descriptors of transports that are
  std::array<Buffer*, datagrams> slots_{};
  std::size_t messages_used_ = datagrams;  // from the front, since all were ready
  std::array<mmsghdr, datagrams> messages_{};
  std::array<iovec, datagrams> receive_iovecs_{};
  std::array<sockaddr_un, datagrams> names_;  // the largest kind of address we meet
  std::array<Control, datagrams> controls_;
  std::array<iovec, limits::segments_per_send> send_iovecs_;
  DatagramPlan plan_;
};

}  // namespace lanyard
