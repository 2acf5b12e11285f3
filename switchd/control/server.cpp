// The control socket; see the header.
#include "switchd/control/server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "switchd/control/default_path.h"
#include "switchd/log.h"

namespace lanyard {

namespace {

// Would another path help? Not where there is no such group, or no descriptor left.
bool is_of_path(int error) {
  constexpr std::array errors = {EACCES, ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, EROFS, ENOSPC, EDQUOT};
  return std::find(errors.begin(), errors.end(), error) != errors.end();
}

}  // namespace

ControlServer::ControlServer(asio::io_context& io, const Config& config, control::Api& api)
    : io_(io),
      named_(config.control.has_value()),
      path_(config.control.value_or("")),
      group_(config.control_group),
      api_(api),
      acceptor_(io),
      pause_(io),
      refusals_(io, "control") {}

std::optional<OpenError> ControlServer::open() {
  if (!named_) return open_default();
  if (path_.empty()) return std::nullopt;
  const std::string folder = std::filesystem::path(path_).parent_path();
  for (const control::DefaultPath& known : control::paths_to_serve())  // a path beside the default one is as good
    if (known.folder() == folder) (void)::mkdir(folder.c_str(), 0700);
  return listen(path_);
}

// One that cannot be there for its folder's sake is told of, and the next is taken. One that is another daemon's is not:
// one would not know which of the two answers.
std::optional<OpenError> ControlServer::open_default() {
  std::string all_wrong;
  bool is_news = false;  // a path that is too long has been told of before
  for (const control::DefaultPath& known : control::paths_to_serve()) {
    const std::string wrong = control::why_not_to_serve(known);
    if (!wrong.empty()) {
      all_wrong += (all_wrong.empty() ? "" : "; ") + wrong;
      is_news = is_news || control::why_no_socket_path(known.path).empty();
      continue;
    }
    if (is_news) log_warn("the control socket is {}: {}", known.path, all_wrong);
    return listen(known.path);
  }
  return OpenError{fmt::format("control socket: {}; say where it shall be with --control PATH, or --control none",
                               all_wrong), 0};
}

std::optional<OpenError> ControlServer::listen(const std::string& path) {
  path_ = path;
  auto opened = open_unix_listener({path_, std::nullopt, group_});
  if (auto* error = std::get_if<OpenError>(&opened)) {
    error->what = "control socket: " + error->what;
    if (error->error == EADDRINUSE) error->what += "; give each switchd a path of its own with --control PATH";
    else if (!named_ && is_of_path(error->error))
      error->what += "; say where it shall be with --control PATH, or --control none";
    return std::move(*error);
  }
  acceptor_.assign(asio::local::stream_protocol(), std::get<Fd>(opened).release());
  api_.listens_at("unix:" + path_);
  struct stat status {};
  if (!group_.empty() && ::stat(path_.c_str(), &status) == 0) group_id_ = status.st_gid;
  return std::nullopt;
}

void ControlServer::begin() {
  if (acceptor_.is_open()) accept();
}

void ControlServer::accept() {
  acceptor_.async_accept([this](const asio::error_code& error, control::Session::Socket socket) {
    if (stopping_ || error == asio::error::operation_aborted) return;
    if (!error) {
      accepted(std::move(socket));
      return accept();
    }
    refusals_.warn("cannot accept: " + error.message());  // out of descriptors: some may be free soon
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](const asio::error_code& cancelled) {
      if (!cancelled && !stopping_) accept();
    });
  });
}

bool ControlServer::may_use(int socket) const {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  if (peer.uid == 0 || peer.uid == ::geteuid()) return true;
  if (group_.empty()) return false;
  std::array<gid_t, 1024> groups;  // NGROUPS_MAX is 65536; who has so many is not let in by the last of them
  length = sizeof groups;
  if (peer.gid == group_id_) return true;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) != 0) return false;
  const auto end = groups.begin() + length / sizeof groups[0];
  return std::find(groups.begin(), end, group_id_) != end;
}

void ControlServer::accepted(control::Session::Socket socket) {
  const bool allowed = may_use(socket.native_handle());
  control::Session::Hooks hooks;
  hooks.handle = [this](const v1::Request& request, const std::shared_ptr<control::Client>& client) {
    api_.handle(request, client);
  };
  hooks.gone = [this](const control::Session& session) { sessions_.erase(&session); };
  auto session = std::make_shared<control::Session>(std::move(socket), std::move(hooks));
  if (!allowed) return refusals_.warn("refused a process of another user");  // without a word to it
  if (sessions_.size() >= limits::control_clients_max) {
    refusals_.warn(fmt::format("refused a client: {} are connected", limits::control_clients_max));
    return session->refuse(v1::Error::LIMIT,
                           fmt::format("{} clients are connected, which is the most", limits::control_clients_max));
  }
  sessions_[session.get()] = session;
  session->begin();
}

void ControlServer::stop() {
  stopping_ = true;
  asio::error_code ignored;
  pause_.cancel();
  refusals_.finish();
  if (acceptor_.is_open()) ::unlink(path_.c_str());
  acceptor_.close(ignored);
}

void ControlServer::close() {
  for (const auto& [key, session] : std::exchange(sessions_, {})) session->finish();
}

}  // namespace lanyard
