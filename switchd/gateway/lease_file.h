// Leases on disk, so that guests keep their addresses when the gateway or the host starts again. Replaced as
// a whole and atomically: a reader finds the old or the new file, never half of one.
#pragma once

#include <string>
#include <vector>

#include "switchd/gateway/lease_table.h"

namespace lanyard {

// An empty string, or what went wrong.
[[nodiscard]] std::string save_leases(const std::string& path, const std::vector<Lease>& leases);
// A file that is not there has no leases. One that cannot be read is told in `wrong` and left as it is.
[[nodiscard]] std::vector<Lease> load_leases(const std::string& path, std::string& wrong);
// What a file says; false, and no leases, where it is none of ours.
[[nodiscard]] std::string write_lease_text(const std::vector<Lease>& leases);
[[nodiscard]] bool read_lease_text(const std::string& text, std::vector<Lease>& leases);

}  // namespace lanyard
