// The program for the kernel; see the header. It has no loops and no tables, so each end is two comparisons of its own.
#include "transports/own_packets.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "frames/check.h"
#include "transports/open_sockets.h"

namespace lanyard {

namespace {

// Where the program keeps what it has read of a packet.
enum Memory : std::uint32_t { source_v4, destination_v4, protocol, source_number, destination_number, heading, header };

constexpr std::uint32_t ethernet_bytes = ETH_HLEN;
constexpr std::uint32_t fragment_mask = 0x1FFF;   // IPv4: where in the packet it belongs
constexpr std::uint32_t fragment_mask6 = 0xFFF8;  // likewise
constexpr std::uint32_t everything = 0x7FFFFFFF;

class Program {
 public:
  std::vector<sock_filter> lines;

  void add(int code, std::uint32_t k = 0) { lines.push_back({static_cast<std::uint16_t>(code), 0, 0, k}); }
  void load(int size, std::uint32_t at) { add(BPF_LD | size | BPF_IND, at); }  // behind X
  void load_extra(std::uint32_t what) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF) + what); }
  void load_memory(Memory from) { add(BPF_LD | BPF_MEM, from); }
  void store(Memory to) { add(BPF_ST, to); }
  void finish(std::uint32_t bytes) { add(BPF_RET | BPF_K, bytes); }
  // The next `lines` are passed over unless the comparison holds, or where it does.
  void unless(int comparison, std::uint32_t k, std::uint8_t skipped) {
    lines.push_back({static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K), 0, skipped, k});
  }
  void where(int comparison, std::uint32_t k, std::uint8_t skipped) {
    lines.push_back({static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K), skipped, 0, k});
  }
  // Whatever is not so long, behind X, is heard.
  void need(std::uint32_t bytes) {
    add(BPF_LD | BPF_W | BPF_LEN);
    add(BPF_ALU | BPF_SUB | BPF_X);
    where(BPF_JGE, bytes, 1);
    finish(everything);
  }
};

[[nodiscard]] bool is_v6(const PacketEnd& end) { return end.address.family() == AF_INET6; }

[[nodiscard]] std::uint32_t v4_of(const PacketEnd& end) { return ntohl(end.address.v4.sin_addr.s_addr); }

[[nodiscard]] bool is_group(const PacketEnd& end) { return !is_v6(end) && IN_MULTICAST(v4_of(end)); }

[[nodiscard]] std::uint32_t key_of(const PacketEnd& end) {
  return std::uint32_t{end.protocol} << 16 | end.address.port();
}

// X: 4 where a VLAN tag is in the frame, else 0. A: the type behind it.
void read_type(Program& program) {
  program.add(BPF_LDX | BPF_IMM, 0);
  program.add(BPF_LD | BPF_H | BPF_ABS, 12);
  program.unless(BPF_JEQ, ETH_P_8021Q, 2);
  program.add(BPF_LDX | BPF_IMM, 4);
  program.add(BPF_LD | BPF_H | BPF_ABS, 16);
}

// X: how much further than right behind an Ethernet header the numbers are. Reads them, and what comes of the way.
void read_numbers(Program& program) {
  program.need(ethernet_bytes + 4);
  for (const auto& [at, to] : {std::pair{0U, source_number}, std::pair{2U, destination_number}}) {
    program.load(BPF_H, ethernet_bytes + at);
    program.store(to);
  }
  program.add(BPF_LDX | BPF_MEM, protocol);
  for (const Memory number : {source_number, destination_number}) {
    program.load_memory(number);
    program.add(BPF_ALU | BPF_OR | BPF_X);
    program.store(number);
  }
  program.add(BPF_LDX | BPF_MEM, header);
}

// Heard is what is neither TCP nor UDP. A: the protocol.
void read_protocol(Program& program) {
  program.where(BPF_JEQ, IPPROTO_UDP, 2);
  program.where(BPF_JEQ, IPPROTO_TCP, 1);
  program.finish(everything);
  program.add(BPF_ALU | BPF_LSH | BPF_K, 16);
  program.store(protocol);
}

