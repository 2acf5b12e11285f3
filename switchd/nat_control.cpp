// The control plane's side of a gateway; see the header.
#include "switchd/nat_control.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "switchd/log.h"

namespace lanyard {

namespace {

constexpr std::size_t gateway_message_bytes_max = 64 * limits::kibi;
constexpr std::chrono::seconds ready_time_max{10};
constexpr std::chrono::milliseconds end_time_max{500};

// A folder that leases can be kept in: made where it is missing, and one that this process may write to. Root could
// write to anybody's, but its files would be in the way there. Empty, or why not.
std::string why_not_to_keep_in(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path there = folder;  // what there is of it
  while (!std::filesystem::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  struct stat status {};
  if (::geteuid() == 0 && ::stat(there.c_str(), &status) == 0 && status.st_uid != 0)
    return fmt::format("{} is user {}'s", there.string(), status.st_uid);
  std::filesystem::create_directories(folder, error);
  if (error) return fmt::format("{}: {}", folder.string(), error.message());
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return fmt::format("{}: {}", folder.string(), std::strerror(errno));
  return {};
}

// Where leases are kept between runs (XDG Base Directory Specification, where a path that is not absolute is none;
// systemd.exec(5), STATE_DIRECTORY, of several the first). Empty: nowhere.
std::string lease_file(const std::string& port) {
  const auto from = [](const char* name, const char* below) {
    const char* value = std::getenv(name);
    const std::string first(value == nullptr ? "" : std::string_view(value).substr(0, std::string_view(value).find(':')));
    return first.starts_with('/') ? std::filesystem::path(first) / below : std::filesystem::path();
  };
  const std::string file = "leases-" + port + ".json";
  std::string all_wrong;
  for (const auto& folder : {from("STATE_DIRECTORY", ""), from("XDG_STATE_HOME", "lanyard"),
                             from("HOME", ".local/state/lanyard")}) {
    if (folder.empty()) continue;
    const std::string wrong = why_not_to_keep_in(folder);
    if (wrong.empty()) {
      if (!all_wrong.empty()) log_warn("port {}: leases are kept in {}: {}", port, folder.string(), all_wrong);
      return (folder / file).string();
    }
    all_wrong += (all_wrong.empty() ? "" : "; ") + wrong;
  }
  log_warn("port {}: leases are kept in memory only: {}", port,
           all_wrong.empty() ? "none of STATE_DIRECTORY, XDG_STATE_HOME and HOME is set" : all_wrong);
  return {};
}

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
    std::string value = find(name)->get<std::string>().substr(0, 500);
    for (char& c : value)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    return value;
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
  process_.control.reset();  // the sign to end
  reap();
}

std::string NatControl::address() const { return to_string(gateway_.network); }

std::optional<OpenError> NatControl::open() {
  gateway_.lease_file = lease_file(config_.name);
  services_.registry().set(config_.name, record(address(), "down", nullptr));
  auto started = start_gateway(gateway_);
  if (auto* error = std::get_if<OpenError>(&started)) return std::move(*error);
  process_ = std::move(std::get<GatewayProcess>(started));
  while (true) {
    if (!readable_within(process_.control, ready_time_max)) return OpenError{"the gateway does not start", 0};
    const std::optional<std::string> text = receive(process_.control.get());
    if (!text) continue;
    if (text->empty()) return OpenError{"the gateway ended", 0};
    const Said said(*text);
    tell_of(said.text("event"), said.text("kind"));
    if (const std::string error = said.text("error"); !error.empty()) return OpenError{error, said.number("errno")};
    if (!said.is("ready")) continue;
    log_debug("port {}: gateway {} with libslirp {}", config_.name, process_.child.pid(), said.text("libslirp"));
    take_stream();
    return std::nullopt;
  }
}

void NatControl::begin() {
  if (!process_.control) return;
  await_message();
  watch();
}

// A gateway that hangs is ended, and then started again as one that has ended by itself.
void NatControl::watch() {
  well_ = true;
  watch_again();
}

void NatControl::watch_again() {
  watch_.expires_after(watch_interval);
  watch_.async_wait([this](const asio::error_code& cancelled) {
    if (cancelled || stopping_ || !control_.is_open()) return;
    if (!told_up_ && stream_ != 0 && std::chrono::steady_clock::now() - started_ > steady) tell_up();
    if (!std::exchange(well_, false)) {
      log_warn("port {}: the gateway does not answer", config_.name);
      process_.child.kill();
      return;
    }
    (void)!::send(control_.native_handle(), gateway_ping, std::strlen(gateway_ping), MSG_DONTWAIT | MSG_NOSIGNAL);
    watch_again();
  });
}

void NatControl::take_stream() {
  started_ = std::chrono::steady_clock::now();
  auto transport = make_own_stream(std::move(process_.stream), false);
  services_.registry().set(config_.name, record(address(), "up", transport->ports.front()->counters));
  stream_ = services_.attach(std::move(transport), *this);
}

void NatControl::attached(const Notice&) {
  if (!told_up_ && ended_soon_ < ended_soon_max) tell_up();
}

void NatControl::tell_up() {
  told_up_ = true;
  last_failure_.clear();
  services_.print("port " + config_.name + " up nat:" + address());
  services_.event(LogLevel::info, EventKind::gateway_restarted, config_.name,
                  "port " + config_.name + " up: gateway started again");
}

void NatControl::await_message() {
  asio::error_code error;
  if (!control_.is_open()) control_.assign(process_.control.release(), error);
  control_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& cancelled) {
    if (cancelled || stopping_) return;
    const std::optional<std::string> text = receive(control_.native_handle());
    if (text && text->empty()) return gateway_ended("the gateway ended");
    if (!text || take_message(*text)) await_message();
  });
}

