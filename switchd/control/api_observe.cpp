// The verbs for those who watch frames: captures, mirrors, and the recent past of a network.
#include <fmt/format.h>

#include <system_error>

#include "switchd/config_text.h"
#include "switchd/control/api.h"
#include "switchd/control/views.h"

namespace lanyard::control {

namespace {

// "web and lab", "network lan"
std::string mirrored(const v1::AddMirror& verb) {
  if (verb.ports().empty()) return "network " + verb.network();
  return fmt::format("{}", fmt::join(verb.ports(), ", "));
}

}  // namespace

void Api::capture(const v1::Capture& verb, const Asked& asked) {
  if (!ready_) return asked.refuse(v1::Error::UNAVAILABLE, "the daemon is starting");
  CaptureSpec spec;
  auto selected = observation_.select(verb.ports(), verb.network());
  if (selected.refusal) return asked.refuse(*selected.refusal);
  spec.ports = std::move(selected.ports);
  if (!read_direction(verb.direction(), spec.inbound, spec.outbound))
    return asked.refuse(v1::Error::INVALID,
                        fmt::format("direction: expected in or out, not {}", in_quotes(verb.direction())));
  if (verb.last_ms() > 0 && !observation_.keeps_past(verb.network()))
    return asked.refuse(v1::Error::INVALID,
                        fmt::format("last_ms: {} of its past; set rewind_mib first",
                                    verb.network().empty() ? "no network keeps any"
                                                           : fmt::format("network {} keeps nothing", verb.network())));
  spec.drops = verb.drops();
  spec.snap_bytes = verb.snap_bytes();
  auto stream = std::make_unique<CaptureStream>(
      CaptureStream::Services{io_, observation_, services_.topology, filters_}, verb, std::move(spec), asked.id,
      asked.client);
  CaptureStream& begun = *stream;
  if (keep(std::move(stream), asked)) begun.begin();
}

void Api::add_mirror(const v1::AddMirror& verb, const Asked& asked) {
  const auto refusal = observation_.add_mirror(verb, [this, verb, asked] {
    tell(EventKind::port_changed, verb.to(), verb.network(),
         fmt::format("port {} mirrors {}", verb.to(), mirrored(verb)));
    asked.done(1);
  });
  if (refusal) asked.refuse(*refusal);
}

void Api::remove_mirror(const v1::RemoveMirror& verb, const Asked& asked) {
  const auto refusal = observation_.remove_mirror(verb.to(), [this, verb, asked] {
    tell(EventKind::port_changed, verb.to(), {}, fmt::format("port {} mirrors nothing any more", verb.to()));
    asked.done(1);
  });
  if (refusal) asked.refuse(*refusal);
}

void Api::list_mirrors(const Asked& asked) {
  v1::Response response;
  observation_.fill_mirrors(*response.mutable_mirrors());
  asked.respond(std::move(response));
}

std::optional<Refusal> Api::reserve_rewinds(const Config& wanted, Rewinds& rewinds) const {
  for (const auto& [name, network] : wanted.networks) {
    const auto present = services_.topology.networks().find(name);
    const bool exists = present != services_.topology.networks().end();
    if ((exists ? observation_.rewind_mib(present->second.index) : 0) == network.rewind_mib) continue;
    try {
      rewinds[name] = network.rewind_mib > 0 ? std::make_unique<Rewind>(network.rewind_mib * limits::mebi) : nullptr;
    } catch (const std::system_error&) {
      return Refusal{Refusal::Kind::unavailable,
                     fmt::format("network '{}': rewind: there is no address space for {} MiB", name, network.rewind_mib),
                     {}};
    }
  }
  return std::nullopt;
}

void Api::set_rewinds(Rewinds rewinds, std::function<void()> done) {
  auto open = std::make_shared<std::size_t>(rewinds.size() + 1);
  const auto one_set = [open, done = std::move(done)] {
    if (--*open == 0) done();
  };
  for (auto& [name, rewind] : rewinds)
    observation_.set_rewind(services_.topology.networks().at(name).index, std::move(rewind), one_set);
  one_set();
}

}  // namespace lanyard::control
