// What the kernel counts of an interface of this host, by rtnetlink (rtnetlink(7), RTM_GETSTATS of Linux 4.7): that asks
// the process's own network namespace, where /sys shows that of whoever mounted it. Needs no rights.
//
// The kernel answers while it holds the lock of all interfaces' configuration, so an answer may take as long as somebody
// else's change of it: not for the data thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "transports/fd.h"

namespace lanyard {

class InterfaceStatistics {
 public:
  // Of the interface that has this name now, whatever it is called later. What cannot be asked is never known.
  explicit InterfaceStatistics(const std::string& interface);

  // Frames that the host wanted to send by it and the kernel dropped, since the interface was made. Nothing where it is
  // gone, or in another namespace.
  [[nodiscard]] std::optional<std::uint64_t> tx_dropped() const;

 private:
  Fd fd_;
  int index_ = 0;
};

}  // namespace lanyard
