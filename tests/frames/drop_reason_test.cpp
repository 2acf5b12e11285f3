// The names under which drops appear in logs, statistics and documents, and that counters file them on the
// right side.
#include "frames/drop_reason.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "frames/counters.h"

namespace drop_reason_test {

using namespace lanyard;

TEST_CASE("every drop reason has a name of its own and a sentence for people") {
  std::set<std::string_view> names;
  for (const DropReasonInfo& entry : drop_reasons) {
    CAPTURE(entry.name);
    CHECK(names.insert(entry.name).second);
    CHECK(std::all_of(entry.name.begin(), entry.name.end(),
                      [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }));
    CHECK(entry.text.size() > 10);
    CHECK(&info(entry.reason) == &entry);
  }
  CHECK(names.size() == drop_reason_count);
}

TEST_CASE("the names of drop reasons are those scripts rely on") {
  std::set<std::string> ingress;
  std::set<std::string> egress;
  for (const DropReasonInfo& entry : drop_reasons)
    (entry.side == DropSide::ingress ? ingress : egress).emplace(entry.name);
  for (const char* name : {"runt", "oversize", "bad_length", "no_buffer", "unknown_source", "echo",
                           "same_port", "no_destination", "reserved_mac"}) {
    CAPTURE(name);
    CHECK(ingress.count(name) == 1);
  }
  for (const char* name : {"egress_full", "mtu", "send_error", "port_down"}) {
    CAPTURE(name);
    CHECK(egress.count(name) == 1);
  }
}

TEST_CASE("the drops of a port add up by side") {
  PortCounters counters;
  counters.drop(DropReason::runt);
  counters.drop(DropReason::same_port, 4);
  counters.drop(DropReason::egress_full, 7);
  CHECK(counters.dropped(DropSide::ingress) == 5);
  CHECK(counters.dropped(DropSide::egress) == 7);
}

}  // namespace drop_reason_test
