// The DNS server of a gateway: what it knows itself it answers (local_names.h), everything else goes to the host's
// resolvers as it came, except for the id, and so does the answer: EDNS and all record types pass through. What is no
// query of one question is told so at once, as is a version of EDNS that nobody has: a client need not wait in vain.
//
// By UDP, each query that is forwarded has a connected socket of its own for each resolver, so that only the resolver
// asked can answer, to a port and an id that nobody else knows; what answers another question is passed over. No answer
// for a while: the next resolver is asked as well, and after the last the first again; whoever answers first is heard.
// One that says that it is of no help (frames/dns.h) is not asked again: the next is, at once. When all have said so,
// the client gets the last of these answers; when time is up without one, SERVFAIL.
// By TCP (guests reach listener() by libslirp), queries of a connection are answered in order, one at a time, and
// resolvers are asked one after the other.
//
// Bounded: queries under way, of one guest and of all, beyond which the answer is SERVFAIL, and counted; connections, of
// which the oldest makes room. Nothing waits. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "frames/dns.h"
#include "frames/udp4_packet.h"
#include "frames/udp6_packet.h"
#include "switchd/gateway/local_names.h"
#include "switchd/gateway/poll_set.h"
#include "switchd/gateway/resolvers.h"
#include "transports/fd.h"

namespace lanyard {

using DnsClient = std::variant<Udp4Endpoint, Udp6Endpoint>;  // who asked by UDP

class DnsServer {
 public:
  using Answer = std::function<void(const DnsClient& client, std::span<const std::byte> message)>;

  // `answer_bytes_max`: of a UDP answer that fits a frame. `listener`: a listening UNIX socket, or none.
  DnsServer(const LocalNames& names, Resolvers& resolvers, std::size_t answer_bytes_max, Fd listener, Answer answer);

  // A query that came by UDP.
  void query(const DnsClient& client, std::span<const std::byte> message, std::int64_t now_ms, std::int64_t now_s);

  // Takes the connections that wait. To be called for each TCP segment that libslirp is given for us, too: it connects
  // with a call that waits where too many do, and they would wait for this very thread.
  void accept_connections(std::int64_t now_ms);

  // Before and after a wait.
  void fill(PollSet& polled, std::int64_t now_ms);
  void poll(const PollSet& polled, std::int64_t now_ms, std::int64_t now_s);

  // Queries that were not forwarded since too many were under way, ever.
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  static constexpr std::size_t pending_max = 512;
  static constexpr std::size_t pending_of_guest_max = 256;  // so that none uses up the others'

 private:
  using Bytes = std::vector<std::byte>;

  // A resolver that a UDP query is for.
  struct Asked {
    SocketAddress server;
    Fd socket{};                 // once it is asked, until it is of no help
    std::uint16_t id = 0;        // as it is asked
    std::int64_t since_ms = 0;
    bool no_help = false;
    std::size_t polled = 0;
  };
  // A UDP query that waits for a resolver.
  struct Pending {
    DnsClient client;
    Bytes message;
    DnsQuery query;
    std::vector<Asked> resolvers;   // in the order in which they are asked
    std::size_t next = 0;           // of these
    Bytes no_help;                  // the last answer of that kind; empty: none
    std::int64_t next_ms = 0;       // when the next is asked
    std::int64_t end_ms = 0;
  };
  // A guest's TCP connection, and the one to a resolver for the query in work.
  struct Connection {
    Fd guest;
    Bytes in;            // from the guest, not yet taken
    Bytes out;           // to the guest, not yet written
    Fd resolver;
    bool connecting = false;
    Bytes framed;        // the query in work, with its length
    Bytes to_resolver;   // what of it is not sent yet
    Bytes from_resolver;
    DnsQuery query;
    std::vector<SocketAddress> servers;  // to ask, in turn
    std::size_t asked = 0;               // of these
    std::int64_t asked_ms = 0;
    Bytes no_help;
    bool ended = false;     // the guest sends no more
    std::int64_t deadline_ms = 0;
    std::size_t polled_guest = 0;
    std::size_t polled_resolver = 0;
  };

  // Of what no resolver has to be asked for.
  [[nodiscard]] std::optional<Bytes> answer_ourselves(std::span<const std::byte> message, const DnsQuery& query,
                                                      std::int64_t now_s) const;
  void answer(const DnsClient& client, const DnsQuery& query, std::span<const std::byte> message);
  [[nodiscard]] bool has_room(MacAddress client) const;
  // false: none is left that may help.
  [[nodiscard]] bool ask_next(Pending& pending, std::int64_t now_ms);
  [[nodiscard]] static bool ask(const Pending& pending, Asked& resolver, std::int64_t now_ms);
  // true: it was answered.
  [[nodiscard]] bool serve(Pending& pending, const PollSet& polled, std::int64_t now_ms);
  [[nodiscard]] bool take_answer(Pending& pending, Asked& resolver, std::int64_t now_ms);
  void give_up(const Pending& pending);
  // false: the connection is over.
  [[nodiscard]] bool serve(Connection& connection, const PollSet& polled, std::int64_t now_ms, std::int64_t now_s);
  [[nodiscard]] bool read_guest(Connection& connection);
  [[nodiscard]] bool write_guest(Connection& connection);
  void take_query(Connection& connection, std::int64_t now_ms, std::int64_t now_s);
  void ask_by_stream(Connection& connection, std::int64_t now_ms);
  void work_with_resolver(Connection& connection, short events, std::int64_t now_ms);
  [[nodiscard]] bool take_stream_answer(Connection& connection, std::int64_t now_ms);
  static void finish_query(Connection& connection, std::span<const std::byte> message, std::int64_t now_ms);
  static void put_answer(Connection& connection, std::span<const std::byte> message);

  const LocalNames& names_;
  Resolvers& resolvers_;
  std::size_t answer_bytes_max_;
  Fd listener_;
  std::size_t polled_listener_ = 0;
  Answer answer_;
  std::list<Pending> pending_;
  std::uint64_t refused_ = 0;
  std::list<Connection> connections_;
};

}  // namespace lanyard
