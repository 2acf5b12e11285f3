// A peer that takes connections and ends them at once, as a tunnel does whose far end is down.
#include <chrono>

#include "tests/support/controlled.h"
#include "tests/support/peer.h"

namespace process_backoff_test {

using namespace lanyard;
using namespace lanyard::test;

TEST_CASE("a connection that ends at once is tried less and less often, and told of once, until one brings a frame") {
  ON_EVERY_REAL_ENGINE;
  using Clock = std::chrono::steady_clock;
  TempFolder folder;
  const bool local = GENERATE(false, true);
  Listener listener(local ? folder.path("vm") : "127.0.0.1:0");
  const std::string type = local ? "unix-connect:" : "tcp-connect:";
  Controlled lan({"vm=" + type + listener.address()}, engine);
  Clock::time_point last{};
  for (int tries = 0; tries < 4; ++tries) {
    const Peer closed_at_once = listener.accept();
    const auto now = Clock::now();
    // The daemon may have been slow with any of them, which makes the next come sooner: half is left for that.
    if (tries > 0) CHECK(now - last > std::chrono::milliseconds(100 << (tries - 1)));
    last = now;
  }
  CHECK(lan.daemon.await_up("vm") == "port vm up " + type + listener.address());
  CHECK(lan.daemon.await_down("vm") == "port vm down closed by peer");
  CHECK_FALSE(lan.daemon.has_printed("port vm "));
  lan.daemon.await_log("closes connections before a frame comes");
  CHECK(lan.daemon.log().find("closes connections") == lan.daemon.log().rfind("closes connections"));
  const v1::Port down = lan.port("vm");
  if (down.state() == "down") CHECK(down.reason() == "closed by peer");

  Peer vm = listener.accept();
  vm.send(frame(broadcast, mac(1)));
  (void)lan.daemon.await_up("vm");
  vm.close();
  (void)lan.daemon.await_down("vm");
  Peer again = listener.accept();  // and is believed at once
  (void)lan.daemon.await_up("vm");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("of a connection that lasts without a frame it is told, too") {
  Listener listener;
  Controlled lan({"vm=tcp-connect:" + listener.address()});
  { const Peer closed_at_once = listener.accept(); }
  (void)lan.daemon.await_up("vm");
  (void)lan.daemon.await_down("vm");
  const Peer silent = listener.accept();
  (void)lan.daemon.await_up("vm");
  CHECK(lan.port("vm").state() == "up");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("what speaks another protocol is no VM: it is tried less and less often") {
  Listener listener;
  Controlled lan({"vm=tcp-connect:" + listener.address()});
  for (int tries = 0; tries < 3; ++tries) {
    Peer other = listener.accept();
    other.send_raw("SSH-2.0-OpenSSH_9.2\r\n");
    other.await_closed();
  }
  (void)lan.daemon.await_up("vm");
  CHECK(lan.daemon.await_down("vm").starts_with("port vm down bad length in the stream"));
  CHECK_FALSE(lan.daemon.has_printed("port vm "));
  CHECK(lan.daemon.stop() == 0);
}

}  // namespace process_backoff_test
