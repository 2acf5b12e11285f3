// A network of its own for the test itself and for the processes it starts, as long as this lives: with
// interfaces made by ip(8), and nothing sent there but what the test has sent. As root the test comes back to
// where it was; a user stays, as root of a user namespace, until the process ends, which with ctest is the
// end of the test.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <linux/capability.h>
#include <stdexcept>
#include <string>

#include "tests/support/skip.h"
#include "transports/fd.h"

namespace lanyard::test {

class NetworkOfTest {
 public:
  NetworkOfTest() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    if (::unshare(CLONE_NEWNET) != 0 && !become_root_of_another()) {
      why_not_ = std::string("this user may not have a network namespace: ") + std::strerror(errno);
      return;
    }
    ip("link set lo up");
    for (const char* scope :
         {"all", "default"})  // else the kernel sends frames of its own; there may be no IPv6 at all
      (void)write_to("/proc/sys/net/ipv6/conf/" + std::string(scope) + "/disable_ipv6", "1");
  }
  NetworkOfTest(const NetworkOfTest&) = delete;
  NetworkOfTest& operator=(const NetworkOfTest&) = delete;
  ~NetworkOfTest() {
    if (before_) (void)::setns(before_.get(), CLONE_NEWNET);
  }

  // Empty, or why there is none.
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  // Empty, or why there are no TAPs.
  [[nodiscard]] std::string why_no_tap() const {
    if (!why_not_.empty()) return why_not_;
    const Fd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    return tun ? "" : std::string("/dev/net/tun: ") + std::strerror(errno);
  }

  // ip(8): "link set lo up".
  static void ip(const std::string& arguments) {
    if (std::system(("PATH=$PATH:/usr/sbin:/sbin; ip " + arguments).c_str()) != 0)
      throw std::runtime_error("ip " + arguments + " failed");
  }
  // Two Ethernet interfaces with a cable between them, both up.
  static void add_cable(const std::string& one, const std::string& other) {
    ip("link add " + one + " type veth peer name " + other);
    for (const std::string& end : {one, other}) ip("link set " + end + " up");
  }

  // IPv6 on an interface, which has had none. False: this kernel has none.
  [[nodiscard]] static bool enable_ipv6(const std::string& interface) {
    return write_to("/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6", "0");
  }

  // In a child, before exec: an ordinary user's rights on networks.
  static void drop_rights() {
    ::prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN, 0, 0, 0);
    ::prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0);
  }

 private:
  [[nodiscard]] bool become_root_of_another() {
    const std::string map = "0 " + std::to_string(::geteuid()) + " 1";
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
    before_.reset();  // no way back
    return write_to("/proc/self/uid_map", map);
  }
  [[nodiscard]] static bool write_to(const std::string& path, const std::string& text) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }

  Fd before_;
  std::string why_not_;
};

}  // namespace lanyard::test

// In a test case: ends it, and says why, where it cannot be made.
#define IN_A_NETWORK_OF_ITS_OWN                                                              \
  const ::lanyard::test::NetworkOfTest network;                                              \
  if (!network.why_not().empty()) SKIP_TEST(network.why_not())
#define WITH_TAPS                                                                            \
  if (const std::string why = network.why_no_tap(); !why.empty()) SKIP_TEST(why)
