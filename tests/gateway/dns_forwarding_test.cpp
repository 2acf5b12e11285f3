// The DNS server with resolvers: which is asked when, whose answer counts, and what clients get when none helps. The
// resolvers are sockets on this machine, at the port of DNS, in a network of the test's own; time is an argument.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <stdexcept>

#include "frames/bytes.h"
#include "switchd/gateway/dns_server.h"
#include "tests/gateway/temporary_folder.h"
#include "tests/support/deadline.h"
#include "tests/support/hex.h"
#include "tests/support/network_of_test.h"

namespace dns_forwarding_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

using Bytes = std::vector<std::byte>;
using Messages = std::vector<Bytes>;

constexpr std::int64_t now_s = 1'700'000'000;
constexpr unsigned ok = 0, servfail = 2, nxdomain = 3, notimp = 4, refused = 5;

Udp4Endpoint guest(unsigned n, std::uint16_t port = 5353) {
  return {MacAddress(0x5254'0000'0000 | n), Ipv4Address(0x0A00'0200 + 14 + n), port};
}

Bytes question(std::uint16_t id, const std::string& label, bool edns = false) {
  Bytes bytes(12);
  store_be16(&bytes[0], id);
  store_be16(&bytes[2], 0x0100);
  store_be16(&bytes[4], 1);
  store_be16(&bytes[10], edns ? 1 : 0);
  bytes.push_back(static_cast<std::byte>(label.size()));
  for (const char c : label) bytes.push_back(static_cast<std::byte>(c));
  const auto add = [&](const char* hex) {
    for (const std::byte byte : from_hex(hex)) bytes.push_back(byte);
  };
  add("07 6578616d706c65 00 0001 0001");
  if (edns) add("00 0029 04d0 00000000 0000");
  return bytes;
}

// The answer to `query`, of `code`, with an address that ends in `n` where all is well.
Bytes answer_to(const Bytes& query, unsigned code, unsigned n = 1) {
  Bytes bytes = query;
  bytes.resize(12 + parse_dns_query(query)->question_bytes);
  store_be16(&bytes[2], static_cast<std::uint16_t>(0x8180 | code));
  store_be16(&bytes[10], 0);
  if (code != ok) return bytes;
  store_be16(&bytes[6], 1);
  for (const unsigned byte : {0xC0u, 12u, 0u, 1u, 0u, 1u, 0u, 0u, 0u, 60u, 0u, 4u, 192u, 0u, 2u, n})
    bytes.push_back(static_cast<std::byte>(byte));
  return bytes;
}

unsigned code_of(const Bytes& message) { return load_be16(&message.at(2)) & 15u; }
unsigned last_byte(const Bytes& message) { return std::to_integer<unsigned>(message.back()); }

// Answers as it is told: to each query, any number of messages.
class Resolver {
 public:
  using Answers = std::function<Messages(const Bytes& query)>;

  Resolver(unsigned n, Answers answers) : answers_(std::move(answers)) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(dns_port);
    here.sin_addr.s_addr = htonl(0x7F00'0100 + n);
    const int yes = 1;
    REQUIRE(::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
    for (const Fd* fd : {&udp_, &listener_})
      REQUIRE(::bind(fd->get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
    REQUIRE(::listen(listener_.get(), 16) == 0);
  }
  void serve() {
    Bytes bytes(65535);
    sockaddr_in from{};
    socklen_t length = sizeof from;
    for (ssize_t got; (got = ::recvfrom(udp_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from),
                                        &length)) > 0;) {
      ++asked;
      for (const Bytes& message : answers_(Bytes(bytes.begin(), bytes.begin() + got)))
        (void)::sendto(udp_.get(), message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
    }
    while (Fd stream = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)))
      streams_.push_back(std::move(stream));
    for (Fd& stream : streams_) {
      const ssize_t got = stream ? ::recv(stream.get(), bytes.data(), bytes.size(), 0) : -1;
      if (got == 0) stream = Fd();
      if (got <= 2) continue;
      ++asked_by_stream;
      const Messages all = answers_(Bytes(bytes.begin() + 2, bytes.begin() + got));
      if (hangs_up) stream = Fd();
      for (const Bytes& message : all) {
        Bytes framed(2);
        store_be16(framed.data(), static_cast<std::uint16_t>(message.size()));
        framed.insert(framed.end(), message.begin(), message.end());
        if (stream) REQUIRE(::send(stream.get(), framed.data(), framed.size(), MSG_NOSIGNAL) > 0);
      }
    }
  }
  unsigned asked = 0;
  unsigned asked_by_stream = 0;
  bool hangs_up = false;

 private:
  Answers answers_;
  Fd udp_{::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  Fd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  std::vector<Fd> streams_;
};

Resolver::Answers always(unsigned code, unsigned n = 1) {
  return [=](const Bytes& query) { return Messages{answer_to(query, code, n)}; };
}
Messages silence(const Bytes&) { return {}; }

std::string lines_to_ask(Resolvers& resolvers, std::int64_t now_ms) {
  std::string lines;
  for (const SocketAddress& server : resolvers.to_ask(now_ms)) {
    const std::string text = to_string(server);
    lines += text.substr(0, text.find(':')) + " ";
  }
  return lines;
}

// The DNS server, with resolvers at 127.0.1.1 and so on.
struct Lan {
  explicit Lan(const std::vector<Resolver::Answers>& behaviours) {
    std::string text;
    for (unsigned n = 1; n <= behaviours.size(); ++n) {
      resolvers.push_back(std::make_unique<Resolver>(n, behaviours[n - 1]));
      text += "nameserver 127.0.1." + std::to_string(n) + "\n";
    }
    write_file(folder.file("resolv.conf"), text);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    folder.file("dns").copy(address.sun_path, sizeof address.sun_path - 1);
    Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto* any = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE((::bind(listener.get(), any, sizeof address) == 0 && ::listen(listener.get(), 1) == 0));
    dns = std::make_unique<DnsServer>(names, hosts, 1472, std::move(listener), [this](const DnsClient& to, auto message) {
      answers.emplace_back(to, Bytes(message.begin(), message.end()));
    });
    REQUIRE(::connect(client.get(), any, sizeof address) == 0);
    dns->accept_connections(now_ms);
  }
  // Turns of the loop, as many as it takes.
  void run_until(const std::string& what, const std::function<bool()>& done) {
    for (const Deadline deadline; !done();) {
      if (deadline.passed()) throw std::runtime_error("in time there was no " + what);
      for (const auto& resolver : resolvers) resolver->serve();
      PollSet polled;
      dns->fill(polled, now_ms);
      polled.wake_within(1);
      REQUIRE(polled.wait() >= 0);
      dns->poll(polled, now_ms, now_s);
    }
  }
  void ask(std::uint16_t id, const std::string& label, unsigned from = 1, std::uint16_t port = 5353) {
    dns->query(guest(from, port), question(id, label), now_ms, now_s);
  }
  // The answer to the only query.
  Bytes answer() {
    run_until("answer", [&] { return !answers.empty(); });
    CHECK(answers.size() == 1);
    Bytes message = std::move(answers.front().second);
    answers.clear();
    return message;
  }
  Bytes answer_to_new(std::uint16_t id, const std::string& label) {
    ask(id, label);
    Bytes message = answer();
    CHECK(load_be16(message.data()) == id);
    return message;
  }
  // The answers by TCP to as many queries, which are sent at once.
  Messages by_stream(const Messages& queries) {
    Bytes sent;
    for (const Bytes& query : queries) {
      sent.resize(sent.size() + 2);
      store_be16(&sent[sent.size() - 2], static_cast<std::uint16_t>(query.size()));
      sent.insert(sent.end(), query.begin(), query.end());
    }
    REQUIRE(::send(client.get(), sent.data(), sent.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(sent.size()));
    Bytes got;
    Messages whole;
    run_until("answer by TCP", [&] {
      std::array<std::byte, 4096> part{};
      const ssize_t bytes = ::recv(client.get(), part.data(), part.size(), MSG_DONTWAIT);
      REQUIRE(bytes != 0);  // it goes on
      if (bytes > 0) got.insert(got.end(), part.begin(), part.begin() + bytes);
      while (got.size() >= 2 && got.size() >= 2u + load_be16(got.data())) {
        const auto end = got.begin() + 2 + load_be16(got.data());
        whole.emplace_back(got.begin() + 2, end);
        got.erase(got.begin(), end);
      }
      return whole.size() == queries.size();
    });
    return whole;
  }

  std::int64_t now_ms = 1'000'000;
  TemporaryFolder folder;
  std::vector<std::unique_ptr<Resolver>> resolvers;
  GatewayConfig config;
  LeaseTable leases{{*parse_ipv4("10.0.2.15"), *parse_ipv4("10.0.2.20"), 3600, {}}};
  Neighbours<Ipv6Bytes> neighbours6{16};
  LocalNames names{config, leases, neighbours6};
  Resolvers hosts{folder.file("resolv.conf")};
  std::vector<std::pair<DnsClient, Bytes>> answers;
  std::unique_ptr<DnsServer> dns;
  Fd client{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

}  // namespace

TEST_CASE("where the first resolver is of no help, the next is asked, by UDP and by TCP") {
  IN_A_NETWORK_OF_ITS_OWN;
  for (const unsigned code : {servfail, notimp, refused}) {
    CAPTURE(code);
    Lan lan({always(code), always(ok, 2)});
    CHECK(last_byte(lan.answer_to_new(7, "www")) == 2);
    CHECK(last_byte(lan.by_stream({question(8, "www")})[0]) == 2);
    CHECK(lan.resolvers[0]->asked == 1);
    CHECK(lan.resolvers[0]->asked_by_stream == 1);
  }
}

TEST_CASE("an answer that there is no such name is an answer") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({always(nxdomain), always(ok, 2)});
  CHECK(code_of(lan.answer_to_new(7, "www")) == nxdomain);
  CHECK(code_of(lan.by_stream({question(8, "www")})[0]) == nxdomain);
  CHECK(lan.resolvers[1]->asked + lan.resolvers[1]->asked_by_stream == 0);
}

TEST_CASE("where no resolver helps, the client gets the last answer, and the connection goes on") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({always(servfail), always(notimp), always(refused)});
  const Bytes answer = lan.answer_to_new(7, "www");
  CHECK(code_of(answer) == refused);
  CHECK(parse_dns_query(question(7, "www"))->question_bytes + 12 == answer.size());
  const auto answers = lan.by_stream({question(8, "www"), question(9, "ftp")});
  CHECK(load_be16(answers[0].data()) == 8);
  CHECK(code_of(answers[0]) == refused);
  CHECK(load_be16(answers[1].data()) == 9);
}

TEST_CASE("an answer of no help without a question is told with it") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({[](const Bytes& query) {
    Bytes header(query.begin(), query.begin() + 12);
    store_be16(&header[2], 0x8181);
    store_be16(&header[4], 0);
    return Messages{header};
  }});
  const Bytes answer = lan.answer_to_new(7, "www");
  CHECK(code_of(answer) == 1);
  CHECK(load_be16(&answer[4]) == 1);
}

TEST_CASE("where nobody is at a resolver's address, the next is asked at once; where nobody is at any, that is told") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({});
  write_file(lan.folder.file("resolv.conf"), "nameserver 127.0.1.9\nnameserver 127.0.1.1\n");
  lan.now_ms += 2000;
  CHECK(code_of(lan.answer_to_new(7, "www")) == servfail);
  CHECK(code_of(lan.by_stream({question(8, "www")})[0]) == servfail);
  lan.resolvers.push_back(std::make_unique<Resolver>(1, always(ok, 2)));
  CHECK(last_byte(lan.answer_to_new(9, "www")) == 2);
  CHECK(last_byte(lan.by_stream({question(10, "www")})[0]) == 2);
}

TEST_CASE("a resolver that is silent costs two seconds once: then it is asked last") {
  IN_A_NETWORK_OF_ITS_OWN;
  const bool by_stream = GENERATE(false, true);
  CAPTURE(by_stream);
  Lan lan({silence, always(ok, 2)});
  const auto asked = [&] { return by_stream ? lan.resolvers[0]->asked_by_stream : lan.resolvers[0]->asked; };
  if (by_stream) {
    const Bytes framed = [] {
      Bytes bytes = question(7, "www");
      bytes.insert(bytes.begin(), {std::byte{0}, static_cast<std::byte>(bytes.size())});
      return bytes;
    }();
    REQUIRE(::send(lan.client.get(), framed.data(), framed.size(), MSG_NOSIGNAL) > 0);
  } else {
    lan.ask(7, "www");
  }
  lan.run_until("question for the first", [&] { return asked() == 1; });
  lan.now_ms += 2000;
  if (by_stream) {
    lan.run_until("answer", [&] {
      char byte = 0;
      return ::recv(lan.client.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    });
  } else {
    CHECK(last_byte(lan.answer()) == 2);
    CHECK(last_byte(lan.answer_to_new(8, "ftp")) == 2);
  }
  CHECK(asked() == 1);
  CHECK(lines_to_ask(lan.hosts, lan.now_ms) == "127.0.1.2 127.0.1.1 ");
}

TEST_CASE("a resolver that takes its time is heard, though the next was asked meanwhile") {
  IN_A_NETWORK_OF_ITS_OWN;
  Bytes asked;
  Lan lan({[&](const Bytes& query) {
             if (asked.empty()) {
               asked = query;
               return Messages{};
             }
             return Messages{answer_to(query, ok, 1)};  // when it is asked again
           },
           silence});
  lan.ask(7, "www");
  lan.run_until("question for the first", [&] { return lan.resolvers[0]->asked == 1; });
  lan.now_ms += 2000;
  lan.run_until("question for the second", [&] { return lan.resolvers[1]->asked == 1; });
  lan.now_ms += 2000;
  CHECK(last_byte(lan.answer()) == 1);
}

TEST_CASE("where all resolvers are silent, that is told before a client gives up") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({silence, silence});
  lan.ask(7, "www");
  for (unsigned seconds = 0; seconds < 8; seconds += 2) {
    CHECK(lan.answers.empty());
    const unsigned expected = seconds / 2 + 1;
    lan.run_until("question", [&] { return lan.resolvers[0]->asked + lan.resolvers[1]->asked == expected; });
    lan.now_ms += 2000;
  }
  CHECK(code_of(lan.answer()) == servfail);
  CHECK(lan.resolvers[0]->asked == 2);
  CHECK(lan.resolvers[1]->asked == 2);
}

TEST_CASE("what answers another question, or has another id, is passed over") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({[](const Bytes& query) {
    Bytes other_id = answer_to(query, ok, 3);
    store_be16(other_id.data(), static_cast<std::uint16_t>(load_be16(query.data()) + 1));
    Bytes other_name = answer_to(query, ok, 4);
    other_name[13] ^= std::byte{1};
    const Bytes itself = query;
    return Messages{other_id, other_name, itself, Bytes(5), answer_to(query, ok, 2)};
  }});
  CHECK(last_byte(lan.answer_to_new(7, "www")) == 2);
  CHECK(last_byte(lan.by_stream({question(8, "www")})[0]) == 2);
}

TEST_CASE("two questions with one id from one port are both answered, and one that is repeated once") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({always(ok)});
  lan.ask(7, "www");
  lan.ask(7, "ftp");
  lan.ask(7, "www");
  lan.run_until("two answers", [&] { return lan.answers.size() == 2; });
  CHECK(lan.answers[0].second != lan.answers[1].second);
  CHECK(lan.resolvers[0]->asked == 2);
}

