// The gateway's part in DHCP: messages in and out (dhcp_server.h decides), those that wait for their turn or for a probe
// (lease_keeper.h), and the file of leases.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "frames/bytes.h"
#include "frames/udp4_packet.h"
#include "switchd/gateway/gateway.h"
#include "switchd/gateway/lease_file.h"
#include "switchd/gateway/lease_folder.h"

namespace lanyard {

namespace {

constexpr MacAddress every_mac(0xFFFF'FFFF'FFFF);
constexpr std::size_t dhcp_per_turn_max = 64;
constexpr std::size_t dhcp_waiting_max = limits::leases_max;  // all guests that there may be boot at once
constexpr std::int64_t save_interval_ms = 200;  // a boot of all guests is a few saves
constexpr std::int64_t save_again_ms = 5'000;   // after one that failed
constexpr std::int64_t save_report_interval_ms = 3'600'000;

// After a change of the pool, of the network or of reservations.
std::string text_of_left_out(const std::vector<Lease>& leases) {
  constexpr std::size_t named_max = 8;
  std::string named;
  for (const Lease& lease : std::span(leases).first(std::min(leases.size(), named_max)))
    named += fmt::format("{}{} ({}{}{})", named.empty() ? "" : ", ", to_string(lease.address),
                         to_string(lease.mac), lease.name.empty() ? "" : " ", lease.name);
  return fmt::format(
      "{} of the leases kept {} not of the pool any more, or reserved for another: {}{}: such a VM gets "
      "another address when it renews",
      leases.size(), leases.size() == 1 ? "is" : "are", named, leases.size() > named_max ? ", ..." : "");
}

}  // namespace

// Before the sandbox, which knows no locks.
void Gateway::take_lease_file() {
  LeasePath kept = find_lease_path(config_.name);
  if (!kept.wrong.empty()) report("lease folder", kept.wrong);
  config_.lease_file = std::move(kept.path);
  if (config_.lease_file.empty()) return;
  LeaseLock lock = lock_leases(config_.lease_file);
  lease_lock_ = std::move(lock.held);
  if (!lock.wrong.empty()) report("lease lock", lock.wrong);
  if (lock.is_anothers) return config_.lease_file.clear();
  std::string wrong;
  const std::vector<Lease> left_out = leases_.load(load_leases(config_.lease_file, wrong), now_s());
  if (!wrong.empty()) report("leases", wrong);
  if (!left_out.empty()) report("leases left out", text_of_left_out(left_out));
}

void Gateway::take_dhcp(const Udp4Packet& packet) {
  const auto parsed = parse_dhcp_request(packet.payload);
  const auto* request = std::get_if<DhcpRequest>(&parsed);
  if (request == nullptr)
    return report("malformed", fmt::format("a DHCP message from {} is left out: {}", to_string(packet.from.mac),
                                           text_of(std::get<DhcpFault>(parsed))));
  if (request->type == DhcpType::inform && request->client.is_unspecified()) return;  // whom to answer?
  // Else one VM could give up another's address and name.
  const bool gives_up = request->type == DhcpType::release || request->type == DhcpType::decline;
  if (gives_up && request->relay.is_unspecified() && packet.from.mac != request->mac)
    return report("gives up", fmt::format("{} would give up what {} has leased: its message is left out",
                                          to_string(packet.from.mac), to_string(request->mac)));
  if (dhcp_queue_.size() == dhcp_waiting_max)
    return report("dhcp", fmt::format("more than {} DHCP messages wait: some are dropped", dhcp_waiting_max));
  dhcp_queue_.push_back({*request, packet.from.mac});
}

void Gateway::serve_dhcp() {
  for (std::size_t left = dhcp_per_turn_max; left > 0 && !dhcp_queue_.empty(); --left) {
    const WaitingRequest next = std::move(dhcp_queue_.front());
    dhcp_queue_.pop_front();
    take_dhcp_request(next.request, next.from);
  }
}

void Gateway::take_dhcp_request(const DhcpRequest& request, MacAddress from) {
  const auto address = dhcp_.to_probe(request, now_s());
  if (address && keeper_.probe(*address, request.mac))
    waiting_.insert_or_assign(request.mac.value(), WaitingRequest{request, from});
  else
    answer_dhcp(request, from);
}

// Where the answer goes: RFC 2131, 4.1.
void Gateway::answer_dhcp(const DhcpRequest& request, MacAddress from) {
  waiting_.erase(request.mac.value());
  auto reply = dhcp_.answer(request, now_s());
  keeper_.answered(request.mac, now_s());
  if (!reply) return;
  const bool is_configured = std::any_of(config_.dhcp_options.begin(), config_.dhcp_options.end(),
                                         [](const std::string& option) { return option.starts_with("119:"); });
  if (config_.hosts && !is_configured && reply->type != DhcpType::nak) reply->search = search_domains();
  constexpr Ipv4Address everybody(0xFFFF'FFFF);
  Udp4Endpoint to{every_mac, everybody, dhcp_client_port};
  if (!request.relay.is_unspecified()) {
    to = {from, request.relay, dhcp_server_port};
  } else if (reply->type != DhcpType::nak) {
    if (!request.client.is_unspecified()) to = {request.mac, request.client, dhcp_client_port};
    else if (!request.broadcast) to = {request.mac, reply->yours, dhcp_client_port};
  }
  const auto message = write_dhcp_reply(request, *reply);
  send(write_udp4({{SlirpStack::mac_of(config_.router), config_.router, dhcp_server_port}, to, message}));
}

// Where another server is wanted, its answers are none of our business. The ports first, without IP options: in a hub
// everything comes here.
void Gateway::hear_dhcp_answer(std::span<const std::byte> frame) {
  if (!config_.dhcp || frame.size() < udp4_headers_bytes || load_be16(&frame[34]) != dhcp_server_port) return;
  const auto datagram = parse_udp4(frame);
  if (!datagram || datagram->from.port != dhcp_server_port || datagram->to.port != dhcp_client_port) return;
  if (const auto answer = parse_dhcp_answer(datagram->payload))
    dhcp_.hear_answer(*answer, datagram->from.address, datagram->from.mac, now_s());
}

void Gateway::ask_who_has(Ipv4Address address) {
  send(write_arp({true, SlirpStack::mac_of(config_.router), config_.router, MacAddress(), address}, every_mac));
}

// One whose address is used by somebody else is offered another, which is probed, too.
void Gateway::keep_leases() {
  for (const MacAddress client : keeper_.turn(now_ms(), now_s())) {
    const auto waiting = waiting_.find(client.value());
    if (waiting == waiting_.end()) continue;
    const WaitingRequest taken = std::move(waiting->second);
    waiting_.erase(waiting);
    take_dhcp_request(taken.request, taken.from);
  }
}

// When there is something to do.
void Gateway::wake_for_dhcp(PollSet& polled) const {
  if (!config_.lease_file.empty() && leases_.changes() != saved_changes_)
    polled.wake_within(std::max(save_interval_ms, save_next_ms_ - now_ms()));
  if (const auto next = keeper_.next_ms()) polled.wake_within(*next - now_ms());
  if (!dhcp_queue_.empty()) polled.wake_within(0);
}

void Gateway::save_leases_if_changed() {
  if (config_.lease_file.empty() || leases_.changes() == saved_changes_) return;
  if (now_ms() < save_next_ms_) return;
  const std::uint64_t changes = leases_.changes();
  const std::string wrong = save_leases(config_.lease_file, leases_.bound());
  save_next_ms_ = now_ms() + (wrong.empty() ? save_interval_ms : save_again_ms);
  if (wrong.empty()) {
    saved_changes_ = changes;
    if (std::exchange(save_failed_, false)) report("lease file again", "leases are kept again");
  } else {
    save_failed_ = true;
    report("lease file", wrong + ": until that is mended, leases are kept in memory only", save_report_interval_ms);
  }
}

}  // namespace lanyard
