// YAML files: the same model as the command line's, with the line and column of every mistake.
#include <catch2/catch.hpp>

#include "tests/switchd/config_helpers.h"

namespace config_yaml_test {

using namespace lanyard;

TEST_CASE("a YAML file has networks, ports and settings") {
  const auto [config, errors] = parse_yaml(R"(
engine: epoll
log-level: debug
network: edge
control: none
networks:
  edge: {}
  lan:
  core: {kind: wire}
  loud: {kind: hub}
ports:
  web: {type: tcp-listen, address: "0.0.0.0:7000", network: lan, allow: [10.0.0.0/8]}
  lab: {type: mcast, address: "239.1.1.1:5001", interface: eth0}
  r1:
    type: udp
    address: 127.0.0.1:10001
    remote: 127.0.0.1:10002
    network: core
)");
  CHECK(errors.empty());
  CHECK(config.engine == EngineChoice::epoll);
  CHECK(config.log_level == LogLevel::debug);
  CHECK(config.default_network == "edge");
  CHECK(config.networks == std::map<std::string, NetworkConfig>{{"core", {.kind = NetworkKind::wire}},
                                                              {"edge", {}},
                                                              {"lan", {}},
                                                              {"loud", {.kind = NetworkKind::hub}}});
  REQUIRE(config.ports.size() == 3);
  CHECK(config.ports[0].name == "web");
  CHECK(config.ports[0].allow == std::vector<Cidr>{*parse_cidr("10.0.0.0/8")});
  CHECK(config.ports[1].interface == "eth0");
  CHECK(config.ports[2].remote == HostPort{"127.0.0.1", 10002});
  CHECK(config.ports[2].origin.text == "lan.yaml:14:3");
}

TEST_CASE("YAML and the command line say the same in their two ways") {
  struct Row {
    std::string_view port;
    std::string_view yaml;
  };
  const Row rows[] = {
      {"p=tcp-listen:7000", "type: tcp-listen, address: 7000"},
      {"p=tcp-listen:7000", "address: '7000', type: \"tcp-listen\""},
      {"p=tcp-listen:0.0.0.0:7000,allow=10.0.0.0/8+::1",
       "type: tcp-listen, address: 0.0.0.0:7000, allow: [10.0.0.0/8, "
       "'::1']"},
      {"p=tcp-listen:7000,allow=10.0.0.0/8+::1", "type: tcp-listen, address: 7000, allow: 10.0.0.0/8+::1"},
      {"p=tcp-listen:7000,allow=10.0.0.0/8", "type: tcp-listen, address: 7000, allow: 10.0.0.0/8"},
      {"p=tcp-connect:[::1]:7000,network=core", "type: tcp-connect, address: '[::1]:7000', network: core"},
      {"p=unix-listen:/a,mode=0660,group=kvm", "type: unix-listen, address: /a, mode: 0660, group: kvm"},
      {"p=unix-connect:/a,max-frame=1514,queue=7",
       "type: unix-connect, address: /a, max-frame: 1514, queue: 7"},
      {"p=udp:127.0.0.1:1,remote=h:2", "type: udp, address: 127.0.0.1:1, remote: h:2"},
      {"p=unix-dgram:/a,remote=/b,mode=600", "type: unix-dgram, address: /a, remote: /b, mode: \"600\""},
      {"p=mcast:239.1.1.1:5001,interface=eth0,ttl=3",
       "{type: mcast, address: 239.1.1.1:5001, interface: eth0, ttl: 3"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.port);
    const ParsedPort expected = parse_port(row.port);
    const std::string open = row.yaml.starts_with('{') ? "ports: {p: " : "ports: {p: {";
    const auto [config, errors] = parse_yaml(open + std::string(row.yaml) + "}}");
    CHECK(expected.errors.empty());
    CHECK(errors.empty());
    REQUIRE(config.ports.size() == 1);
    CHECK(config.ports[0] == expected.port);
  }
}

TEST_CASE("a path with a comma in it can be written in YAML") {
  const auto [config, errors] = parse_yaml("ports: {p: {type: unix-listen, address: '/run/a,b'}}");
  CHECK(errors.empty());
  REQUIRE(config.ports.size() == 1);
  CHECK(config.ports[0].path == "/run/a,b");
}

TEST_CASE("ports stand in the order of the file") {
  const auto [config, errors] = parse_yaml(
      "ports:\n  z: {type: tcp-listen, address: 1}\n  a: {type: tcp-listen, address: 2}\n  m: {type: "
      "tcp-listen, "
      "address: 3}\n");
  CHECK(errors.empty());
  REQUIRE(config.ports.size() == 3);
  CHECK(config.ports[0].name == "z");
  CHECK(config.ports[1].name == "a");
  CHECK(config.ports[2].name == "m");
}

TEST_CASE("an empty file, and empty sections, are no mistake of their own") {
  for (const std::string_view text :
       {"", "\n", "# nothing yet\n", "---\n", "ports:\nnetworks:\n", "ports: {}\n", "~",
        "\xEF\xBB\xBF# with a byte order mark\n", "ports: # \t tabs in a comment\n\t\n"}) {
    CAPTURE(text);
    const auto [config, errors] = parse_yaml(text);
    CHECK(errors.empty());
    CHECK(config.ports.empty());
  }
}

TEST_CASE("a mistake in a YAML file is told with its line and column") {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  const Row rows[] = {
      // the document
      {"just words", "1:1: expected keys such as networks and ports, not a single value"},
      {"[a, b]", "1:1: expected keys such as networks and ports, not a list"},
      {"port: {}", "1:1: unknown key 'port', did you mean 'ports'?"},
      {"mtu: 5", "1:1: unknown key 'mtu', expected networks, ports, network, control, control-group, http, "
       "http-token, engine, memory, log-level or strict"},
      {"ports: {}\nports: {}", "2:1: key 'ports' is given twice"},
      {"? [a]\n: b", "1:3: expected a word as the key, not a list"},
      // settings
      {"engine: uring", "1:9: engine: expected auto, io_uring or epoll, not 'uring'"},
      {"engine:", "1:1: engine: expected a single value, not nothing"},
      {"engine: [epoll]", "1:9: engine: expected a single value, not a list: a value that begins with '[' needs quotes"},
      {"log-level: 3", "1:12: log-level: expected error, warn, info or debug, not '3'"},
      {"control-group: ''",
       "1:16: control-group: expected the name or number of a group, at most 32 characters, not ''"},
      {"network: a b", "1:10: network: a network name has letters, digits, '-' and '_' only, not 'a b'"},
      {"network: [croe]\nnetworks: {core: {}}",
       "1:10: network: expected a single value, not a list: a value that begins with '[' needs quotes"},
      {"network: croe\nnetworks: {core: {}}", "1:10: unknown network 'croe', did you mean 'core'?"},
      // networks
      {"networks: lan", "1:11: expected networks by name, such as lan: {}, not a single value"},
      {"networks:\n  - lan", "2:3: expected networks by name, such as lan: {}, not a list"},
      {"networks: {core: wire}", "1:18: expected a map such as {kind: wire}, not a single value"},
      {"networks: {core: {kind: wier}}", "1:25: kind: expected switch, wire or hub, not 'wier'"},
      {"networks: {core: {kidn: wire}}", "1:19: unknown key 'kidn', did you mean 'kind'?"},
      {"networks: {core: {stp: on}}", "1:24: stp: expected pass or consume, not 'on'"},
      {"networks: {core: {stp: [pass]}}", "1:24: stp: expected a single value, not a list: a value that begins with '[' needs quotes"},
      {"networks: {core: {stp: pass, stp: pass}}", "1:30: key 'stp' is given twice"},
      {"networks: {core: {ageing: 86401}}", "1:27: ageing: expected a number of seconds from 1 to 86400, not '86401'"},
      {"networks: {core: {}, core: {}}", "1:22: key 'core' is given twice"},
      {"networks: {a.b: {}}", "1:12: a network name has letters, digits, '-' and '_' only, not 'a.b'"},
      // ports
      {"ports: [tcp-listen:7000]",
       "1:8: expected ports by name, such as web: {type: tcp-listen, address: 7000}, not a "
       "list"},
      {"ports: {p: tcp-listen:7000}",
       "1:12: expected a map such as {type: tcp-listen, address: 7000}, not a single "
       "value (behind a key's ':' is a space)"},
      {"ports:\n  p:\n    type:tcp-listen\n    address:7000",
       "3:5: expected a map such as {type: tcp-listen, address: 7000}, not a single value (behind a key's ':' is a space)"},
      {"ports:\n  p:",
       "2:3: a port needs a type: tcp-listen, tcp-connect, unix-listen, unix-connect, udp, unix-dgram, "
       "mcast, nat, tap or nic"},
      {"ports:\n  p: {type: tcp-listen}", "2:3: tcp-listen needs an address, [HOST:]PORT"},
      {"ports:\n  p: {type: [udp]}", "2:13: type: expected a single value, not a list: a value that begins with '[' needs quotes"},
      {"ports:\n  p: {type: udp, address: {}, remote: h:1}",
       "2:27: address: expected a single value, not a map: a value that begins with '{' needs quotes"},
      {"ports:\n  p: {type: tcp-lisen, address: 1}",
       "2:13: unknown type 'tcp-lisen', did you mean 'tcp-listen'?"},
      {"ports:\n  p:\n    type: tcp-listen\n    address: x:70000",
       "4:14: expected a port number from 0 to 65535, not "
       "'70000'"},
      {"ports: {p: {type: tcp-listen, address: 1, address: 2}}", "1:43: key 'address' is given twice"},
      {"ports: {p: {type: tcp-listen, address: 1, queue: 1, queue: 2}}", "1:53: key 'queue' is given twice"},
      {"ports: {p: {type: tcp-listen, address: 1, ttl: 2}}",
       "1:43: key 'ttl' is for mcast, not for tcp-listen"},
      {"ports: {p: {type: tcp-listen, address: 1, max_frame: 99}}",
       "1:43: unknown key 'max_frame', did you mean "
       "'max-frame'?"},
      {"ports: {p: {type: tcp-listen, address: 1, queue: 0}}",
       "1:50: queue: expected a number of frames from 1 to "
       "65536, not '0'"},
      {"ports: {p: {type: tcp-listen, address: 1, queue: [5]}}",
       "1:43: queue: expected one value, not a list"},
      {"ports: {p: {type: tcp-listen, address: 1, allow: []}}", "1:43: allow: expected at least one value"},
      {"ports: {p: {type: tcp-listen, address: 1, allow: {}}}",
       "1:50: allow: expected a single value, not a map: a value that begins with '{' needs quotes"},
      {"ports: {p: {type: tcp-listen, address: 1, allow:\n [10.0.0.0/8,\n  10/8]}}",
       "3:3: allow: expected an address or prefix such as 10.0.0.0/8, fd00::/8 or fe80::%eth0/64, not '10/8'"},
      {"ports: {p: {type: tcp-listen, address: 1, allow: [[]]}}",
       "1:51: allow: expected a single value, not a list: a value that begins with '[' needs quotes"},
      {"ports: {p: {type: udp, address: 1}}",
       "1:9: udp needs remote (HOST:PORT of the one peer) or allow (CIDR of "
       "many)"},
      {"ports: {p: {type: udp, address: 1, remote: []}}", "1:36: remote: expected one value, not a list"},
      {"ports: {p.1: {type: tcp-listen, address: 1}}",
       "1:9: a port name has letters, digits, '-' and '_' only, not "
       "'p.1' (NAME.N is for the connections of a port)"},
      {"ports: {p: {type: unix-listen, address: \"/a\\0b\"}}", "1:41: a path cannot have control characters"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_yaml(row.text).errors == Lines{"lan.yaml:" + std::string(row.expected)});
  }
}

TEST_CASE("all mistakes of a YAML file are told at once") {
  CHECK(parse_yaml(R"(engin: epoll
networks:
  core: {kind: wier}
ports:
  a: {type: udp, address: 70000}
  b: {type: mcast, address: "10.0.0.1:5", tll: 1}
  a: {}
)")
            .errors ==
        Lines{"lan.yaml:1:1: unknown key 'engin', did you mean 'engine'?",
              "lan.yaml:3:16: kind: expected switch, wire or hub, not 'wier'",
              "lan.yaml:5:27: expected a port number from 0 to 65535, not '70000'",
              "lan.yaml:5:3: udp needs remote (HOST:PORT of the one peer) or allow (CIDR of many)",
              "lan.yaml:6:29: expected a multicast group from 224.0.0.0 to 239.255.255.255, not '10.0.0.1'",
              "lan.yaml:6:43: unknown key 'tll', did you mean 'ttl'?",
              "lan.yaml:7:3: key 'a' is given twice"});
}

TEST_CASE("a text that is not YAML is one mistake with its line and column") {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  const Row rows[] = {
      {"ports: {", "1:8: not YAML: end of map flow not found"},
      {"ports: [a, b", "1:8: not YAML: end of sequence flow not found"},
      {"ports: \"no end", "1:15: not YAML: illegal EOF in scalar"},
      {"a: 1\n  b: 2", "2:4: not YAML: illegal map value"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_yaml(row.text).errors == Lines{"lan.yaml:" + std::string(row.expected)});
  }
}

TEST_CASE("a value that YAML takes for something else is told to need quotes, in its place") {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  const std::string_view quotes = ": this value needs quotes around it: ";
  const Row rows[] = {
      {"ports: {p: {type: tcp-listen, address: [::1]:7000}}", "1:40*\"[::1]:7000\""},
      {"ports:\n  p:\n    address: [::1]:7000\n    type: tcp-listen", "3:14*\"[::1]:7000\""},
      {"ports:\n  p:\n    address: [::1]:7000 # of IPv6\n", "3:14*\"[::1]:7000\""},
      {"http: [::1]:9100\nports: {}", "1:7*\"[::1]:9100\""},
      {"ports:\n  p: {type: tcp-listen,\n      address: [::1]:7000}", "3:16*\"[::1]:7000\""},
      {"ports:\n  p: {\n      address: *:7000,\n      type: tcp-listen}", "3:16*\"*:7000\""},
      {"http: *:9100", "1:7*\"*:9100\""},
      {"ports: {p: {type: udp, address: 1, remote: [fe80::1%eth0]:7000}}", "1:44*\"[fe80::1%eth0]:7000\""},
      {"ports: {p: {type: nat, forward: [tcp:80:a:80, tcp:[::1]:81:a:80]}}", "1:47*\"tcp:[::1]:81:a:80\""},
      {"ports:\n  p:\n    type: nat\n    forward:\n    - [::1]:81:a:80", "5:7*\"[::1]:81:a:80\""},
      {"ports: {p: {type: unix-listen, address: @a}}", "1:41*\"@a\""},
      {"ports: {p: {type: unix-listen, address: `a}}", "1:41*\"`a\""},
      {"ports: {p: {type: unix-listen, address: %a}}", "1:41*\"%a\""},
      {"ports: {p: {type: nat, bootfile: 'a', option: http://[::1]/a}}", "1:47*\"http://[::1]/a\""},
      {"network: - lan", "1:10*\"- lan\""},
      {"a: b: c", "1:4*\"b: c\"; a map needs a line of its own, or braces"},
      {"ports: {p: {type: nat, option: 66:text:a: b}}", "1:32*\"66:text:a: b\"; a map needs a line of its own, or braces"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    std::string expected(row.expected);
    expected.replace(expected.find('*'), 1, quotes);
    CHECK(parse_yaml(row.text).errors == Lines{"lan.yaml:" + expected});
  }
}

TEST_CASE("a value that is good YAML of another kind is told to be taken for that, and how it is written") {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  const Row rows[] = {
      {"http: [::1]", "1:7: http: expected a single value, not a list: a value that begins with '[' needs quotes"},
      {"http: {a}", "1:7: http: expected a single value, not a map: a value that begins with '{' needs quotes"},
      {"engine: [epoll]", "1:9: engine: expected a single value, not a list: a value that begins with '[' needs quotes"},
      {"control: &a", "1:10: anchors and aliases (&, *) have no use here, write the value out; where it is meant as a "
                      "value it needs quotes: \"&a\""},
      {"control: !a", "1:10: tags (!) have no use here; where it is meant as a value it needs quotes: \"!a\""},
      {"ports: {~: {type: nat}}", "1:9: expected a word as the key, not nothing, which null and ~ are without quotes"},
      {"ports:\n  null: {type: nat}", "2:3: expected a word as the key, not nothing, which null and ~ are without quotes"},
      {"ports: {p: {type: tcp-listen,address:7000}}", "1:30: expected a space behind the ':' of 'address:7000'"},
      {"ports:\n  p:\n    type: tcp-listen\n    address:7000", "4:5: expected a space behind the ':' of 'address:7000'"},
      {"{network:a b}", "1:2: expected a space behind the ':' of 'network:a b'"},
      {"strict: on", "1:9: strict: expected true or false, not 'on'"},
      {"strict: yes", "1:9: strict: expected true or false, not 'yes'"},
      {"ports: {p: {type: nat, dhcp: true}}", "1:30: dhcp: expected on or off, not 'true'"},
      {"ports: {p: {type: nat, hosts: no}}", "1:31: hosts: expected on or off, not 'no'"},
      {"ports: {p: {type: unix-listen, address: /a, mode: 0o660}}",
       "1:51: mode: expected octal permission bits from 0 to 0777, such as 0660, not '0o660'"},
      {"ports: {p: {type: unix-listen, address: /a #b}}",
       "1:12: not YAML: end of map flow not found; ' #' begins a comment, where it is not in quotes"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Lines errors = parse_yaml(row.text).errors;
    REQUIRE_FALSE(errors.empty());
    CHECK(errors.front() == "lan.yaml:" + std::string(row.expected));
  }
  CHECK(parse_yaml("ports: {p: {type: unix-listen, address: /a, b}}").errors.front() ==
        "lan.yaml:1:45: b: expected a single value, not nothing: a value with a comma in it needs quotes");
  CHECK(parse_yaml("ports: {p: {type: tcp-listen,address:7000}}").errors.size() == 1);
}

TEST_CASE("a value that is nothing is told what it was taken for, by the word for it or by its key") {
  for (const std::string word : {"~", "null", "Null", "NULL"})
    for (const std::string key : {"engine", "http", "control", "network", "memory", "strict"}) {
      CAPTURE(word, key);
      const std::string said = ": expected a single value, not nothing, which " + word + " is without quotes";
      const std::string at = ":" + std::to_string(key.size() + 3) + ": ";
      CHECK(parse_yaml(key + ": " + word).errors == Lines{"lan.yaml:1" + at + key + said});
      CHECK(parse_yaml("\xEF\xBB\xBF# BOM\n" + key + ": " + word + "  # nothing").errors == Lines{"lan.yaml:2" + at + key + said});
      CHECK(parse_yaml(key + ":\n").errors == Lines{"lan.yaml:1:1: " + key + ": expected a single value, not nothing"});
    }
  struct Row {
    std::string_view keys;
    std::string_view expected;  // of the first mistake, behind its place
  };
  const Row rows[] = {
      {"type: udp, address: ~, remote: h:1", "address: expected a single value, not nothing, which ~ is without quotes"},
      {"type: udp, address: , remote: h:1", "address: expected a single value, not nothing"},
      {"type: null, address: 1", "type: expected a single value, not nothing, which null is without quotes"},
      {"type: udp, address: 1, allow: [~]", "allow: expected a single value, not nothing, which ~ is without quotes"},
      {"type: udp, address: 1, allow: ~", "allow: expected a single value, not nothing, which ~ is without quotes"},
      {"type: unix-listen, address: /a, b", "b: expected a single value, not nothing: a value with a comma in it needs quotes"},
      {"type: unix-listen, address: /a, mode", "mode: expected a single value, not nothing: a value with a comma in it needs quotes"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.keys);
    const Lines errors = parse_yaml("ports: {p: {" + std::string(row.keys) + "}}").errors;
    REQUIRE_FALSE(errors.empty());
    CHECK_THAT(errors.front(), Catch::EndsWith(": " + std::string(row.expected)));
  }
  CHECK(parse_yaml("networks: {core: ~}\nports: {p: {type: nat, network: core}}").errors.empty());
  CHECK(parse_yaml("engine:\nnull: x").errors.front() == "lan.yaml:1:1: engine: expected a single value, not nothing");
}

TEST_CASE("values that other readers of YAML take for numbers, times or truths are taken as they are written") {
  const auto [config, errors] = parse_yaml(R"(
ports:
  on: {type: unix-listen, address: /a, mode: 0755}
  no: {type: nat, address: 10.0.2.0/24, dhcp: off, hosts: on, ipv6: off, reserve: 52:54:00:12:34:56+10.0.2.20+web}
  1: {type: tcp-listen, address: 7000, allow: [::1, ::/0, fd00::/8]}
  0x10: {type: unix-listen, address: ~/a}
  y: {type: nat, address: 10.1.0.0/16, forward: tcp:8080:10.1.0.15:80, bootfile: "http://a/b#c"}
)");
  CHECK(errors.empty());
  REQUIRE(config.ports.size() == 5);
  CHECK(config.ports[0].name == "on");
  CHECK(config.ports[0].mode == 0755u);
  CHECK(config.ports[1].name == "no");
  CHECK_FALSE(config.ports[1].gateway.dhcp);
  CHECK(config.ports[1].gateway.hosts);
  CHECK(config.ports[1].gateway.reservations.size() == 1);
  CHECK(config.ports[2].address == HostPort{"", 7000});
  CHECK(config.ports[2].allow.size() == 3);
  CHECK(config.ports[3].path == "~/a");
  CHECK(config.ports[4].gateway.bootfile == "http://a/b#c");
}

TEST_CASE("what YAML allows and a configuration has no use for is refused where it stands") {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  const std::string_view anchor = "anchors and aliases (&, *) have no use here, write the value out";
  const Row rows[] = {
      {"&a [*a]", anchor},
      {"networks: {lan: &x {}}\nports: {p: *x}", anchor},
      {"engine: &e epoll", anchor},
      {"engine: !!str epoll", "tags (!) have no use here"},
      {"networks: !mine {}", "tags (!) have no use here"},
      {"engine: epoll\n---\nengine: auto", "a second document starts here, expected one"},
      {"{a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}}", "nested deeper than 8 levels"},
      {"- - - - - - - - - deep", "nested deeper than 8 levels"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Lines errors = parse_yaml(row.text).errors;
    REQUIRE(errors.size() == 1);
    CHECK_THAT(errors[0], Catch::Matches("lan\\.yaml:[0-9]+:[0-9]+: .*"));
    CHECK_THAT(errors[0], Catch::EndsWith(std::string(row.expected)));
  }
}

TEST_CASE("nesting without end neither crashes nor takes long") {
  for (const std::string_view unit : {"[", "{", "- ", "? ", "{a: ", "[[{", "\"", "&a ", "!t ", "a: ", "'"}) {
    CAPTURE(unit);
    std::string text;
    while (text.size() + unit.size() <= 100'000) text += unit;
    CHECK(parse_yaml(text).errors.size() == 1);
  }
}

TEST_CASE("bytes that are not plain text are refused where they stand") {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  using namespace std::string_view_literals;
  const Row rows[] = {
      {"ports:\n\tp: {}", "2:1: a tab in the indentation, expected spaces"},
      {"ports:\n  \tp: {}", "2:3: a tab in the indentation, expected spaces"},
      {"engine: \xFF", "1:9: invalid UTF-8"},
      {"engine: \xC0\x80", "1:9: invalid UTF-8"},
      {"engine: \xED\xA0\x80", "1:9: invalid UTF-8"},
      {"engine: \xF4\x90\x80\x80", "1:9: invalid UTF-8"},
      {"engine: \xE2\x82", "1:9: invalid UTF-8"},
      {"a: 1\nengine: \0"sv, "2:9: a control character"},
      {"engine: \x04", "1:9: a control character"},
      {"\xFE\xFF\0e"sv, "1:1: invalid UTF-8"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.expected);
    CHECK(parse_yaml(row.text).errors == Lines{"lan.yaml:" + std::string(row.expected)});
  }
}

TEST_CASE("networks have their keys") {
  const auto [config, errors] =
      parse_yaml("networks: {lan: {kind: switch, stp: consume, ageing: 60, rewind: 64}, other: {}}\n");
  CHECK(errors.empty());
  CHECK(config.networks == std::map<std::string, NetworkConfig>{
                               {"lan", {.ageing_s = 60, .rewind_mib = 64, .stp = SpanningTree::consume}}, {"other", {}}});
}

TEST_CASE("more networks or ports than the switch has are one mistake") {
  std::string networks = "networks:\n";
  std::string ports = "ports:\n";
  for (std::size_t i = 0; i <= limits::networks_max; ++i) networks += "  n" + std::to_string(i) + ": {}\n";
  for (std::size_t i = 0; i <= limits::ports_max; ++i) ports += "  p" + std::to_string(i) + ": {}\n";
  CHECK(parse_yaml(networks + ports).errors == Lines{"lan.yaml:2:3: 1025 networks, expected at most 1024",
                                                     "lan.yaml:1028:3: 4097 ports, expected at most 4096"});
}

TEST_CASE("a file longer than 1 MiB is refused") {
  std::string text(limits::config_bytes_max, ' ');
  CHECK(parse_yaml(text).errors.empty());
  text += ' ';
  CHECK(parse_yaml(text).errors == Lines{"lan.yaml: longer than 1048576 bytes"});
}

}  // namespace config_yaml_test
