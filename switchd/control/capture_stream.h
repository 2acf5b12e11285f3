// The verb `capture`: frames as pcapng, until the client cancels it or it has what was asked for.
//
//   compiling   the filter, by another thread: a name of a host in it may have to be looked up
//   past        what rewinds hold, where that was asked for; frames of the present gather in the tap meanwhile
//   present     what the tap brings, looked at every limits::capture_look_ns
//   ending      the time is over: the tap is off, what it still holds is told
//
// A client that does not read is not waited for: nothing is taken from the tap while it is behind, the tap's ring
// fills, and what it has no room for is counted and told as lost. Control thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "switchd/control/client.h"
#include "switchd/control/observation.h"
#include "switchd/packet_filter.h"

namespace lanyard::control {

// Compiles filters on a thread of its own. What is under way when it goes is waited for.
class FilterCompiler {
 public:
  explicit FilterCompiler(asio::io_context& io) : io_(io) {}
  using Result = std::variant<PacketFilter, std::string>;
  // Calls `done` from the io_context.
  void compile(const std::string& expression, std::function<void(Result)> done);
  [[nodiscard]] bool is_compiling() const { return compiling_ > 0; }

 private:
  asio::io_context& io_;
  std::size_t compiling_ = 0;
  std::optional<asio::thread_pool> thread_;  // from the first one on
};

class CaptureStream final : public Stream {
 public:
  struct Services {
    asio::io_context& io;
    Observation& observation;
    Topology& topology;
    FilterCompiler& filters;
  };
  // REQUIRES: `verb` was checked; `spec` is what it says, without the filter.
  CaptureStream(const Services& services, const v1::Capture& verb, CaptureSpec spec, std::uint64_t id,
                const std::weak_ptr<Client>& client);
  ~CaptureStream() override;
  void begin();  // once it is the client's
  void finish() override;

 private:
  class Capturing;
  std::shared_ptr<Capturing> capturing_;
};

}  // namespace lanyard::control
