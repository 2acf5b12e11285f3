// HTTP requests as messages (switchd/http/request.h): whatever the path, the query and the body are, they are a request
// of the API, or an error with a status and a message. The input: lines of method, path, NAME=VALUE..., an empty line,
// and the body.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "switchd/http/request.h"

using namespace lanyard;

namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view method = take_line(text);
  const std::string_view path = take_line(text);
  http::Query query;
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    const std::size_t equals = line.find('=');
    query.emplace_back(line.substr(0, equals), equals == line.npos ? std::string_view() : line.substr(equals + 1));
  }
  const auto read = http::read_request(method, path, query, text);
  if (const auto* fault = std::get_if<http::Fault>(&read)) {
    if (fault->status < 400 || fault->error.message().empty()) std::abort();
  } else if (std::get<v1::Request>(read).verb_case() == v1::Request::VERB_NOT_SET) {
    std::abort();
  }
  return 0;
}
