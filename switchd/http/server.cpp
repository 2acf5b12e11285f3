// The HTTP server; see the header.
#include "switchd/http/server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <restinio/asio_timer_manager.hpp>
#include <restinio/http_server.hpp>
#include <restinio/null_logger.hpp>
#include <restinio/uri_helpers.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "frames/limits.h"
#include "switchd/address.h"
#include "switchd/control/framing.h"
#include "switchd/control/words.h"
#include "switchd/every_second.h"
#include "switchd/http/exchange.h"
#include "switchd/http/metrics.h"
#include "switchd/http/peer_user.h"
#include "switchd/http/request.h"
#include "switchd/log.h"
#include "switchd/refusal_log.h"
#include "switchd/resolve.h"

namespace lanyard::http {

namespace {

constexpr std::size_t http_strangers_max = 8;  // connections of who may not ask, beside limits::http_clients_max of others

SocketAddress socket_address(const asio::ip::tcp::endpoint& endpoint) {
  return {endpoint.data(), static_cast<socklen_t>(endpoint.size())};
}

// Of asio's GettableSocketOption: the address of the other end, as getpeername() has it. The kernel wants to be asked for
// no more bytes than it has (net/core/sock.c, SO_PEERNAME).
class PeerName {
 public:
  explicit PeerName(std::size_t bytes) : bytes_(bytes) {}
  template <typename Protocol> [[nodiscard]] int level(const Protocol&) const { return SOL_SOCKET; }
  template <typename Protocol> [[nodiscard]] int name(const Protocol&) const { return SO_PEERNAME; }
  template <typename Protocol> [[nodiscard]] void* data(const Protocol&) { return &storage_; }
  template <typename Protocol> [[nodiscard]] std::size_t size(const Protocol&) const { return bytes_; }
  template <typename Protocol> void resize(const Protocol&, std::size_t bytes) { bytes_ = bytes; }
  [[nodiscard]] SocketAddress address() const { return {&storage_, static_cast<socklen_t>(bytes_)}; }

 private:
  sockaddr_storage storage_{};
  std::size_t bytes_;
};

// Takes as long wherever they differ (of the same length): nobody learns a token byte by byte.
bool are_equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    different |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return different == 0;
}

// The first line of the file.
std::variant<std::string, OpenError> read_token(const std::string& path) {
  std::ifstream file(path);
  std::string token;
  if (!file) return OpenError{fmt::format("cannot read {}: {}", path, std::strerror(errno)), errno};
  std::getline(file, token);
  const bool good = token.size() >= limits::http_token_bytes_min && token.size() <= limits::http_token_bytes_max &&
                    std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (good) return token;
  return OpenError{fmt::format("{}: expected a first line of {} to {} letters, digits and signs", path,
                               limits::http_token_bytes_min, limits::http_token_bytes_max),
                   EINVAL};
}

Fault forbidden(std::string message) { return fault(v1::Error::PERMISSION_DENIED, std::move(message)); }

// Does this Host or Origin mean an address, or this machine? A name may mean this address today, and be another's: so a
// page of the other's reaches us as one of ours (DNS rebinding).
bool names_no_one(const std::string& host) {
  const std::size_t colon = host.find(':', host.starts_with('[') ? std::min(host.find(']'), host.size()) : 0);
  const std::string name = lower_case(host.substr(0, colon));
  const bool port_is_one = colon == host.npos || parse_number(std::string_view(host).substr(colon + 1), 0, UINT16_MAX);
  const bool is_v6 = name.size() > 2 && name.front() == '[' && name.back() == ']' &&
                     is_ipv6(std::string_view(name).substr(1, name.size() - 2));
  return port_is_one && (name == "localhost" || is_ipv4(name) || is_v6);
}

std::string index_page() {
  std::string text = fmt::format("lanyard switchd {}\n\nGET  /metrics\n", LANYARD_VERSION);
  for (const Endpoint& endpoint : endpoints()) text += fmt::format("{:4} {}\n", endpoint.method, endpoint.path);
  return text;
}

// Takes what the API answers at once.
class Collector final : public control::Client {
 public:
  void respond(const v1::Response& response) override { response_.MergeFrom(response); }
  [[nodiscard]] bool is_behind() const override { return false; }
  void when_ready(std::function<void()>) override {}
  [[nodiscard]] bool keep_stream(std::uint64_t, std::unique_ptr<control::Stream>) override { return false; }
  bool end_stream(std::uint64_t) override { return false; }

