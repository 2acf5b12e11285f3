// What switchd tells a gateway: written, and read as it was written; forwards in the form that people write.
#include "switchd/gateway/gateway_config.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace gateway_config_test {

using namespace lanyard;
using nlohmann::json;

namespace {

GatewayConfig full() {
  GatewayConfig config;
  config.name = "out";
  config.network = *parse_ipv4_network("10.1.0.0/16");
  config.router = *parse_ipv4("10.1.0.1");
  config.dns = *parse_ipv4("10.1.0.53");
  config.via = *parse_ipv4("10.1.0.254");
  config.pool_first = *parse_ipv4("10.1.1.0");
  config.pool_last = *parse_ipv4("10.1.1.255");
  config.domain = "lab.test";
  config.lease_seconds = 31'536'000;
  config.mtu = 65'520;
  config.via_none = true;
  config.dhcp = false;
  config.bootfile = "http://boot.example/menu";
  config.next_server = *parse_ipv4("10.1.0.69");
  config.nameservers = {"10.1.0.54", "2001:db8::53"};
  config.dhcp_options = {"42:ip:10.1.0.9", "43:hex:01ff"};
  config.tftp_folder = "/srv/na\xC3\xAFve";
  config.ipv6_prefix = "fd00:1:2:3::";
  config.outbound = Outbound::listed;
  config.outbound_prefixes = {"192.0.2.0/24", "2001:db8::/32"};
  config.host_loopback = true;
  config.hosts = true;
  config.reservations = {{*parse_mac("52:54:00:12:34:56"), *parse_ipv4("10.1.0.20"), "web"},
                         {*parse_mac("52:54:00:12:34:57"), *parse_ipv4("10.1.0.21"), "db"}};
  config.forwards = {{false, "127.0.0.1", 8080, "web", 80}, {true, "0.0.0.0", 5353, "10.1.0.21", 53}};
  return config;
}

Forward read(const std::string& text) {
  Forward forward;
  REQUIRE(read_forward(text, forward).empty());
  return forward;
}

std::string refused(const std::string& text) {
  Forward forward;
  const std::string wrong = read_forward(text, forward);
  CHECK_FALSE(wrong.empty());
  return wrong;
}

}  // namespace

TEST_CASE("a gateway is told what was configured") {
  CHECK(read_gateway_config(write_gateway_config(full())) == full());
  CHECK(read_gateway_config(write_gateway_config({})) == GatewayConfig{});
  for (const Outbound outbound : {Outbound::any, Outbound::none, Outbound::listed}) {
    GatewayConfig config = full();
    config.outbound = outbound;
    CHECK(read_gateway_config(write_gateway_config(config)) == config);
  }
}

