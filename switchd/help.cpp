// Implements help.h. Types and keys come from the table that reads them (port_keys.h), numbers from the
// limits, so that the text cannot fall behind.
#include "switchd/help.h"

#include <fmt/format.h>

#include "frames/frame.h"
#include "frames/mac_table.h"
#include "switchd/network_keys.h"
#include "switchd/port_keys.h"
#include "transports/engine.h"
#include "transports/uring_engine.h"

namespace lanyard {

namespace {

constexpr std::string_view head = R"(Usage: switchd [OPTIONS] [PORT ...]

A LAN for virtual machines: a learning Ethernet switch that runs as an ordinary user. VMs plug in
with the network options they already have: QEMU's -netdev stream, dgram and socket, libvirt's
interfaces, VirtualBox's UDPTunnel.

Options:
  -c, --config FILE        read a YAML file: its ports come before those given here, and options
                           given here override its settings
      --check              check the configuration, print what is wrong, and exit
      --network NAME       network of the ports that name none (default: lan)
      --network NAME[:KIND][,KEY=VALUE]...
                           declare a network; KIND is switch (learns addresses), wire (two ports,
                           passes everything) or hub (every frame to all). May be repeated. Once a
                           network is declared, network= takes declared names only
      --control PATH|none  control socket (default $XDG_RUNTIME_DIR/lanyard/switchd.sock; where
                           that cannot be, /tmp/lanyard-UID/switchd.sock)
      --control-group NAME whose members may use it, beside this user and root
      --http ADDR:PORT     counters (/metrics), API and events (/v1) over HTTP (default: none)
      --http-token FILE    its first line is the token that HTTP clients have to send; needed where
                           other machines can reach ADDR, and for other users such as Prometheus
      --engine ENGINE      auto, io_uring or epoll (default: auto)
      --memory SIZE        address space for frames, such as 512M or 2G; memory is taken as frames
                           come (default: 2257M, or what ulimit and the control group leave)
      --log-level LEVEL    error, warn, info or debug (default: info)
      --strict             end the start where a port needs an address or an interface that is not
                           there; without it the port is down, and tried again until it is
      --version            print the version; with --verbose also the most memory it may take
  -h, --help               print this text

PORT = [NAME=]TYPE:ADDRESS[,KEY=VALUE]...
)";

constexpr std::string_view tail = R"(
  HOST left out is loopback (udp with remote: the address from which remote is routed). IPv6 goes
  in brackets: [::1]:7000. A PORT of 0 takes a free one, which is printed. udp needs remote or
  allow, unix-dgram needs remote. QEMU's protocols carry no authentication: use allow when others
  than this machine can reach a port.

Output: 'port NAME TYPE:ADDRESS' for each port, then 'ready'. SIGUSR1 prints 'stats {JSON}'.
Exit status: 0 after SIGTERM, SIGINT or SIGHUP, 1 could not start, 2 a mistake in the configuration.

Examples:
  Two VMs, or twenty, on one switch:
    switchd unix-listen:/tmp/lan.sock
    qemu-system-x86_64 ... -netdev stream,id=n0,addr.type=unix,addr.path=/tmp/lan.sock
  VMs over TCP, and one more over UDP:
    switchd vms=tcp-listen:7000 lab=udp:127.0.0.1:10001,remote=127.0.0.1:10002
    qemu-system-x86_64 ... -netdev socket,id=n0,connect=127.0.0.1:7000
    qemu-system-x86_64 ... -netdev socket,id=n0,udp=127.0.0.1:10001,localaddr=127.0.0.1:10002
  A transparent wire between two routers, beside a LAN that other machines may join:
    switchd --network lan --network core:wire tcp-listen:0.0.0.0:7000,allow=10.0.0.0/8 \
        r1=udp:127.0.0.1:10001,remote=127.0.0.1:10002,network=core \
        r2=udp:127.0.0.1:10003,remote=127.0.0.1:10004,network=core

Each -netdev needs its device: -device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:01, with a MAC
address of its own for every VM.
)";