  [[nodiscard]] const v1::Response& response() const { return response_; }

 private:
  v1::Response response_;
};

}  // namespace

// What runs while the server is open.
class Server::Running : public std::enable_shared_from_this<Server::Running> {
 public:
  Running(asio::io_context& io, control::Api& api, std::string token)
      : io_(io), api_(api), token_(std::move(token)), every_second_(io, [this] { look(); }), refusals_(io, "http") {}

  void open(const SocketAddress& address);  // throws std::system_error
  void stop();
  void close();
  [[nodiscard]] SocketAddress address() const { return address_; }

 private:
  // RESTinio counts connections anew each time it listens.
  using Connection = std::pair<std::uint64_t, restinio::connection_id_t>;
  struct Listener {
    std::weak_ptr<Running> running;
    std::uint64_t time = 0;
    void state_changed(const restinio::connection_state::notice_t& notice) const noexcept {
      if (const auto alive = running.lock()) alive->state_changed({time, notice.connection_id()}, notice);
    }
  };
  struct Traits : restinio::single_thread_traits_t<restinio::asio_timer_manager_t, restinio::null_logger_t> {
    using connection_state_listener_t = Listener;
  };
  using Http = restinio::http_server_t<Traits>;

  void listen();
  void look();
  void listen_again();
  void prepare(restinio::socket_options_t& socket);
  [[nodiscard]] std::string why_refused(const SocketAddress& peer);
  [[nodiscard]] std::optional<Fault> check(const restinio::request_t& request) const;
  restinio::request_handling_status_t handle(const restinio::request_handle_t& request, Connection connection);
  void handle_verb(const restinio::request_handle_t& request, Connection connection);
  void handle_metrics(const restinio::request_handle_t& request);
  [[nodiscard]] v1::Response ask(v1::Request request);
  void forget_answered(Connection connection);
  void state_changed(Connection connection, const restinio::connection_state::notice_t& notice);

  asio::io_context& io_;
  control::Api& api_;
  const std::string token_;  // empty: none
  SocketAddress address_;
  asio::ip::tcp::endpoint endpoint_;
  std::unique_ptr<Http> http_;
  int listener_ = -1;         // RESTinio's
  bool was_waiting_ = false;  // a connection, when it was looked at, and none was accepted since
  EverySecond every_second_;
  RefusalLog refusals_;
  std::uint64_t times_listened_ = 0;
  std::set<Connection> connections_;             // of those who may ask
  std::map<Connection, std::string> strangers_;  // who may not, and why not; each gets an answer
  std::string why_next_is_stranger_;             // of the connection that RESTinio is about to tell of; empty: it is none
  std::map<Connection, std::vector<std::shared_ptr<Exchange>>> exchanges_;
};

// --- Opening, and staying open.

void Server::Running::open(const SocketAddress& address) {
  endpoint_.resize(address.length);
  std::memcpy(endpoint_.data(), &address.any, address.length);
  listen();
  address_ = socket_address(endpoint_);
  every_second_.begin();
}

