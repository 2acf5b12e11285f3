// What moves bytes between descriptors and buffers. The interface is batch-level: each engine uses its best calls
// underneath. Implementations: EpollEngine, UringEngine, SimEngine (tests).
//
// Inheritance, because the engine is chosen at start by the user or by what the kernel lets us have; the virtual
// call is per batch, not per frame.
//
// Data thread only, except for the construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "frames/buffer.h"
#include "transports/gathering.h"
#include "transports/inbox.h"
#include "transports/port_table.h"

namespace lanyard {

// The memory and tables an engine works on, shared with the loop; all of it outlives the engine.
struct DataContext {
  FramePool& chunks;
  FramePool& slots;
  PortTable& ports;
  Inbox& inbox;
};

// Sees the addresses that are given to the kernel to send from (tests prove zero copy with it).
using SendObserver = void (*)(void* user, const std::byte* data, std::size_t bytes);

class Engine {
 public:
  explicit Engine(const DataContext& context)
      : context_(context), scratch_(std::make_unique_for_overwrite<std::byte[]>(scratch_bytes)) {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;  // "epoll", "io_uring", "sim"
  [[nodiscard]] virtual std::uint64_t now_ns() const = 0;   // monotonic
  // When the last wait ended: the time of a whole turn, so that the clock is not asked for each datagram.
  [[nodiscard]] std::uint64_t woke_ns() const { return woke_ns_; }

  // Called once, first, on the data thread. False with errno set when the engine cannot run after all.
  [[nodiscard]] virtual bool start() { return true; }

  // Begins to receive. 0, or an errno: the transport is not attached then.
  [[nodiscard]] virtual int attach(Transport& transport) = 0;
  // Ends receiving and sending. The event `detached` follows, at once or later; until then the transport, its
  // queues and their buffers stay untouched.
  virtual void detach(Transport& transport) = 0;

  // Waits until something happens (where frames gather, up to 50 us longer: gathering.h), `deadline_ns` is reached, or
  // `wake_fd` (see construction) becomes readable; appends to the inbox. Sets woke_ns().
  virtual void wait(std::uint64_t deadline_ns) = 0;

  // Sends what the transport's dirty ports have queued, as far as the descriptor takes it now. What remains goes
  // when it is writable again: the transport then appears in the inbox's list to flush.
  virtual void flush(Transport& transport) = 0;

  // Whether the next wait is for more than one frame; tests make it so at will. Nothing gathers in the simulation.
  [[nodiscard]] Gathering& gathering() { return gathering_; }

  // How often the kernel was asked to wait, receive or send.
  [[nodiscard]] std::uint64_t syscalls() const { return syscalls_; }

  void observe_sends(SendObserver observer, void* user) {
    observer_ = observer;
    observer_user_ = user;
  }

 protected:
  static constexpr std::size_t scratch_bytes = 64 * limits::kibi;
  [[nodiscard]] std::span<std::byte> scratch() const { return {scratch_.get(), scratch_bytes}; }
  void observe(const std::byte* data, std::size_t bytes) const {
    if (observer_ != nullptr) [[unlikely]] observer_(observer_user_, data, bytes);
  }

  DataContext context_;
  Gathering gathering_;
  std::uint64_t woke_ns_ = 0;
  std::uint64_t syscalls_ = 0;

 private:
  std::unique_ptr<std::byte[]> scratch_;
  SendObserver observer_ = nullptr;
  void* observer_user_ = nullptr;
};

}  // namespace lanyard
