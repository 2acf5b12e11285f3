// Ports on interfaces of this host: a TAP, with a script for when it comes up and goes down, or a packet socket. One that
// fails, because its interface was deleted or went down, is opened again when that is there again (topology.h); a TAP
// that was deleted is not made again by that. It is open when its `up` script has ended, and closed when its `down`
// script has; one that is open in the end has had `up`, and `down` is run once for that.
//
// An interface may be renamed while it is in use. A TAP is held by its descriptor, at whose other end the host is, and may
// vanish with it: the port goes on, and shows the present name. A packet socket stands for the LAN at the interface of the
// configured name, which may be another by now: the port is down until there is one of that name.
#pragma once

#include <chrono>
#include <optional>

#include "switchd/every_second.h"
#include "switchd/interface_script.h"
#include "switchd/port_control.h"
#include "transports/interface_statistics.h"

namespace lanyard {

class InterfaceControl final : public PortControl {
 public:
  using PortControl::PortControl;

  [[nodiscard]] std::optional<OpenError> open() override;
  [[nodiscard]] std::string address() const override { return name_.empty() ? config_.interface : name_; }
  void oversize(const Notice& notice) override;
  void links_changed(const std::set<unsigned>& gone) override;
  void keep_away(const std::vector<PacketEnd>& ends) override;
  void await_open(Opening opened) override;
  void closed(const Notice& notice) override;
  void stop() override;
  void finish(std::function<void()> done) override;
  [[nodiscard]] bool reopens_itself() const override { return false; }
  [[nodiscard]] bool is_finishing() const override { return script_runs_; }

 protected:
  // A user who knows better than the interface may say so with max-frame.
  [[nodiscard]] std::size_t max_frame_bytes(std::size_t transport_max) const override {
    return config_.max_frame_bytes == 0 ? transport_max : config_.max_frame_bytes;
  }

 private:
  [[nodiscard]] std::optional<OpenError> open_device();
  [[nodiscard]] std::optional<OpenError> open_beside_the_host();
  void hand_over(Fd fd, Io io, std::size_t frame_bytes_max);
  void renamed(const std::string& name);
  void run(const std::string& path, ScriptEnded ended);
  void up_script_ended(const std::string& wrong);
  void run_down_script();
  void finish_if_idle();
  void watch_drops(std::shared_ptr<PortCounters> counters);
  void book_drops();

  Fd device_;  // opened, and not handed over before the script that brings it up has ended
  Fd keeper_;  // the TAP too: it is there until the script that takes it down has ended
  bool is_scripted_up_ = false;
  std::string name_;       // of the interface now; empty: not open yet
  unsigned interface_ = 0;  // its number
  std::uint64_t serial_ = 0;
  Fd ears_;                      // the packet socket too, while it is open
  std::vector<PacketEnd> away_;  // whose packets it does not hear
  bool script_runs_ = false;
  bool stopping_ = false;
  Opening opened_;
  std::function<void()> finished_;
  std::optional<std::chrono::steady_clock::time_point> oversize_at_;
  // A TAP: what the host sends and its queue has no room for is counted by the kernel, at the interface.
  std::optional<InterfaceStatistics> statistics_;
  std::uint64_t dropped_before_ = 0;  // it was opened
  std::uint64_t booked_before_ = 0;
  std::shared_ptr<PortCounters> counters_;
  EverySecond every_second_{services_.io(), [this] { book_drops(); }};
};

}  // namespace lanyard