void read_heading(Program& program) {
  program.load_extra(SKF_AD_PKTTYPE);
  program.store(heading);
}

// A later fragment, of UDP as the comparison with A says: it is of the host, or goes to a group of ours; else it is heard.
// TCP has none in practice.
void judge_fragment(Program& program, std::uint32_t udp, std::span<const PacketEnd> ends) {
  program.where(BPF_JEQ, udp, 1);
  program.finish(everything);
  program.load_memory(heading);
  program.unless(BPF_JEQ, PACKET_OUTGOING, 1);
  program.finish(0);
  program.unless(BPF_JEQ, PACKET_HOST, 1);
  program.finish(0);
  for (const PacketEnd& end : ends) {
    if (!is_group(end)) continue;
    program.load_memory(destination_v4);
    program.unless(BPF_JEQ, v4_of(end), 1);
    program.finish(0);
  }
  program.finish(everything);
}

// The 4 words of an IPv6 address behind X, at `at`: those that follow are passed over unless it is this.
void compare_v6(Program& program, const in6_addr& address, std::uint32_t at) {
  for (std::uint32_t word = 0; word < 4; ++word) {
    std::uint32_t value;
    std::memcpy(&value, &address.s6_addr[4 * word], sizeof value);
    program.load(BPF_W, at + 4 * word);
    program.unless(BPF_JEQ, ntohl(value), static_cast<std::uint8_t>(2 * (3 - word) + 1));
  }
}

// Is its source (its destination) this end? Then it is not heard.
void judge(Program& program, const PacketEnd& end, bool is_source) {
  Program body;
  if (end.address.is_any()) {
    body.load_memory(heading);
    body.unless(BPF_JEQ, is_source ? PACKET_OUTGOING : PACKET_HOST, 1);
  } else if (is_v6(end)) {
    compare_v6(body, end.address.v6.sin6_addr, ethernet_bytes + (is_source ? 8 : 24));
  } else {
    body.load_memory(is_source ? source_v4 : destination_v4);
    body.unless(BPF_JEQ, v4_of(end), 1);
  }
  body.finish(0);
  program.load_memory(is_source ? source_number : destination_number);
  program.unless(BPF_JEQ, key_of(end), static_cast<std::uint8_t>(body.lines.size()));
  program.lines.insert(program.lines.end(), body.lines.begin(), body.lines.end());
}

void judge_all(Program& program, std::span<const PacketEnd> ends, bool v6) {
  for (const PacketEnd& end : ends) {
    if (is_v6(end) != v6) continue;
    judge(program, end, true);
    judge(program, end, false);
  }
  program.finish(everything);
}

[[nodiscard]] bool has_udp(std::span<const PacketEnd> ends, bool v6) {
  return std::any_of(ends.begin(), ends.end(),
                     [&](const PacketEnd& end) { return is_v6(end) == v6 && end.protocol == IPPROTO_UDP; });
}

void append(Program& program, const Program& part) {
  program.lines.insert(program.lines.end(), part.lines.begin(), part.lines.end());
}

[[nodiscard]] Program fragments(std::span<const PacketEnd> ends, bool v6) {
  Program part;
  if (!has_udp(ends, v6)) {
    part.finish(everything);
  } else if (v6) {
    part.load(BPF_B, ethernet_bytes + 40);
    judge_fragment(part, IPPROTO_UDP, {});
  } else {
    part.load_memory(protocol);
    judge_fragment(part, IPPROTO_UDP << 16, ends);
  }
  return part;
}