TEST_CASE("200 questions at once from one guest are all answered") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({always(ok)});
  for (std::uint16_t id = 0; id < 200; ++id) {
    lan.ask(id, "n" + std::to_string(id));
    if (id % 50 == 49) lan.resolvers[0]->serve();  // a socket holds about 100
  }
  lan.run_until("200 answers", [&] { return lan.answers.size() == 200; });
  for (const auto& [to, message] : lan.answers) CHECK(code_of(message) == ok);
  CHECK(lan.dns->refused() == 0);
}

TEST_CASE("a question beyond a guest's share is refused in words and counted, and takes nothing from another guest") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({silence});
  constexpr unsigned more = 5;
  for (unsigned id = 0; id < DnsServer::pending_of_guest_max + more; ++id)
    lan.ask(static_cast<std::uint16_t>(id), "www");
  CHECK(lan.dns->refused() == more);
  REQUIRE(lan.answers.size() == more);
  for (const auto& [to, message] : lan.answers) CHECK(code_of(message) == servfail);
  CHECK(load_be16(lan.answers[0].second.data()) == DnsServer::pending_of_guest_max);
  lan.ask(1, "www", 2);
  CHECK(lan.answers.size() == more);

  for (unsigned n = 2; n < 10; ++n)  // until all have no room
    for (std::uint16_t id = 0; id < 200; ++id) lan.ask(id, "ftp", n);
  CHECK(lan.dns->refused() > more);
}

