// The simulated engine: seeded, in virtual time, without a kernel. Tests run the real loop, framing and bookkeeping
// on it, with the faults that sockets have: bytes in any pieces, short writes, EAGAIN, ENOBUFS, loss and delay. The
// same seed gives the same run.
//
// SimWorld holds the far ends ("VMs"); SimEngine is the switch's side. A transport of the simulation owns an eventfd,
// which carries nothing and only names the endpoint.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "transports/engine.h"
#include "transports/send.h"

namespace lanyard {

struct SimFaults {
  double short_read = 0.3;      // probability that a receive gives only a part
  double short_write = 0.2;     // likewise for a send; then EAGAIN until a later turn
  double no_buffers = 0.0;      // a datagram is refused with ENOBUFS
  double loss = 0.0;            // a datagram is lost on the way to the switch
  std::uint64_t delay_ns_max = 0;  // towards the switch, uniformly distributed; order is kept
  std::size_t mtu_bytes = 65507;   // a longer UDP_SEGMENT segment is refused with EMSGSIZE
};

class SimWorld {
 public:
  SimWorld(std::uint64_t seed, const SimFaults& faults) : faults_(faults), random_(seed) {}

  struct SentDatagram {
    std::string bytes;
    std::string source;  // UNIX path of the sender, empty for none
  };
  struct Endpoint {
    Wire wire;
    std::size_t capacity_bytes;      // what the VM's side takes before the switch's sends block
    bool reading = true;             // false: a stopped VM; what it has not read counts against the capacity
    std::deque<std::pair<std::uint64_t, SentDatagram>> to_switch;  // with the time of arrival
    std::string stream_to_vm;        // stream wire: everything received, ever
    std::vector<std::string> datagrams_to_vm;
    std::size_t unread_bytes = 0;
    bool vm_closed = false;
  };

  // A new endpoint, named by the descriptor that is returned; the transport is to own it.
  [[nodiscard]] Fd make_endpoint(Wire wire, std::size_t capacity_bytes = 256 * limits::kibi);
  [[nodiscard]] Endpoint& at(int fd) { return endpoints_.at(fd); }
  void vm_send(int fd, std::string bytes, std::string source = {});
  void vm_close(int fd) { at(fd).vm_closed = true; }

  [[nodiscard]] std::uint64_t now_ns() const { return now_ns_; }
  void advance_to(std::uint64_t time_ns) { now_ns_ = std::max(now_ns_, time_ns); }
  [[nodiscard]] bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  [[nodiscard]] std::size_t pick(std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(random_);
  }
  [[nodiscard]] std::mt19937_64& random() { return random_; }
  [[nodiscard]] const SimFaults& faults() const { return faults_; }

 private:
  SimFaults faults_;
  std::mt19937_64 random_;
  std::uint64_t now_ns_ = 1'000'000'000;
  std::map<int, Endpoint> endpoints_;
};

class SimEngine final : public Engine {
 public:
  SimEngine(const DataContext& context, SimWorld& world) : Engine(context), world_(world) {}

  [[nodiscard]] std::string_view name() const override { return "sim"; }
  [[nodiscard]] std::uint64_t now_ns() const override { return world_.now_ns(); }
  [[nodiscard]] int attach(Transport& transport) override;
  void detach(Transport& transport) override;
  void wait(std::uint64_t deadline_ns) override;
  void flush(Transport& transport) override;

 private:
  [[nodiscard]] bool receive(Transport& transport);
  void receive_stream(Transport& transport, SimWorld::Endpoint& endpoint);
  void receive_datagrams(Transport& transport, SimWorld::Endpoint& endpoint);
  void unblock(Transport& transport, SimWorld::Endpoint& endpoint);
  void flush_stream(Transport& transport, Port& port, SimWorld::Endpoint& endpoint);
  void flush_datagrams(Transport& transport, Port& port, SimWorld::Endpoint& endpoint);
  [[nodiscard]] int send_message(const msghdr& message, std::size_t segments, SimWorld::Endpoint& endpoint);
  void receive_some(std::uint64_t deadline_ns);
  [[nodiscard]] std::uint64_t next_arrival() const;

  SimWorld& world_;
  std::vector<Transport*> attached_;
  DatagramPlan plan_;
};

}  // namespace lanyard
