// Reading and writing DHCP messages; see the header for their form.
#include "frames/dhcp.h"

#include <algorithm>

#include "frames/bytes.h"
#include "frames/dns.h"

namespace lanyard {

namespace {

constexpr std::size_t flags_at = 10, ciaddr_at = 12, yiaddr_at = 16, siaddr_at = 20, giaddr_at = 24, chaddr_at = 28,
                      sname_at = 44, sname_bytes = 64, file_at = 108, file_bytes = 128, magic_at = 236,
                      options_at = 240;
constexpr std::uint32_t magic = 0x6382'5363;
constexpr std::size_t reply_bytes_min = 300;  // of BOOTP (RFC 951), which some clients still insist on
constexpr std::uint16_t broadcast_flag = 0x8000;

enum Option : std::uint8_t {
  pad = 0, subnet_mask = 1, router = 3, domain_name_server = 6, host_name = 12, domain_name = 15, interface_mtu = 26,
  requested_address = 50, lease_time = 51, overload = 52, message_type = 53, server_identifier = 54,
  parameter_request_list = 55, text_message = 56, message_size = 57, renewal_time = 58, rebinding_time = 59,
  client_identifier = 61, tftp_server_name = 66, bootfile_name = 67, client_fqdn = 81, relay_agent = 82,
  domain_search = 119, end = 255,
};

using Bytes = std::vector<std::byte>;

// The options we know, each put together from its parts.
struct Options {
  Bytes requested, server, name, wanted, type, size, client, fqdn, relay, overloaded;

  [[nodiscard]] Bytes* find(std::uint8_t code) {
    switch (code) {
      case requested_address: return &requested;
      case server_identifier: return &server;
      case host_name: return &name;
      case parameter_request_list: return &wanted;
      case message_type: return &type;
      case message_size: return &size;
      case client_identifier: return &client;
      case client_fqdn: return &fqdn;
      case relay_agent: return &relay;
      case overload: return &overloaded;
      default: return nullptr;
    }
  }
};

// False when an option goes beyond the field. A field may end without the end option.
[[nodiscard]] bool collect(std::span<const std::byte> field, Options& options) {
  while (!field.empty()) {
    const auto code = std::to_integer<std::uint8_t>(field[0]);
    if (code == end) return true;
    if (code == pad) {
      field = field.subspan(1);
      continue;
    }
    if (field.size() < 2) return false;
    const auto length = std::to_integer<std::size_t>(field[1]);
    if (field.size() < 2 + length) return false;
    if (Bytes* found = options.find(code)) {
      const auto value = field.subspan(2, length);
      found->insert(found->end(), value.begin(), value.end());
    }
    field = field.subspan(2 + length);
  }
  return true;
}

// False when it is there and no address.
[[nodiscard]] bool read_address(const Bytes& value, std::optional<Ipv4Address>& address) {
  if (value.empty()) return true;
  if (value.size() != 4) return false;
  address = Ipv4Address(load_be32(value.data()));
  return true;
}

constexpr std::size_t fqdn_head_bytes = 3;  // flags, and two result codes that mean nothing any more
constexpr std::size_t fqdn_name_bytes_max = 255;

// DNS labels without compression, as dotted text; a partial name lacks the empty label at the end (RFC 4702, 2.3).
// Nothing where a label goes beyond the field.
[[nodiscard]] std::optional<std::string> read_labels(std::span<const std::byte> labels) {
  std::string name;
  while (!labels.empty()) {
    const auto length = std::to_integer<std::size_t>(labels[0]);
    if (length == 0) break;
    if (length > dns_label_bytes_max || length >= labels.size()) return std::nullopt;
    if (!name.empty()) name.push_back('.');
    name.append(reinterpret_cast<const char*>(&labels[1]), length);
    labels = labels.subspan(1 + length);
  }
  return name;
}

[[nodiscard]] std::optional<DhcpFqdn> read_fqdn(const Bytes& value) {
  if (value.size() < fqdn_head_bytes || value.size() > fqdn_head_bytes + fqdn_name_bytes_max) return std::nullopt;
  DhcpFqdn fqdn{std::to_integer<std::uint8_t>(value[0]), {}};
  const auto name = std::span(value).subspan(fqdn_head_bytes);
  if ((fqdn.flags & DhcpFqdn::wire_format) != 0) {
    auto labels = read_labels(name);
    if (!labels) return std::nullopt;
    fqdn.name = std::move(*labels);
  } else {
    fqdn.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
    while (!fqdn.name.empty() && fqdn.name.back() == '\0') fqdn.name.pop_back();  // as some write C strings
    if (fqdn.name.ends_with('.')) fqdn.name.pop_back();
  }
  return fqdn;
}

[[nodiscard]] Bytes write_fqdn(const DhcpFqdn& fqdn) {
  constexpr std::byte no_result{255};
  Bytes value{static_cast<std::byte>(fqdn.flags), no_result, no_result};
  const auto append = [&](std::string_view text) {
    for (const char c : text) value.push_back(static_cast<std::byte>(c));
  };
  if ((fqdn.flags & DhcpFqdn::wire_format) == 0) {
    append(fqdn.name);
    return value;
  }
  for (std::string_view rest = fqdn.name; !rest.empty();) {
    const std::string_view label = rest.substr(0, rest.find('.')).substr(0, dns_label_bytes_max);
    rest.remove_prefix(std::min(rest.size(), rest.find('.') == rest.npos ? rest.size() : rest.find('.') + 1));
    if (label.empty()) continue;
    value.push_back(static_cast<std::byte>(label.size()));
    append(label);
  }
  value.push_back(std::byte{0});
  return value;
}

class Writer {
 public:
  Writer(Bytes& out, std::size_t bytes_max) : out_(out), bytes_max_(bytes_max) {}

