// A `nat` port: a gateway in a process of its own (gateway/gateway.h), which this starts, watches, and starts again when
// it ends. It is one of
//
//   starting   it runs, and has not said yet that it is ready; one that does not within ready_time_max is ended
//   ready      it serves
//   waiting    it ended, and another is started when a pause is over, longer and longer (backoff.h), and nothing is left
//              of it: neither its process, which may have ports of this host, nor its stream
//
// The port is open when its first gateway is ready; what that cannot do, such as a forward from an address in use, is why
// it cannot be open. A change is told to one that is ready, which answers; else one is started with it at once, and what
// becomes of that is the answer. Where one after another ends soon, the next is told of only when it has lasted
// (flap_damping.h).
#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "switchd/backoff.h"
#include "switchd/flap_damping.h"
#include "switchd/gateway/gateway_process.h"
#include "switchd/port_control.h"
#include "switchd/untold_drops.h"

namespace lanyard {

class NatControl final : public PortControl {
 public:
  NatControl(const PortConfig& config, PortServices& services);
  ~NatControl() override;

  [[nodiscard]] std::optional<OpenError> open() override;
  [[nodiscard]] std::string address() const override;
  void await_open(Opening opened) override { opened_ = std::move(opened); }
  void attached(const Notice& notice) override;
  void closed(const Notice& notice) override;
  void reconfigure(const PortConfig& config, std::function<void(const std::string&)> done) override;
  void stop() override;
  void finish(std::function<void()> done) override;  // its forwards are closed then
  [[nodiscard]] bool is_finishing() const override { return ending_; }

 private:
  enum class State : std::uint8_t { starting, ready, waiting };

  [[nodiscard]] std::optional<OpenError> start();
  void start_later();
  void start_if_free();
  void is_ready();
  void take_stream();
  void tell_up();
  void watch();
  void watch_again();
  void await_message();
  [[nodiscard]] bool take_message(const std::string& text);
  void book_refused(std::uint64_t refused);
  void tell_of(const std::string& event, const std::string& kind);
  [[nodiscard]] bool is_new(const std::string& event);
  void gateway_ended(const OpenError& why);
  void end_process();
  void process_ended();
  void answer_change(const std::string& wrong);

  static constexpr std::chrono::seconds ready_time_max{10};
  static constexpr std::chrono::milliseconds end_time_max{500};
  static constexpr std::chrono::seconds watch_interval{5};  // a gateway that says nothing for two of these hangs

  GatewayConfig gateway_;
  GatewayProcess process_;
  State state_ = State::waiting;
  asio::posix::stream_descriptor control_;
  asio::steady_timer timer_;   // waiting: until the next start; starting: until it has to be ready
  unsigned step_ = 0;          // counts starts, ends and pauses: a handler may come when its own is over
  asio::steady_timer watch_;   // until it is asked whether it is well
  std::shared_ptr<PortCounters> counters_;  // its own port's, once it was ready
  std::uint64_t booked_refused_ = 0;        // of this gateway
  bool well_ = true;           // it has answered since, or was just started
  bool wants_start_ = false;   // waiting: the pause is over
  bool ending_ = false;        // the last one's process is still there
  std::uint64_t stream_ = 0;   // serial of the last one's transport; 0: it has closed
  Opening opened_;             // until it is open
  Backoff backoff_;
  // That a guest was served says nothing of a gateway, which guests may bring to an end.
  FlapDamping damping_{{.lasts = std::chrono::seconds(10), .told_max = 3}};
  UntoldDrops untold_drops_;
  bool tells_up_ = false;  // when the data plane has taken it
  std::string last_failure_;
  std::set<std::string> told_;  // what is told once, whatever gateway finds it
  std::function<void(const std::string&)> reconfigured_;  // waits for the gateway's answer
  std::function<void()> finished_;
  bool stopping_ = false;
};

}  // namespace lanyard
