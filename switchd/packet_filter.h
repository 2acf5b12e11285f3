// Which frames a capture wants, as pcap-filter(7): compiled by libpcap to classic BPF, whose programs only jump
// forwards and are of bounded length, and run by its interpreter for each frame.
#pragma once

#include <sys/types.h>  // wanted by the next
#include <pcap/bpf.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace lanyard {

class PacketFilter {
 public:
  // A filter, or what is wrong with the expression. Slow, and a name of a host in it is looked up: it may take as long
  // as the name server does. Any thread.
  [[nodiscard]] static std::variant<PacketFilter, std::string> compile(const std::string& expression);

  // Any thread; allocates nothing.
  [[nodiscard]] bool matches(std::span<const std::byte> frame) const {
    const auto bytes = static_cast<unsigned>(frame.size());
    return ::bpf_filter(program_.data(), reinterpret_cast<const unsigned char*>(frame.data()), bytes, bytes) != 0;
  }

 private:
  explicit PacketFilter(std::vector<bpf_insn> program) : program_(std::move(program)) {}

  std::vector<bpf_insn> program_;
};

}  // namespace lanyard
