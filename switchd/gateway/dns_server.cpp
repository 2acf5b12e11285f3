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

constexpr std::size_t pending_max = 512;
constexpr std::size_t pending_of_guest_max = 64;  // so that none pushes out the others'
constexpr std::size_t connections_max = 64;
constexpr std::int64_t resolver_ms = 2000;    // then the next is asked
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
  if (const auto own = answer_ourselves(message, *query, now_s)) return answer_(client, *own);
  const bool again = std::any_of(pending_.begin(), pending_.end(), [&](const Pending& each) {
    return each.client == client && each.query.id == query->id;  // the client grows impatient
  });
  if (again) return;
  make_room(mac_of(client));
  Pending& pending = pending_.emplace_back();
  pending.client = client;
  pending.message.assign(message.begin(), message.end());
  pending.query = *query;
  if (ask(pending, now_ms)) return;
  fail(pending);
  pending_.pop_back();
}

std::optional<DnsServer::Bytes> DnsServer::answer_ourselves(std::span<const std::byte> message, const DnsQuery& query,
                                                            std::int64_t now_s) const {
  if (query.edns_version > 0) return failure(message, query, DnsCode::bad_version);
  if (const auto known = names_.answer(query, now_s)) return write_dns_answer(message, query, *known);
  return std::nullopt;
}

// The oldest goes: the guest's own where it has its share, else of all.
void DnsServer::make_room(MacAddress client) {
  const auto of_client = [&](const Pending& each) { return mac_of(each.client) == client; };
  if (std::count_if(pending_.begin(), pending_.end(), of_client) >= static_cast<std::ptrdiff_t>(pending_of_guest_max))
    pending_.erase(std::find_if(pending_.begin(), pending_.end(), of_client));
  else if (pending_.size() == pending_max)
    pending_.pop_front();
}

bool DnsServer::ask(Pending& pending, std::int64_t now_ms) {
  const std::vector<SocketAddress>& servers = resolvers_.current(now_ms);
  for (; pending.resolver < servers.size(); ++pending.resolver) {
    pending.socket = connected_socket(servers[pending.resolver], SOCK_DGRAM);
    pending.id = random_id();
    Bytes message = pending.message;
    store_be16(message.data(), pending.id);
    pending.deadline_ms = now_ms + resolver_ms;
    if (pending.socket && ::send(pending.socket.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0) return true;
  }
  return false;
}

void DnsServer::fail(const Pending& pending) {
  answer_(pending.client, failure(pending.message, pending.query, DnsCode::server_failure));
}

// True when it was answered.
bool DnsServer::take_answer(Pending& pending) {
  std::array<std::byte, dns_message_bytes_max> bytes;
  const ssize_t got = ::recv(pending.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && !would_block()) pending.deadline_ms = 0;  // refused: the next resolver, at once
  if (got < static_cast<ssize_t>(dns_header_bytes) || load_be16(bytes.data()) != pending.id) return false;
  const std::span<std::byte> answer = std::span(bytes).first(static_cast<std::size_t>(got));
  store_be16(answer.data(), pending.query.id);
  if (answer.size() > std::min(answer_bytes_max_, pending.query.udp_bytes_max))
    answer_(pending.client, cut_dns_answer(answer));
  else
    answer_(pending.client, answer);
  return true;
}

void DnsServer::fill(PollSet& polled, std::int64_t now_ms) {
  for (Pending& pending : pending_) {
    pending.polled = polled.add(pending.socket.get(), POLLIN);
    polled.wake_within(pending.deadline_ms - now_ms);
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
    bool done = polled.revents(pending->polled) != 0 && take_answer(*pending);
    if (!done && pending->deadline_ms <= now_ms) {
      ++pending->resolver;
      done = !ask(*pending, now_ms);
      if (done) fail(*pending);
    }
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
      connection.asked = 0;
      ask_by_stream(connection, now_ms);
    }
  }
}

// The next resolver, with the query from its beginning; without one left, the answer is a failure.
void DnsServer::ask_by_stream(Connection& connection, std::int64_t now_ms) {
  connection.to_resolver = connection.framed;
  connection.from_resolver.clear();
  const std::vector<SocketAddress>& servers = resolvers_.current(now_ms);
  connection.resolver = Fd();
  while (connection.asked < servers.size() && !connection.resolver)
    connection.resolver = connected_socket(servers[connection.asked++], SOCK_STREAM);
  if (!connection.resolver) return fail_stream(connection);
  connection.connecting = true;
  connection.deadline_ms = now_ms + resolver_ms;
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
  const Bytes& answer = connection.from_resolver;
  const bool whole = answer.size() >= length_bytes && answer.size() >= length_bytes + load_be16(answer.data());
  if (whole) {
    put_answer(connection, std::span(answer).subspan(length_bytes, load_be16(answer.data())));
    connection.from_resolver.clear();
    connection.resolver = Fd();
    connection.deadline_ms = now_ms + idle_ms;
  } else if (got <= 0) {
    connection.resolver = Fd();
    fail_stream(connection);
  }
}

void DnsServer::put_answer(Connection& connection, std::span<const std::byte> message) {
  std::array<std::byte, length_bytes> length;
  store_be16(length.data(), static_cast<std::uint16_t>(message.size()));
  connection.out.insert(connection.out.end(), length.begin(), length.end());
  connection.out.insert(connection.out.end(), message.begin(), message.end());
}

// The guest gets no answer from us that says less than that there is none: it is cut off, and asks another server.
void DnsServer::fail_stream(Connection& connection) {
  connection.to_resolver.clear();
  connection.in.clear();
  connection.ended = true;
}

}  // namespace lanyard