// X: where the IP header is, less 14.
[[nodiscard]] Program judge_v4(std::span<const PacketEnd> ends) {
  Program part;
  part.add(BPF_STX, header);
  part.need(ethernet_bytes + 20);
  part.load(BPF_B, ethernet_bytes + 9);
  read_protocol(part);
  part.load(BPF_W, ethernet_bytes + 12);
  part.store(source_v4);
  part.load(BPF_W, ethernet_bytes + 16);
  part.store(destination_v4);
  read_heading(part);
  const Program later = fragments(ends, false);
  part.load(BPF_H, ethernet_bytes + 6);
  part.lines.push_back({BPF_JMP | BPF_JSET | BPF_K, 1, 0, fragment_mask});
  part.add(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(later.lines.size()));
  append(part, later);
  part.load(BPF_B, ethernet_bytes);
  part.add(BPF_ALU | BPF_AND | BPF_K, 15);
  part.add(BPF_ALU | BPF_LSH | BPF_K, 2);
  part.add(BPF_ALU | BPF_ADD | BPF_X);
  part.add(BPF_MISC | BPF_TAX);
  read_numbers(part);
  judge_all(part, ends, false);
  return part;
}

// With a fragment header, or none.
[[nodiscard]] Program judge_v6(std::span<const PacketEnd> ends) {
  Program part;
  part.add(BPF_STX, header);
  part.need(ethernet_bytes + 40 + 8);
  read_heading(part);
  part.load(BPF_B, ethernet_bytes + 6);
  Program fragment;  // X further by 8 where it is the first; A: the protocol
  fragment.load(BPF_H, ethernet_bytes + 40 + 2);
  const Program later = fragments(ends, true);
  fragment.lines.push_back({BPF_JMP | BPF_JSET | BPF_K, 1, 0, fragment_mask6});
  fragment.add(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(later.lines.size()));
  append(fragment, later);
  fragment.load(BPF_B, ethernet_bytes + 40);
  fragment.add(BPF_ST, destination_v4);
  fragment.add(BPF_MISC | BPF_TXA);
  fragment.add(BPF_ALU | BPF_ADD | BPF_K, 8);
  fragment.add(BPF_MISC | BPF_TAX);
  fragment.load_memory(destination_v4);
  part.where(BPF_JEQ, IPPROTO_FRAGMENT, 1);
  part.add(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(fragment.lines.size()));
  append(part, fragment);
  read_protocol(part);
  part.add(BPF_MISC | BPF_TXA);
  part.add(BPF_ALU | BPF_ADD | BPF_K, 40);
  part.add(BPF_MISC | BPF_TAX);
  read_numbers(part);
  judge_all(part, ends, true);
  return part;
}

}  // namespace

std::vector<sock_filter> without_packets_of(std::span<const PacketEnd> ends) {
  LANYARD_CHECK(ends.size() <= packet_ends_max);
  Program program;
  read_type(program);
  for (const auto& [type, part] : {std::pair{ETH_P_IP, judge_v4(ends)}, std::pair{ETH_P_IPV6, judge_v6(ends)}}) {
    program.where(BPF_JEQ, static_cast<std::uint32_t>(type), 1);
    program.add(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(part.lines.size()));
    append(program, part);
  }
  program.finish(everything);
  return program.lines;
}

std::optional<PacketEnd> packet_end(int fd) {
  int kind = 0;
  socklen_t length = sizeof kind;
  if (::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &kind, &length) != 0) return std::nullopt;
  const SocketAddress address = bound_address(fd);
  const bool is_inet = address.family() == AF_INET || address.family() == AF_INET6;
  if (!is_inet || (kind != IPPROTO_TCP && kind != IPPROTO_UDP)) return std::nullopt;
  return PacketEnd{static_cast<std::uint8_t>(kind), address};
}

int keep_away(int packet_socket, std::span<const PacketEnd> ends) {
  if (ends.empty()) {
    const int none = 0;
    const bool had_one = ::setsockopt(packet_socket, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none) == 0;
    return had_one || errno == ENOENT ? 0 : errno;
  }
  std::vector<sock_filter> lines = without_packets_of(ends);
  sock_fprog program{};
  program.len = static_cast<unsigned short>(lines.size());
  program.filter = lines.data();
  return ::setsockopt(packet_socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : errno;
}

}  // namespace lanyard
