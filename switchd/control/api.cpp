// The verbs that only read, and the way of all requests; see the header. Changes: api_change.cpp, streams:
// api_streams.cpp, captures and mirrors: api_observe.cpp.
#include "switchd/control/api.h"

#include <fmt/format.h>
#include <google/protobuf/arena.h>
#include <unistd.h>

#include <fstream>

#include "frames/utf8.h"
#include "switchd/control/refusals.h"
#include "switchd/control/views.h"
#include "switchd/guarded.h"
#include "switchd/log.h"

namespace lanyard::control {

namespace {

constexpr std::uint32_t protocol_version = 1;

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");  // proc(5): pages, the second number is what is resident
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

template <typename Duration>
std::uint64_t count_of(Duration duration) {
  return static_cast<std::uint64_t>(duration.count());
}

}  // namespace

void Api::Asked::send(v1::Response& response) const {
  const auto asker = client.lock();
  if (!asker) return;
  response.set_id(id);
  asker->respond(response);
}

void Api::Asked::done(std::uint64_t count) const {
  v1::Response response;
  response.mutable_done()->set_count(count);
  respond(std::move(response));
}

void Api::Asked::show(std::vector<v1::Ports> parts) const {
  for (v1::Ports& part : parts) {
    v1::Response response;
    response.set_more(&part != &parts.back());
    *response.mutable_ports() = std::move(part);
    respond(std::move(response));
  }
}

void Api::Asked::refuse(const Refusal& refusal) const {
  v1::Response response;
  fill_refusal(refusal, *response.mutable_error());
  respond(std::move(response));
}

void Api::Asked::refuse(v1::Error::Code code, const std::string& message) const {
  v1::Response response;
  response.mutable_error()->set_code(code);
  response.mutable_error()->set_message(as_utf8(message));
  respond(std::move(response));
}

// The rest of the daemon is as configured by now; what it keeps of the past is this one's.
void Api::begin() {
  ready_ = true;
  Rewinds rewinds;
  if (const auto refused = reserve_rewinds(services_.topology.config(), rewinds)) log_error("{}", refused->message);
  set_rewinds(std::move(rewinds), [] {});
}

void Api::handle(const v1::Request& request, const std::shared_ptr<Client>& client) {
  const Asked asked{request.id(), client};
  if (request.id() == 0) return asked.refuse(v1::Error::INVALID, "id: expected a number that is not 0");
  if (stopping_) return asked.refuse(v1::Error::UNAVAILABLE, "the daemon stops");
  bool is_known = true;
  const bool went_well = guarded("a request", [&] {
    is_known = handle_reading(request, asked) || handle_change(request, asked) || handle_stream(request, asked);
  });
  if (!went_well) asked.refuse(internal_fault());
  else if (!is_known) asked.refuse(v1::Error::UNKNOWN_VERB, "no verb, or one that this daemon does not know");
}

bool Api::handle_reading(const v1::Request& request, const Asked& asked) {
  switch (request.verb_case()) {
    case v1::Request::kGetVersion: {
      v1::Response response;
      response.mutable_version()->set_version(LANYARD_VERSION);
      response.mutable_version()->set_protocol(protocol_version);
      asked.respond(std::move(response));
      return true;
    }
    case v1::Request::kGetStatus: status(asked); return true;
    case v1::Request::kListNetworks: list_networks(request.list_networks(), asked); return true;
    case v1::Request::kListPorts: list_ports(request.list_ports(), asked); return true;
    case v1::Request::kListMacs: list_macs(request.list_macs(), asked); return true;
    case v1::Request::kListMirrors: list_mirrors(asked); return true;
    default: return false;
  }
}

void Api::status(const Asked& asked) const {
  v1::Response response;
  v1::Status& status = *response.mutable_status();
  status.set_version(LANYARD_VERSION);
  status.set_pid(static_cast<std::uint64_t>(::getpid()));
  status.set_engine(engine_);
  using std::chrono::duration_cast;
  status.set_uptime_ms(
      count_of(duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started_)));
  status.set_started_unix_ns(count_of(duration_cast<std::chrono::nanoseconds>(started_at_.time_since_epoch())));
  status.set_networks(services_.topology.networks().size());
  const auto& records = services_.topology.registry().records();
  status.set_ports(records.size());
  for (const auto& [name, record] : records)
    if (record.state == "up") status.set_ports_up(status.ports_up() + 1);
  for (const std::string& where : listens_) status.add_control(as_utf8(where));
  const LoopCounters& loop = dataplane_->loop();
  fill_loop(loop, *status.mutable_loop());
  status.mutable_chunks()->set_capacity(dataplane_->chunk_capacity());
  status.mutable_chunks()->set_used(loop.chunks_used.get());
  status.mutable_slots()->set_capacity(dataplane_->slot_capacity());
  status.mutable_slots()->set_used(loop.slots_used.get());
  status.set_resident_bytes(resident_bytes());
  asked.respond(std::move(response));
}

