// Captures; see the header.
#include "switchd/control/capture_stream.h"

#include <algorithm>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <limits>

#include "frames/utf8.h"
#include "switchd/control/capture_encoder.h"
#include "switchd/control/past.h"
#include "switchd/control/views.h"
#include "transports/clock.h"

namespace lanyard::control {

namespace {

constexpr std::size_t response_bytes = 256 * limits::kibi;  // from which on the next response begins

}  // namespace

void FilterCompiler::compile(const std::string& expression, std::function<void(Result)> done) {
  if (!thread_) thread_.emplace(1);
  ++compiling_;
  asio::post(*thread_, [this, expression, done = std::move(done)]() mutable {
    auto result = std::make_shared<Result>(PacketFilter::compile(expression));
    asio::post(io_, [this, result, done = std::move(done)] {
      --compiling_;
      done(std::move(*result));
    });
  });
}

// Lives on beyond the stream where somebody has yet to call it, and does nothing then.
class CaptureStream::Capturing : public std::enable_shared_from_this<Capturing> {
 public:
  Capturing(const Services& services, const v1::Capture& verb, CaptureSpec spec, std::uint64_t id,
            const std::weak_ptr<Client>& client)
      : services_(services),
        verb_(verb),
        spec_(std::move(spec)),
        id_(id),
        client_(client),
        frames_left_(verb.count() > 0 ? verb.count() : std::numeric_limits<std::uint64_t>::max()),
        encoder_([&topology = services.topology](std::uint64_t port) { return topology.registry().name_of(port); },
                 verb.snap_bytes()),
        timer_(services.io) {}

  void begin();
  void finish();
  void close();

 private:
  [[nodiscard]] bool wants_present() const {
    return verb_.last_ms() == 0 || verb_.duration_ms() > 0 || verb_.count() > 0;
  }
  void begin_with(std::optional<PacketFilter> filter);
  void in_place();
  void take_past();
  void look_again();
  void look();
  void time_is_over();
  void take_off(std::function<void()> removed);
  [[nodiscard]] bool tell_some();
  [[nodiscard]] std::optional<RecordView> next();
  void pop();
  void add_lost(v1::CaptureData& data);
  void respond(v1::CaptureData data);
  void refuse(v1::Error::Code code, const std::string& message);
  void end();

