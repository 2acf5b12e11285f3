// Which stations of the network are alive: who was heard at which IPv4 address, and when, as guests' own frames say;
// and questions by ARP (RFC 826) to those that are not heard. Decides nothing: what an answer or silence means for
// leases and names is lease_keeper.h.
//
// A question is asked up to `requests` times, `interval_ms` apart, and is over at the first frame that answers it, an
// ARP reply or any other, or one interval after the last request:
//     is_free   before an address is offered: is anybody but the client there? 2 x 100 ms, which no client notices (the
//               most impatient ask again after a second)
//     is_there  is this station still at its address? 3 x 1 s: a VM paused for a snapshot, or a slow host, has time
//
// Bounded: the address heard first goes first. `now_ms` is monotonic. No sockets; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "frames/ipv4_address.h"
#include "frames/mac_address.h"

namespace lanyard {

class Stations {
 public:
  enum class About : std::uint8_t { is_free, is_there };
  struct Outcome {
    About about = About::is_free;
    Ipv4Address address;
    MacAddress mac;                 // of the client, or of the station
    std::optional<MacAddress> who;  // answered: somebody else, or the station itself
  };
  using Ask = std::function<void(Ipv4Address)>;  // sends an ARP request

  static constexpr std::size_t addresses_max = 4096;
  static constexpr std::size_t questions_max = 256;
  static constexpr std::int64_t free_interval_ms = 100;
  static constexpr unsigned free_requests = 2;
  static constexpr std::int64_t there_interval_ms = 1000;
  static constexpr unsigned there_requests = 3;

  // A frame says that `mac` uses `address`. False: nothing new, it did so within the last second.
  bool hear(Ipv4Address address, MacAddress mac, std::int64_t now_ms);
  [[nodiscard]] std::optional<MacAddress> find(Ipv4Address address) const;  // heard there last
  [[nodiscard]] bool heard_within(Ipv4Address address, MacAddress mac, std::int64_t ms, std::int64_t now_ms) const;

  // Begins with the next turn; a question that is open already goes on. False: too many are open.
  [[nodiscard]] bool ask(About about, Ipv4Address address, MacAddress mac);
  // Sends what is due, and returns what is over since.
  [[nodiscard]] std::vector<Outcome> turn(std::int64_t now_ms, const Ask& send);
  // When turn() has something to do; nothing: no question is open.
  [[nodiscard]] std::optional<std::int64_t> next_ms() const;

 private:
  struct Heard {
    MacAddress mac;
    std::int64_t at_ms = 0;
  };
  struct Question {
    About about;
    MacAddress mac;
    unsigned sent = 0;
    std::int64_t due_ms = 0;
  };
  void answer(Ipv4Address address, MacAddress mac);

  std::map<Ipv4Address, Heard> heard_;
  std::deque<Ipv4Address> order_;
  std::multimap<Ipv4Address, Question> questions_;
  std::vector<Outcome> answered_;
};

}  // namespace lanyard
