// One end of a flow: a station behind a port of the program under test, sending bursts and counting what
// arrives.
//
// An interface, because which kind a station is is known only from the command line, and one kind (VDE) is
// not built everywhere; a call handles a whole burst, so its indirection does not show. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "bench/endpoint.h"
#include "bench/traffic.h"

namespace lanyard::bench {

using Clock = std::chrono::steady_clock;

class Station {
 public:
  explicit Station(MacAddress mac) : mac_(mac) {}
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;
  virtual ~Station() = default;

  // Sends the burst as far as there is room, without waiting. True when all of it has gone; else call again
  // with the same burst once fd() is writable.
  [[nodiscard]] virtual bool send(const Burst& burst) = 0;
  // Takes, in one system call where that is possible, what has arrived, without waiting. False when nothing
  // had.
  virtual bool receive(Tally& tally) = 0;

  // Of `frames` received ever, those that count for the window: of a crowd as if all members were as far as the
  // slowest, because it is a queue of one port that overflows.
  [[nodiscard]] virtual std::uint64_t passed(std::uint64_t frames) const { return frames; }

  [[nodiscard]] virtual int fd() const = 0;  // readable when something has arrived
  [[nodiscard]] MacAddress mac() const { return mac_; }

 private:
  MacAddress mac_;
};

// `endpoint` outlives the station. With `offload`, runs of equal sizes leave a datagram station as one
// UDP_SEGMENT send.
[[nodiscard]] std::unique_ptr<Station> make_station(const Endpoint& endpoint, MacAddress mac, bool offload);
// All of them as one, which only receives.
[[nodiscard]] std::unique_ptr<Station> make_crowd(std::vector<std::unique_ptr<Station>> members);
// Behind `vde:PATH`, the control directory of a vde_switch; ends the program where libvdeplug was not found.
[[nodiscard]] std::unique_ptr<Station> make_vde_station(const Endpoint& endpoint, MacAddress mac);

}  // namespace lanyard::bench
