// What happened, told once: to the log, and to everybody who watches. The recent past is kept, so that who comes late or
// reads slowly finds it; the rest is forgotten, oldest first. Control thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "switchd/config.h"

namespace lanyard {

enum class EventKind : std::uint8_t {
  port_added,
  port_removed,
  port_changed,
  port_up,
  port_down,
  network_added,
  network_removed,
  network_changed,
  peer_moved,
  mac_moved,
  loop_suspected,
  loop_ended,
  table_full,
  drops_began,
  drops_ended,
  configuration_applied,
  gateway_restarted,
  name_moved,
  address_in_use,
  other_gateway,
  stopping,
};

struct EventKindInfo {
  EventKind kind;
  std::string_view name;  // as in logs, JSON and documents
  std::string_view text;  // one sentence for people
};
[[nodiscard]] const EventKindInfo& info(EventKind kind);

struct Event {
  EventKind kind = EventKind::stopping;
  std::string port;     // empty: of none
  std::string network;
  std::string text;     // one line, as in the log
  std::string reason;   // drops_*: which
  std::uint64_t count = 0;
  std::uint64_t number = 0;        // given by the log: 1, 2, 3, ...
  std::uint64_t time_unix_ns = 0;  // likewise
};

class EventLog {
 public:
  // Logs it as "KIND: TEXT", keeps it, and tells the watchers.
  void add(LogLevel level, Event event);

  // The first kept one with a number above `after`; null where there is none yet.
  [[nodiscard]] const Event* next(std::uint64_t after) const;
  [[nodiscard]] std::uint64_t newest() const { return newest_; }

  // `fn` is called when there are new ones, until unwatch(). It may unwatch itself, and nothing else.
  [[nodiscard]] std::uint64_t watch(std::function<void()> fn);
  void unwatch(std::uint64_t watcher) { watchers_.erase(watcher); }

 private:
  std::deque<Event> kept_;
  std::uint64_t newest_ = 0;
  std::map<std::uint64_t, std::function<void()>> watchers_;
  std::uint64_t next_watcher_ = 1;
};

}  // namespace lanyard
