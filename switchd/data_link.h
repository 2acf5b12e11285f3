// The control plane's end of the handover: commands to the data plane, and what it answers. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "switchd/handover.h"

namespace lanyard {

class DataLink {
 public:
  // Throws std::system_error where no eventfd can be had.
  explicit DataLink(asio::io_context& io);

  [[nodiscard]] Handover& handover() { return handover_; }

  // From now on notices are taken; those that answer nobody's command are given to `take`.
  void begin(std::function<void(Notice&)> take);
  void close();

  // Never refuses: what does not fit in the queue waits here.
  void send(Command command);
  // `done` is called when it has been carried out, with the notice that says so.
  void send(Command command, std::function<void(Notice&)> done);
  // A slice of a network's table, from `cursor` on.
  void list_macs(NetworkIndex network, std::size_t cursor, std::function<void(const Notice&)> take);

 private:
  void send_waiting();
  void await_notices();
  void take(Notice& notice);

  asio::posix::stream_descriptor wake_;
  asio::steady_timer retry_;
  Handover handover_;
  std::deque<Command> waiting_;
  std::function<void(Notice&)> take_;
  std::map<std::uint64_t, std::function<void(Notice&)>> by_token_;
  std::uint64_t next_token_ = 1;
  std::deque<std::function<void(const Notice&)>> listings_;  // answered in order
};

}  // namespace lanyard
