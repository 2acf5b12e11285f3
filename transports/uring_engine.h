// The io_uring engine: completions, one kernel entry per turn for all ports together.
//
// Streams: a one-shot receive into the reader's chunk (a warm chunk beats multishot with a provided-buffer
// ring, which touches every buffer), armed again at the start of the next turn, when the frames of this one
// have been queued, or, where frames gather (gathering.h), after that wait, by a second entry; one sendmsg in
// flight, and everything queued meanwhile goes into the next. Datagrams: one multishot recvmsg per socket over
// one ring of provided slots; one sendmsg per planned message, in order; for sockets that tell when they take
// more linked, so that none overtakes one that has to wait. Devices (TAP): a poll, and plain reads until there
// is nothing more. A read gives one frame, so many reads would have to wait at once, each with a slot, and all
// of them would be woken for each frame. One write operation per frame.
//
// Operations carry {operation, message, slot, generation} in user_data. A buffer is the kernel's until its
// completion, also after the transport was asked to close: detach() cancels, and `detached` is reported when
// the last completion has come in.
//
// Needs Linux 6.0 (multishot recvmsg, SINGLE_ISSUER), better 6.1 (DEFER_TASKRUN). The ring is made, used and
// closed by the data thread alone.
#pragma once

#include <liburing.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "transports/engine.h"
#include "transports/receive.h"
#include "transports/send.h"

namespace lanyard {

// What the kernel lets us have. Found by probe_uring(); tests put in their own.
struct UringCapabilities {
  bool usable = false;
  std::string why_not;         // where it is not usable: one line for the log
  bool defer_taskrun = false;  // 6.1
};
[[nodiscard]] UringCapabilities probe_uring();

class UringEngine final : public Engine {
 public:
  // `wake_fd` is an eventfd that ends a wait; it outlives the engine.
  UringEngine(const DataContext& context, int wake_fd, const UringCapabilities& capabilities);
  ~UringEngine() override;

  // What it takes beside frame buffers, at most: the kernel's rings, and the messages that they point to.
  [[nodiscard]] static std::size_t memory_bytes_max();

  [[nodiscard]] std::string_view name() const override { return "io_uring"; }
  [[nodiscard]] std::uint64_t now_ns() const override;
  [[nodiscard]] bool start() override;
  [[nodiscard]] int attach(Transport& transport) override;
  void detach(Transport& transport) override;
  void wait(std::uint64_t deadline_ns) override;
  void flush(Transport& transport) override;

 private:
  enum class Operation : std::uint8_t { wake, receive, send, writable, cancel };
  struct Tag {
    Operation operation;
    std::uint8_t message = 0;
    std::uint32_t slot = 0;        // receive, writable: of the transport; send: the port's index
    std::uint32_t generation = 0;  // likewise
    [[nodiscard]] std::uint64_t pack() const;
    [[nodiscard]] static Tag unpack(std::uint64_t user_data);
  };
  struct Place {
    Transport* transport = nullptr;
    std::uint32_t generation = 0;
  };
  struct StreamMessage {
    msghdr header;
    std::array<iovec, limits::segments_per_send> iovecs;
  };

  [[nodiscard]] io_uring_sqe* next_sqe();
  void submit();
  void arm_wake();
  void arm_receive(Transport& transport);
  void arm_waiting_receives(bool with_streams);
  void submit_and_wait(unsigned completions, std::uint64_t timeout_ns);
  [[nodiscard]] std::span<std::byte> scratch_for(Transport& transport);
  void refill_slots();
  void complete_late_receives();
  void complete(const io_uring_cqe& cqe);
  void received(Transport& transport, const io_uring_cqe& cqe);
  void received_datagram(Transport& transport, const io_uring_cqe& cqe);
  void sent(Port& port, const Tag& tag, int result);
  void sent_stream(Port& port, int result);
  void settle_messages(Port& port);
  void send_one_by_one(Port& port, std::size_t segments);
  [[nodiscard]] SendOutcome send_front(Port& port);
  void operation_ended(Transport& transport);
  void flush_stream(Transport& transport, Port& port);
  void flush_datagrams(Transport& transport, Port& port);
  void wait_until_writable(Transport& transport);
  void set_blocked(Transport& transport, bool blocked);
  void cancel(int fd);

  static constexpr unsigned ring_entries = 512;
  static constexpr unsigned completion_entries = ring_entries * 8;
  static constexpr std::size_t stream_messages_max = ring_entries / 4;
  static constexpr std::size_t plans_max = 32;
  static constexpr unsigned slots_entries = 64;  // in the ring of provided slots; a power of two
  static constexpr unsigned slots_group = 0;
  // The bytes that a multishot recvmsg puts in front of the payload; then the payload is where a slot wants it.
  static constexpr unsigned name_bytes = 112;     // sockaddr_un, rounded up
  static constexpr unsigned lead_bytes = sizeof(io_uring_recvmsg_out) + name_bytes + receive_control_bytes;
  static constexpr std::size_t slot_offset = limits::slot_headroom_bytes - lead_bytes;
  static_assert(limits::slot_headroom_bytes > lead_bytes && slot_offset % 8 == 0);

  int wake_fd_;
  UringCapabilities capabilities_;
  io_uring ring_{};
  bool started_ = false;
  std::uint64_t wakes_ = 0;
  std::vector<Place> places_;
  std::vector<std::uint32_t> free_places_;
  std::vector<Transport*> to_arm_;
  std::vector<io_uring_cqe> late_receives_;  // that came when the inbox was full

  io_uring_buf_ring* slots_ring_ = nullptr;
  std::vector<Buffer*> provided_;         // by buffer id; null: not with the kernel
  std::vector<std::uint16_t> free_ids_;
  msghdr receive_template_{};

  // What the kernel reads at submission; used again after each submit().
  std::vector<std::unique_ptr<StreamMessage>> stream_messages_;
  std::size_t stream_messages_used_ = 0;
  std::vector<std::unique_ptr<DatagramPlan>> plans_;
  std::size_t plans_used_ = 0;
};

}  // namespace lanyard
