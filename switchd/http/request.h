// What an HTTP request asks for, as a Request of control.proto:
//
//   GET  /v1/NOUN?FIELD=VALUE&...   a verb that only reads: get_status is /v1/status, list_ports is /v1/ports, watch_events
//                                   is /v1/events. A field that is a list may come several times
//   POST /v1/VERB                   any other: /v1/add_port, with the verb as JSON in the body; no body: no fields
//
// Made of the descriptors of control.proto, so that a verb that is added there is one here. `cancel` is not: a stream
// ends when its connection does. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "switchd/control.pb.h"

namespace lanyard::http {

// A response that is an error, with what HTTP says of it (RFC 9110, 15).
struct Fault {
  unsigned status = 400;
  v1::Error error;
  std::string allow;  // of 405: the method that there is
};

using Query = std::vector<std::pair<std::string, std::string>>;

// `path` begins with '/' and has no query. Response: the request, its id being 1, or what is wrong.
[[nodiscard]] std::variant<v1::Request, Fault> read_request(std::string_view method, std::string_view path,
                                                            const Query& query, std::string_view body);

// The status for an error of the API.
[[nodiscard]] unsigned status_of(v1::Error::Code code);
[[nodiscard]] Fault fault(v1::Error::Code code, std::string message);
[[nodiscard]] Fault wrong_method(std::string_view path, std::string_view allowed, std::string_view method);

struct Endpoint {
  std::string_view method;  // "GET" or "POST"
  std::string path;         // "/v1/ports"
};
[[nodiscard]] const std::vector<Endpoint>& endpoints();

}  // namespace lanyard::http
