// A name server that takes questions and never answers: whoever waits for it, nobody else does. In a network and with
// names of the test's own.
#include <sys/stat.h>

#include <fstream>

#include "tests/support/controlled.h"
#include "tests/support/own_network.h"
#include "tests/support/skip.h"

namespace process_mute_resolver_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// "here.test" is 127.0.0.1; every other name is asked of the mute server, for minutes.
class MuteResolver {
 public:
  MuteResolver() {
    std::ofstream(folder_.path("resolv.conf")) << "nameserver 127.0.0.53\noptions timeout:30 attempts:5\n";
    std::ofstream(folder_.path("hosts")) << "127.0.0.1 here.test\n";
  }
  [[nodiscard]] SpawnOptions options() const {
    return {.in_child = [resolv_conf = folder_.path("resolv.conf"), hosts = folder_.path("hosts")] {
      OwnNetwork::enter();
      OwnNetwork::have_mute_name_server(resolv_conf.c_str());
      OwnNetwork::have_file("/etc/hosts", hosts.c_str());
    }};
  }
  // Empty, or why there is none.
  [[nodiscard]] std::string why_not() const {
    SpawnOptions trial = options();
    trial.await_ready = false;
    SwitchdProcess daemon("auto", {"--check", "web=tcp-listen:7000"}, trial);
    return daemon.await_exit() == OwnNetwork::refused ? "this user may not have a network namespace" : "";
  }

 private:
  TempFolder folder_;
};

#define WITH_A_MUTE_RESOLVER \
  const MuteResolver resolver; \
  if (const std::string why = resolver.why_not(); !why.empty()) SKIP_TEST(why)

// All the ways in which a name may have to be looked up that does not answer.
std::vector<std::string> dead_ports() {
  return {"d1=udp:127.0.0.1:0,remote=a.example.com:7000", "d2=tcp-connect:b.example.com:7000",
          "d3=udp:0,remote=a.example.com:7001"};
}

}  // namespace

TEST_CASE("names without an answer hold up no port whose name has one, whatever the port does with it") {
  WITH_A_MUTE_RESOLVER;
  std::vector<std::string> ports = dead_ports();
  for (const char* port : {"l=tcp-listen:here.test:7101", "c=tcp-connect:here.test:7101",
                           "u=udp:127.0.0.1:7102,remote=here.test:7103", "n=udp:here.test:7104,remote=127.0.0.1:7105",
                           "b=udp:here.test:7106,remote=here.test:7107", "a=udp:here.test:7108,allow=127.0.0.1"})
    ports.emplace_back(port);
  Controlled lan(ports, "auto", resolver.options());
  for (const char* port : {"c", "u", "b"}) (void)lan.daemon.await_up(port);
  for (const char* port : {"l", "a"}) CHECK(lan.port(port).state() == "listening");
  CHECK(lan.port("n").state() == "up");
  for (const char* port : {"d1", "d2", "d3"}) {
    CHECK(lan.port(port).state() == "down");
    CHECK_THAT(lan.port(port).reason(), Catch::Matches("looking up '[ab].example.com'"));
  }
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("numbers need no resolver, with an interface and without") {
  WITH_A_MUTE_RESOLVER;
  std::vector<std::string> ports = dead_ports();
  ports.emplace_back("n=udp:127.0.0.1:7102,remote=127.0.0.1:7103");
  ports.emplace_back("z=udp:[::1]:7104,remote=[fe80::1%lo]:7105");
  ports.emplace_back("x=udp:[::1]:7106,remote=[fe80::1%none]:7107");
  ports.emplace_back("t=tcp-connect:[fe80::1%none]:7108");
  ports.emplace_back("l=tcp-listen:[fe80::1%none]:7109");
  Controlled lan(ports, "auto", resolver.options());
  CHECK(lan.port("n").state() == "up");
  CHECK(lan.port("z").state() == "up");
  CHECK(lan.port("x").reason() == "[fe80::1%none]:7107: there is no interface 'none'");
  CHECK(lan.port("t").reason() == "[fe80::1%none]:7108: there is no interface 'none'");
  CHECK(lan.port("l").reason() == "[fe80::1%none]:7109: there is no interface 'none'");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a host to bind whose name gets no answer leaves its port down, and the switch starts without it") {
  WITH_A_MUTE_RESOLVER;
  const std::string port = GENERATE("p=tcp-listen:c.example.com:0", "p=udp:c.example.com:0,allow=127.0.0.1",
                                    "p=udp:c.example.com:0,remote=127.0.0.1:7000");
  Controlled lan({port, "l=tcp-listen:here.test:0"}, "auto", resolver.options());
  CHECK(lan.port("p").state() == "down");
  CHECK(lan.port("p").reason() == "cannot resolve 'c.example.com': no answer within 3 s");
  CHECK(lan.port("l").state() == "listening");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a port that is added with a name that gets no answer is refused, and others are served meanwhile") {
  WITH_A_MUTE_RESOLVER;
  Controlled lan({"l=tcp-listen:here.test:0"}, "auto", resolver.options());
  ControlClient other(lan.path());
  lan.client.send(Controlled::request(R"({"add_port":{"port":{"text":"p=tcp-listen:c.example.com:0"}}})"));
  CHECK(other.ask(Controlled::request(R"({"get_status":{}})")).status().ports() == 1);
  CHECK(mentions(lan.client.next().error(), "cannot resolve 'c.example.com': no answer within 3 s"));
  CHECK(lan.port("l").state() == "listening");
  CHECK(lan.daemon.stop() == 0);
}

}  // namespace process_mute_resolver_test
