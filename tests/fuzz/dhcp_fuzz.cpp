// Feeds the DHCP parser arbitrary bytes; what it takes for a request is answered, and the answer must be
// well-formed and carry the client's identity.
#include <cstdint>

#include "frames/bytes.h"
#include "frames/check.h"
#include "frames/dhcp.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> message(reinterpret_cast<const std::byte*>(data), size);
  if (const auto seen = parse_dhcp_answer(message)) LANYARD_CHECK(!name_of(seen->type).empty());
  const auto result = parse_dhcp_request(message);
  if (const auto* fault = std::get_if<DhcpFault>(&result)) {
    LANYARD_CHECK(!text_of(*fault).empty());
    return 0;
  }
  const auto& request = std::get<DhcpRequest>(result);
  LANYARD_CHECK(!name_of(request.type).empty());
  DhcpReply reply;
  reply.type = request.type == DhcpType::discover ? DhcpType::offer : DhcpType::ack;
  reply.yours = request.requested.value_or(Ipv4Address(0x0A00020F));
  reply.server = Ipv4Address(0x0A000202);
  reply.host_name = request.host_name;
  reply.fqdn = request.fqdn;
  LANYARD_CHECK(name_of_client(request).size() <= 255);
  reply.routers.assign(request.wanted.size(), reply.server);
  reply.next_server = reply.server;
  reply.bootfile = request.host_name;
  if (!request.relay_options.empty()) reply.more = {{43, request.relay_options}};
  const auto answer = write_dhcp_reply(request, reply);
  LANYARD_CHECK(answer.size() >= 300 && answer.size() <= dhcp_reply_bytes_max);
  LANYARD_CHECK(load_be32(&answer[4]) == request.xid && MacAddress::read(&answer[28]) == request.mac);
  const auto seen = parse_dhcp_answer(answer);
  LANYARD_CHECK(seen && seen->type == reply.type && seen->yours == reply.yours && seen->server == reply.server);
  std::size_t at = 240;
  while (answer.at(at) != std::byte{255}) at += 2 + std::to_integer<std::size_t>(answer.at(at + 1));
  return 0;
}