  void bytes(std::uint8_t code, std::span<const std::byte> value) {
    constexpr std::size_t end_option = 1;
    if (value.empty() || value.size() > 255 ||
        out_.size() + 2 + value.size() + end_option > bytes_max_)
      return;
    out_.push_back(std::byte{code});
    out_.push_back(static_cast<std::byte>(value.size()));
    out_.insert(out_.end(), value.begin(), value.end());
  }
  void number(std::uint8_t code, std::uint32_t value) {
    std::array<std::byte, 4> raw;
    store_be32(raw.data(), value);
    bytes(code, raw);
  }
  void seconds(std::uint8_t code, std::uint32_t value) {
    if (value > 0) number(code, value);
  }
  void text(std::uint8_t code, std::string_view value) { bytes(code, std::as_bytes(std::span(value))); }
  void addresses(std::uint8_t code, const std::vector<Ipv4Address>& values) {
    Bytes raw(4 * values.size());
    for (std::size_t i = 0; i < values.size(); ++i) store_be32(&raw[4 * i], values[i].value());
    bytes(code, raw);
  }
  // As DNS writes them, uncompressed; those that do not fit into one option are left out.
  void domains(std::uint8_t code, const std::vector<std::string>& values) {
    bytes(code, write_dns_names(values, 255));
  }

