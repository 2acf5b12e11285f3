// `capture`; see the header.
#include "tools/lanyard/capture.h"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "frames/limits.h"
#include "switchd/control/words.h"
#include "tools/lanyard/capture_files.h"
#include "tools/lanyard/client.h"
#include "tools/lanyard/exit.h"
#include "tools/lanyard/output.h"
#include "tools/lanyard/terminal.h"

namespace lanyard::cli {

namespace {

constexpr std::uint64_t rotate_mib_max = 1u << 20;
constexpr std::uint64_t files_max = 99'999;  // as the numbers in their names have digits

CaptureTarget target_of(Arguments& arguments) {
  return {arguments.text("--write"), arguments.number("--rotate-size", rotate_mib_max) << 20,
          arguments.number("--files", files_max)};
}

struct Captured {
  std::uint64_t frames = 0;
  std::uint64_t lost = 0;

  [[nodiscard]] std::string text() const {
    return fmt::format("{} captured, {} lost", counted(frames, "frame"), lost);
  }
};

class Capture {
 public:
  Capture(Client& client, v1::Request& request, CaptureTarget target)
      : client_(client), stream_(client.send(request)), files_(std::move(target)) {}

  void run() {
    for (;;) {
      v1::Response response;
      while (client_.take(stream_, response)) {
        take_data(response.capture_data());
        if (!response.more()) return;
      }
      if (!await_something()) return;
    }
  }
  [[nodiscard]] const Captured& captured() const { return captured_; }

 private:
  void take_data(const v1::CaptureData& data) {
    captured_.frames += data.frames();
    captured_.lost += data.lost();
    files_.add_header(data.header());
    files_.add_records(data.records());
  }

  // False: it has been interrupted twice.
  [[nodiscard]] bool await_something() {
    std::array<pollfd, 2> fds = {{{client_.fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) return true;  // interrupted
    if (signals_.take()) {
      if (cancelled_) return false;
      cancelled_ = true;
      v1::Request cancel;
      cancel.mutable_cancel()->set_stream(stream_);
      client_.send(cancel);
    }
    if (fds[0].revents != 0) client_.read_some();
    return true;
  }

  Client& client_;
  SignalInbox signals_{SIGINT, SIGTERM};  // before the request: none is missed
  std::uint64_t stream_;
  CaptureFiles files_;
  Captured captured_;
  bool cancelled_ = false;
};

}  // namespace

void ask_capture(Arguments& arguments, v1::Request& request) {
  v1::Capture& capture = *request.mutable_capture();
  for (const std::string& port : arguments.words()) capture.add_ports(port);
  capture.set_network(arguments.text("--network"));
  capture.set_filter(arguments.text("--filter"));
  capture.set_snap_bytes(static_cast<std::uint32_t>(arguments.number("--snap", limits::frame_bytes_max)));
  capture.set_drops(arguments.has("--drops"));
  capture.set_count(arguments.number("--count", std::numeric_limits<std::uint64_t>::max()));
  capture.set_duration_ms(arguments.duration_ms("--duration"));
  capture.set_last_ms(arguments.duration_ms("--last"));
  capture.set_direction(arguments.direction());

  const CaptureTarget target = target_of(arguments);
  if (target.files_max > 0 && target.rotate_bytes == 0) arguments.add_mistake("--files", "goes with --rotate-size");
  if (target.rotate_bytes > 0 && target.is_output()) arguments.add_mistake("--rotate-size", "goes with -w FILE");
  if (arguments.has("--json") && target.is_output())
    arguments.add_mistake("--json", "goes with -w FILE: frames are no JSON, but their number is");
  else if (target.path.empty() && output_is_terminal())
    arguments.add_mistake("capture", "standard output is a terminal; give -w FILE, or pipe it into a program");
}

void run_capture(Arguments& arguments, v1::Request& request) {
  const CaptureTarget target = target_of(arguments);
  Client client(arguments.control_paths());
  Capture capture(client, request, target);
  try {
    capture.run();
  } catch (const Exit& exit) {
    if (exit.code == exit_no_daemon) write_error(capture.captured().text());
    throw;
  }
  write_error(capture.captured().text());
  const nlohmann::ordered_json json = {{"frames", capture.captured().frames}, {"lost", capture.captured().lost}};
  if (arguments.has("--json")) write_output(json.dump() + "\n");
}

}  // namespace lanyard::cli
