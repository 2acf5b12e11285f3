// bare_loop: the limit of an engine with many sockets. The pump has a thread for each, which no switch can
// afford; this has one thread and one event loop, as switchd has, and passes datagrams on pair-wise without
// looking at a single byte.
//
//   bare_loop epoll|io_uring ENDPOINT ENDPOINT [ENDPOINT ENDPOINT]...     udp: alone, as in pump
//
//   epoll       epoll_wait, recvmmsg of 64 from each that is ready, one sendmmsg with a UDP_SEGMENT send for
//               each run of equal sizes
//   io_uring    multishot recvmsg into a ring of buffers; each run of completions of one socket with equal
//               sizes leaves as one UDP_SEGMENT sendmsg, submitted with the next wait
#include <liburing.h>
#include <netinet/udp.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/datagrams.h"
#include "bench/endpoint.h"

namespace lanyard::bench {
namespace {

std::size_t partner(std::size_t index) { return index ^ 1; }

[[noreturn]] void loop_epoll(const std::vector<Opened>& opened) {
  const Fd ready(epoll_create1(EPOLL_CLOEXEC));
  std::vector<DatagramSender> senders;
  for (std::size_t i = 0; i < opened.size(); ++i) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    if (epoll_ctl(ready.get(), EPOLL_CTL_ADD, opened[i].socket.get(), &event) != 0) system_error("epoll_ctl");
    senders.emplace_back(&opened[i].endpoint.remote, true);
  }
  DatagramReceiver receiver;
  std::array<epoll_event, 256> events;
  while (true) {
    const int count = epoll_wait(ready.get(), events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const std::size_t to = partner(events[i].data.u64);
      const auto datagrams = receiver.receive(opened[events[i].data.u64].socket, MSG_DONTWAIT);
      if (!datagrams.empty()) senders[to].send(opened[to].socket, datagrams);
    }
  }
}

class UringLoop {
 public:
  explicit UringLoop(const std::vector<Opened>& opened)
      : opened_(opened), memory_(new std::byte[buffers * buffer_stride_bytes]), sends_(sends_max) {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_CQSIZE | IORING_SETUP_DEFER_TASKRUN;
    params.cq_entries = 4 * buffers;
    check(io_uring_queue_init_params(ring_entries, &ring_, &params), "io_uring_queue_init");
    io_uring_register_ring_fd(&ring_);
    void* place = nullptr;
    if (posix_memalign(&place, 4096, buffers * sizeof(io_uring_buf)) != 0) failure("out of memory");
    buffer_ring_ = static_cast<io_uring_buf_ring*>(place);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(place);
    registration.ring_entries = buffers;
    check(io_uring_register_buf_ring(&ring_, &registration, 0), "io_uring_register_buf_ring");
    io_uring_buf_ring_init(buffer_ring_);
    for (std::uint16_t id = 0; id < buffers; ++id) give_back(id);
    for (std::uint64_t i = 0; i < sends_max; ++i) free_sends_.push_back(i);
    for (std::size_t i = 0; i < opened.size(); ++i) arm(i);
  }

  [[noreturn]] void run() {
    while (true) {
      io_uring_submit_and_wait(&ring_, 1);
      unsigned head = 0;
      unsigned seen = 0;
      io_uring_cqe* cqe = nullptr;
      io_uring_for_each_cqe(&ring_, head, cqe) {
        complete(*cqe);
        ++seen;
      }
      io_uring_cq_advance(&ring_, seen);
      finish_run();
      while (!waiting_.empty()) {  // armed again after the buffers that came back
        arm(waiting_.back());
        waiting_.pop_back();
      }
    }
  }

 private:
  static constexpr unsigned ring_entries = 1024;
  static constexpr std::uint16_t buffers = 1024;  // a power of two
  static constexpr std::size_t buffer_bytes = 2048;
  static constexpr std::size_t buffer_stride_bytes = buffer_bytes + 64;  // see DatagramReceiver
  static constexpr std::size_t sends_max = buffers;                      // each holds a buffer at least
  static constexpr std::uint64_t send_bit = std::uint64_t{1} << 32;  // in user data, else a socket's number

