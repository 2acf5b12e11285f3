// One HTTP request that is being answered; see the header.
#include "switchd/http/exchange.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <asio/post.hpp>
#include <utility>

#include "frames/limits.h"
#include "switchd/control/json.h"

namespace lanyard::http {

// Of RESTinio's response builders: a head only, which does not say how long a body would be.
struct HeadOnly {};

}  // namespace lanyard::http

template <>
class restinio::response_builder_t<lanyard::http::HeadOnly> final
    : public restinio::base_response_builder_t<restinio::response_builder_t<lanyard::http::HeadOnly>> {
 public:
  using base_response_builder_t::base_response_builder_t;

  void done() {
    const auto connection = std::move(m_connection);
    restinio::writable_items_container_t parts;
    parts.emplace_back(restinio::impl::create_header_string(
        m_header, restinio::impl::content_length_field_presence_t::skip_content_length));
    restinio::write_group_t group(std::move(parts));
    group.status_line_size(calculate_status_line_size());
    connection->write_response_parts(
        m_request_id,
        {restinio::response_parts_attr_t::final_parts, restinio::response_connection_attr(m_header.should_keep_alive())},
        std::move(group));
  }
};

namespace lanyard::http {

namespace {

using google::protobuf::Message;

constexpr std::string_view json_type = "application/json";
constexpr std::string_view events_type = "text/event-stream";
constexpr std::string_view capture_type = "application/x-pcapng";

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 429: return "Too Many Requests";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
  }
}

restinio::http_status_line_t status_line(unsigned status) {
  return {restinio::http_status_code_t(static_cast<std::uint16_t>(status)), std::string(reason_phrase(status))};
}

// The member of `result` that is set; null where there is none.
const Message* result_of(const v1::Response& response) {
  const auto* field = response.GetReflection()->GetOneofFieldDescriptor(
      response, v1::Response::descriptor()->FindOneofByName("result"));
  return field == nullptr ? nullptr : &response.GetReflection()->GetMessage(response, field);
}

std::string server_sent(std::string_view kind, const std::string& json) {
  return fmt::format("event: {}\ndata: {}\n\n", kind, json);
}

std::string server_sent(const v1::Events& events) {
  std::string text;
  if (events.lost() > 0) text += server_sent("lost", fmt::format("{{\"lost\":{}}}", events.lost()));
  for (const v1::Event& event : events.events())
    text += fmt::format("id: {}\n", event.number()) + server_sent(event.kind(), control::to_json(event));
  return text;
}

// The elements of a message that is a list and nothing else.
std::string elements(const Message& list, bool& first) {
  std::string text;
  const auto& field = *list.GetDescriptor()->field(0);
  for (int i = 0; i < list.GetReflection()->FieldSize(list, &field); ++i) {
    if (!std::exchange(first, false)) text += ',';
    text += control::to_json(list.GetReflection()->GetRepeatedMessage(list, &field, i));
  }
  return text;
}

}  // namespace

void answer(const restinio::request_handle_t& request, unsigned status, std::string_view content_type, std::string body,
            const std::vector<std::pair<std::string, std::string>>& headers) {
  auto response = request->create_response<restinio::user_controlled_output_t>(status_line(status));
  response.append_header(restinio::http_field::content_type, std::string(content_type));
  response.append_header(restinio::http_field::cache_control, "no-store");
  for (const auto& [name, value] : headers) response.append_header(name, value);
  if (status == 403) response.connection_close();  // they have nothing more to ask
  response.set_content_length(body.size());
  // The answer to HEAD has no body, but tells of it (RFC 9110, 9.3.2).
  if (request->header().method() != restinio::http_method_head()) response.set_body(std::move(body));
  response.done();
}

void answer_head(const restinio::request_handle_t& request, std::string_view content_type) {
  auto response = request->create_response<HeadOnly>(status_line(200));
  response.append_header(restinio::http_field::content_type, std::string(content_type));
  response.append_header(restinio::http_field::cache_control, "no-store");
  response.done();
}

std::string_view type_of_pieces(const v1::Request& request) {
  switch (request.verb_case()) {
    case v1::Request::kWatchEvents:
    case v1::Request::kWatchStats: return events_type;
    case v1::Request::kCapture: return capture_type;
    case v1::Request::kListMacs: return json_type;
    default: return {};
  }
}

void answer(const restinio::request_handle_t& request, const Fault& fault) {
  std::vector<std::pair<std::string, std::string>> headers;
  if (!fault.allow.empty()) headers.emplace_back("Allow", fault.allow);
  if (fault.status == 401) headers.emplace_back("WWW-Authenticate", "Bearer");
  answer(request, fault.status, json_type, fmt::format("{{\"error\":{}}}\n", control::to_json(fault.error)), headers);
}

