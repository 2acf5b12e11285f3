// Names of hosts to bind; see the header.
#include "switchd/names_to_bind.h"

#include <fmt/format.h>

#include <asio/steady_timer.hpp>
#include <utility>

#include "switchd/resolve.h"

namespace lanyard {

struct NamesToBind::Finding {
  asio::steady_timer timer;
  std::size_t pending;
  std::function<void()> then;
  std::vector<NameResolver::LookUp> look_ups{};
};

void NamesToBind::find(const std::set<std::string>& hosts, std::function<void()> then) {
  if (hosts.empty()) return then();
  const auto finding =
      std::make_shared<Finding>(Finding{asio::steady_timer(io_, answer_max), hosts.size(), std::move(then)});
  for (const std::string& host : hosts)
    finding->look_ups.push_back(
        resolver_.look_up(host, [this, host, asked = std::weak_ptr(finding)](const NameAnswer& answer) {
          found(host, answer);
          if (const auto still = asked.lock(); still && --still->pending == 0) still->timer.cancel();
        }));
  finding->timer.async_wait([finding](const asio::error_code&) {
    finding->look_ups.clear();
    std::exchange(finding->then, nullptr)();
  });
}

void NamesToBind::look_up(const std::string& host) {
  NameResolver::LookUp& look_up = look_ups_[host];
  if (look_up) return;
  look_up = resolver_.look_up(host, [this, host](const NameAnswer& answer) {
    found(host, answer);
    look_ups_.erase(host);
  });
}

void NamesToBind::forget_all_but(const std::set<std::string>& hosts) {
  const auto is_other = [&](const auto& it) { return !hosts.contains(it.first); };
  std::erase_if(answers_, is_other);
  std::erase_if(look_ups_, is_other);
}

Opened<std::vector<SocketAddress>> NamesToBind::addresses(const HostPort& address) const {
  if (!is_name(address)) return addresses_of(address);
  const auto known = answers_.find(address.host);
  if (known == answers_.end())
    return OpenError{fmt::format("cannot resolve '{}': no answer within {} s", address.host, answer_max.count()),
                     name_unknown};
  if (known->second.addresses.empty()) return OpenError{known->second.wrong, name_unknown};
  return with_port_of(address, known->second.addresses);
}

}  // namespace lanyard