TEST_CASE("the configuration of a gateway is one line, which one message takes") {
  GatewayConfig config = full();
  config.name = "a\nb";
  CHECK(write_gateway_config(config).find('\n') == std::string::npos);
  config.reservations.assign(256,
                             {*parse_mac("52:54:00:12:34:56"), *parse_ipv4("255.255.255.255"), std::string(63, 'n')});
  config.forwards.assign(256, {true, "255.255.255.255", 65535, std::string(63, 'n'), 65535});
  CHECK(write_gateway_config(config).size() < 200'000);
}

TEST_CASE("a configuration that lacks anything, or has it of another kind, is none") {
  const json good = json::parse(write_gateway_config(full()));
  REQUIRE(read_gateway_config(good.dump()) == full());
  for (const auto& [key, value] : good.items()) {
    CAPTURE(key);
    json bad = good;
    bad.erase(key);
    CHECK_FALSE(read_gateway_config(bad.dump()));
    for (const json& other : {json(nullptr), json(-1), json(1.5), json(1e300), json("300.1.2.3"), json::array({1}),
                              json::object({{"a", 1}})}) {
      const bool is_text = value.is_string() && other.is_string();
      const bool is_address = key == "router" || key == "dns" || key == "via" || key == "next_server";
      if (is_text && key != "network" && !is_address) continue;  // any text will do
      CAPTURE(other.dump());
      bad[key] = other;
      CHECK_FALSE(read_gateway_config(bad.dump()));
    }
  }
}

TEST_CASE("numbers that do not fit are not cut to size") {
  const json good = json::parse(write_gateway_config(full()));
  const auto with = [&](const char* key, const json& value) {
    json bad = good;
    bad[key] = value;
    return read_gateway_config(bad.dump()).has_value();
  };
  CHECK(with("mtu", 65535));
  CHECK_FALSE(with("mtu", 65536));
  CHECK(with("lease_seconds", 4294967295U));
  CHECK_FALSE(with("lease_seconds", 4294967296));
  CHECK(with("outbound", 2));
  CHECK_FALSE(with("outbound", 3));
  CHECK_FALSE(with("outbound", 4294967296));  // which is not "any"
  CHECK_FALSE(with("host_loopback", 1));
}

TEST_CASE("a reservation or a forward that is none spoils the whole") {
  const json good = json::parse(write_gateway_config(full()));
  const auto with = [&](const char* key, const json& value) {
    json bad = good;
    bad[key].push_back(value);
    return read_gateway_config(bad.dump()).has_value();
  };
  CHECK(with("reservations", {{"mac", "52:54:00:00:00:01"}, {"address", "10.1.0.22"}, {"name", "c"}}));
  CHECK_FALSE(with("reservations", {{"mac", "52:54:00:00:00"}, {"address", "10.1.0.22"}, {"name", "c"}}));
  CHECK_FALSE(with("reservations", {{"mac", "52:54:00:00:00:01"}, {"address", "10.1.0"}, {"name", "c"}}));
  CHECK_FALSE(with("reservations", {{"mac", "52:54:00:00:00:01"}, {"address", "10.1.0.22"}}));
  CHECK_FALSE(with("reservations", 1));
  CHECK(with("forwards", "tcp:1:web:1"));
  CHECK_FALSE(with("forwards", "tcp:0:web:1"));
  CHECK_FALSE(with("forwards", 1));
}

TEST_CASE("what is no JSON is no configuration") {
  const std::string good = write_gateway_config(full());
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(read_gateway_config(std::string_view(good).substr(0, size)));
  }
  for (const std::string& text : {good + good, good + "x", std::string("[]"), std::string("null"),
                                  std::string(100'000, '['), std::string("\xFF\xFE"), std::string("{\"a\":1e999}")})
    CHECK_FALSE(read_gateway_config(text));
}

TEST_CASE("a forward leads a port of this host to one of a guest") {
  CHECK(read("tcp:8080:10.0.2.15:80") == Forward{false, "127.0.0.1", 8080, "10.0.2.15", 80});
  CHECK(read("udp:0.0.0.0:53:web:5353") == Forward{true, "0.0.0.0", 53, "web", 5353});
  CHECK(read("tcp:1:web-1:65535") == Forward{false, "127.0.0.1", 1, "web-1", 65535});
  for (const char* text : {"tcp:127.0.0.1:8080:10.0.2.15:80", "udp:192.0.2.1:1:web:65535"})
    CHECK(to_string(read(text)) == text);
  CHECK(to_string(read("tcp:8080:web:80")) == "tcp:127.0.0.1:8080:web:80");
}

TEST_CASE("localhost as the host of a forward is 127.0.0.1") {
  CHECK(to_string(read("tcp:localhost:80:web:80")) == "tcp:127.0.0.1:80:web:80");
  CHECK(read("udp:localhost:53:10.0.2.15:53") == Forward{true, "127.0.0.1", 53, "10.0.2.15", 53});
}

TEST_CASE("a forward in the form of QEMU's hostfwd is refused with what it is here, and that is good") {
  const std::vector<std::pair<const char*, const char*>> forms{
      {"tcp::2222-:22", "tcp:2222:GUEST:22"},
      {"tcp:2222-:22", "tcp:2222:GUEST:22"},
      {"udp::53-10.0.2.15:53", "udp:53:10.0.2.15:53"},
      {"tcp:127.0.0.1:2222-10.0.2.15:22", "tcp:127.0.0.1:2222:10.0.2.15:22"},
      {"tcp:0.0.0.0:2222-:22", "tcp:0.0.0.0:2222:GUEST:22"},
  };
  for (const auto& [theirs, ours] : forms) {
    CAPTURE(theirs);
    CHECK(refused(theirs) ==
          "expected tcp:[HOST:]PORT:GUEST:PORT, which here is " + std::string(ours) + ", not '" + theirs + "'");
    std::string good = ours;
    if (const std::size_t at = good.find("GUEST"); at != std::string::npos) good.replace(at, 5, "web");
    CHECK(read(good).guest_port != 0);
  }
  CHECK(read("tcp:80:1-1:80").guest == "1-1");  // a name is no such form
}

TEST_CASE("what is no forward says what was expected") {
  for (const char* text : {"", ":", "tcp", "tcp:", "tcp:80", "tcp:80:web", "tcp:8080:80", "sctp:1:web:1", "TCP:1:web:1",
                           ":1:web:1", "tcp:127.0.0.1:1:web:1:1", "tcp:::1:80:web:80"}) {
    CAPTURE(text);
    CHECK(refused(text).find("expected tcp:[HOST:]PORT:GUEST:PORT or udp:...") != std::string::npos);
    CHECK(refused(text).find(text) != std::string::npos);
  }
  for (const char* text : {"tcp:[::1]:80:web:80", "tcp:[fe80::1%eth0]:80:web:80", "tcp:host:80:web:80", "tcp::80:web:80", "tcp:*:80:web:80", "tcp:127.1:80:web:80"}) {
    CAPTURE(text);
    CHECK(refused(text).find("expected an IPv4 address of this host, or localhost, not '") != std::string::npos);
  }
  CHECK(refused("tcp:[::1]:80:web:80").find("'[::1]': forwards lead from IPv4 to IPv4") != std::string::npos);
  for (const char* text : {"tcp:0:web:80", "tcp:80:web:0", "tcp:65536:web:80", "tcp:80:web:65536", "tcp::web:80",
                           "tcp:80:web:", "tcp:-1:web:80", "tcp:+80:web:80", "tcp: 80:web:80", "tcp:80:web:80 ",
                           "tcp:0x50:web:80", "tcp:http:web:80", "tcp:99999999999999999999:web:80"}) {
    CAPTURE(text);
    CHECK(refused(text).find("expected port numbers from 1 to 65535") != std::string::npos);
  }
  for (const char* text : {"tcp:80::80", "tcp:80:Web:80", "tcp:80:web.lan:80", "tcp:80:-web:80", "tcp:80:web-:80",
                           "tcp:80:w b:80", "tcp:80:10.0.2.256:80", "tcp:80:10.0.2.:80", "tcp:80:w\xC3\xA4:80"}) {
    CAPTURE(text);
    CHECK(refused(text).find("expected a guest's IPv4 address, or the name of a reservation") != std::string::npos);
  }
  CHECK(refused("tcp:80:" + std::string(64, 'a') + ":80").find("expected a guest's") != std::string::npos);
}

TEST_CASE("a forward to a name leads to the reservation that has it") {
  const GatewayConfig config = full();
  CHECK(guest_address(config, read("tcp:80:db:80")) == parse_ipv4("10.1.0.21"));
  CHECK(guest_address(config, read("tcp:80:10.1.0.99:80")) == parse_ipv4("10.1.0.99"));
  CHECK_FALSE(guest_address(config, read("tcp:80:shop:80")));
}

TEST_CASE("a DHCP option is a number and bytes, text or addresses") {
  const auto read_option = [](const std::string& text) {
    DhcpOption option;
    CHECK(read_dhcp_option(text, option) == "");
    return option;
  };
  const auto bytes = [](std::initializer_list<unsigned> values) {
    std::vector<std::byte> out;
    for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
    return out;
  };
  CHECK(read_option("43:hex:0104ffAB") == DhcpOption{43, bytes({1, 4, 255, 0xAB})});
  CHECK(read_option("43:hex:01:04:ff:ab") == DhcpOption{43, bytes({1, 4, 255, 0xAB})});
  CHECK(read_option("60:text:PXEClient") .value.size() == 9);
  CHECK(read_option("252:text:http://[fd00::1]:80/a+b") == [] {
    DhcpOption option{252, {}};
    for (const char c : std::string("http://[fd00::1]:80/a+b")) option.value.push_back(static_cast<std::byte>(c));
    return option;
  }());
  CHECK(read_option("42:ip:10.0.2.9") == DhcpOption{42, bytes({10, 0, 2, 9})});
  CHECK(read_option("42:ip:10.0.2.9+192.0.2.1") == DhcpOption{42, bytes({10, 0, 2, 9, 192, 0, 2, 1})});
  CHECK(read_option("254:hex:00").code == 254);
  CHECK(read_option("4:text:" + std::string(255, 'x')).value.size() == 255);
}

TEST_CASE("a DHCP option that is none, or that the server makes itself, is refused and says what to write") {
  struct Row {
    std::string text;
    std::string expected;
  };
  const std::string form = "expected NUMBER:hex:BYTES, NUMBER:text:TEXT or NUMBER:ip:ADDR[+ADDR], not ";
  const Row rows[] = {
      {"", form}, {"43", form}, {"43:hex", form}, {"43:hex:", form}, {"43:hex:0", form}, {"43:hex:0g", form},
      {"43:hex:01:", form}, {"43:hex::01", form}, {"43:text:", form}, {"43:text:a\nb", form}, {"42:ip:", form},
      {"42:ip:10.0.2", form}, {"42:ip:10.0.2.1+", form}, {"42:ip:fd00::1", form}, {"42:bytes:01", form},
      {"x:hex:01", "expected a number from 1 to 254, not 'x'"},
      {"256:hex:01", "expected a number from 1 to 254, not '256'"},
      {"-1:hex:01", "expected a number from 1 to 254, not '-1'"},
      {"4:text:" + std::string(256, 'x'), "4: more than 255 bytes"},
      {"0:hex:01", "0 is part of every DHCP message"},
      {"255:hex:01", "255 is part of every DHCP message"},
      {"53:hex:01", "53 is part of every DHCP message"},
      {"1:ip:255.0.0.0", "1 is the server's own: use the port's address"},
      {"3:ip:10.0.2.9", "3 is the server's own: use via"},
      {"6:ip:10.0.2.9", "6 is the server's own: use nameserver"},
      {"15:text:lan", "15 is the server's own: use domain"},
      {"26:hex:05dc", "26 is the server's own: use mtu"},
      {"51:hex:00000e10", "51 is the server's own: use lease"},
      {"54:ip:10.0.2.9", "54 is the server's own: use router"},
      {"66:text:10.0.2.9", "66 is the server's own: use next-server"},
      {"67:text:boot", "67 is the server's own: use bootfile"},
      {"82:hex:01", "82 is the server's own"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    DhcpOption option;
    CHECK(read_dhcp_option(row.text, option).starts_with(row.expected));
  }
}

}  // namespace gateway_config_test