 private:
  Bytes& out_;
  std::size_t bytes_max_;
};

// What the client takes (RFC 2132, 9.10: of the IP packet, at least 576), and the link that it is told of.
std::size_t reply_bytes_max(const DhcpRequest& request, const DhcpReply& reply) {
  constexpr std::size_t headers = 20 + 8;
  const std::size_t link =
      reply.mtu == 0 ? dhcp_reply_bytes_max : reply.mtu - std::min<std::size_t>(reply.mtu, headers);
  const std::size_t client = request.packet_bytes_max - std::min<std::size_t>(request.packet_bytes_max, headers);
  return std::max(dhcp_reply_bytes, std::min({client, link, dhcp_reply_bytes_max}));
}

bool wants(const DhcpRequest& request, std::uint8_t option) {
  return std::find(request.wanted.begin(), request.wanted.end(), option) != request.wanted.end();
}

void write_boot(const DhcpRequest& request, const DhcpReply& reply, Writer& writer) {
  if (wants(request, bootfile_name)) writer.text(bootfile_name, reply.bootfile);
  if (wants(request, tftp_server_name) && !reply.next_server.is_unspecified())
    writer.text(tftp_server_name, to_string(reply.next_server));
}

// Those that the client asked for first.
void write_more(const DhcpRequest& request, const DhcpReply& reply, Writer& writer) {
  for (const bool now_wanted : {true, false}) {
    for (const DhcpOption& option : reply.more) {
      if (wants(request, option.code) == now_wanted) writer.bytes(option.code, option.value);
    }
  }
}

}  // namespace

std::string_view name_of(DhcpType type) {
  constexpr std::array<std::string_view, 9> names{
      "",        "DHCPDISCOVER", "DHCPOFFER",   "DHCPREQUEST", "DHCPDECLINE",
      "DHCPACK", "DHCPNAK",      "DHCPRELEASE", "DHCPINFORM"};
  return names.at(static_cast<std::size_t>(type));
}

std::string_view text_of(DhcpFault fault) {
  switch (fault) {
    case DhcpFault::too_short: return "shorter than a DHCP message";
    case DhcpFault::not_a_request: return "not from a client";
    case DhcpFault::not_ethernet: return "hardware address of another kind than Ethernet's";
    case DhcpFault::no_magic: return "BOOTP without DHCP";
    case DhcpFault::bad_option: return "malformed option";
    case DhcpFault::no_type: return "no or unknown message type";
  }
  return "";
}

std::variant<DhcpRequest, DhcpFault> parse_dhcp_request(std::span<const std::byte> message) {
  constexpr std::byte boot_request{1}, ethernet{1}, mac_bytes{6};
  if (message.size() < options_at) return DhcpFault::too_short;
  if (message[0] != boot_request) return DhcpFault::not_a_request;
  if (message[1] != ethernet || message[2] != mac_bytes) return DhcpFault::not_ethernet;
  if (load_be32(&message[magic_at]) != magic) return DhcpFault::no_magic;

  Options options;
  if (!collect(message.subspan(options_at), options) || options.overloaded.size() > 1) return DhcpFault::bad_option;
  const auto overloaded = options.overloaded.empty() ? 0U : std::to_integer<unsigned>(options.overloaded[0]);
  if ((overloaded & 1) != 0 && !collect(message.subspan(file_at, file_bytes), options)) return DhcpFault::bad_option;
  if ((overloaded & 2) != 0 && !collect(message.subspan(sname_at, sname_bytes), options)) return DhcpFault::bad_option;

  DhcpRequest request;
  if (options.type.size() != 1) return DhcpFault::no_type;
  const auto type = std::to_integer<std::uint8_t>(options.type[0]);
  if (type < static_cast<std::uint8_t>(DhcpType::discover) || type > static_cast<std::uint8_t>(DhcpType::inform))
    return DhcpFault::no_type;
  request.type = static_cast<DhcpType>(type);
  if (!read_address(options.requested, request.requested) || !read_address(options.server, request.server))
    return DhcpFault::bad_option;
  request.hops = std::to_integer<std::uint8_t>(message[3]);
  request.xid = load_be32(&message[4]);
  request.broadcast = (load_be16(&message[flags_at]) & broadcast_flag) != 0;
  request.client = Ipv4Address(load_be32(&message[ciaddr_at]));
  request.relay = Ipv4Address(load_be32(&message[giaddr_at]));
  request.mac = MacAddress::read(&message[chaddr_at]);
  const std::size_t name_bytes = std::min<std::size_t>(options.name.size(), 255);
  request.host_name.assign(reinterpret_cast<const char*>(options.name.data()), name_bytes);
  request.fqdn = read_fqdn(options.fqdn);
  request.client_id = std::move(options.client);
  for (const std::byte code : options.wanted) request.wanted.push_back(std::to_integer<std::uint8_t>(code));
  request.relay_options = std::move(options.relay);
  if (options.size.size() == 2) request.packet_bytes_max = load_be16(options.size.data());
  return request;
}

std::optional<DhcpServerSeen> parse_dhcp_answer(std::span<const std::byte> message) {
  constexpr std::byte boot_reply{2};
  if (message.size() < options_at || message[0] != boot_reply || load_be32(&message[magic_at]) != magic)
    return std::nullopt;
  Options options;
  DhcpServerSeen seen;
  if (!collect(message.subspan(options_at), options) || options.type.size() != 1) return std::nullopt;
  if (!read_address(options.server, seen.server)) return std::nullopt;
  seen.type = static_cast<DhcpType>(options.type[0]);
  if (seen.type != DhcpType::offer && seen.type != DhcpType::ack && seen.type != DhcpType::nak) return std::nullopt;
  seen.yours = Ipv4Address(load_be32(&message[yiaddr_at]));
  return seen;
}

const std::string& name_of_client(const DhcpRequest& request) {
  return request.fqdn && !request.fqdn->name.empty() ? request.fqdn->name : request.host_name;
}

std::vector<std::byte> write_dhcp_reply(const DhcpRequest& request, const DhcpReply& reply) {
  constexpr std::byte boot_reply{2}, ethernet{1}, mac_bytes{6};
  Bytes out(options_at);
  out.reserve(dhcp_reply_bytes_max);
  out[0] = boot_reply;
  out[1] = ethernet;
  out[2] = mac_bytes;
  store_be32(&out[4], request.xid);
  if (request.broadcast) store_be16(&out[flags_at], broadcast_flag);
  if (reply.type == DhcpType::ack) store_be32(&out[ciaddr_at], request.client.value());
  store_be32(&out[yiaddr_at], reply.yours.value());
  store_be32(&out[siaddr_at], reply.next_server.value());
  const auto file = std::as_bytes(std::span(reply.bootfile).first(std::min(reply.bootfile.size(), file_bytes - 1)));
  std::copy(file.begin(), file.end(), &out[file_at]);
  store_be32(&out[giaddr_at], request.relay.value());
  request.mac.write(&out[chaddr_at]);
  store_be32(&out[magic_at], magic);

  Writer writer(out, reply_bytes_max(request, reply));  // the most important first
  const auto type = static_cast<std::byte>(reply.type);
  writer.bytes(message_type, {&type, 1});
  writer.number(server_identifier, reply.server.value());
  writer.bytes(client_identifier, request.client_id);
  writer.bytes(relay_agent, request.relay_options);
  writer.seconds(lease_time, reply.lease_seconds);
  writer.seconds(renewal_time, reply.renew_seconds);
  writer.seconds(rebinding_time, reply.rebind_seconds);
  if (reply.mask) writer.number(subnet_mask, reply.mask->value());
  writer.addresses(router, reply.routers);
  writer.addresses(domain_name_server, reply.dns);
  write_boot(request, reply, writer);
  if (reply.mtu > 0) {
    std::array<std::byte, 2> raw;
    store_be16(raw.data(), reply.mtu);
    writer.bytes(interface_mtu, raw);
  }
  write_more(request, reply, writer);
  writer.text(host_name, reply.host_name);
  if (reply.fqdn) writer.bytes(client_fqdn, write_fqdn(*reply.fqdn));
  writer.text(domain_name, reply.domain);
  writer.domains(domain_search, reply.search);
  writer.text(text_message, reply.message);
  out.push_back(std::byte{end});
  if (out.size() < reply_bytes_min) out.resize(reply_bytes_min);
  return out;
}

}  // namespace lanyard
