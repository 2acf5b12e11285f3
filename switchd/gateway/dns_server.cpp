// The DNS server: UDP first, then connections; see the header for the theory.
#include "switchd/gateway/dns_server.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "frames/bytes.h"

namespace lanyard {

namespace {

constexpr std::size_t connections_max = 64;
constexpr std::int64_t resolver_ms = 2000;    // then the next is asked
constexpr std::int64_t query_ms = 8000;       // in all: glibc gives up after 10 s, having asked twice
constexpr std::int64_t idle_ms = 30'000;      // of a TCP connection (RFC 7766, 6.2.3)
constexpr std::size_t length_bytes = 2;       // in front of a message by TCP (RFC 1035, 4.2.2)

std::uint16_t random_id() {
  std::uint16_t id = 0;
  (void)!::getrandom(&id, sizeof id, 0);
  return id;
}

Fd connected_socket(const SocketAddress& server, int type) {
  Fd fd(::socket(server.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd && ::connect(fd.get(), &server.any, server.length) != 0 && errno != EINPROGRESS) return Fd();
  return fd;
}

MacAddress mac_of(const DnsClient& client) {
  return std::visit([](const auto& endpoint) { return endpoint.mac; }, client);
}

bool would_block() { return errno == EAGAIN || errno == EINTR; }

std::vector<std::byte> failure(std::span<const std::byte> message, const DnsQuery& query, DnsCode code) {
  DnsAnswer answer;
  answer.code = code;
  return write_dns_answer(message, query, answer);
}

// An answer of no help, for the client: with the question, without which clients take no notice of it.
std::vector<std::byte> passed_on(std::span<const std::byte> answer, std::span<const std::byte> message,
                                 const DnsQuery& query) {
  if (load_be16(&answer[4]) != 0) return {answer.begin(), answer.end()};
  return failure(message, query, static_cast<DnsCode>(load_be16(&answer[2]) & 0x000FU));
}

}  // namespace

DnsServer::DnsServer(const LocalNames& names, Resolvers& resolvers, std::size_t answer_bytes_max, Fd listener,
                     Answer answer)
    : names_(names),
      resolvers_(resolvers),
      answer_bytes_max_(answer_bytes_max),
      listener_(std::move(listener)),
      answer_(std::move(answer)) {}

void DnsServer::query(const DnsClient& client, std::span<const std::byte> message, std::int64_t now_ms,
                      std::int64_t now_s) {
  const auto query = parse_dns_query(message);
  if (!query) {
    if (const auto refusal = write_dns_refusal(message)) answer_(client, *refusal);
    return;
  }
  if (const auto own = answer_ourselves(message, *query, now_s)) return answer(client, *query, *own);
  const bool again = std::any_of(pending_.begin(), pending_.end(), [&](const Pending& each) {
    return each.client == client && std::equal(each.message.begin(), each.message.end(), message.begin(), message.end());
  });
  if (again) return;  // the client grows impatient
  if (!has_room(mac_of(client))) {
    ++refused_;
    return answer_(client, failure(message, *query, DnsCode::server_failure));
  }
  Pending& pending = pending_.emplace_back();
  pending.client = client;
  pending.message.assign(message.begin(), message.end());
  pending.query = *query;
  for (const SocketAddress& server : resolvers_.to_ask(now_ms)) pending.resolvers.push_back({server});
  pending.end_ms = now_ms + query_ms;
  if (ask_next(pending, now_ms)) return;
  give_up(pending);
  pending_.pop_back();
}

std::optional<DnsServer::Bytes> DnsServer::answer_ourselves(std::span<const std::byte> message, const DnsQuery& query,
                                                            std::int64_t now_s) const {
  if (query.edns_version > 0) return failure(message, query, DnsCode::bad_version);
  if (const auto known = names_.answer(query, now_s)) return write_dns_answer(message, query, *known);
  return std::nullopt;
}

// By UDP: what is too long is cut, and the client asks again by TCP.
void DnsServer::answer(const DnsClient& client, const DnsQuery& query, std::span<const std::byte> message) {
  if (message.size() > std::min(answer_bytes_max_, query.udp_bytes_max)) answer_(client, cut_dns_answer(message));
  else answer_(client, message);
}

bool DnsServer::has_room(MacAddress client) const {
  const auto of_client = std::count_if(pending_.begin(), pending_.end(),
                                       [&](const Pending& each) { return mac_of(each.client) == client; });
  return pending_.size() < pending_max && of_client < static_cast<std::ptrdiff_t>(pending_of_guest_max);
}

bool DnsServer::ask_next(Pending& pending, std::int64_t now_ms) {
  for (std::size_t tries = pending.resolvers.size(); tries > 0; --tries) {
    Asked& resolver = pending.resolvers[pending.next++ % pending.resolvers.size()];
    if (resolver.no_help) continue;
    resolver.no_help = !ask(pending, resolver, now_ms);
    if (resolver.no_help) continue;
    pending.next_ms = now_ms + resolver_ms;
    return true;
  }
  return false;
}

// Again by the same socket, with the same id, where it was asked before.
bool DnsServer::ask(const Pending& pending, Asked& resolver, std::int64_t now_ms) {
  if (!resolver.socket) {
    resolver.socket = connected_socket(resolver.server, SOCK_DGRAM);
    resolver.id = random_id();
    resolver.since_ms = now_ms;
  }
  Bytes message = pending.message;
  store_be16(message.data(), resolver.id);
  return resolver.socket && ::send(resolver.socket.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0;
}

void DnsServer::give_up(const Pending& pending) {
  if (pending.no_help.empty())
    answer_(pending.client, failure(pending.message, pending.query, DnsCode::server_failure));
  else
    answer(pending.client, pending.query, pending.no_help);
}

bool DnsServer::serve(Pending& pending, const PollSet& polled, std::int64_t now_ms) {
  bool next = false;
  for (Asked& resolver : pending.resolvers) {
    if (!resolver.socket || polled.revents(resolver.polled) == 0) continue;
    if (take_answer(pending, resolver, now_ms)) return true;
    if (resolver.no_help) resolver.socket = Fd();
    next = next || resolver.no_help;
  }
  bool over = pending.end_ms <= now_ms;
  if (!over && pending.next_ms <= now_ms) {
    next = true;
    for (const Asked& resolver : pending.resolvers)
      if (resolver.socket && resolver.since_ms + resolver_ms <= now_ms)
        resolvers_.silent(resolver.server, resolver.since_ms, now_ms);
  }
  if (next && !over) over = !ask_next(pending, now_ms);
  if (over) give_up(pending);
  return over;
}

// True when the client has its answer.
bool DnsServer::take_answer(Pending& pending, Asked& resolver, std::int64_t now_ms) {
  std::array<std::byte, dns_message_bytes_max> bytes;
  const ssize_t got = ::recv(resolver.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && !would_block()) resolver.no_help = true;  // nobody is there
  if (got < static_cast<ssize_t>(dns_header_bytes) || load_be16(bytes.data()) != resolver.id) return false;
  const std::span<std::byte> message = std::span(bytes).first(static_cast<std::size_t>(got));
  if (!is_dns_answer_to(message, pending.message, pending.query)) return false;
  resolvers_.heard(resolver.server, now_ms);
  store_be16(message.data(), pending.query.id);
  if (is_dns_no_help(message)) {
    resolver.no_help = true;
    pending.no_help = passed_on(message, pending.message, pending.query);
    return false;
  }
  answer(pending.client, pending.query, message);
  return true;
}

void DnsServer::fill(PollSet& polled, std::int64_t now_ms) {
  for (Pending& pending : pending_) {
    for (Asked& resolver : pending.resolvers)
      if (resolver.socket) resolver.polled = polled.add(resolver.socket.get(), POLLIN);
    polled.wake_within(std::min(pending.next_ms, pending.end_ms) - now_ms);
  }
  if (listener_) polled_listener_ = polled.add(listener_.get(), POLLIN);
  for (Connection& connection : connections_) {
    const bool reads = !connection.ended && connection.in.size() <= dns_message_bytes_max;
    const int guest = (reads ? POLLIN : 0) | (connection.out.empty() ? 0 : POLLOUT);
    connection.polled_guest = polled.add(connection.guest.get(), static_cast<short>(guest));
    const bool writes = connection.connecting || !connection.to_resolver.empty();
    if (connection.resolver)
      connection.polled_resolver = polled.add(connection.resolver.get(), writes ? POLLOUT : POLLIN);
    polled.wake_within(connection.deadline_ms - now_ms);
  }
}

void DnsServer::poll(const PollSet& polled, std::int64_t now_ms, std::int64_t now_s) {
  const std::size_t waited_for = pending_.size();  // others came since
  auto pending = pending_.begin();
  for (std::size_t i = 0; i < waited_for && pending != pending_.end(); ++i) {
    const bool done = serve(*pending, polled, now_ms);
    pending = done ? pending_.erase(pending) : std::next(pending);
  }
  connections_.remove_if([&](Connection& connection) { return !serve(connection, polled, now_ms, now_s); });
  if (listener_ && polled.revents(polled_listener_) != 0) accept_connections(now_ms);
}

void DnsServer::accept_connections(std::int64_t now_ms) {
  while (true) {
    Fd guest(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!guest) return;
    if (connections_.size() == connections_max) connections_.pop_front();
    Connection& connection = connections_.emplace_back();
    connection.guest = std::move(guest);
    connection.deadline_ms = now_ms + idle_ms;
  }
}

bool DnsServer::serve(Connection& connection, const PollSet& polled, std::int64_t now_ms, std::int64_t now_s) {
  const short guest = polled.revents(connection.polled_guest);
  if ((guest & POLLIN) != 0 && !read_guest(connection)) return false;
  if ((guest & (POLLERR | POLLHUP | POLLNVAL)) != 0) return false;
  if (connection.resolver) work_with_resolver(connection, polled.revents(connection.polled_resolver), now_ms);
  if (connection.deadline_ms <= now_ms) {
    if (!connection.resolver) return false;
    resolvers_.silent(connection.servers[connection.asked - 1], connection.asked_ms, now_ms);
    ask_by_stream(connection, now_ms);
  }
  if (!connection.resolver) take_query(connection, now_ms, now_s);
  if (!write_guest(connection)) return false;
  return !(connection.ended && connection.out.empty() && !connection.resolver);
}

bool DnsServer::read_guest(Connection& connection) {
  std::array<std::byte, 16384> bytes;
  const ssize_t got = ::recv(connection.guest.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0) return would_block();
  if (got == 0) connection.ended = true;
  connection.in.insert(connection.in.end(), bytes.begin(), bytes.begin() + got);
  return true;
}

bool DnsServer::write_guest(Connection& connection) {
  if (connection.out.empty()) return true;
  const ssize_t sent =
      ::send(connection.guest.get(), connection.out.data(), connection.out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return would_block();
  connection.out.erase(connection.out.begin(), connection.out.begin() + sent);
  return true;
}

// Takes whole messages from what the guest has sent, until one has to be asked of a resolver.
void DnsServer::take_query(Connection& connection, std::int64_t now_ms, std::int64_t now_s) {
  while (!connection.resolver && connection.in.size() >= length_bytes &&
         connection.out.size() <= dns_message_bytes_max) {
    const std::size_t bytes = load_be16(connection.in.data());
    if (connection.in.size() < length_bytes + bytes) return;
    const auto end = connection.in.begin() + static_cast<std::ptrdiff_t>(length_bytes + bytes);
    const Bytes framed(connection.in.begin(), end);
    connection.in.erase(connection.in.begin(), end);
    connection.deadline_ms = now_ms + idle_ms;
    const std::span<const std::byte> message = std::span(framed).subspan(length_bytes);
    const auto query = parse_dns_query(message);
    const auto own = query ? answer_ourselves(message, *query, now_s) : write_dns_refusal(message);
    if (own) {
      put_answer(connection, *own);
    } else if (!query) {
      connection.ended = true;  // what follows cannot be trusted either
      connection.in.clear();
    } else {
      connection.query = *query;
      connection.framed = framed;
      connection.servers = resolvers_.to_ask(now_ms);
      connection.asked = 0;
      connection.no_help.clear();
      ask_by_stream(connection, now_ms);
    }
  }
}

// The next resolver, with the query from its beginning; without one left, the last answer that was no help, or a failure.
// The last has all the time there is: nobody else is kept from answering.
void DnsServer::ask_by_stream(Connection& connection, std::int64_t now_ms) {
  connection.to_resolver = connection.framed;
  connection.from_resolver.clear();
  connection.resolver = Fd();
  while (connection.asked < connection.servers.size() && !connection.resolver)
    connection.resolver = connected_socket(connection.servers[connection.asked++], SOCK_STREAM);
  if (!connection.resolver) {
    const std::span<const std::byte> message = std::span(connection.framed).subspan(length_bytes);
    const Bytes last = connection.no_help.empty() ? failure(message, connection.query, DnsCode::server_failure)
                                                  : connection.no_help;
    return finish_query(connection, last, now_ms);
  }
  connection.connecting = true;
  connection.asked_ms = now_ms;
  connection.deadline_ms = now_ms + (connection.asked < connection.servers.size() ? resolver_ms : query_ms);
}

void DnsServer::work_with_resolver(Connection& connection, short events, std::int64_t now_ms) {
  if (events == 0) return;
  if (connection.connecting || !connection.to_resolver.empty()) {
    const ssize_t sent = ::send(connection.resolver.get(), connection.to_resolver.data(), connection.to_resolver.size(),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && would_block()) return;
    if (sent < 0) return ask_by_stream(connection, now_ms);
    connection.connecting = false;
    connection.to_resolver.erase(connection.to_resolver.begin(), connection.to_resolver.begin() + sent);
    return;
  }
  std::array<std::byte, 16384> bytes;
  const ssize_t got = ::recv(connection.resolver.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && would_block()) return;
  if (got > 0) connection.from_resolver.insert(connection.from_resolver.end(), bytes.begin(), bytes.begin() + got);
  if (!take_stream_answer(connection, now_ms) && got <= 0) ask_by_stream(connection, now_ms);
}

// From what the resolver has sent so far. True: that was it, and another may be asked already.
bool DnsServer::take_stream_answer(Connection& connection, std::int64_t now_ms) {
  Bytes& from = connection.from_resolver;
  while (from.size() >= length_bytes && from.size() >= length_bytes + load_be16(from.data())) {
    const auto end = from.begin() + static_cast<std::ptrdiff_t>(length_bytes + load_be16(from.data()));
    const Bytes answer(from.begin() + length_bytes, end);
    from.erase(from.begin(), end);
    const std::span<const std::byte> message = std::span(connection.framed).subspan(length_bytes);
    if (!is_dns_answer_to(answer, message, connection.query) || load_be16(answer.data()) != connection.query.id)
      continue;
    resolvers_.heard(connection.servers[connection.asked - 1], now_ms);
    if (is_dns_no_help(answer)) {
      connection.no_help = passed_on(answer, message, connection.query);
      ask_by_stream(connection, now_ms);
    } else {
      finish_query(connection, answer, now_ms);
    }
    return true;
  }
  return false;
}

void DnsServer::finish_query(Connection& connection, std::span<const std::byte> message, std::int64_t now_ms) {
  put_answer(connection, message);
  connection.resolver = Fd();
  connection.to_resolver.clear();
  connection.from_resolver.clear();
  connection.deadline_ms = now_ms + idle_ms;
}

void DnsServer::put_answer(Connection& connection, std::span<const std::byte> message) {
  std::array<std::byte, length_bytes> length;
  store_be16(length.data(), static_cast<std::uint16_t>(message.size()));
  connection.out.insert(connection.out.end(), length.begin(), length.end());
  connection.out.insert(connection.out.end(), message.begin(), message.end());
}

}  // namespace lanyard