// Engines show the size of their scratch memory to those that derive from them.
struct EngineSizes : Engine {
  static constexpr std::size_t scratch = scratch_bytes;
};

std::string mebibytes(std::size_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / limits::mebi);
}

}  // namespace

std::string help_text() {
  std::string text(head);
  text += "\n  TYPE:ADDRESS             what it is\n";
  for (const PortTypeInfo& type : port_types())
    text += fmt::format(
        "  {:<25}{}\n",
        fmt::format(fmt::runtime(type.address_optional ? "{}[:{}]" : "{}:{}"), type.name, type.form),
        type.text);
  text += "\n  KEY=VALUE                what it sets, and for which types\n";
  for (const PortKeyInfo& key : port_keys()) {
    const std::string types = key.types == all_port_types ? "all" : names_of(key.types);
    text += fmt::format("  {:<25}{} ({})\n", fmt::format("{}={}", key.name, key.form), key.text, types);
  }
  text += "\n  KEY=VALUE of --network    what it sets\n";
  for (const NetworkKeyInfo& key : network_keys())
    text += fmt::format("  {:<25}{}\n", fmt::format("{}={}", key.name, key.form), key.text);
  text += tail;
  return text;
}

std::string version_text() { return "switchd " LANYARD_VERSION "\n"; }

std::string budget_text() {
  using namespace limits;
  constexpr std::size_t chunks = chunks_max * chunk_bytes;
  constexpr std::size_t slots = slots_max * slot_bytes;
  std::string text =
      "Memory for frames is reserved as address space; only pages that frames touch are taken.\n";
  const auto add = [&](std::string_view what, const std::string& figures) {
    text += fmt::format("  {:<24}{}\n", what, figures);
  };
  add("stream chunks", fmt::format("{} of {} KiB: {}", chunks_max, chunk_bytes / kibi, mebibytes(chunks)));
  add("datagram slots", fmt::format("{} of {} bytes: {}", slots_max, slot_bytes, mebibytes(slots)));
  add("both at most", mebibytes(chunks + slots));
  text += "Beside them, at most\n";
  add("MAC table", fmt::format("{} for each network of {} stations; it begins with kilobytes",
                               mebibytes(MacTable::memory_bytes_max(macs_default)), macs_default));
  add("frames of one turn",
      fmt::format("{} descriptors: {}", batch_frames_max, mebibytes(batch_frames_max * sizeof(Frame))));
  add("scratch memory", fmt::format("{} KiB; with io_uring also for each stream while no chunk is free: {}",
                                    EngineSizes::scratch / kibi, mebibytes(ports_max * EngineSizes::scratch)));
  add("captures", fmt::format("{} rings: {}; of the past, three times rewind_mib of each network", taps_max,
                              mebibytes(taps_max * tap_ring_bytes)));
  add("io_uring", fmt::format("{} for its rings and messages", mebibytes(UringEngine::memory_bytes_max())));
  add("not counted", "what is kept about each port, and the program itself");
  text += "Bounds\n";
  add("ports", fmt::format("{}, in {} networks", ports_max, networks_max));
  add("peers of a udp port", fmt::format("{} with allow, {} of one host, forgotten after {} s of silence",
                                         peers_per_transport_max, peers_per_host_max,
                                         peer_idle_ns_max / 1'000'000'000));
  add("queue of a port",
      fmt::format("{} frames (queue= up to {}), {}, pinning {} of chunks at most", queue_frames_default,
                  queue_frames_max, mebibytes(queue_bytes_max), mebibytes(queue_pinned_bytes_max)));
  add("stations of a network", fmt::format("{}, forgotten after {} s of silence", macs_default,
                                           mac_ageing_ns_default / 1'000'000'000));
  add("frame", fmt::format("{} to {} bytes", frame_bytes_min, frame_bytes_max));
  add("configuration file", fmt::format("{}", mebibytes(config_bytes_max)));
  return text;
}

}  // namespace lanyard
