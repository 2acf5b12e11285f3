// Two VMs on streams that send each other numbered frames, a few at a time, so that no queue ever overflows: whatever
// else happens to the switch, every frame must arrive, once, in order and unchanged. For a thread of its own
// (background.h).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/support/frames.h"
#include "tests/support/peer.h"

namespace lanyard::test {

class Exchange {
 public:
  static constexpr unsigned frames_per_round = 64;  // half of them each way

  // The VMs have the addresses of `number` and the next (frames.h).
  Exchange(Peer a, Peer b, unsigned number) : a_(std::move(a)), b_(std::move(b)), number_(number) {}

  void round() {
    send(a_, number_, b_, number_ + 1);
    send(b_, number_ + 1, a_, number_);
    ++rounds_;
  }
  // Of each VM. REQUIRES: no round is under way.
  [[nodiscard]] std::uint64_t sent() const { return rounds_ * (frames_per_round / 2); }

 private:
  void send(Peer& from, unsigned source, Peer& to, unsigned destination) {
    const auto made = [&](unsigned i) {
      const unsigned number = last_ + i;
      return frame(mac(destination), mac(source), 60 + number * 37 % 1455, number);
    };
    std::string burst;
    for (unsigned i = 1; i <= frames_per_round / 2; ++i) burst += on_stream(made(i));
    from.send_raw(burst);
    for (unsigned i = 1; i <= frames_per_round / 2; ++i)
      if (to.receive() != made(i))
        throw std::runtime_error("frame " + std::to_string(last_ + i) + " was lost, or another came");
    last_ += frames_per_round / 2;
  }

  Peer a_;
  Peer b_;
  unsigned number_;
  unsigned last_ = 0;  // number of a frame
  std::uint64_t rounds_ = 0;
};

}  // namespace lanyard::test
