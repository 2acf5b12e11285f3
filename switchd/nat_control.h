// A `nat` port: a gateway in a process of its own (gateway/gateway.h), which this starts, watches, and starts
// again with back-off when it ends. The port opens when the gateway has said that it is ready; what it cannot
// do, such as a forward from an address in use, ends the start. Where one after another ends soon, the next is
// told of only when it has lasted.
#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "switchd/backoff.h"
#include "switchd/gateway/gateway_process.h"
#include "switchd/port_control.h"

namespace lanyard {

class NatControl final : public PortControl {
 public:
  NatControl(const PortConfig& config, PortServices& services);
  ~NatControl() override;

  [[nodiscard]] std::optional<OpenError> open() override;
  [[nodiscard]] std::string address() const override;
  void begin() override;
  void attached(const Notice& notice) override;
  void closed(const Notice& notice) override;
  void reconfigure(const PortConfig& config, std::function<void(const std::string&)> done) override;
  void stop() override;
  void stopped() override { reap(); }  // its forwards are closed then

 private:
  void take_stream();
  void tell_up();
  void watch();
  void watch_again();
  void start_again();
  void start_later();
  void await_message();
  [[nodiscard]] bool take_message(const std::string& text);
  void tell_of(const std::string& event, const std::string& kind);
  void gateway_ended(const std::string& why);
  void reap();

  static constexpr std::chrono::seconds watch_interval{5};  // a gateway that says nothing for two of these hangs
  static constexpr std::chrono::seconds steady{10};  // that long without an end: the next is the first again
  static constexpr unsigned ended_soon_max = 3;      // so many are told of

  GatewayConfig gateway_;
  GatewayProcess process_;
  asio::posix::stream_descriptor control_;
  asio::steady_timer timer_;   // until the next start
  asio::steady_timer watch_;   // until it is asked whether it is well
  bool well_ = true;           // it has answered since, or was just started
  std::uint64_t stream_ = 0;   // serial of the present gateway's transport
  Backoff backoff_;
  std::chrono::steady_clock::time_point started_;
  std::string last_failure_;
  std::function<void(const std::string&)> reconfigured_;  // waits for the gateway's answer
  unsigned ended_soon_ = 0;  // one after another
  bool told_up_ = true;      // of the present gateway's stream; of the first by the `port` line
  bool stopping_ = false;
};

}  // namespace lanyard
