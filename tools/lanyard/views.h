// Answers of the daemon as text for people: tables and lists. Pure.
#pragma once

#include <string>

#include "switchd/control.pb.h"
#include "tools/lanyard/table.h"

namespace lanyard::cli {

// The result of a response, whichever it is. Done is silent, as commands are that did as they were told.
[[nodiscard]] std::string text_of(const v1::Response& response, Style style);

[[nodiscard]] std::string qemu_text(const v1::Ports& ports, Style style);   // options to paste
[[nodiscard]] std::string stats_text(const v1::Ports& ports, Style style);  // all counters, exactly
[[nodiscard]] std::string flushed_text(const v1::Done& done);
[[nodiscard]] std::string events_text(const v1::Events& events, Style style);
// Of drops, those at ingress and egress together.
[[nodiscard]] std::uint64_t drops_of(const v1::Counters& counters);
[[nodiscard]] Colour colour_of_state(std::string_view state);

}  // namespace lanyard::cli