void Server::Running::listen() {
  auto http = std::make_unique<Http>(restinio::external_io_context(io_), [this](auto& settings) {
    const std::uint64_t time = ++times_listened_;
    settings.address(endpoint_.address())
        .port(endpoint_.port())
        .protocol(endpoint_.protocol())
        .connection_state_listener(std::make_shared<Listener>(Listener{weak_from_this(), time}))
        .request_handler([this, time](const restinio::request_handle_t& request) {
          return handle(request, {time, request->connection_id()});
        })
        .acceptor_post_bind_hook([this](asio::ip::tcp::acceptor& acceptor) {
          endpoint_ = acceptor.local_endpoint();
          listener_ = acceptor.native_handle();
        })
        .socket_options_setter([this](restinio::socket_options_t& socket) { prepare(socket); })
        // A second request is read while the first is answered: so it is noticed that the client has gone. The second
        // ends a stream (handle()), since a third would not be read.
        .max_pipelined_requests(2)
        .read_next_http_message_timelimit(std::chrono::seconds(limits::http_request_s_max))
        .write_http_response_timelimit(std::chrono::seconds(limits::http_stalled_s_max))
        .handle_request_timeout(std::chrono::hours(24 * 365))  // streams end when their client does
        .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t{}
                                      .max_url_size(limits::http_field_bytes_max)
                                      .max_field_name_size(limits::http_field_bytes_max)
                                      .max_field_value_size(limits::http_field_bytes_max)
                                      .max_field_count(limits::http_fields_max)
                                      .max_body_size(control::request_bytes_max));
  });
  http->open_sync();
  http_ = std::move(http);
}

// RESTinio never accepts again after an accept() that failed, as it does while the process is out of descriptors: where
// connections wait for two looks, it is opened again.
void Server::Running::look() {
  pollfd waiting{listener_, POLLIN, 0};
  const bool is_waiting = http_ && ::poll(&waiting, 1, 0) == 1;
  const bool is_deaf = !http_ || (is_waiting && was_waiting_);
  was_waiting_ = is_waiting;
  if (is_deaf) listen_again();
}

void Server::Running::listen_again() {
  refusals_.warn("connections were not accepted; listening again");
  http_.reset();
  try {
    listen();
  } catch (const std::exception& error) {
    refusals_.warn(fmt::format("cannot listen: {}", error.what()));
  }
}

void Server::Running::stop() {
  every_second_.stop();
  refusals_.finish();
  http_.reset();  // connections stay
}

void Server::Running::close() {
  for (const auto& [connection, exchanges] : std::exchange(exchanges_, {}))
    for (const auto& exchange : exchanges) exchange->finish();
}

// --- Who may ask.

// RESTinio drops a connection whose socket cannot be prepared. It has a gate of its own for connections (ip_blocker.hpp),
// which ends the process where one has been reset when it is looked at.
void Server::Running::prepare(restinio::socket_options_t& socket) {
  was_waiting_ = false;
  PeerName peer(endpoint_.size());
  socket.get_option(peer);  // throws where it was reset
  why_next_is_stranger_ = token_.empty() ? why_refused(peer.address()) : "";
  const bool is_stranger = !why_next_is_stranger_.empty();
  if (is_stranger) refusals_.warn("refused a process of another user; with --http-token FILE others may ask");
  const std::size_t most = is_stranger ? http_strangers_max : limits::http_clients_max;
  if ((is_stranger ? strangers_.size() : connections_.size()) >= most) {
    if (!is_stranger) refusals_.warn(fmt::format("refused a connection: {} are there", most));
    throw std::runtime_error("refused");
  }
  socket.set_option(asio::socket_base::keep_alive(true));  // streams may be silent for long
  socket.set_option(asio::ip::tcp::no_delay(true));
}

// Empty: it is a process of this user, or of root. Of a connection that has gone nobody can be asked any more: throws.
std::string Server::Running::why_refused(const SocketAddress& peer) try {
  const auto user = user_of_peer(peer, address_);
  if (user == uid_t{0} || user == ::geteuid()) return {};
  if (!user) {
    refusals_.warn("refused a connection that nobody has any more");
    throw std::runtime_error("refused");
  }
  return fmt::format("user {} may not ask, as switchd is user {}'s", *user, ::geteuid());
} catch (const std::system_error& error) {
  return fmt::format("the kernel does not tell who asks ({})", error.what());
}

