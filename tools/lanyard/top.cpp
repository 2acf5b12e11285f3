// `top`; see the header. One loop waits for the daemon, the keyboard and signals.
#include "tools/lanyard/top.h"

#include <poll.h>

#include <array>

#include "switchd/control/json.h"
#include "tools/lanyard/client.h"
#include "tools/lanyard/exit.h"
#include "tools/lanyard/output.h"
#include "tools/lanyard/terminal.h"
#include "tools/lanyard/top_screen.h"

namespace lanyard::cli {

namespace {

constexpr char ctrl_c = '\x03';

class Top {
 public:
  explicit Top(Client& client, std::uint64_t stream) : client_(client), stream_(stream), style_(style_of_output()) {}

  void run() {
    draw();
    while (!quits_) {
      take_readings();
      if (!quits_) await_something();
    }
  }

 private:
  void draw() const { write_output(screen_text(readings_, by_, Terminal::size(), style_)); }

  void take_readings() {
    v1::Response response;
    bool is_new = false;
    while (!quits_ && client_.take(stream_, response)) {
      readings_.add(response.ports());
      is_new = true;
      quits_ = !response.more();
    }
    if (is_new) draw();
  }

  void await_something() {
    std::array<pollfd, 3> fds = {
        {{client_.fd(), POLLIN, 0}, {terminal_.keys_fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) return;  // interrupted
    if (fds[1].revents != 0) take_key();
    while (const auto signal = signals_.take()) take_signal(*signal);
    if (fds[0].revents != 0) client_.read_some();
  }

  void take_key() {
    const char key = terminal_.key();
    quits_ = quits_ || key == 'q' || key == ctrl_c || key == '\0';
    if (const auto by = order_of_key(key)) {
      by_ = *by;
      draw();
    }
  }

  void take_signal(int signal) {
    if (signal == SIGWINCH)
      draw();
    else
      quits_ = true;
  }

  Client& client_;
  std::uint64_t stream_;
  Style style_;
  SignalInbox signals_{SIGWINCH, SIGINT, SIGTERM, SIGHUP};
  Terminal terminal_;
  Readings readings_;
  SortBy by_ = SortBy::received;
  bool quits_ = false;
};

void print_readings(Client& client, std::uint64_t stream) {
  for (bool more = true; more;) {
    const v1::Response response = client.receive(stream);
    if (response.has_ports()) write_output(control::to_json(response.ports()) + "\n");
    more = response.more();
  }
}

}  // namespace

void run_top(Arguments& arguments, v1::Request& request) {
  const bool as_json = arguments.has("--json");
  if (!as_json && !output_is_terminal())
    throw Exit{exit_usage, "top: standard output is no terminal; --json prints readings as lines"};
  Client client(arguments.control_paths());
  const std::uint64_t stream = client.send(request);
  if (as_json) return print_readings(client, stream);
  Top(client, stream).run();
}

}  // namespace lanyard::cli
