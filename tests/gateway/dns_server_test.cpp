// What the DNS server answers without asking anybody, by UDP and by TCP. With resolvers: tests/e2e/nat.py.
#include "switchd/gateway/dns_server.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <catch2/catch.hpp>

#include "frames/bytes.h"
#include "tests/gateway/temporary_folder.h"
#include "tests/support/hex.h"

namespace dns_server_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

using Bytes = std::vector<std::byte>;

constexpr std::int64_t now_s = 1'700'000'000;
const Udp4Endpoint guest{MacAddress(0x5254'0000'0001), Ipv4Address(0x0A00'020F), 5353};

const char* const gateway_lan = "1234 0100 0001 0000 0000 0000 0767617465776179 036c616e 00 0001 0001";
const char* const edns_1 = "1234 0100 0001 0000 0000 0001 0767617465776179 036c616e 00 0001 0001"
                           "00 0029 04d0 00010000 0000";
const char* const cut_off = "1234 0100 0001 0000 0000 0000 0767617465";
const char* const update = "1234 2800 0001 0000 0000 0000 036c616e 00 0006 0001";
const char* const an_answer = "1234 8180 0001 0000 0000 0000 0767617465776179 036c616e 00 0001 0001";

Bytes framed(const char* hex) {
  const Bytes message = from_hex(hex);
  Bytes bytes(2);
  store_be16(bytes.data(), static_cast<std::uint16_t>(message.size()));
  bytes.insert(bytes.end(), message.begin(), message.end());
  return bytes;
}

struct Lan {
  explicit Lan(Fd listener = Fd())
      : dns(names, resolvers, 1472, std::move(listener), [this](const DnsClient& client, auto message) {
          CHECK((client == DnsClient(guest)));
          answers.emplace_back(message.begin(), message.end());
        }) {
    config.network = *parse_ipv4_network("10.0.2.0/24");
    config.router = *parse_ipv4("10.0.2.2");
    config.domain = "lan";
  }
  // The code of the answer; nothing: there is none.
  std::optional<unsigned> ask(const char* hex) {
    answers.clear();
    dns.query(guest, from_hex(hex), 0, now_s);
    if (answers.empty()) return std::nullopt;
    CHECK(answers.size() == 1);
    CHECK(load_be16(answers[0].data()) == 0x1234);
    return load_be16(&answers[0][2]) & 0x000FU;
  }

  GatewayConfig config;
  LeaseTable leases{{*parse_ipv4("10.0.2.15"), *parse_ipv4("10.0.2.20"), 3600, {}}};
  Neighbours<Ipv6Bytes> neighbours6{16};
  LocalNames names{config, leases, neighbours6};
  Resolvers resolvers;
  std::vector<Bytes> answers;
  DnsServer dns;
};

// A listener, and a connection to it.
struct Connection {
  Connection() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    folder.file("dns").copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* any = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE((::bind(listener.get(), any, sizeof address) == 0 && ::listen(listener.get(), 1) == 0));
    REQUIRE(::connect(client.get(), any, sizeof address) == 0);
  }
  TemporaryFolder folder;
  Fd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  Fd client{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

}  // namespace

TEST_CASE("a query that is cut off is told so, and another operation that there is none") {
  Lan lan;
  CHECK(lan.ask(gateway_lan) == 0);
  CHECK(lan.ask(cut_off) == 1);
  CHECK(lan.answers[0].size() == dns_header_bytes);
  CHECK(lan.ask(update) == 4);
}

TEST_CASE("an answer is never answered") {
  Lan lan;
  CHECK_FALSE(lan.ask(an_answer));
  CHECK_FALSE(lan.ask("1234 8180 0001"));
}

TEST_CASE("a version of EDNS that there is not is told so, with ours") {
  Lan lan;
  CHECK(lan.ask(edns_1) == 0);
  CHECK(load_be16(&lan.answers[0][6]) == 0);                   // no address
  CHECK(load_be32(&lan.answers[0].back() - 5) == 0x0100'0000);  // BADVERS, version 0
}

TEST_CASE("a connection is told what it asks wrongly, and goes on; what is no question at all ends it") {
  Connection connection;
  Lan lan(std::move(connection.listener));
  Bytes sent;
  for (const char* hex : {cut_off, update, gateway_lan, an_answer, gateway_lan}) {
    const Bytes bytes = framed(hex);
    sent.insert(sent.end(), bytes.begin(), bytes.end());
  }
  REQUIRE(::send(connection.client.get(), sent.data(), sent.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(sent.size()));
  lan.dns.accept_connections(0);
  PollSet polled;
  lan.dns.fill(polled, 0);
  REQUIRE(polled.wait() == 1);
  lan.dns.poll(polled, 0, now_s);
  Bytes got(4096);
  const ssize_t bytes = ::recv(connection.client.get(), got.data(), got.size(), 0);
  REQUIRE(bytes > 0);
  got.resize(static_cast<std::size_t>(bytes));
  std::vector<unsigned> codes;
  for (std::size_t at = 0; at < got.size(); at += 2U + load_be16(&got[at]))
    codes.push_back(load_be16(&got[at + 4]) & 0x000FU);
  CHECK(codes == std::vector<unsigned>{1, 4, 0});
  CHECK(::recv(connection.client.get(), got.data(), got.size(), 0) == 0);
}

}  // namespace dns_server_test
