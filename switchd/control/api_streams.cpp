// The verbs whose answers go on: events and statistics; captures: api_observe.cpp. What a slow client misses is counted
// and told.
#include <fmt/format.h>

#include <asio/steady_timer.hpp>

#include "frames/limits.h"
#include "switchd/control/api.h"
#include "switchd/control/views.h"

namespace lanyard::control {

namespace {

constexpr std::uint32_t interval_ms_default = 1000, interval_ms_min = 100, interval_ms_max = 60'000;
constexpr int events_per_response = 256;

// Events from `after` on, as many as fit in one response, and how many of them had been forgotten. Returns the number of
// the last one.
std::uint64_t fill_events(const EventLog& events, std::uint64_t after, v1::Events& view) {
  while (view.events_size() < events_per_response) {
    const Event* next = events.next(after);
    if (next == nullptr) break;
    view.set_lost(view.lost() + next->number - after - 1);
    fill_event(*next, *view.add_events());
    after = next->number;
  }
  return after;
}

// Tells the client of events when it is ready for some.
class EventStream final : public Stream {
 public:
  EventStream(EventLog& events, std::uint64_t id, std::uint64_t after, const std::weak_ptr<Client>& client)
      : events_(events), state_(std::make_shared<State>(State{events, id, after, client})) {
    watcher_ = events_.watch([state = state_] { State::ask(state); });
    State::ask(state_);
  }
  ~EventStream() override { events_.unwatch(watcher_); }

 private:
  // Outlives the stream where the client still has something of ours to call.
  struct State {
    EventLog& events;
    std::uint64_t id;
    std::uint64_t told;
    std::weak_ptr<Client> client;
    bool asked = false;

    static void ask(const std::shared_ptr<State>& state) {
      const auto client = state->client.lock();
      if (!client || std::exchange(state->asked, true)) return;
      client->when_ready([weak = std::weak_ptr<State>(state)] {
        if (const auto alive = weak.lock()) tell(alive);
      });
    }
    static void tell(const std::shared_ptr<State>& state) {
      state->asked = false;
      const auto client = state->client.lock();
      if (!client || state->events.next(state->told) == nullptr) return;
      v1::Response response;
      response.set_id(state->id);
      response.set_more(true);
      state->told = fill_events(state->events, state->told, *response.mutable_events());
      client->respond(response);
      ask(state);
    }
  };

  EventLog& events_;
  std::shared_ptr<State> state_;
  std::uint64_t watcher_ = 0;
};

// All ports at an interval; a reading that the client has no time for is left out.
class StatsStream final : public Stream {
 public:
  StatsStream(asio::io_context& io, Topology& topology, std::uint64_t id, const v1::WatchStats& verb,
              std::weak_ptr<Client> client)
      : topology_(topology),
        id_(id),
        network_(verb.network()),
        interval_(verb.interval_ms() == 0 ? interval_ms_default : verb.interval_ms()),
        client_(std::move(client)),
        timer_(io, std::chrono::steady_clock::now()) {
    wait();
  }

 private:
  void wait() {
    timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const asio::error_code& cancelled) {
      if (cancelled || alive.expired()) return;
      tell();
      timer_.expires_at(std::max(timer_.expiry() + interval_, std::chrono::steady_clock::now()));
      wait();
    });
  }
  void tell() {
    const auto client = client_.lock();
    if (!client) return;
    if (client->is_behind()) {
      ++lost_;
      return;
    }
    for (v1::Ports& part : list_ports(topology_, {}, network_)) {
      v1::Response response;
      response.set_id(id_);
      response.set_more(true);
      *response.mutable_ports() = std::move(part);
      response.mutable_ports()->set_lost(std::exchange(lost_, 0));
      client->respond(response);
    }
  }

  Topology& topology_;
  const std::uint64_t id_;
  const std::string network_;
  const std::chrono::milliseconds interval_;
  const std::weak_ptr<Client> client_;
  asio::steady_timer timer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // a timer that has expired cannot be cancelled
  std::uint64_t lost_ = 0;
};

}  // namespace

bool Api::handle_stream(const v1::Request& request, const Asked& asked) {
  switch (request.verb_case()) {
    case v1::Request::kWatchStats: watch_stats(request.watch_stats(), asked); return true;
    case v1::Request::kWatchEvents: watch_events(request.watch_events(), asked); return true;
    case v1::Request::kCapture: capture(request.capture(), asked); return true;
    case v1::Request::kCancel: cancel(request.cancel(), asked); return true;
    default: return false;
  }
}

bool Api::keep(std::unique_ptr<Stream> stream, const Asked& asked) {
  const auto client = asked.client.lock();
  if (client && client->keep_stream(asked.id, std::move(stream))) return true;
  asked.refuse(v1::Error::LIMIT, fmt::format("a client may have {} streams, each with an id of its own",
                                             limits::control_streams_max));
  return false;
}

void Api::watch_stats(const v1::WatchStats& verb, const Asked& asked) {
  if (const auto refusal = check_network(verb.network())) return asked.refuse(*refusal);
  const std::uint32_t interval_ms = verb.interval_ms();
  if (interval_ms != 0 && (interval_ms < interval_ms_min || interval_ms > interval_ms_max))
    return asked.refuse(v1::Error::INVALID, fmt::format("interval_ms: expected a number from {} to {}, not {}",
                                                        interval_ms_min, interval_ms_max, interval_ms));
  keep(std::make_unique<StatsStream>(io_, services_.topology, asked.id, verb, asked.client), asked);
}

void Api::watch_events(const v1::WatchEvents& verb, const Asked& asked) {
  // A number that was not given yet is one of a daemon before this one.
  const std::uint64_t after = verb.after() > services_.events.newest() ? 0 : verb.after();
  if (verb.follow())
    return void(keep(std::make_unique<EventStream>(services_.events, asked.id, after, asked.client), asked));
  std::uint64_t told = after;
  bool more = true;
  while (more) {
    v1::Response response;
    told = fill_events(services_.events, told, *response.mutable_events());
    more = services_.events.next(told) != nullptr;
    response.set_more(more);
    asked.respond(std::move(response));
  }
}

void Api::cancel(const v1::Cancel& verb, const Asked& asked) {
  const auto client = asked.client.lock();
  if (!client) return;
  if (!client->end_stream(verb.stream()))
    return asked.refuse(v1::Error::NOT_FOUND, fmt::format("stream: there is none with the id {}", verb.stream()));
  Asked{verb.stream(), asked.client}.done();
  asked.done();
}

}  // namespace lanyard::control
