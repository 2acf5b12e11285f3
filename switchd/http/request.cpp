// HTTP requests as messages; see the header.
#include "switchd/http/request.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "switchd/control/json.h"
#include "switchd/control/words.h"

namespace lanyard::http {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

// A verb of control.proto by HTTP.
struct Route {
  Endpoint endpoint;
  const FieldDescriptor* verb;
};

Route route_of(const FieldDescriptor& verb) {
  for (const std::string_view reading : {"get_", "list_", "watch_"})
    if (verb.name().starts_with(reading)) return {{"GET", "/v1/" + verb.name().substr(reading.size())}, &verb};
  return {{&verb == v1::Request::descriptor()->FindFieldByName("capture") ? "GET" : "POST", "/v1/" + verb.name()}, &verb};
}

const std::vector<Route>& routes() {
  static const std::vector<Route> all = [] {
    std::vector<Route> made;
    const auto& verbs = *v1::Request::descriptor()->FindOneofByName("verb");
    for (int i = 0; i < verbs.field_count(); ++i)
      if (verbs.field(i)->name() != "cancel") made.push_back(route_of(*verbs.field(i)));
    return made;
  }();
  return all;
}

const Route* find_route(std::string_view path) {
  const auto found = std::find_if(routes().begin(), routes().end(),
                                  [&](const Route& route) { return route.endpoint.path == path; });
  return found == routes().end() ? nullptr : &*found;
}

Fault no_such_path(std::string_view path) {
  std::vector<std::string_view> paths;
  for (const Route& route : routes()) paths.push_back(route.endpoint.path);
  return fault(v1::Error::NOT_FOUND, unknown_word("path", path, paths));
}

// Empty: it is good.
std::string read_value(const FieldDescriptor& field, const std::string& text, Json& value) {
  if (field.type() == FieldDescriptor::TYPE_BOOL) {
    if (text != "true" && text != "false")
      return fmt::format("{}: expected true or false, not {}", field.name(), in_quotes(text));
    value = text == "true";
  } else if (field.type() == FieldDescriptor::TYPE_STRING) {
    value = text;
  } else {
    const std::uint64_t max = field.type() == FieldDescriptor::TYPE_UINT32 ? UINT32_MAX : UINT64_MAX;
    const auto number = parse_number(text, 0, max);
    if (!number) return fmt::format("{}: expected a number from 0 to {}, not {}", field.name(), max, in_quotes(text));
    value = *number;
  }
  return {};
}

// The fields of a verb as JSON, of a query.
std::string read_query(const Descriptor& verb, const Query& query, Json& json) {
  for (const auto& [name, text] : query) {
    const FieldDescriptor* field = verb.FindFieldByName(name);
    if (field == nullptr) {
      std::vector<std::string_view> names;
      for (int i = 0; i < verb.field_count(); ++i) names.push_back(verb.field(i)->name());
      return names.empty() ? fmt::format("unknown field {}: there are none here", in_quotes(name))
                           : unknown_word("field", name, names);
    }
    Json value;
    if (std::string wrong = read_value(*field, text, value); !wrong.empty()) return wrong;
    if (field->is_repeated()) json[name].push_back(std::move(value));
    else json[name] = std::move(value);  // of several the last one counts
  }
  return {};
}

}  // namespace

std::variant<v1::Request, Fault> read_request(std::string_view method, std::string_view path, const Query& query,
                                              std::string_view body) {
  const Route* route = find_route(path);
  if (route == nullptr) return no_such_path(path);
  if (route->endpoint.method != method) return wrong_method(path, route->endpoint.method, method);
  const bool reads = method == "GET";
  if (reads && !body.empty()) return fault(v1::Error::INVALID, "expected fields in the query, not in a body");
  if (!reads && !query.empty()) return fault(v1::Error::INVALID, "expected fields as JSON in the body, not in a query");

  v1::Request request;
  request.set_id(1);
  auto& verb = *request.GetReflection()->MutableMessage(&request, route->verb);
  std::string wrong;
  std::string text(body);
  if (reads) {
    Json json = Json::object();
    if (verb.GetDescriptor() == v1::WatchEvents::descriptor()) json["follow"] = true;  // unless it says otherwise
    wrong = read_query(*verb.GetDescriptor(), query, json);
    text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  if (wrong.empty() && !text.empty()) wrong = control::from_json(text, verb);
  if (!wrong.empty()) return fault(v1::Error::INVALID, std::move(wrong));
  return request;
}

unsigned status_of(v1::Error::Code code) {
  switch (code) {
    case v1::Error::INVALID: return 400;
    case v1::Error::NOT_FOUND:
    case v1::Error::UNKNOWN_VERB: return 404;
    case v1::Error::CONFLICT: return 409;
    case v1::Error::LIMIT: return 429;
    case v1::Error::UNAVAILABLE: return 503;
    case v1::Error::UNAUTHENTICATED: return 401;
    case v1::Error::PERMISSION_DENIED: return 403;
    case v1::Error::METHOD_NOT_ALLOWED: return 405;
    default: return 500;
  }
}

Fault fault(v1::Error::Code code, std::string message) {
  Fault made;
  made.status = status_of(code);
  made.error.set_code(code);
  made.error.set_message(std::move(message));
  return made;
}

Fault wrong_method(std::string_view path, std::string_view allowed, std::string_view method) {
  Fault made = fault(v1::Error::METHOD_NOT_ALLOWED,
                     fmt::format("{}: expected {}, not {}", path, allowed, printable(method)));
  made.allow = allowed == "GET" ? "GET, HEAD" : allowed;
  return made;
}

const std::vector<Endpoint>& endpoints() {
  static const std::vector<Endpoint> all = [] {
    std::vector<Endpoint> made;
    for (const Route& route : routes()) made.push_back(route.endpoint);
    return made;
  }();
  return all;
}

}  // namespace lanyard::http