std::optional<Fault> Server::Running::check(const restinio::request_t& request) const {
  const restinio::http_header_fields_t& fields = request.header();
  if (!token_.empty()) {
    const std::string given = fields.get_field_or(restinio::http_field::authorization, std::string());
    constexpr std::string_view scheme = "bearer ";  // of any case (RFC 9110, 11.1)
    const bool is_bearer = lower_case(given.substr(0, scheme.size())) == scheme;
    if (is_bearer && are_equal(std::string_view(given).substr(scheme.size()), token_)) return std::nullopt;
    return fault(v1::Error::UNAUTHENTICATED, "expected Authorization: Bearer TOKEN, with the token of --http-token");
  }
  const std::string host = fields.get_field_or(restinio::http_field::host, std::string("localhost"));
  if (!names_no_one(host))
    return forbidden("Host: expected an address or localhost; with --http-token FILE any name will do");
  const std::string origin = fields.get_field_or("Origin", std::string());
  if (!origin.empty() && origin != "http://" + host)
    return forbidden("Origin: pages of other servers may not ask; with --http-token FILE they may");
  // Browsers send no Origin where a page cannot read the answer, but this.
  const std::string site = fields.get_field_or("Sec-Fetch-Site", std::string("none"));
  if (site != "none" && site != "same-origin")
    return forbidden("Sec-Fetch-Site: pages of other servers may not ask; with --http-token FILE they may");
  return std::nullopt;
}

// --- Requests.

restinio::request_handling_status_t Server::Running::handle(const restinio::request_handle_t& request,
                                                            Connection connection) {
  if (const auto found = exchanges_.find(connection); found != exchanges_.end())
    for (const auto& exchange : found->second) exchange->end_of_stream();
  const auto method = request->header().method();
  if (const auto stranger = strangers_.find(connection); stranger != strangers_.end()) {
    answer(request, forbidden(stranger->second + "; start it with --http-token FILE, and send its token as Authorization: "
                                                "Bearer TOKEN"));
  } else if (const auto refused = check(*request)) {
    answer(request, *refused);
  } else if (const auto path = request->header().path(); path == "/metrics" || path == "/") {
    if (method != restinio::http_method_get() && method != restinio::http_method_head()) {
      answer(request, wrong_method(path, "GET", method.c_str()));
    } else if (path == "/") {
      answer(request, 200, "text/plain; charset=utf-8", index_page());
    } else {
      handle_metrics(request);
    }
  } else {
    handle_verb(request, connection);
  }
  return restinio::request_accepted();
}

void Server::Running::handle_verb(const restinio::request_handle_t& request, Connection connection) {
  const auto& header = request->header();
  Query query;
  const auto parsed = restinio::try_parse_query<restinio::parse_query_traits::x_www_form_urlencoded>(header.query());
  if (!parsed) return answer(request, fault(v1::Error::INVALID, "query: " + parsed.error().description()));
  if (parsed->tag()) return answer(request, fault(v1::Error::INVALID, "query: expected FIELD=VALUE"));
  for (const auto& [name, value] : *parsed) query.emplace_back(name, value);
  const bool wants_head = header.method() == restinio::http_method_head();
  auto read = read_request(wants_head ? "GET" : header.method().c_str(), header.path(), query, request->body());
  if (const auto* wrong = std::get_if<Fault>(&read)) return answer(request, *wrong);
  auto& verb = std::get<v1::Request>(read);
  if (const std::string_view type = type_of_pieces(verb); wants_head && !type.empty()) return answer_head(request, type);
  const bool follows = verb.has_watch_events() && verb.watch_events().follow();
  const std::string last = header.get_field_or("Last-Event-ID", std::string());  // a browser that comes back
  if (follows && verb.watch_events().after() == 0)
    verb.mutable_watch_events()->set_after(parse_number(last, 0, UINT64_MAX).value_or(0));

  const auto over = [this, connection] {
    asio::post(io_, [self = weak_from_this(), connection] {
      if (const auto alive = self.lock()) alive->forget_answered(connection);
    });
  };
  const auto exchange = std::make_shared<Exchange>(io_, request, over);
  exchanges_[connection].push_back(exchange);
  api_.handle(verb, exchange);
  if (follows) exchange->begin_events();
}