  struct Send {
    msghdr header;
    std::array<iovec, limits::gso_segments_max> parts;
    std::array<std::uint16_t, limits::gso_segments_max> ids;
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))> control;
  };

  static void check(int result, const char* what) {
    if (result >= 0) return;
    errno = -result;
    system_error(what);
  }

  std::byte* buffer(std::uint16_t id) { return memory_.get() + id * buffer_stride_bytes; }

  void give_back(std::uint16_t id) {
    io_uring_buf_ring_add(buffer_ring_, buffer(id), buffer_bytes, id, io_uring_buf_ring_mask(buffers), 0);
    io_uring_buf_ring_advance(buffer_ring_, 1);
  }

  io_uring_sqe* next_sqe() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe != nullptr) return sqe;
    io_uring_submit(&ring_);
    return io_uring_get_sqe(&ring_);
  }

  void arm(std::size_t index) {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_recvmsg_multishot(sqe, opened_[index].socket.get(), &receive_template_, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    io_uring_sqe_set_data64(sqe, index);
  }

  void complete(const io_uring_cqe& cqe) {
    if ((cqe.user_data & send_bit) != 0) {
      const std::uint64_t index = cqe.user_data & ~send_bit;
      for (std::size_t i = 0; i < sends_[index].header.msg_iovlen; ++i) give_back(sends_[index].ids[i]);
      free_sends_.push_back(index);
      return;
    }
    if ((cqe.flags & IORING_CQE_F_BUFFER) != 0)
      received(cqe.user_data, static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT), cqe.res);
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) waiting_.push_back(cqe.user_data);
  }

  void received(std::size_t index, std::uint16_t id, int result) {
    io_uring_recvmsg_out* out = io_uring_recvmsg_validate(buffer(id), result, &receive_template_);
    const std::size_t bytes = out == nullptr ? 0 : out->payloadlen;
    if (bytes == 0) return give_back(id);
    if (run_ != nullptr && (index != run_from_ || bytes != run_->parts[0].iov_len ||
                            run_->header.msg_iovlen == run_->parts.size() ||
                            (run_->header.msg_iovlen + 1) * bytes > limits::udp_payload_bytes_max))
      finish_run();
    if (run_ == nullptr) {
      run_index_ = free_sends_.back();
      free_sends_.pop_back();
      run_ = &sends_[run_index_];
      run_->header = {};
      run_from_ = index;
    }
    const std::size_t at = run_->header.msg_iovlen++;
    run_->parts[at] = {io_uring_recvmsg_payload(out, &receive_template_), bytes};
    run_->ids[at] = id;
  }

  void finish_run() {
    if (run_ == nullptr) return;
    const Opened& to = opened_[partner(run_from_)];
    msghdr& header = run_->header;
    header.msg_name = const_cast<sockaddr*>(to.endpoint.remote.get());
    header.msg_namelen = to.endpoint.remote.bytes;
    header.msg_iov = run_->parts.data();
    if (header.msg_iovlen > 1) {
      header.msg_control = run_->control.data();
      header.msg_controllen = sizeof run_->control;
      cmsghdr* control = CMSG_FIRSTHDR(&header);
      control->cmsg_level = SOL_UDP;
      control->cmsg_type = UDP_SEGMENT;
      control->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
      const auto segment = static_cast<std::uint16_t>(run_->parts[0].iov_len);
      std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
    }
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_sendmsg(sqe, to.socket.get(), &header, 0);
    io_uring_sqe_set_data64(sqe, send_bit | run_index_);
    run_ = nullptr;
  }

  const std::vector<Opened>& opened_;
  std::unique_ptr<std::byte[]> memory_;
  std::vector<Send> sends_;
  std::vector<std::uint64_t> free_sends_;
  std::vector<std::size_t> waiting_;  // sockets whose receive ended, as it does when no buffer is left
  msghdr receive_template_{};
  io_uring ring_{};
  io_uring_buf_ring* buffer_ring_ = nullptr;
  Send* run_ = nullptr;  // datagrams of equal size from one socket, in the order they came
  std::size_t run_from_ = 0;
  std::uint64_t run_index_ = 0;
};

int run(std::vector<std::string_view> arguments) {
  const bool epoll = !arguments.empty() && arguments.front() == "epoll";
  if (arguments.size() < 3 || arguments.size() % 2 == 0 || (!epoll && arguments.front() != "io_uring"))
    usage_error(
        "usage: bare_loop epoll|io_uring ENDPOINT ENDPOINT [ENDPOINT ENDPOINT]...\n"
        "ENDPOINT = udp:HOST:PORT,remote=HOST:PORT");
  std::vector<Opened> opened;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    Endpoint endpoint = parse_endpoint(arguments[i], i);
    if (endpoint.type != EndpointType::udp) usage_error(std::string(arguments[i]) + ": expected udp:");
    Fd socket = open_endpoint(endpoint);
    opened.push_back({std::move(endpoint), std::move(socket)});
  }
  std::puts("ready");
  std::fflush(stdout);
  if (epoll) loop_epoll(opened);
  UringLoop(opened).run();
}

}  // namespace
}  // namespace lanyard::bench

int main(int argc, char** argv) { return lanyard::bench::run({argv + 1, argv + argc}); }
