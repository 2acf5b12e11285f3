// The control plane's end of the handover; see the header.
#include "switchd/data_link.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include "switchd/guarded.h"

namespace lanyard {

DataLink::DataLink(asio::io_context& io) : wake_(io), retry_(io) {
  handover_.command_wake = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  handover_.notice_wake = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!handover_.command_wake || !handover_.notice_wake) throw std::system_error(errno, std::generic_category());
  wake_.assign(::dup(handover_.notice_wake.get()));
}

void DataLink::begin(std::function<void(Notice&)> take) {
  take_ = std::move(take);
  await_notices();
}

void DataLink::close() {
  retry_.cancel();
  wake_.close();
}

void DataLink::send(Command command) {
  waiting_.push_back(std::move(command));
  send_waiting();
}

void DataLink::send(Command command, std::function<void(Notice&)> done) {
  command.token = next_token_++;
  by_token_[command.token] = std::move(done);
  send(std::move(command));
}

void DataLink::list_macs(NetworkIndex network, std::size_t cursor, std::function<void(const Notice&)> take) {
  listings_.push_back(std::move(take));
  Command list;
  list.kind = Command::Kind::list_macs;
  list.network = network;
  list.cursor = cursor;
  send(std::move(list));
}

void DataLink::send_waiting() {
  while (!waiting_.empty() && handover_.commands.push(waiting_.front())) waiting_.pop_front();
  const std::uint64_t one = 1;
  (void)!::write(handover_.command_wake.get(), &one, sizeof one);
  if (waiting_.empty()) return;
  retry_.expires_after(std::chrono::milliseconds(1));  // the queue was full; the data plane empties it
  retry_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled) send_waiting();
  });
}

void DataLink::await_notices() {
  wake_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& error) {
    if (error) return;
    std::uint64_t count;
    (void)!::read(handover_.notice_wake.get(), &count, sizeof count);
    while (auto notice = handover_.notices.pop()) guarded("a notice", [&] { take(*notice); });
    if (wake_.is_open()) await_notices();
  });
}

void DataLink::take(Notice& notice) {
  if (notice.kind == Notice::Kind::macs) {
    const auto listing = std::move(listings_.front());
    listings_.pop_front();
    return listing(notice);
  }
  if (notice.kind != Notice::Kind::done) return take_(notice);
  const auto waiting = by_token_.extract(notice.token);
  LANYARD_CHECK(!waiting.empty());
  waiting.mapped()(notice);
}

}  // namespace lanyard
