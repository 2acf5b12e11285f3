// Finds, among the stations that move from port to port of one network, those that go to and fro as frames in a loop
// make them: whoever sends a broadcast into a loop is heard by one port and the other in turn, many times a second. (So
// are two stations with one MAC address, which this cannot tell apart.) A station that really moves does so once.
//
// Limits: the first few stations that move in a second are followed; in a loop, which makes moves by the thousand, those
// are of the loop. Asked only when a station has moved, never for a frame. Pure; belongs to the network's thread.
#pragma once

#include <array>
#include <cstddef>

#include "frames/mac_address.h"

namespace lanyard {

class LoopWatch {
 public:
  static constexpr std::size_t stations_max = 16;   // followed in a second
  static constexpr unsigned plain_moves_max = 2;    // of a station in a second: there and back
  static constexpr unsigned moves_min = 10;         // of a station in a second: a loop
  static constexpr unsigned quiet_seconds_max = 10;  // without such a station: it has ended

  enum class Sight {
    plain_move,   // worth a line of its own
    restless,     // one of many moves of this station, or of a loop that has been told
    loop_begins,  // to be told, once
  };
  [[nodiscard]] Sight note(MacAddress station) {
    const unsigned moves = count(station);
    if (moves >= moves_min) is_restless_ = true;
    if (is_suspected_) return Sight::restless;
    if (moves >= moves_min) {
      is_suspected_ = true;
      return Sight::loop_begins;
    }
    return moves > plain_moves_max ? Sight::restless : Sight::plain_move;
  }

  // Call it once a second. True: the loop that was told has ended.
  [[nodiscard]] bool second_passed() {
    quiet_seconds_ = is_restless_ ? 0 : quiet_seconds_ + 1;
    is_restless_ = false;
    used_ = 0;
    if (!is_suspected_ || quiet_seconds_ < quiet_seconds_max) return false;
    is_suspected_ = false;
    return true;
  }

  [[nodiscard]] bool is_suspected() const { return is_suspected_; }

 private:
  struct Followed {
    MacAddress station;
    unsigned moves = 0;
  };

  // Its moves in this second, this one included; of those that are not followed, 1.
  [[nodiscard]] unsigned count(MacAddress station) {
    for (std::size_t i = 0; i < used_; ++i)
      if (followed_[i].station == station) return ++followed_[i].moves;
    if (used_ < stations_max) followed_[used_++] = {station, 1};
    return 1;
  }

  std::array<Followed, stations_max> followed_;
  std::size_t used_ = 0;
  unsigned quiet_seconds_ = 0;
  bool is_restless_ = false;  // in this second
  bool is_suspected_ = false;
};

}  // namespace lanyard
