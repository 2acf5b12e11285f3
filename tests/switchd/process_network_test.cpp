// How the real switchd fares on a machine whose network is odd: in a namespace of its own, where that is allowed.
#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/own_network.h"
#include "tests/support/skip.h"
#include "tests/support/switchd_process.h"

namespace process_network_test {

using namespace lanyard::test;

namespace {

// Can a child have a network of its own here?
[[nodiscard]] bool possible(const std::function<void()>& in_child) {
  SwitchdProcess trial("auto", {"--check", "web=tcp-listen:7000"}, {.in_child = in_child, .await_ready = false});
  if (trial.await_exit() != OwnNetwork::refused) return true;
  skip("this user may not have a network namespace");
  return false;
}

}  // namespace

TEST_CASE("a tcp-connect to a port where nobody listens does not end up connected to itself") {
  const auto in_child = [] {
    OwnNetwork::enter();
    OwnNetwork::choose_ports_from("40000 40000");  // every connection comes from where it goes to
  };
  if (!possible(in_child)) return;
  SwitchdProcess daemon("auto", {"vm=tcp-connect:127.0.0.1:40000"}, {.in_child = in_child});
  daemon.await_log("port vm is down: 127.0.0.1:40000: nobody listens there");
  CHECK(daemon.stats()["ports"]["vm"]["state"] == "down");
  CHECK_FALSE(daemon.has_printed("port vm up"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a name server that does not answer does not hold up a stop") {
  TempFolder folder;
  const std::string resolv_conf = folder.path("resolv.conf");
  std::ofstream(resolv_conf) << "nameserver 127.0.0.53\noptions timeout:30 attempts:5\n";
  const auto in_child = [&] {
    OwnNetwork::enter();
    OwnNetwork::have_mute_name_server(resolv_conf.c_str());
  };
  if (!possible(in_child)) return;
  const std::string port = GENERATE("vm=tcp-connect:vm.example.com:7000", "u=udp:0,remote=vm.example.com:7000");
  SwitchdProcess daemon("auto", {port}, {.in_child = in_child});
  CHECK(daemon.stop() == 0);  // the resolver would wait for minutes
}

}  // namespace process_network_test