TEST_CASE("several questions of one connection are answered in their order, also when the guest sends no more") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({always(ok)});
  Messages queries;
  for (std::uint16_t id = 1; id <= 5; ++id) queries.push_back(question(id, "n" + std::to_string(id), id % 2 == 0));
  const auto answers = lan.by_stream(queries);
  for (std::uint16_t id = 1; id <= 5; ++id) CHECK(load_be16(answers[id - 1u].data()) == id);
}

TEST_CASE("a resolver that ends a connection without an answer is followed by the next") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({always(ok, 1), always(ok, 2)});
  lan.resolvers[0]->hangs_up = true;
  CHECK(last_byte(lan.by_stream({question(8, "www")})[0]) == 2);
}

TEST_CASE("an answer that is longer than the client takes is cut, and comes whole by TCP; with EDNS it may be longer") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan({[](const Bytes& query) {
    Bytes answer = answer_to(query, ok);
    const Bytes record(answer.end() - 16, answer.end());
    while (answer.size() < 900) {
      answer.insert(answer.end(), record.begin(), record.end());
      store_be16(&answer[6], static_cast<std::uint16_t>(load_be16(&answer[6]) + 1));
    }
    return Messages{answer};
  }});
  const Bytes cut = lan.answer_to_new(7, "www");
  CHECK((load_be16(&cut[2]) & 0x0200) != 0);
  CHECK(cut.size() < 512);
  CHECK(lan.by_stream({question(8, "www")})[0].size() >= 900);
  lan.dns->query(guest(1), question(9, "www", true), lan.now_ms, now_s);
  CHECK(lan.answer().size() >= 900);
}

}  // namespace dns_forwarding_test
