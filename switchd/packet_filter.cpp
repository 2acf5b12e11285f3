// Packet filters; see the header.
#include "switchd/packet_filter.h"

#include <pcap/pcap.h>

#include <utility>

#include "frames/limits.h"

namespace lanyard {

std::variant<PacketFilter, std::string> PacketFilter::compile(const std::string& expression) {
  if (expression.size() > limits::filter_bytes_max)
    return "it is longer than " + std::to_string(limits::filter_bytes_max) + " bytes";
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> pcap(
      ::pcap_open_dead(DLT_EN10MB, static_cast<int>(limits::frame_bytes_max)), ::pcap_close);
  if (!pcap) return std::string("out of memory");
  bpf_program compiled{};
  constexpr int optimize = 1;
  if (::pcap_compile(pcap.get(), &compiled, expression.c_str(), optimize, PCAP_NETMASK_UNKNOWN) != 0)
    return std::string(::pcap_geterr(pcap.get()));
  std::vector<bpf_insn> program(compiled.bf_insns, compiled.bf_insns + compiled.bf_len);
  ::pcap_freecode(&compiled);
  return PacketFilter(std::move(program));
}

}  // namespace lanyard
