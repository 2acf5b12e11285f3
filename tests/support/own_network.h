// A network of its own for a child process, between fork and exec: loopback only, with what a test needs to be true of
// the machine. Works as root, and as a user where user namespaces are allowed; otherwise the child ends with
// `refused`, and the test cannot be made here.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace lanyard::test {

class OwnNetwork {
 public:
  static constexpr int refused = 77;

  static void enter() {
    insist(::unshare((::geteuid() == 0 ? 0 : CLONE_NEWUSER) | CLONE_NEWNET | CLONE_NEWNS) == 0);
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP;
    const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    insist(::ioctl(any, SIOCSIFFLAGS, &loopback) == 0);
  }

  // "40000 40000": the ports that the kernel chooses from.
  static void choose_ports_from(const char* range) {
    const int setting = ::open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC);
    insist(::write(setting, range, std::strlen(range)) > 0);
  }

  // Another in place of the file at `path`.
  static void have_file(const char* path, const char* other) {
    insist(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    insist(::mount(other, path, nullptr, MS_BIND, nullptr) == 0);
  }

  // Names are those of the file `hosts`, which others may write while the child runs. Its network stays what it was.
  static void have_hosts(const char* hosts) {
    insist(::unshare((::geteuid() == 0 ? 0 : CLONE_NEWUSER) | CLONE_NEWNS) == 0);
    have_file("/etc/hosts", hosts);
  }

  // `resolv_conf` names 127.0.0.53; a socket there takes questions and never answers. It lives as long as the child.
  static void have_mute_name_server(const char* resolv_conf) {
    have_file("/etc/resolv.conf", resolv_conf);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    address.sin_addr.s_addr = htonl(0x7F000035);
    const int server = ::socket(AF_INET, SOCK_DGRAM, 0);
    insist(::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

 private:
  static void insist(bool done) {
    if (!done) ::_exit(refused);
  }
};

}  // namespace lanyard::test
