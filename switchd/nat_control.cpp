// The control plane's side of a gateway; see the header.
#include "switchd/nat_control.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "frames/utf8.h"
#include "switchd/control/words.h"
#include "switchd/log.h"

namespace lanyard {

namespace {

constexpr std::size_t gateway_message_bytes_max = 64 * limits::kibi;
constexpr std::size_t text_bytes_max = 500;  // of one text in it
constexpr std::size_t told_texts_max = 16;   // of those that are told once

// Empty: the gateway has ended. None: there is nothing to read after all, as Asio may say that there is when a descriptor
// of that number had something a moment ago.
std::optional<std::string> receive(int control) {
  std::string message(gateway_message_bytes_max, '\0');
  const ssize_t got = ::recv(control, message.data(), message.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  message.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return message;
}

// A message of the gateway, which may be anything.
struct Said {
  explicit Said(const std::string& text) : message(nlohmann::json::parse(text, nullptr, false)) {}
  [[nodiscard]] bool is(const char* name) const {
    return find(name) != nullptr && find(name)->is_boolean() && *find(name);
  }
  // One line, printable.
  [[nodiscard]] std::string text(const char* name) const {
    if (find(name) == nullptr || !find(name)->is_string()) return {};
    return printable(cut_text(find(name)->get_ref<const std::string&>(), text_bytes_max));
  }
  [[nodiscard]] std::uint64_t count(const char* name) const {
    return find(name) != nullptr && find(name)->is_number_unsigned() ? find(name)->get<std::uint64_t>() : 0;
  }
  [[nodiscard]] int number(const char* name) const {
    return find(name) != nullptr && find(name)->is_number_integer() ? find(name)->get<int>() : 0;
  }
  [[nodiscard]] const nlohmann::json* find(const char* name) const {
    const auto found = message.is_object() ? message.find(name) : message.end();
    return found == message.end() ? nullptr : &*found;
  }
  nlohmann::json message;
};

}  // namespace

NatControl::NatControl(const PortConfig& config, PortServices& services)
    : PortControl(config, services),
      gateway_(config.gateway),
      control_(services.io()),
      timer_(services.io()),
      watch_(services.io()) {
  gateway_.name = config.name;
}

NatControl::~NatControl() {
  asio::error_code ignored;
  control_.close(ignored);
}

std::string NatControl::address() const { return to_string(gateway_.network); }

// --- Starting.

std::optional<OpenError> NatControl::open() {
  services_.registry().set(config_.name, record(address(), "down", nullptr));
  show_down("its gateway starts");
  return start();
}

// REQUIRES: nothing is left of the last one.
std::optional<OpenError> NatControl::start() {
  auto started = start_gateway(gateway_);
  if (auto* error = std::get_if<OpenError>(&started)) return std::move(*error);
  process_ = std::move(std::get<GatewayProcess>(started));
  state_ = State::starting;
  asio::error_code error;
  control_.assign(process_.control.get(), error);
  if (error) return OpenError{"cannot watch the gateway: " + error.message(), error.value()};
  (void)process_.control.release();
  await_message();
  timer_.expires_after(ready_time_max);
  timer_.async_wait([this, step = step_](const asio::error_code& cancelled) {
    const bool is_late = !cancelled && step == step_ && state_ == State::starting && !stopping_;
    if (is_late) gateway_ended({"the gateway does not start", 0});
  });
  return std::nullopt;
}

void NatControl::is_ready() {
  state_ = State::ready;
  timer_.cancel();
  take_stream();
  watch();
  if (opened_) return std::exchange(opened_, nullptr)(std::nullopt);
  answer_change({});
}

void NatControl::take_stream() {
  auto transport = make_own_stream(std::move(process_.stream), false);
  counters_ = transport->ports.front()->counters;
  booked_refused_ = 0;
  PortRecord shown = record(address(), "up", counters_);
  const bool is_told = damping_.came(std::chrono::steady_clock::now());
  untold_drops_.came(is_told, shown);
  tells_up_ = is_told && !opened_;  // of the first its opener tells
  services_.registry().set(config_.name, std::move(shown));
  stream_ = services_.attach(std::move(transport), *this);
}

void NatControl::start_later() {
  if (damping_.counts(std::chrono::steady_clock::now(), false)) backoff_.reset();
  timer_.expires_after(backoff_.next());
  timer_.async_wait([this, step = ++step_](const asio::error_code& cancelled) {
    if (cancelled || step != step_ || stopping_) return;
    wants_start_ = true;
    start_if_free();
  });
}

void NatControl::start_if_free() {
  if (!wants_start_ || ending_ || stream_ != 0 || stopping_) return;
  wants_start_ = false;
  if (const auto error = start()) gateway_ended(*error);
}

// --- While it runs.

// A gateway that hangs is ended, and then started again as one that has ended by itself.
void NatControl::watch() {
  well_ = true;
  watch_again();
}

void NatControl::watch_again() {
  watch_.expires_after(watch_interval);
  watch_.async_wait([this](const asio::error_code& cancelled) {
    if (cancelled || stopping_ || state_ != State::ready) return;
    if (stream_ != 0 && damping_.settles(std::chrono::steady_clock::now(), false)) tell_up();
    if (!std::exchange(well_, false)) {
      log_warn("port {}: the gateway does not answer", config_.name);
      process_.child.kill();
      return;
    }
    (void)!::send(control_.native_handle(), gateway_ping, std::strlen(gateway_ping), MSG_DONTWAIT | MSG_NOSIGNAL);
    watch_again();
  });
}

void NatControl::attached(const Notice&) {
  if (std::exchange(tells_up_, false)) tell_up();
}

void NatControl::tell_up() {
  last_failure_.clear();
  untold_drops_.told(*services_.registry().find(config_.name));
  services_.print("port " + config_.name + " up nat:" + address());
  services_.event(LogLevel::info, EventKind::gateway_restarted, config_.name,
                  "port " + config_.name + " up: gateway started again");
}

void NatControl::await_message() {
  control_.async_wait(asio::posix::stream_descriptor::wait_read, [this, step = step_](const asio::error_code& cancelled) {
    if (cancelled || step != step_ || stopping_) return;
    const std::optional<std::string> text = receive(control_.native_handle());
    if (text && text->empty()) return gateway_ended({"the gateway ended", 0});
    if (!text || take_message(*text)) await_message();
  });
}

// False: the gateway is of no use any more, and that has been dealt with.
bool NatControl::take_message(const std::string& text) {
  const Said said(text);
  well_ = true;
  tell_of(said.text("event"), said.text("kind"));
  book_refused(said.count("dns_refused"));
  const std::string error = said.text("error");
  if (state_ == State::starting && said.is("ready")) {
    log_debug("port {}: gateway {} with libslirp {}", config_.name, process_.child.pid(), said.text("libslirp"));
    is_ready();
  } else if (state_ == State::ready && said.find("applied") != nullptr) {
    answer_change(error);
  } else if (!error.empty()) {
    gateway_ended({error, said.number("errno")});
    return false;
  }
  return true;
}

// The next gateway counts from 0, the port goes on.
void NatControl::book_refused(std::uint64_t refused) {
  if (!counters_ || refused <= booked_refused_) return;
  counters_->dns_refused.add(refused - std::exchange(booked_refused_, refused));
}

void NatControl::tell_of(const std::string& event, const std::string& kind) {
  constexpr std::array kinds{EventKind::name_moved, EventKind::address_in_use, EventKind::other_gateway};
  static_assert(kinds.size() == gateway_events.size());
  if (event.empty()) return;
  const std::string line = "port " + config_.name + ": " + event;
  const auto known = std::find(gateway_events.begin(), gateway_events.end(), kind);
  if (known == gateway_events.end()) {
    if (!is_told_once(kind) || is_new(event)) log_warn("{}", line);
    return;
  }
  const EventKind told = kinds[static_cast<std::size_t>(known - gateway_events.begin())];
  services_.event(told == EventKind::name_moved ? LogLevel::info : LogLevel::warn, told, config_.name, line);
}

// Each gateway finds again what the last one found.
bool NatControl::is_new(const std::string& event) {
  return told_.contains(event) ? false : told_.size() >= told_texts_max || told_.insert(event).second;
}

// --- Its end, and the next one.

// It has ended, or is of no use any more.
void NatControl::gateway_ended(const OpenError& why) {
  process_.child.kill();
  end_process();
  if (opened_) return std::exchange(opened_, nullptr)(why);
  show_down(why.what);
  if (why.what != last_failure_) log_warn("port {}: {}; starting it again", config_.name, why.what);
  last_failure_ = why.what;
  start_later();
  answer_change(why.what);  // last: it may be configured again by this
}

// Its end of the channels goes, which is the sign to end.
void NatControl::end_process() {
  state_ = State::waiting;
  ++step_;
  asio::error_code ignored;
  control_.close(ignored);
  process_.control.reset();
  process_.stream.reset();
  if (!process_.child) return;
  ending_ = true;
  await_end(services_.io(), std::move(process_.child), end_time_max, [this](int, bool) { process_ended(); });
}

void NatControl::process_ended() {
  ending_ = false;
  start_if_free();
  if (finished_) std::exchange(finished_, nullptr)();
}

// The stream has ended, which the control channel tells of, too.
void NatControl::closed(const Notice& notice) {
  show_down(state_ == State::ready || last_failure_.empty() ? cause_text(notice) : last_failure_);
  const FlapDamping::Gone gone = damping_.went(std::chrono::steady_clock::now(), false);
  if (gone.counted) backoff_.reset();
  if (gone.is_told) {
    services_.print("port " + config_.name + " down " + cause_text(notice));
    services_.event(LogLevel::info, EventKind::port_down, config_.name,
                    "port " + config_.name + " down: " + cause_text(notice));
  }
  stream_ = 0;
  if (state_ == State::ready && !stopping_) process_.child.kill();  // it may hang; it is of no use any more
  start_if_free();
}

// --- A change, and the stop.

// One that starts was told otherwise, and one that waits has perhaps ended for what is changed now.
void NatControl::reconfigure(const PortConfig& config, std::function<void(const std::string&)> done) {
  const bool is_same = config_.gateway == config.gateway;
  config_ = config;
  if (is_same) return done({});
  gateway_ = config.gateway;
  gateway_.name = config.name;
  answer_change("another change followed");
  reconfigured_ = std::move(done);
  if (state_ == State::ready) {
    const std::string message = write_gateway_config(gateway_);
    const bool is_sent = ::send(control_.native_handle(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    if (!is_sent && errno != EPIPE && errno != ECONNRESET)  // it has ended: that is about to be told
      answer_change(fmt::format("the gateway does not take it: {}", std::strerror(errno)));
    return;
  }
  process_.child.kill();
  end_process();
  timer_.cancel();
  wants_start_ = true;
  start_if_free();
}

void NatControl::answer_change(const std::string& wrong) {
  if (reconfigured_) std::exchange(reconfigured_, nullptr)(wrong);
}

void NatControl::stop() {
  stopping_ = true;
  timer_.cancel();
  watch_.cancel();
  asio::error_code ignored;
  control_.cancel(ignored);
  if (control_.is_open()) ::shutdown(control_.native_handle(), SHUT_RDWR);  // all gateways end at once
}

void NatControl::finish(std::function<void()> done) {
  end_process();
  if (ending_) finished_ = std::move(done);
  else done();
}

}  // namespace lanyard