void Exchange::respond(const v1::Response& response) {
  if (!request_) return;
  const bool in_pieces = stream_ || response.has_events() || response.has_macs();
  if (chunked_ || (in_pieces && !response.has_error() && !response.has_done())) {
    respond_part(response);
  } else {
    whole_.MergeFrom(response);  // lists grow
    if (!response.more()) respond_whole(whole_);
  }
  if (!response.more()) end();
}

void Exchange::respond_whole(const v1::Response& response) {
  if (response.has_error()) {
    Fault fault;
    fault.status = status_of(response.error().code());
    fault.error = response.error();
    return answer(request_, fault);
  }
  const Message* result = result_of(response);
  answer(request_, 200, json_type, (result == nullptr ? "{}" : control::to_json(*result)) + "\n");
}

void Exchange::respond_part(const v1::Response& response) {
  switch (response.result_case()) {
    case v1::Response::kEvents:
      begin_chunked(events_type);
      return send(server_sent(response.events()));
    case v1::Response::kPorts:
      begin_chunked(events_type);
      return send(server_sent("ports", control::to_json(response.ports())));
    case v1::Response::kCaptureData:
      begin_chunked(capture_type);
      return send(response.capture_data().header() + response.capture_data().records());
    case v1::Response::kError:
      if (sends_events_) send(server_sent("error", control::to_json(response.error())));
      return;
    case v1::Response::kMacs:
      if (!chunked_) {
        begin_chunked(json_type);
        send("{\"macs\":[");
        tail_ = "]}\n";
      }
      return send(elements(response.macs(), first_of_list_));
    default: return;  // `done`: the end of a stream
  }
}

void Exchange::begin_events() {
  if (!request_ || chunked_) return;
  begin_chunked(events_type);
  chunked_->flush();
}

void Exchange::begin_chunked(std::string_view content_type) {
  if (chunked_) return;
  sends_events_ = content_type == events_type;
  chunked_.emplace(request_->create_response<restinio::chunked_output_t>(status_line(200)));
  chunked_->append_header(restinio::http_field::content_type, std::string(content_type));
  chunked_->append_header(restinio::http_field::cache_control, "no-store");
}

void Exchange::send(std::string bytes) {
  if (bytes.empty()) return;
  const std::size_t size = bytes.size();
  waiting_bytes_ += size;
  chunked_->append_chunk(std::move(bytes));
  chunked_->flush([weak = weak_from_this(), size](const asio::error_code&) {
    if (const auto self = weak.lock()) self->wrote(size);
  });
}

void Exchange::wrote(std::size_t bytes) {
  waiting_bytes_ -= bytes;
  if (is_behind()) return;
  for (auto& fn : std::exchange(ready_, {})) asio::post(io_, std::move(fn));
}

void Exchange::end() {
  if (chunked_) {
    if (!tail_.empty()) chunked_->append_chunk(std::move(tail_));
    chunked_->done();
    chunked_.reset();
  }
  request_.reset();
  over_();
}

void Exchange::end_of_stream() {
  if (!request_ || !stream_) return;
  (void)end_stream(stream_id_);
  if (!request_) return;  // it had a last word
  if (!chunked_) answer(request_, fault(v1::Error::INVALID, "a further request came before this was answered"));
  end();
}

void Exchange::finish() {
  if (request_ && !chunked_ && !stream_) answer(request_, fault(v1::Error::UNAVAILABLE, "the daemon stops"));
  gone();
}

void Exchange::gone() {
  chunked_.reset();
  request_.reset();
  ready_.clear();
  stream_.reset();
}

bool Exchange::is_behind() const { return waiting_bytes_ > limits::control_waiting_bytes_soft_max; }

void Exchange::when_ready(std::function<void()> fn) {
  if (!request_) return;
  if (is_behind()) ready_.push_back(std::move(fn));
  else asio::post(io_, std::move(fn));
}

bool Exchange::keep_stream(std::uint64_t id, std::unique_ptr<control::Stream> stream) {
  if (stream_ || !request_) return false;
  stream_ = std::move(stream);
  stream_id_ = id;
  return true;
}

bool Exchange::end_stream(std::uint64_t id) {
  if (!stream_ || stream_id_ != id) return false;
  stream_->finish();
  asio::post(io_, [ended = std::shared_ptr<control::Stream>(std::move(stream_))] {});
  return true;
}

}  // namespace lanyard::http
