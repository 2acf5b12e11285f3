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

bool Api::set_rewind(const std::string& network, std::uint64_t mib, std::function<void()> done) {
  const NetworkIndex index = services_.topology.networks().at(network).index;
  if (observation_.rewind_mib(index) == mib) {
    done();
    return true;
  }
  std::unique_ptr<Rewind> fresh;
  try {
    if (mib > 0) fresh = std::make_unique<Rewind>(mib * limits::mebi);
  } catch (const std::system_error&) {
    return false;
  }
  observation_.set_rewind(index, std::move(fresh), [this, network, mib, done = std::move(done)] {
    tell(EventKind::network_changed, {}, network,
         mib > 0 ? fmt::format("network {} keeps {} MiB of its past", network, mib)
                 : fmt::format("network {} keeps none of its past", network));
    done();
  });
  return true;
}

}  // namespace lanyard::control
