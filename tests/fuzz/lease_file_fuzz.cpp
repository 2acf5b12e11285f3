// Feeds the reader of a file of leases. It never throws, what it takes, written and read again, is the same, and a
// table of leases makes of it what guests can live with.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "frames/check.h"
#include "switchd/gateway/lease_file.h"

using namespace lanyard;

namespace {

bool same(const Lease& a, const Lease& b) {
  return a.mac == b.mac && a.address == b.address && a.name == b.name && a.state == b.state &&
         a.expires_s == b.expires_s;
}

void check_table(const std::vector<Lease>& leases) {
  const Reservation reserved{MacAddress(0x5254'0000'0001), Ipv4Address(0x0A00'0210), "web"};
  LeaseTable table({Ipv4Address(0x0A00'020F), Ipv4Address(0x0A00'0220), 3600, {reserved}});
  table.load(leases, 1'700'000'000);
  LANYARD_CHECK(table.bound().size() <= table.capacity());
  std::set<std::uint64_t> macs;
  std::set<std::string> names;
  for (const Lease& lease : table.bound()) {
    LANYARD_CHECK(lease.mac != reserved.mac && lease.address != reserved.address && lease.name != reserved.name);
    LANYARD_CHECK(macs.insert(lease.mac.value()).second);
    LANYARD_CHECK(lease.name.empty() || names.insert(lease.name).second);
    LANYARD_CHECK(dns_label(lease.name) == lease.name);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<Lease> leases;
  if (!read_lease_text(std::string(reinterpret_cast<const char*>(data), size), leases)) {
    LANYARD_CHECK(leases.empty());
    return 0;
  }
  std::vector<Lease> again;
  LANYARD_CHECK(read_lease_text(write_lease_text(leases), again));
  LANYARD_CHECK(std::equal(leases.begin(), leases.end(), again.begin(), again.end(), same));
  check_table(leases);
  return 0;
}