v1::Response Server::Running::ask(v1::Request request) {
  request.set_id(1);
  const auto collector = std::make_shared<Collector>();
  api_.handle(request, collector);
  return collector->response();
}

void Server::Running::forget_answered(Connection connection) {
  const auto found = exchanges_.find(connection);
  if (found == exchanges_.end()) return;
  std::erase_if(found->second, [](const auto& exchange) { return exchange->is_over(); });
  if (found->second.empty()) exchanges_.erase(found);
}

void Server::Running::handle_metrics(const restinio::request_handle_t& request) {
  v1::Request status, networks, ports;
  status.mutable_get_status();
  networks.mutable_list_networks();
  ports.mutable_list_ports();
  const MetricsSource source{ask(status).status(), ask(networks).networks(), ask(ports).ports()};
  const std::string accept = request->header().get_field_or(restinio::http_field::accept, std::string());
  const MetricsFormat format = accept.find("application/openmetrics-text") == std::string::npos
                                   ? MetricsFormat::text
                                   : MetricsFormat::open_metrics;
  answer(request, 200, content_type(format), metrics(source, format));
}

// --- Connections.

void Server::Running::state_changed(Connection connection, const restinio::connection_state::notice_t& notice) {
  if (restinio::holds_alternative<restinio::connection_state::accepted_t>(notice.cause())) {
    if (why_next_is_stranger_.empty()) connections_.insert(connection);
    else strangers_[connection] = std::exchange(why_next_is_stranger_, {});
  }
  if (!restinio::holds_alternative<restinio::connection_state::closed_t>(notice.cause())) return;
  connections_.erase(connection);  // RESTinio may tell of one twice
  strangers_.erase(connection);
  auto ended = exchanges_.extract(connection);
  if (ended.empty()) return;
  asio::post(io_, [exchanges = std::move(ended.mapped())] {  // not from within RESTinio's closing
    for (const auto& exchange : exchanges) exchange->gone();
  });
}

// --- The server.

Server::Server(asio::io_context& io, const Config& config, control::Api& api)
    : io_(io), where_(config.http), token_path_(config.http_token), api_(api) {}

Server::~Server() {
  stop();
  close();
}

std::optional<OpenError> Server::open() {
  if (!where_) return std::nullopt;
  std::string token;
  if (!token_path_.empty()) {
    struct stat status {};
    const bool is_open_to_all = ::stat(token_path_.c_str(), &status) == 0 && (status.st_mode & S_IRWXO) != 0;
    if (is_open_to_all && !std::exchange(told_token_is_readable_, true))
      log_warn("http-token: everybody on this machine can read {}; chmod 600 makes it secret", token_path_);
    auto read = read_token(token_path_);
    if (auto* error = std::get_if<OpenError>(&read)) return std::move(*error);
    token = std::move(std::get<std::string>(read));
  }
  const HostPort named{where_->host.empty() || where_->host == "localhost" ? "127.0.0.1" : where_->host, where_->port};
  const auto addresses = addresses_of(named);
  if (const auto* error = std::get_if<OpenError>(&addresses)) return *error;
  auto running = std::make_shared<Running>(io_, api_, std::move(token));
  try {
    running->open(std::get<std::vector<SocketAddress>>(addresses).front());
  } catch (const std::system_error& error) {
    return OpenError{fmt::format("cannot listen on {}: {}", to_string(named), error.code().message()),
                     error.code().value()};
  }
  running_ = std::move(running);
  api_.listens_at("http://" + to_string(running_->address()));
  return std::nullopt;
}

SocketAddress Server::address() const { return running_->address(); }

void Server::stop() {
  if (running_) running_->stop();
}

void Server::close() {
  if (running_) running_->close();
}

}  // namespace lanyard::http
