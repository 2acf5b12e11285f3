// One connection to the control socket; see the header.
#include "switchd/control/session.h"

#include <asio/post.hpp>
#include <asio/write.hpp>
#include <utility>

#include "frames/limits.h"

namespace lanyard::control {

void Session::read() {
  if (reading_ || ending_ || waiting_bytes_ > limits::control_waiting_bytes_max) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(piece_),
                          [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
                            self->reading_ = false;
                            if (error) return self->close();
                            self->reader_.add({self->piece_.data(), bytes});
                            self->take_messages();
                            self->read();
                          });
}

void Session::take_messages() {
  while (!ending_ && waiting_bytes_ <= limits::control_waiting_bytes_max) {
    const auto message = reader_.next();
    if (!message) break;
    v1::Request request;
    if (!request.ParseFromArray(message->data(), static_cast<int>(message->size())))
      return refuse(v1::Error::INVALID, "this is no request: the bytes are no message of switchd/control.proto, "
                                        "or a text in it is not UTF-8");
    unanswered_.insert(request.id());
    hooks_.handle(request, shared_from_this());
  }
  if (!ending_ && reader_.is_broken())
    refuse(v1::Error::INVALID, "a request is longer than " + std::to_string(request_bytes_max) + " bytes");
}

void Session::refuse(v1::Error::Code code, const std::string& message) {
  v1::Response response;
  response.mutable_error()->set_code(code);
  response.mutable_error()->set_message(message);
  respond(response);
  ending_ = true;
}

void Session::respond(const v1::Response& response) {
  if (!socket_.is_open() || ending_) return;
  if (!response.more())
    if (const auto answered = unanswered_.find(response.id()); answered != unanswered_.end()) unanswered_.erase(answered);
  waiting_.push_back(framed(response.SerializeAsString()));
  waiting_bytes_ += waiting_.back().size();
  write();
}

void Session::write() {
  if (writing_ || waiting_.empty()) return;
  writing_ = true;
  asio::async_write(socket_, asio::buffer(waiting_.front()),
                    [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
                      self->writing_ = false;
                      if (error) return self->close();
                      self->wrote(bytes);
                    });
}

void Session::wrote(std::size_t bytes) {
  waiting_.pop_front();
  waiting_bytes_ -= bytes;
  if (waiting_.empty() && ending_) return close();
  if (!is_behind())
    for (const auto& fn : std::exchange(ready_, {})) fn();
  write();
  take_messages();  // those that came while too much was waiting
  read();
}

bool Session::is_behind() const { return waiting_bytes_ > limits::control_waiting_bytes_soft_max; }

void Session::when_ready(std::function<void()> fn) {
  if (is_behind()) ready_.push_back(std::move(fn));
  else asio::post(socket_.get_executor(), std::move(fn));
}

bool Session::keep_stream(std::uint64_t id, std::unique_ptr<Stream> stream) {
  if (streams_.size() >= limits::control_streams_max) return false;
  return streams_.try_emplace(id, std::move(stream)).second;
}

bool Session::end_stream(std::uint64_t id) {
  auto stream = streams_.extract(id);
  if (stream.empty()) return false;
  stream.mapped()->finish();
  asio::post(socket_.get_executor(), [ended = std::shared_ptr<Stream>(std::move(stream.mapped()))] {});
  return true;
}

void Session::finish() {
  for (const auto& [id, stream] : streams_) unanswered_.erase(id);
  for (const std::uint64_t id : std::multiset(unanswered_)) {
    v1::Response response;
    response.set_id(id);
    response.mutable_error()->set_code(v1::Error::UNAVAILABLE);
    response.mutable_error()->set_message("the daemon stops");
    respond(response);
  }
  streams_.clear();
  ready_.clear();
  ending_ = true;
  if (waiting_.empty()) close();
}

void Session::close() {
  if (!socket_.is_open()) return;
  asio::error_code ignored;
  socket_.close(ignored);
  streams_.clear();
  ready_.clear();
  hooks_.gone(*this);
}

}  // namespace lanyard::control