  const Services services_;
  const v1::Capture verb_;
  CaptureSpec spec_;
  const std::uint64_t id_;
  const std::weak_ptr<Client> client_;
  std::uint64_t frames_left_;
  CaptureEncoder encoder_;
  asio::steady_timer timer_;
  std::chrono::steady_clock::time_point ends_at_ = std::chrono::steady_clock::time_point::max();
  std::shared_ptr<Tap> tap_;       // null: only the past is wanted, or it has not begun
  std::optional<Past> past_;       // while it is told
  std::uint64_t lost_told_ = 0;
  bool taken_off_ = false;         // the tap, or it will be soon
  bool ending_ = false;            // nothing more comes into it
  bool closed_ = false;
};

void CaptureStream::Capturing::begin() {
  if (verb_.filter().empty()) return begin_with(std::nullopt);
  services_.filters.compile(verb_.filter(), [self = shared_from_this()](FilterCompiler::Result result) {
    if (self->closed_) return;
    if (const auto* error = std::get_if<std::string>(&result))
      return self->refuse(v1::Error::INVALID, "filter: " + *error);
    self->begin_with(std::get<PacketFilter>(std::move(result)));
  });
}

void CaptureStream::Capturing::begin_with(std::optional<PacketFilter> filter) {
  spec_.filter = std::move(filter);
  if (wants_present()) {
    if (!services_.observation.may_tap())
      return refuse(v1::Error::LIMIT,
                    "there are " + std::to_string(limits::taps_max) + " captures, which is the most");
    try {
      tap_ = std::make_shared<Tap>(spec_);
    } catch (const std::system_error& error) {
      return refuse(v1::Error::UNAVAILABLE, error.what());
    }
    return services_.observation.add(tap_, [self = shared_from_this()] {
      if (!self->closed_) self->in_place();
    });
  }
  in_place();
}

// The header tells the client that it is in place.
void CaptureStream::Capturing::in_place() {
  v1::CaptureData header;
  CaptureEncoder::begin(header);
  respond(std::move(header));
  if (verb_.duration_ms() > 0)
    ends_at_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(verb_.duration_ms());
  if (verb_.last_ms() > 0) take_past();
  else look_again();
}

// Those before the tap was in place: later ones come by it.
void CaptureStream::Capturing::take_past() {
  const bool taking = services_.observation.take_past(
      verb_.network(), [self = shared_from_this()](const Observation::Pasts& pasts) {
        if (self->closed_) return;
        const std::uint64_t age_ns = std::min(self->verb_.last_ms(), UINT64_MAX / 1'000'000) * 1'000'000;
        const std::uint64_t now_ns = unix_ns();
        self->past_.emplace(self->spec_, now_ns - std::min(now_ns, age_ns),
                            self->tap_ ? self->tap_->begun_unix_ns() : UINT64_MAX);
        for (const auto& rewinds : pasts) self->past_->add(rewinds);
        self->look();
      });
  if (!taking) refuse(v1::Error::UNAVAILABLE, "there is no memory for the past that is to come");
}

void CaptureStream::Capturing::look_again() {
  timer_.expires_after(std::chrono::nanoseconds(limits::capture_look_ns));
  timer_.async_wait([self = shared_from_this()](const asio::error_code& cancelled) {
    if (!cancelled && !self->closed_) self->look();
  });
}

// As much as there is and as the client takes; then later again.
void CaptureStream::Capturing::look() {
  if (!taken_off_ && std::chrono::steady_clock::now() >= ends_at_) return time_is_over();
  while (tell_some()) {
    const auto client = client_.lock();
    if (closed_ || !client) return;
    if (client->is_behind())
      return client->when_ready([weak = weak_from_this()] {
        if (const auto self = weak.lock(); self && !self->closed_) self->look();
      });
  }
  if (closed_) return;
  if (frames_left_ == 0 || ((ending_ || !tap_) && !past_)) return end();
  look_again();
}

// One response. False: there is no more now.
bool CaptureStream::Capturing::tell_some() {
  v1::CaptureData data;
  bool more = false;
  while (frames_left_ > 0) {
    const auto view = next();
    if (!view) break;
    more = data.records().size() >= response_bytes;
    if (more) break;
    encoder_.add(*view, data);
    pop();
    --frames_left_;
  }
  add_lost(data);
  if (data.frames() > 0 || data.lost() > 0) respond(std::move(data));
  return more;
}

std::optional<RecordView> CaptureStream::Capturing::next() {
  if (past_) {
    auto view = past_->next();
    if (view || !past_->is_over()) return view;
    past_.reset();
  }
  return tap_ ? tap_->next() : std::nullopt;
}

void CaptureStream::Capturing::pop() {
  if (past_) past_->pop();
  else tap_->pop();
}

void CaptureStream::Capturing::add_lost(v1::CaptureData& data) {
  if (!tap_) return;
  const std::uint64_t lost = tap_->lost();
  data.set_lost(data.lost() + lost - std::exchange(lost_told_, lost));
}

// What is in the ring by then was in time.
void CaptureStream::Capturing::time_is_over() {
  take_off([self = shared_from_this()] {
    self->ending_ = true;
    if (!self->closed_) self->look();
  });
}

void CaptureStream::Capturing::take_off(std::function<void()> removed) {
  if (tap_ && !std::exchange(taken_off_, true)) services_.observation.remove(tap_, std::move(removed));
}

// The client ends it: what it has not read yet and cannot take at once is lost.
void CaptureStream::Capturing::finish() {
  const auto client = client_.lock();
  if (closed_ || !client) return;
  while (!client->is_behind() && tell_some()) {}
  if (!client->is_behind() || !tap_) return;
  v1::CaptureData data;
  add_lost(data);
  for (; frames_left_ > 0 && tap_->next(); --frames_left_) {
    tap_->pop();
    data.set_lost(data.lost() + 1);
  }
  respond(std::move(data));
}

void CaptureStream::Capturing::respond(v1::CaptureData data) {
  const auto client = client_.lock();
  if (!client) return;
  v1::Response response;
  response.set_id(id_);
  response.set_more(true);
  *response.mutable_capture_data() = std::move(data);
  client->respond(response);
}

void CaptureStream::Capturing::refuse(v1::Error::Code code, const std::string& message) {
  const auto client = client_.lock();
  close();
  if (!client) return;
  v1::Response response;
  response.set_id(id_);
  response.mutable_error()->set_code(code);
  response.mutable_error()->set_message(as_utf8(message));
  client->respond(response);
  client->end_stream(id_);
}

void CaptureStream::Capturing::end() {
  const auto client = client_.lock();
  close();
  if (!client) return;
  v1::Response response;
  response.set_id(id_);
  response.mutable_done();
  client->respond(response);
  client->end_stream(id_);
}

void CaptureStream::Capturing::close() {
  if (std::exchange(closed_, true)) return;
  timer_.cancel();
  past_.reset();
  take_off([] {});
}

CaptureStream::CaptureStream(const Services& services, const v1::Capture& verb, CaptureSpec spec, std::uint64_t id,
                             const std::weak_ptr<Client>& client)
    : capturing_(std::make_shared<Capturing>(services, verb, std::move(spec), id, client)) {}

CaptureStream::~CaptureStream() { capturing_->close(); }

void CaptureStream::begin() { capturing_->begin(); }

void CaptureStream::finish() { capturing_->finish(); }

}  // namespace lanyard::control
