// Choosing an engine; see the header.
#include "switchd/engine_choice.h"

#include <algorithm>

#include "transports/epoll_engine.h"

namespace lanyard {

namespace {

[[nodiscard]] ChosenEngine epoll_engine(std::string remark) {
  return {"epoll",
          [](const DataContext& context, int wake_fd) { return std::make_unique<EpollEngine>(context, wake_fd); },
          std::move(remark)};
}

}  // namespace

ChosenEngine choose_engine(EngineChoice choice, bool any_stream, const UringCapabilities& uring) {
  if (choice == EngineChoice::epoll || (choice == EngineChoice::automatic && !any_stream)) return epoll_engine("");
  if (!uring.usable) return epoll_engine("io_uring cannot be used, epoll is: " + uring.why_not);
  return {"io_uring",
          [uring](const DataContext& context, int wake_fd) {
            return std::make_unique<UringEngine>(context, wake_fd, uring);
          },
          ""};
}

bool has_stream_port(const Config& config) {
  return std::any_of(config.ports.begin(), config.ports.end(), [](const PortConfig& port) {
    return port.type == PortType::tcp_listen || port.type == PortType::tcp_connect ||
           port.type == PortType::unix_listen || port.type == PortType::unix_connect;
  });
}

}  // namespace lanyard
