// The PORT grammar, and what only the whole configuration can tell: names, networks, addresses used twice.
#include <catch2/catch.hpp>

#include "tests/switchd/config_helpers.h"

namespace config_port_test {

using namespace lanyard;

namespace {

Lines names_of_ports(const Config& config) {
  Lines names;
  for (const PortConfig& port : config.ports) names.push_back(port.name);
  return names;
}

Config with_networks(const std::map<std::string, NetworkConfig>& networks) {
  Config config;
  config.networks = networks;
  return config;
}

}  // namespace

TEST_CASE("a TCP listener has a name, an address and whom to accept") {
  const auto [port, errors] = parse_port(
      "web=tcp-listen:0.0.0.0:7000,network=core,allow=10.0.0.0/8+fd00::/8,max-frame=1514,queue=100");
  CHECK(errors.empty());
  CHECK(port.name == "web");
  CHECK(port.type == PortType::tcp_listen);
  CHECK(port.address == HostPort{"0.0.0.0", 7000});
  CHECK(port.network == "core");
  CHECK(port.allow == std::vector<Cidr>{*parse_cidr("10.0.0.0/8"), *parse_cidr("fd00::/8")});
  CHECK(port.max_frame_bytes == 1514);
  CHECK(port.queue_frames == 100);
  CHECK(port.origin.text.starts_with("web=tcp-listen:"));
}

TEST_CASE("every type of port can be written") {
  struct Row {
    std::string_view text;
    PortType type;
    HostPort address;
    std::string_view path;
  };
  const Row rows[] = {
      {"tcp-listen:0", PortType::tcp_listen, {"", 0}, ""},
      {"tcp-connect:[::1]:7000", PortType::tcp_connect, {"::1", 7000}, ""},
      {"unix-listen:/run/a=b:c", PortType::unix_listen, {}, "/run/a=b:c"},
      {"unix-connect:relative.sock", PortType::unix_connect, {}, "relative.sock"},
      {"udp:7000,remote=vm.lab:7001", PortType::udp, {"", 7000}, ""},
      {"udp:0,allow=::/0", PortType::udp, {"", 0}, ""},
      {"unix-dgram:/run/a,remote=/run/b", PortType::unix_dgram, {}, "/run/a"},
      {"mcast:230.0.0.1:5558", PortType::mcast, {"230.0.0.1", 5558}, ""},
      {"tap:lan0", PortType::tap, {}, ""},
      {"nic:eth0.100", PortType::nic, {}, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto [port, errors] = parse_port(row.text);
    CHECK(errors.empty());
    CHECK(port.name.empty());
    CHECK(port.network.empty());
    CHECK(port.type == row.type);
    CHECK(row.text.starts_with(name_of(port.type)));
    CHECK(port.address == row.address);
    CHECK(port.path == row.path);
  }
}

TEST_CASE("what a port does not say keeps its default") {
  const PortConfig port = parse_port("mcast:230.0.0.1:5558").port;
  CHECK(port.ttl == 1);
  CHECK(port.max_frame_bytes == 0);
  CHECK(port.queue_frames == limits::queue_frames_default);
  CHECK_FALSE(port.mode);
  CHECK_FALSE(port.remote);
  CHECK(port.allow.empty());
}

TEST_CASE("the keys of a UNIX path and of a multicast group are read") {
  const auto [listener, listener_errors] = parse_port("unix-listen:/run/a,mode=0660,group=kvm");
  CHECK(listener_errors.empty());
  CHECK(listener.mode == 0660U);
  CHECK(listener.group == "kvm");
  const auto [dgram, dgram_errors] = parse_port("unix-dgram:/run/a,remote=/run/b,mode=777,group=100");
  CHECK(dgram_errors.empty());
  CHECK(dgram.remote_path == "/run/b");
  CHECK(dgram.mode == 0777U);
  CHECK(dgram.group == "100");
  const auto [group, group_errors] = parse_port("mcast:230.0.0.1:5558,interface=eth0,ttl=0");
  CHECK(group_errors.empty());
  CHECK(group.interface == "eth0");
  CHECK(group.ttl == 0);
}

TEST_CASE("an interface of the host and its scripts are read") {
  const auto [tap, tap_errors] = parse_port("t=tap:lan0,up=/etc/lan-up,down=./lan down");
  CHECK(tap_errors.empty());
  CHECK(tap.interface == "lan0");
  CHECK(tap.up_script == "/etc/lan-up");
  CHECK(tap.down_script == "./lan down");
  const auto [nic, nic_errors] = parse_port("nic:enp3s0f1np1,max-frame=9018");
  CHECK(nic_errors.empty());
  CHECK(nic.interface == "enp3s0f1np1");
  CHECK(nic.max_frame_bytes == 9018);
}

TEST_CASE("NAME= counts only before the first ':' and ','") {
  CHECK(parse_port("a=unix-listen:/x=y").port.name == "a");
  CHECK(parse_port("unix-listen:a=b").port.path == "a=b");
  CHECK(parse_port("unix-listen:a=b").port.name.empty());
  CHECK(parse_port("tcp-listen,network=core").errors ==
        Lines{"tcp-listen,network=core: tcp-listen needs an address, [HOST:]PORT"});
}

TEST_CASE("a PORT that is wrong says what was expected") {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  const Row rows[] = {
      {"tpc-listen:7000", "unknown type 'tpc-listen', did you mean 'tcp-listen'?"},
      {"tcp:7000", "unknown type 'tcp', did you mean 'tcp-listen'?"},
      {"unix:/tmp/s", "unknown type 'unix', did you mean 'unix-listen'?"},
      {"socket:7000", "unknown type 'socket', did you mean 'tcp-listen'?"},
      {"client:7000", "unknown type 'client', did you mean 'tcp-listen'?"},
      {"server:h:7000", "unknown type 'server', did you mean 'tcp-connect'?"},
      {"stream:/tmp/s", "unknown type 'stream', did you mean 'unix-listen'?"},
      {"dgram:/tmp/s", "unknown type 'dgram', did you mean 'unix-dgram'?"},
      {"multicast:239.1.1.1:1", "unknown type 'multicast', did you mean 'mcast'?"},
      {"user", "unknown type 'user', did you mean 'nat'?"},
      {"slirp", "unknown type 'slirp', did you mean 'nat'?"},
      {"bridge:br0", "unknown type 'bridge', did you mean 'tap'?"},
      {"upd:1,remote=h:1", "unknown type 'upd', did you mean 'udp'?"},
      {"vxlan",
       "unknown type 'vxlan', expected tcp-listen, tcp-connect, unix-listen, unix-connect, udp, unix-dgram, "
       "mcast, nat, tap or nic"},
      {"tcp-listen", "tcp-listen needs an address, [HOST:]PORT"},
      {"tcp-listen:", "expected [HOST:]PORT"},
      {"tcp-connect:h", "expected HOST:PORT, not 'h'"},
      {"unix-listen:", "expected a path"},
      {"unix-connect", "unix-connect needs an address, PATH"},
      {"mcast:10.0.0.1:1", "expected a multicast group from 224.0.0.0 to 239.255.255.255, not '10.0.0.1'"},
      {"tap", "tap needs an address, IFNAME"},
      {"tap:", "expected the name of an interface (at most 15 characters), not ''"},
      {"tap:sixteen-letters-", "expected the name of an interface (at most 15 characters), not 'sixteen-letters-'"},
      {"tap:tap%d", "expected the name of an interface (at most 15 characters), not 'tap%d'"},
      {"nic:10.0.0.1", "expected the name of an interface (at most 15 characters), not '10.0.0.1'"},
      {"nic:a/b", "expected the name of an interface (at most 15 characters), not 'a/b'"},
      {"tap:lan0,up=", "up: expected a path"},
      {"nic:eth0,up=/etc/up", "key 'up' is for tap, not for nic"},
      {"udp:7000", "udp needs remote (HOST:PORT of the one peer) or allow (CIDR of many)"},
      {"udp:7000,remote=h:1,allow=::1", "udp takes remote (one peer) or allow (many), not both"},
      {"udp:7000,remote=7001", "remote: expected HOST:PORT, not '7001'"},
      {"udp:7000,remote=h:0", "remote: expected a port number from 1 to 65535, not '0'"},
      {"udp:7000,remote=::1:7001", "remote: an IPv6 address goes in brackets: [::1]:7001"},
      {"udp:[::1]:7000,remote=127.0.0.1:7001",
       "the port's address and remote must both be IPv4 or both IPv6"},
      {"udp:127.0.0.1:7000,remote=127.0.0.1:7000", "remote is the port's own address"},
      {"udp:1,allow=10.0.0.0/8+",
       "allow: expected an address or prefix such as 10.0.0.0/8, fd00::/8 or fe80::%eth0/64, not ''"},
      {"unix-dgram:/a", "unix-dgram needs remote (PATH of the peer)"},
      {"unix-dgram:/a,remote=/a", "remote is the port's own path"},
      {"unix-dgram:/a,remote=", "remote: expected a path"},
      {"tcp-listen:1,remote=h:1", "key 'remote' is for udp and unix-dgram, not for tcp-listen"},
      {"udp:1,remote=h:1,ttl=3", "key 'ttl' is for mcast, not for udp"},
      {"unix-connect:/a,mode=0600", "key 'mode' is for unix-listen and unix-dgram, not for unix-connect"},
      {"tcp-listen:1,netwrok=core", "unknown key 'netwrok', did you mean 'network'?"},
      {"tcp-listen:1,max_frame=1514", "unknown key 'max_frame', did you mean 'max-frame'?"},
      {"tcp-listen:1,address=2", "address is no key, it stands in front: [NAME=]TYPE:ADDRESS,KEY=VALUE..."},
      {"tcp-listen:1,name=web", "name is no key, it stands in front: [NAME=]TYPE:ADDRESS,KEY=VALUE..."},
      {"tcp-listen:1,foo=1", "unknown key 'foo', expected network, max-frame, queue or allow"},
      {"tcp-listen:1,=1", "unknown key '', expected network, max-frame, queue or allow"},
      {"tcp-listen:1,queue=1,queue=1", "key 'queue' is given twice"},
      {"tcp-listen:1,queue=0", "queue: expected a number of frames from 1 to 65536, not '0'"},
      {"tcp-listen:1,queue=65537", "queue: expected a number of frames from 1 to 65536, not '65537'"},
      {"tcp-listen:1,queue=1k", "queue: expected a number of frames from 1 to 65536, not '1k'"},
      {"tcp-listen:1,max-frame=13", "max-frame: expected a number of bytes from 14 to 69632, not '13'"},
      {"tcp-listen:1,max-frame=69633", "max-frame: expected a number of bytes from 14 to 69632, not '69633'"},
      {"mcast:230.0.0.1:1,ttl=256", "ttl: expected a number from 0 to 255, not '256'"},
      {"mcast:230.0.0.1:1,interface=",
       "interface: expected an IPv4 address or the name of an interface (at most 15 "
       "characters), not ''"},
      {"unix-listen:/a,mode=0680",
       "mode: expected octal permission bits from 0 to 0777, such as 0660, not '0680'"},
      {"unix-listen:/a,mode=1000",
       "mode: expected octal permission bits from 0 to 0777, such as 0660, not '1000'"},
      {"unix-listen:/a,mode=", "mode: expected octal permission bits from 0 to 0777, such as 0660, not ''"},
      {"unix-listen:/a,group=",
       "group: expected the name or number of a group, at most 32 characters, not ''"},
      {"unix-listen:/a,b",
       "expected KEY=VALUE after ',', not 'b' (a path with a comma in it needs the YAML file)"},
      {"tcp-listen:1,", "expected KEY=VALUE after ',', not ''"},
      {"tcp-listen:1,network=", "network: a network name cannot be empty"},
      {"tcp-listen:1,network=a.b",
       "network: a network name has letters, digits, '-' and '_' only, not 'a.b'"},
      {"=tcp-listen:1", "a port name cannot be empty"},
      {"web.1=tcp-listen:1",
       "a port name has letters, digits, '-' and '_' only, not 'web.1' (NAME.N is for the "
       "connections of a port)"},
      {"a b=tcp-listen:1", "a port name has letters, digits, '-' and '_' only, not 'a b'"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_port(row.text).errors == Lines{std::string(row.text) + ": " + std::string(row.expected)});
  }
}

TEST_CASE("all mistakes of a PORT are told, in the order in which they stand") {
  const std::string text = "a.b=udp:70000,remote=h,queue=0,tll=1";
  CHECK(parse_port(text).errors ==
        Lines{text + ": a port name has letters, digits, '-' and '_' only, not 'a.b' (NAME.N is for the "
                     "connections of "
                     "a port)",
              text + ": expected a port number from 0 to 65535, not '70000'",
              text + ": remote: expected HOST:PORT, not 'h'",
              text + ": queue: expected a number of frames from 1 to 65536, not '0'",
              text + ": unknown key 'tll', expected network, max-frame, queue, remote or allow"});
}

TEST_CASE("a mistake in the type does not hide those in keys of all types") {
  CHECK(parse_port("udpp:7000,queue=0,ttl=900,foo=1").errors ==
        Lines{"udpp:7000,queue=0,ttl=900,foo=1: unknown type 'udpp', did you mean 'udp'?",
              "udpp:7000,queue=0,ttl=900,foo=1: queue: expected a number of frames from 1 to 65536, not '0'",
              "udpp:7000,queue=0,ttl=900,foo=1: unknown key 'foo', expected network, max-frame, queue, "
              "remote, allow, "
              "mode, group, interface, ttl, router, dns, via, nameserver, dhcp, pool, lease, reserve, bootfile, "
              "next-server, tftp or 10 more"});
}

TEST_CASE("an empty PORT is named in its message") {
  CHECK(parse_port("").errors == Lines{"'': unknown type '', expected tcp-listen, tcp-connect, unix-listen, "
                                       "unix-connect, udp, unix-dgram, mcast, nat, tap or nic"});
}

TEST_CASE("a message is one line, whatever was typed") {
  CHECK(parse_port("a\nb\x1b[2J").errors[0].starts_with("a\\x0ab\\x1b[2J: unknown type 'a\\x0ab\\x1b[2J'"));
  const std::string long_type(1000, 'x');
  CHECK(parse_port(long_type).errors[0].starts_with(long_type + ": unknown type '" + std::string(60, 'x') +
                                                    "...', expected tcp-listen"));
}

TEST_CASE("names and lists have their limits") {
  CHECK(parse_port(std::string(64, 'n') + "=tcp-listen:1").errors.empty());
  const std::string text = std::string(65, 'n') + "=tcp-listen:1";
  CHECK(parse_port(text).errors ==
        Lines{text + ": a port name has at most 64 characters, '" + std::string(60, 'n') + "...' has 65"});
  std::string many = "udp:1,allow=::1";
  for (std::size_t i = 1; i < limits::allow_prefixes_max; ++i) many += "+::1";
  CHECK(parse_port(many).errors.empty());
  CHECK(parse_port(many + "+::1").errors == Lines{many + "+::1: allow: more than 256 values"});
}

TEST_CASE("a port without a name has its type's, with its number in command order") {
  const Completed ports = complete_ports({"udp:1,remote=h:1", "tcp-listen:1", "lab=udp:2,remote=h:1",
                                          "udp:3,remote=h:1", "tcp-listen:2", "unix-listen:/a"});
  CHECK(ports.errors.empty());
  CHECK(names_of_ports(ports.config) ==
        Lines{"udp1", "tcp-listen1", "lab", "udp3", "tcp-listen2", "unix-listen1"});
}

TEST_CASE("a number that is taken by a given name is skipped, wherever that name stands") {
  const Completed ports = complete_ports(
      {"tcp-listen:1", "tcp-listen:2", "tcp-listen1=udp:1,remote=h:1", "tcp-listen3=tcp-listen:3"});
  CHECK(ports.errors.empty());
  CHECK(names_of_ports(ports.config) == Lines{"tcp-listen2", "tcp-listen4", "tcp-listen1", "tcp-listen3"});
}

TEST_CASE("a name is given once") {
  CHECK(complete_ports({"a=tcp-listen:1", "a=tcp-listen:2"}).errors ==
        Lines{"a=tcp-listen:2: the name 'a' is taken by a=tcp-listen:1"});
}

TEST_CASE("ports that name no network join the default one, which is there without being declared") {
  const Completed ports = complete_ports({"tcp-listen:1", "tcp-listen:2"});
  CHECK(ports.config.ports[1].network == "lan");
  CHECK(ports.config.networks == std::map<std::string, NetworkConfig>{{"lan", {}}});
  CHECK(ports.warnings.empty());
}

TEST_CASE("where no network is declared, ports make switches of the names they give") {
  const Completed ports = complete_ports({"tcp-listen:1,network=red", "tcp-listen:2,network=blue"});
  CHECK(ports.errors.empty());
  CHECK(ports.config.networks == std::map<std::string, NetworkConfig>{{"blue", {}},
                                                                    {"red", {}}});
}

TEST_CASE("where a network is declared, a port names a declared one") {
  const Config config = with_networks({{"core", {.kind = NetworkKind::hub}}, {"edge", {}}});
  CHECK(complete_ports({"tcp-listen:1,network=core", "tcp-listen:2,network=edge"}, config).errors.empty());
  CHECK(complete_ports({"tcp-listen:1,network=croe", "tcp-listen:2,network=dmz"}, config).errors ==
        Lines{"tcp-listen:1,network=croe: unknown network 'croe', did you mean 'core'?",
              "tcp-listen:2,network=dmz: unknown network 'dmz', expected core or edge"});
}

TEST_CASE("of many declared networks a message lists the first and counts the rest") {
  std::map<std::string, NetworkConfig> networks;
  for (int i = 10; i < 40; ++i) networks["net" + std::to_string(i)].kind = NetworkKind::hub;
  const Completed ports = complete_ports({"tcp-listen:1,network=elsewhere"}, with_networks(networks));
  REQUIRE(ports.errors.size() == 1);
  CHECK_THAT(ports.errors[0], Catch::EndsWith("net28, net29 or 10 more"));
}

TEST_CASE("a default network beside declared ones, and a network that nobody joins, are worth a warning") {
  const Completed ports = complete_ports({"tcp-listen:1"}, with_networks({{"core", {.kind = NetworkKind::wire}}}));
  CHECK(ports.errors.empty());
  CHECK(ports.config.ports[0].network == "lan");
  CHECK(ports.warnings ==
        Lines{"tcp-listen:1: joins the default network lan, which is not among those declared (core)",
              "network core: no port joins it"});
}

TEST_CASE("a wire has two ports, and a hub any number") {
  const std::vector<std::string> three = {"a=tcp-listen:1,network=core", "b=tcp-listen:2,network=core",
                                          "c=tcp-listen:3,network=core", "d=tcp-listen:4,network=core"};
  CHECK(complete_ports(three, with_networks({{"core", {.kind = NetworkKind::wire}}})).errors ==
        Lines{"c=tcp-listen:3,network=core: network 'core' is a wire, which has two ports, and this is its "
              "third; a "
              "hub joins any number"});
  CHECK(complete_ports(three, with_networks({{"core", {.kind = NetworkKind::hub}}})).errors.empty());
}

TEST_CASE("of what does not go together the port that is changed is told of, wherever it stands, and the others by name") {
  struct Row {
    std::vector<std::string> ports;
    std::string expected;
  };
  const Row rows[] = {
      {{"a=tcp-listen:1,network=core", "b=tcp-listen:2,network=core", "c=tcp-listen:3,network=core"},
       "network 'core' is a wire, which has two ports, and this is its third; a hub joins any number"},
      {{"a=tcp-listen:7000", "b=tcp-listen:7000"}, "TCP address 7000 is used by port OTHER already"},
      {{"a=udp:127.0.0.1:1,remote=h:1", "b=udp:127.0.0.1:1,remote=h:2"}, "UDP address 127.0.0.1:1 is used by port OTHER already"},
      {{"a=udp:[::1]:1,remote=[::1]:2", "b=udp:[::1]:1,remote=[::1]:3"}, "UDP address [::1]:1 is used by port OTHER already"},
      {{"a=unix-listen:/a", "b=unix-dgram:/a,remote=/b"}, "path /a is used by port OTHER already"},
      {{"a=mcast:230.0.0.1:1", "b=mcast:230.0.0.1:1"}, "group 230.0.0.1:1 in network lan is used by port OTHER already"},
      {{"a=tap:lan0", "b=nic:lan0"}, "interface lan0 is used by port OTHER already"},
      {{"a=nat:10.0.2.0/24", "b=nat:10.0.2.0/24"}, "10.0.2.0/24 overlaps 10.0.2.0/24 of port OTHER, on the same network"},
      {{"a=nat:10.0.2.0/24,ipv6=fd00:1:2:3::/64", "b=nat:10.0.3.0/24,ipv6=fd00:1:2:3::/64"}, "ipv6 is fd00:1:2:3::/64 as of port OTHER, on the same network"},
  };
  for (const Row& row : rows)
    for (std::size_t changed = 0; changed < row.ports.size(); ++changed) {
      CAPTURE(row.ports, changed);
      Config config;
      config.networks["core"].kind = NetworkKind::wire;
      config.networks["lan"];
      std::vector<ConfigError> errors;
      for (std::size_t i = 0; i < row.ports.size(); ++i) {
        PortConfig& port = config.ports.emplace_back();
        parse_port(row.ports[i], port, errors);
        port.origin.text = "port " + port.name;
        port.origin.is_kept = i != changed;
      }
      const std::string name = config.ports[changed].name, other = config.ports[changed == 0 ? 1 : 0].name;
      std::string expected = row.expected;
      if (const std::size_t at = expected.find("OTHER"); at != std::string::npos) expected.replace(at, 5, other);
      complete(config, errors);
      CHECK(lines_of(errors) == Lines{"port " + name + ": " + expected});
    }
}

TEST_CASE("a network that becomes a wire with more than two ports is told of itself, with those ports") {
  Config config;
  config.networks["lan"].kind = NetworkKind::wire;
  std::vector<ConfigError> errors;
  for (const char* text : {"a=tcp-listen:1", "b=tcp-listen:2", "c=tcp-listen:3"}) {
    parse_port(text, config.ports.emplace_back(), errors);
    config.ports.back().origin.is_kept = true;
  }
  complete(config, errors);
  CHECK(lines_of(errors) == Lines{"network 'lan': a wire has two ports, and a, b and c join it; a hub joins any number"});
}

TEST_CASE("what hangs on a value that could not be read is not judged") {
  struct Row {
    std::vector<std::string> ports;
    std::string expected;
  };
  const Row rows[] = {
      {{"nat:10.0.0.0/40,router=10.0.0.1"}, "expected an IPv4 network from /8 to /29, such as 10.0.2.0/24, not '10.0.0.0/40'"},
      {{"mcast:230.0.0.1:1", "mcast:230.0.0.1:1,network=a.b"}, "network: a network name has letters"},
      {{"nat", "nat:10.0.0.0/40"}, "expected an IPv4 network"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.ports);
    const Lines errors = complete_ports(row.ports).errors;
    REQUIRE(errors.size() == 1);
    CHECK_THAT(errors[0], Catch::Contains(row.expected));
  }
}

TEST_CASE("a port that is no UTF-8 is refused with the byte, in a line that is") {
  for (const std::string& text : {std::string("w\xFF=tcp-listen:1"), std::string("p=unix-listen:/tmp/\xFF"),
                                  std::string("p=nat,tftp=/tmp/\xE2\x82"), std::string("p=tcp-connect:h\xC0:1")}) {
    const Lines errors = complete_ports({text}).errors;
    REQUIRE_FALSE(errors.empty());
    const std::size_t at = text.find_first_of("\xFF\xE2\xC0") + 1;
    CHECK_THAT(errors[0], Catch::EndsWith(": byte " + std::to_string(at) + " is no UTF-8"));
    for (const std::string& error : errors)
      CHECK(std::all_of(error.begin(), error.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  }
}

TEST_CASE("two ports cannot have one address") {
  struct Row {
    std::vector<std::string> ports;
    Lines expected;
  };
  const Row rows[] = {
      {{"tcp-listen:7000", "tcp-listen:7000"},
       {"tcp-listen:7000: TCP address 7000 is used by tcp-listen:7000 already"}},
      {{"udp:127.0.0.1:1,remote=h:1", "udp:127.0.0.1:1,remote=h:2"},
       {"udp:127.0.0.1:1,remote=h:2: UDP address 127.0.0.1:1 is used by udp:127.0.0.1:1,remote=h:1 already"}},
      {{"unix-listen:/a", "unix-dgram:/a,remote=/b"},
       {"unix-dgram:/a,remote=/b: path /a is used by unix-listen:/a already"}},
      {{"mcast:230.0.0.1:1", "mcast:230.0.0.1:1"},
       {"mcast:230.0.0.1:1: group 230.0.0.1:1 in network lan is used by mcast:230.0.0.1:1 already"}},
      {{"tap:lan0", "nic:lan0"}, {"nic:lan0: interface lan0 is used by tap:lan0 already"}},
      {{"tap:lan0", "tap:lan1", "nic:eth0", "nic:eth1"}, {}},
      {{"tcp-listen:7000", "udp:127.0.0.1:7000,remote=h:1", "tcp-listen:0", "tcp-listen:0"}, {}},
      {{"udp:7000,remote=10.0.0.1:1", "udp:7000,remote=10.0.1.1:1"}, {}},
      {{"mcast:230.0.0.1:1", "mcast:230.0.0.1:1,network=other"}, {}},
      {{"tcp-connect:h:1", "tcp-connect:h:1"}, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.ports);
    CHECK(complete_ports(row.ports).errors == row.expected);
  }
}

TEST_CASE("a listener that is open to all, or to nobody, is worth a warning") {
  const std::string_view all = "any machine that reaches this address can join";
  const std::string_view nobody = "HOST is left out, so it binds loopback, where none of the allowed can be";
  const auto warning_of = [](const std::string& port) {
    const Lines warnings = complete_ports({port}).warnings;
    return warnings.empty() ? std::string() : warnings[0];
  };
  CHECK(warning_of("tcp-listen:0.0.0.0:1").starts_with("tcp-listen:0.0.0.0:1: " + std::string(all)));
  CHECK(warning_of("tcp-listen:[::]:1").starts_with("tcp-listen:[::]:1: " + std::string(all)));
  CHECK(warning_of("udp:1,allow=10.0.0.0/8").starts_with("udp:1,allow=10.0.0.0/8: " + std::string(nobody)));
  CHECK(warning_of("tcp-listen:1,allow=fd00::/8")
            .starts_with("tcp-listen:1,allow=fd00::/8: " + std::string(nobody)));
  for (const std::string quiet : {"tcp-listen:1", "tcp-listen:127.0.0.1:1",
                                  "tcp-listen:0.0.0.0:1,allow=10.0.0.0/8", "tcp-listen:1,allow=127.0.0.5",
                                  "udp:1,allow=0.0.0.0/0", "udp:1,remote=10.0.0.1:1", "unix-listen:/a"}) {
    CAPTURE(quiet);
    CHECK(warning_of(quiet).empty());
  }
}

TEST_CASE("a udp port for many without a host binds the loopback address that its senders can reach") {
  const auto address_of = [](const std::string& port) {
    return to_string(complete_ports({port}).config.ports[0].address);
  };
  CHECK(address_of("udp:1,allow=::1") == "[::1]:1");
  CHECK(address_of("udp:1,allow=fd00::/8+::/0") == "[::1]:1");
  CHECK(address_of("udp:1,allow=127.0.0.0/8") == "127.0.0.1:1");
  CHECK(address_of("udp:1,allow=::1+127.0.0.1") == "127.0.0.1:1");
  CHECK(address_of("udp:[::]:1,allow=fd00::/8") == "[::]:1");
  CHECK(address_of("udp:1,remote=[::1]:2") == "1");  // the route tells
  CHECK(complete_ports({"udp:1,allow=::1", "udp:1,allow=127.0.0.1"}).errors.empty());
  CHECK(complete_ports({"udp:1,allow=::1", "udp:[::1]:1,allow=::/0"}).errors ==
        Lines{"udp:[::1]:1,allow=::/0: UDP address [::1]:1 is used by udp:1,allow=::1 already"});
}

TEST_CASE("senders in allow that the bound address cannot hear are worth a warning") {
  const Lines v6_unheard = {"it binds an IPv4 address, which the IPv6 senders in allow cannot reach"};
  const Lines v4_unheard = {"it binds an IPv6 address, which the IPv4 senders in allow cannot reach"};
  struct Row {
    std::string port;
    Lines expected;
  };
  const Row rows[] = {
      {"udp:1,allow=::1+127.0.0.1", v6_unheard},
      {"udp:0.0.0.0:1,allow=10.0.0.0/8+fd00::/8", v6_unheard},
      {"tcp-listen:0.0.0.0:1,allow=fd00::/8", v6_unheard},
      {"udp:[::]:1,allow=10.0.0.0/8+fd00::/8", v4_unheard},
      {"udp:1,allow=fd00::/8", {"HOST is left out, so it binds loopback, where none of the allowed can be: name "
                                "the address to bind, such as [::]"}},
      {"udp:1,allow=::1", {}},
      {"udp:[::]:1,allow=fd00::/8", {}},
      {"udp:0.0.0.0:1,allow=10.0.0.0/8", {}},
      {"udp:vm.example.com:1,allow=10.0.0.0/8+fd00::/8", {}},  // nobody knows yet
      {"tcp-listen:1,allow=127.0.0.1+::1", {}},                // binds both
  };
  for (const Row& row : rows) {
    CAPTURE(row.port);
    const Lines warnings = complete_ports({row.port}).warnings;
    REQUIRE(warnings.size() == row.expected.size());
    if (!warnings.empty()) CHECK_THAT(warnings[0], Catch::StartsWith(row.port + ": " + row.expected[0]));
  }
}

TEST_CASE("more ports than the switch has are refused") {
  Config config;
  config.ports.resize(limits::ports_max + 1);
  std::vector<ConfigError> errors;
  complete(config, errors);
  CHECK(lines_of(errors) == Lines{"ports: 4097 ports, expected at most 4096"});
}

}  // namespace config_port_test
