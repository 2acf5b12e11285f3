// Choosing an engine; see the header.
#include "switchd/engine_choice.h"

#include "transports/epoll_engine.h"

namespace lanyard {

namespace {

[[nodiscard]] ChosenEngine epoll_engine(std::string remark) {
  return {"epoll",
          [](const DataContext& context, int wake_fd) { return std::make_unique<EpollEngine>(context, wake_fd); },
          std::move(remark)};
}

}  // namespace

ChosenEngine choose_engine(EngineChoice choice, const UringCapabilities& uring) {
  if (choice == EngineChoice::epoll) return epoll_engine("");
  if (!uring.usable) return epoll_engine("io_uring cannot be used, epoll is: " + uring.why_not);
  return {"io_uring",
          [uring](const DataContext& context, int wake_fd) {
            return std::make_unique<UringEngine>(context, wake_fd, uring);
          },
          ""};
}

}  // namespace lanyard
