// The life of one configured port: opened and closed; topology.h has the theory.
#include <asio/post.hpp>
#include <utility>

#include "switchd/topology.h"

namespace lanyard {

std::optional<OpenError> Topology::open(const PortConfig& complete, const PortConfig& written) {
  const std::string& name = complete.name;
  Entry& entry = entries_[name];
  entry.config = complete;
  entry.written = written;
  entry.control = make_port_control(complete, *this);
  if (auto error = entry.control->open()) {
    entry.control->stop();
    retire(std::move(entry.control));
    entries_.erase(name);
    registry_.remove(name);
    return error;
  }
  if (begun_) entry.control->begin();
  return std::nullopt;
}

// No further connections; its transports go, and when the last is back it is out of use.
void Topology::close(const std::string& name, std::function<void()> closed) {
  Entry& entry = entries_.at(name);
  entry.closed = std::move(closed);
  entry.control->stop();
  const std::vector<std::uint64_t> transports = transports_of(*entry.control);
  for (const std::uint64_t serial : transports) {
    Command detach;
    detach.kind = Command::Kind::detach;
    detach.serial = serial;
    services_.link.send(std::move(detach));
  }
  if (transports.empty()) finish_close(name);
}

void Topology::finish_close(const std::string& name) {
  Entry& entry = entries_.at(name);
  entry.control->stopped();
  retire(std::move(entry.control));
  registry_.remove(name);
  std::exchange(entry.closed, nullptr)();
}

// Handlers that were cancelled are still to be called; they are ahead of what is posted now. A look-up of a name cannot
// be cancelled, and its port is kept until the end of the process.
void Topology::retire(std::unique_ptr<PortControl> control) {
  const PortControl* const which = control.get();  // the others' handlers may be behind
  retired_.push_back(std::move(control));
  asio::post(services_.io, [this, which] {
    asio::post(services_.io, [this, which] {
      std::erase_if(retired_, [&](const auto& one) { return one.get() == which && !one->is_resolving(); });
    });
  });
}

std::vector<std::uint64_t> Topology::transports_of(const PortControl& control) const {
  std::vector<std::uint64_t> serials;
  for (const auto& [serial, owner] : owners_)
    if (owner == &control) serials.push_back(serial);
  return serials;
}

}  // namespace lanyard