void Api::list_networks(const v1::ListNetworks& verb, const Asked& asked) {
  if (const auto refusal = check_network(verb.name())) return asked.refuse(*refusal);
  v1::Response response;
  v1::Networks& view = *response.mutable_networks();
  fill_networks(services_.topology, verb.name(), view);
  for (v1::Network& one : *view.mutable_networks())
    one.set_rewind_mib(observation_.rewind_mib(services_.topology.networks().at(one.name()).index));
  asked.respond(std::move(response));
}

void Api::list_ports(const v1::ListPorts& verb, const Asked& asked) {
  if (const auto refusal = check_port(verb.name())) return asked.refuse(*refusal);
  if (const auto refusal = check_network(verb.network())) return asked.refuse(*refusal);
  asked.show(control::list_ports(services_.topology, verb.name(), verb.network()));
}

void Api::list_macs(const v1::ListMacs& verb, const Asked& asked) {
  if (const auto refusal = check_network(verb.network())) return asked.refuse(*refusal);
  if (const auto refusal = check_port(verb.port())) return asked.refuse(*refusal);
  MacListing::Hooks hooks;
  hooks.slice = [this, asked, port = verb.port()](const std::string& network, const std::vector<KnownStation>& slice) {
    google::protobuf::Arena memory;  // of all that a slice is made of: there are a hundred slices in a full table
    v1::Response& response = *google::protobuf::Arena::CreateMessage<v1::Response>(&memory);
    response.set_more(true);
    for (const KnownStation& known : slice) {
      const std::string_view name = services_.topology.registry().name_of(known.port.get());
      if (!port.empty() && name != port && !name.starts_with(port + ".")) continue;
      v1::Mac& mac = *response.mutable_macs()->add_macs();
      mac.set_network(network);
      mac.set_mac(to_string(known.station));
      mac.set_port(std::string(name));
      mac.set_age_s(known.age_ns / 1'000'000'000);
    }
    if (response.macs().macs_size() > 0) asked.send(response);
  };
  hooks.pace = [asked](std::function<void()> next) {
    if (const auto client = asked.client.lock()) client->when_ready(std::move(next));
  };
  hooks.exists = [this](const MacListing::NamedNetwork& network) { return services_.topology.has(network); };
  hooks.end = [asked] {
    v1::Response response;
    response.mutable_macs();
    asked.respond(std::move(response));
  };
  MacListing::begin(services_.link, services_.topology.network_list(verb.network()), std::move(hooks));
}

// --- What many verbs check. An empty name means all.

std::optional<Refusal> Api::check_port(const std::string& name) const {
  if (name.empty() || services_.topology.registry().find(name) != nullptr) return std::nullopt;
  return unknown_port(services_.topology, name);
}

std::optional<Refusal> Api::check_network(const std::string& name) const {
  if (name.empty() || services_.topology.networks().contains(name)) return std::nullopt;
  return unknown_network(services_.topology, name);
}

}  // namespace lanyard::control
