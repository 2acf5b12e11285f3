// A data plane under test with VMs around it, on any engine: real sockets for epoll and io_uring, the simulation
// otherwise. The test's thread is the data thread. The same test runs on all of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "switchd/dataplane.h"
#include "tests/support/frames.h"
#include "transports/sim_engine.h"

namespace lanyard::test {

class Rig;

// One VM's end of its wire.
class Vm {
 public:
  void send(const std::string& frame);       // as the wire carries it
  void send_raw(const std::string& bytes);   // on a stream: bytes; else: one datagram
  [[nodiscard]] std::vector<std::string> received();  // whole frames so far, all since the start
  void stop_reading();
  void resume_reading();
  [[nodiscard]] bool reads() const { return reading_; }
  void close();
  [[nodiscard]] const PortCounters& counters() const { return *counters_; }
  [[nodiscard]] int fd() const { return fd_.get(); }  // of real engines, for a thread of its own
  [[nodiscard]] bool down() const;  // the data plane has handed the transport back

 private:
  friend class Rig;
  void drain();
  Rig* rig_ = nullptr;
  Wire wire_ = Wire::stream;
  Fd fd_;              // real engines
  int endpoint_ = -1;  // simulation
  std::string stream_;
  std::vector<std::string> datagrams_;
  std::string unsent_;  // stream bytes the socket would not take yet
  bool reading_ = true;
  std::uint64_t serial_ = 0;
  std::shared_ptr<PortCounters> counters_;
};

struct RigOptions {
  std::string engine = "epoll";  // epoll, io_uring, sim
  std::uint64_t seed = 1;
  SimFaults faults{};
  std::vector<NetworkKind> networks{NetworkKind::learning_switch};
  std::size_t chunks = 64;
  std::size_t slots = 512;
};

class Rig {
 public:
  explicit Rig(const RigOptions& options);
  ~Rig();

  struct VmOptions {
    Wire wire = Wire::stream;
    NetworkIndex network = 0;
    std::size_t max_frame_bytes = limits::frame_bytes_max;
    std::size_t queue_frames = limits::queue_frames_default;
    std::uint32_t owner = 0;  // the configured port it belongs to
  };
  Vm& add(const VmOptions& options);
  Vm& add_stream() { return add({}); }
  Vm& add_datagram() { return add({.wire = Wire::datagram}); }
  // Hands over a transport made by the test; its far end is the test's affair.
  std::uint64_t attach(std::unique_ptr<Transport> transport);
  void detach(const Vm& vm);
  void command(Command command);

  // Turns the loop until `done`; false when that did not come about in time (10 s, or 100 000 turns simulated).
  [[nodiscard]] bool run_until(const std::function<bool()>& done);
  // A given number of turns that do not wait.
  void turns(int count);
  void clear_notices();
  // Turns the loop until there is a notice of this kind, and takes it.
  [[nodiscard]] Notice take_notice(Notice::Kind kind);

  [[nodiscard]] Dataplane& plane() { return *plane_; }
  [[nodiscard]] SimWorld* world() { return world_.get(); }
  [[nodiscard]] const std::vector<Notice>& notices() const { return notices_; }
  [[nodiscard]] bool closed(std::uint64_t serial) const;
  // Stops the data plane as SIGTERM does. True when every buffer came back.
  [[nodiscard]] bool stop();
  // Both identities of the ledger, for every port there ever was.
  [[nodiscard]] bool ledger_balances() const;

 private:
  friend class Vm;
  void pump();
  std::unique_ptr<SimWorld> world_;
  Handover handover_;
  std::unique_ptr<Dataplane> plane_;
  std::vector<std::unique_ptr<Vm>> vms_;
  std::vector<Notice> notices_;
  std::vector<std::shared_ptr<PortCounters>> all_counters_;
  std::uint64_t next_serial_ = 1;
  bool stopped_ = false;
};

[[nodiscard]] bool balances(const PortCounters& counters);

}  // namespace lanyard::test
