// One HTTP request that is being answered, as the API sees it (control/client.h). What is answered at once is one JSON
// document; what goes on is sent as it comes (RFC 9112, 7.1, chunked):
//
//   events, statistics   Server-Sent Events (WHATWG HTML, 9.2): `event` is the kind of event, or "ports"; `data` is one
//                        line of JSON; `lost` tells of what the client was too slow for
//   a capture            pcapng
//   a long list          one JSON document, piece by piece
//
// What waits for a client that does not read is bounded, as it is on the control socket: a stream leaves out what comes,
// a list waits. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <restinio/http_server.hpp>
#include <string>
#include <vector>

#include "switchd/control/client.h"
#include "switchd/http/request.h"

namespace lanyard::http {

// Answers with one document, and nothing more is to come.
void answer(const restinio::request_handle_t& request, unsigned status, std::string_view content_type, std::string body,
            const std::vector<std::pair<std::string, std::string>>& headers = {});
void answer(const restinio::request_handle_t& request, const Fault& fault);

// Answers HEAD for what would come in pieces: how long they are is not known.
void answer_head(const restinio::request_handle_t& request, std::string_view content_type);

// The type of an answer that comes in pieces, so that nobody knows its length before; empty: it comes whole.
[[nodiscard]] std::string_view type_of_pieces(const v1::Request& request);

class Exchange final : public control::Client, public std::enable_shared_from_this<Exchange> {
 public:
  // `over` is called once, when all is answered.
  Exchange(asio::io_context& io, restinio::request_handle_t request, std::function<void()> over)
      : io_(io), request_(std::move(request)), over_(std::move(over)) {}

  // The head of a stream of events goes out now: they may be long in coming.
  void begin_events();
  // Ends it where it is a stream: its client asks for something else.
  void end_of_stream();
  // The daemon ends: it is refused, where it is not answered yet; a stream ends.
  void finish();
  // The connection has gone: nothing more can be said.
  void gone();
  [[nodiscard]] bool is_over() const { return !request_; }

  void respond(const v1::Response& response) override;
  [[nodiscard]] bool is_behind() const override;
  void when_ready(std::function<void()> fn) override;
  [[nodiscard]] bool keep_stream(std::uint64_t id, std::unique_ptr<control::Stream> stream) override;
  bool end_stream(std::uint64_t id) override;

 private:
  using Chunked = restinio::response_builder_t<restinio::chunked_output_t>;

  void respond_whole(const v1::Response& response);
  void respond_part(const v1::Response& response);
  void begin_chunked(std::string_view content_type);
  void send(std::string bytes);
  void wrote(std::size_t bytes);
  void end();

  asio::io_context& io_;
  restinio::request_handle_t request_;  // null: it is over
  std::function<void()> over_;
  std::optional<Chunked> chunked_;
  bool sends_events_ = false;
  v1::Response whole_;  // what has come of it
  std::string tail_;    // of a list
  bool first_of_list_ = true;
  std::size_t waiting_bytes_ = 0;
  std::vector<std::function<void()>> ready_;
  std::unique_ptr<control::Stream> stream_;
  std::uint64_t stream_id_ = 0;
};

}  // namespace lanyard::http