// False: the gateway is of no use any more, and that has been dealt with.
bool NatControl::take_message(const std::string& text) {
  const Said said(text);
  well_ = true;
  if (said.is("ready") && process_.stream) take_stream();
  tell_of(said.text("event"), said.text("kind"));
  const std::string error = said.text("error");
  if (said.find("applied") != nullptr) {
    if (reconfigured_) std::exchange(reconfigured_, nullptr)(error);
    return true;
  }
  if (error.empty()) return true;
  gateway_ended(error);
  return false;
}

void NatControl::tell_of(const std::string& event, const std::string& kind) {
  constexpr std::array kinds{EventKind::name_moved, EventKind::address_in_use, EventKind::other_gateway};
  static_assert(kinds.size() == gateway_events.size());
  if (event.empty()) return;
  const std::string line = "port " + config_.name + ": " + event;
  const auto known = std::find(gateway_events.begin(), gateway_events.end(), kind);
  if (known == gateway_events.end()) return log_warn("{}", line);
  const EventKind told = kinds[static_cast<std::size_t>(known - gateway_events.begin())];
  services_.event(told == EventKind::name_moved ? LogLevel::info : LogLevel::warn, told, config_.name, line);
}

void NatControl::gateway_ended(const std::string& why) {
  asio::error_code ignored;
  control_.close(ignored);
  process_.control.reset();
  process_.stream.reset();
  process_.child.kill();  // where it has not ended: it is of no use any more
  reap();
  stream_ = 0;
  show_down(why);
  if (why != last_failure_) log_warn("port {}: {}; starting it again", config_.name, why);
  last_failure_ = why;
  start_later();
  if (reconfigured_) std::exchange(reconfigured_, nullptr)(why);  // last: it may be configured again by this
}

// The stream has ended, which the control channel tells of, too.
void NatControl::closed(const Notice& notice) {
  show_down(control_.is_open() || last_failure_.empty() ? cause_text(notice) : last_failure_);
  if (std::exchange(told_up_, false)) {
    services_.print("port " + config_.name + " down " + cause_text(notice));
    services_.event(LogLevel::info, EventKind::port_down, config_.name,
                    "port " + config_.name + " down: " + cause_text(notice));
  }
  const bool present = notice.serial == stream_ && control_.is_open();
  if (present && !stopping_) process_.child.kill();  // it may hang; it is of no use any more
}

void NatControl::start_later() {
  const bool has_lasted = std::chrono::steady_clock::now() - started_ > steady;
  ended_soon_ = has_lasted ? 0 : ended_soon_ + 1;
  if (has_lasted) backoff_.reset();
  timer_.expires_after(backoff_.next());
  timer_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled && !stopping_) start_again();
  });
}

void NatControl::start_again() {
  auto started = start_gateway(gateway_);
  if (auto* error = std::get_if<OpenError>(&started)) {
    if (error->what != last_failure_) log_error("port {}: {}", config_.name, error->what);
    last_failure_ = error->what;
    show_down(error->what);
    return start_later();
  }
  process_ = std::move(std::get<GatewayProcess>(started));
  started_ = std::chrono::steady_clock::now();
  await_message();
  watch();
}

void NatControl::reap() {
  if (!process_.child.pidfd()) process_.child.kill();  // an old kernel, which cannot tell when it has ended
  process_.child.end_within(end_time_max);
  (void)process_.child.reap();
}

// The gateway tells whether it could; one that is being started again finds it in its configuration.
void NatControl::reconfigure(const PortConfig& config, std::function<void(const std::string&)> done) {
  const std::string lease_file = gateway_.lease_file;
  const bool is_same = config_.gateway == config.gateway;
  config_ = config;
  if (is_same) return done({});
  gateway_ = config.gateway;
  gateway_.name = config.name;
  gateway_.lease_file = lease_file;
  if (!control_.is_open()) return done({});
  const std::string message = write_gateway_config(gateway_);
  if (::send(control_.native_handle(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
      errno != EPIPE && errno != ECONNRESET)  // it has ended, and finds it in its configuration, too
    return done(fmt::format("the gateway does not take it: {}", std::strerror(errno)));
  if (reconfigured_) std::exchange(reconfigured_, nullptr)("another change followed");
  reconfigured_ = std::move(done);
}

void NatControl::stop() {
  stopping_ = true;
  timer_.cancel();
  watch_.cancel();
  asio::error_code ignored;
  const int control = control_.is_open() ? control_.native_handle() : process_.control.get();
  control_.cancel(ignored);
  if (control >= 0) ::shutdown(control, SHUT_RDWR);  // all gateways end at once
}

}  // namespace lanyard
