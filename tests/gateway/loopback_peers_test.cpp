// Who may be answered on the host's own loopback.
#include "switchd/gateway/loopback_peers.h"

#include <catch2/catch.hpp>

namespace loopback_peers_test {

using namespace lanyard;

TEST_CASE("who came in may be answered, until it was silent for long") {
  LoopbackPeers peers;
  const LoopbackFlow flow{1, 53, 40000};
  CHECK_FALSE(peers.may_answer(flow, 0));
  peers.came_in(flow, 10);
  CHECK(peers.may_answer(flow, 10 + LoopbackPeers::silent_s_max));
  CHECK_FALSE(peers.may_answer({2, 53, 40000}, 10));
  CHECK_FALSE(peers.may_answer({1, 54, 40000}, 10));
  CHECK_FALSE(peers.may_answer({1, 53, 40001}, 10));
  CHECK_FALSE(peers.may_answer(flow, 11 + LoopbackPeers::silent_s_max));
  peers.came_in(flow, 300);
  peers.forget(53);
  CHECK_FALSE(peers.may_answer(flow, 300));
}

TEST_CASE("of too many the one that was silent longest is forgotten") {
  LoopbackPeers peers;
  for (std::uint16_t port = 0; port < LoopbackPeers::flows_max; ++port) peers.came_in({1, 53, port}, port);
  peers.came_in({1, 53, 0}, 100'000);  // heard again
  peers.came_in({2, 53, 0}, 100'000);
  CHECK(peers.may_answer({1, 53, 0}, 100'000));
  CHECK(peers.may_answer({2, 53, 0}, 100'000));
  CHECK_FALSE(peers.may_answer({1, 53, 1}, 1));
  CHECK(peers.may_answer({1, 53, 2}, 2));
}

}  // namespace loopback_peers_test
