// What crosses threads: the bounded queues, taps, the hand-over of transports, and counters read while they are
// written. Meant to be run under the thread sanitizer too.
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "switchd/dataplane.h"
#include "switchd/engine_choice.h"
#include "tests/support/frames.h"
#include "tests/support/switchd_process.h"
#include "transports/clock.h"

namespace threads_test {

using namespace lanyard;
using namespace lanyard::test;

TEST_CASE("a bounded queue gives every element once and in order, and says when it is full") {
  SpscQueue<int> queue(8);
  constexpr int count = 20'000;
  std::thread producer([&] {
    for (int i = 0; i < count;) {
      int element = i;
      if (queue.push(element)) ++i;
      else std::this_thread::yield();
    }
  });
  int next = 0;
  while (next < count) {
    if (const auto element = queue.pop()) {
      REQUIRE(*element == next);
      ++next;
    } else {
      std::this_thread::yield();
    }
  }
  producer.join();
  CHECK_FALSE(queue.pop());
  for (int i = 0; i < 8; ++i) CHECK(queue.push(i));
  int more = 9;
  CHECK_FALSE(queue.push(more));
}

TEST_CASE("a tap gives its records whole and in order while it is written, and counts those it lost") {
  Tap tap({}, 256 * limits::kibi);
  constexpr std::uint64_t count = 20'000;
  std::atomic<bool> over{false};
  std::thread producer([&] {
    std::vector<std::byte> bytes(1514);
    for (std::uint64_t i = 1; i <= count; ++i) {
      FrameRecord record;
      record.unix_ns = i;
      record.original_bytes = static_cast<std::uint32_t>(60 + i % 1400);
      std::fill(bytes.begin(), bytes.end(), static_cast<std::byte>(i));
      tap.offer(record, std::span(bytes).first(record.original_bytes));
      if (i % 64 == 0) std::this_thread::yield();
    }
    over = true;
  });
  std::uint64_t read = 0, last = 0;
  for (bool ended = false; !ended;) {
    ended = over;  // what was written before is seen below
    for (auto view = tap.next(); view; view = tap.next()) {
      REQUIRE(view->record.unix_ns > last);
      last = view->record.unix_ns;
      REQUIRE(view->bytes.size() == 60 + last % 1400);
      REQUIRE(view->bytes.front() == static_cast<std::byte>(last));
      REQUIRE(view->bytes.back() == static_cast<std::byte>(last));
      tap.pop();
      ++read;
    }
  }
  producer.join();
  CHECK(read + tap.lost() == count);
}

TEST_CASE("transports cross to the data thread and back while frames flow and counters are read") {
  ON_EVERY_REAL_ENGINE;
  Handover handover;
  handover.command_wake = Fd(::eventfd(0, EFD_NONBLOCK));
  handover.notice_wake = Fd(::eventfd(0, EFD_NONBLOCK));
  DataplaneOptions options;
  options.networks.emplace_back();
  Dataplane plane(options, handover,
                  choose_engine(engine == "epoll" ? EngineChoice::epoll : EngineChoice::io_uring, probe_uring()).make);
  bool ran = false;
  std::thread data_thread([&] { ran = plane.run(); });
  const auto command = [&](Command one) {
    while (!handover.commands.push(one)) std::this_thread::yield();
    const std::uint64_t wake = 1;
    REQUIRE(::write(handover.command_wake.get(), &wake, sizeof wake) == sizeof wake);
  };
  std::vector<Fd> far_ends;
  std::vector<std::shared_ptr<PortCounters>> counters;
  for (std::uint64_t serial = 1; serial <= 40; ++serial) {
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    auto transport = std::make_unique<Transport>(Wire::stream, Fd(pair[0]));
    far_ends.emplace_back(pair[1]);
    transport->serial = serial;
    transport->ports.push_back(std::make_unique<Port>(Wire::stream, 0, limits::frame_bytes_max, 1000, plane.chunks()));
    transport->ports.front()->transport = transport.get();
    counters.push_back(transport->ports.front()->counters);
    Command attach;
    attach.kind = Command::Kind::attach;
    attach.transport = std::move(transport);
    command(std::move(attach));
    const std::string one = on_stream(frame(broadcast, mac(static_cast<unsigned>(serial))));
    REQUIRE(::send(far_ends.back().get(), one.data(), one.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(one.size()));
    if (serial % 3 == 0) {
      Command detach;
      detach.kind = Command::Kind::detach;
      detach.serial = serial - 1;
      command(std::move(detach));
    } else if (serial % 3 == 1) {
      far_ends.back().reset();
    }
  }
  command(Command{});
  std::size_t closed = 0;
  bool stopped = false;
  bool memory_returned = false;
  std::uint64_t seen = 0;
  const std::uint64_t deadline = monotonic_ns() + 10'000'000'000ULL;
  while (!stopped && monotonic_ns() < deadline) {
    for (const auto& one : counters) seen += one->received_frames.get() + one->queued_frames.get();
    while (auto notice = handover.notices.pop()) {
      closed += notice->kind == Notice::Kind::closed ? 1 : 0;
      stopped = stopped || notice->kind == Notice::Kind::stopped;
      memory_returned = notice->memory_returned;
    }
    std::this_thread::yield();
  }
  data_thread.join();
  CHECK(ran);
  CHECK(seen > 0);
  CHECK(stopped);
  CHECK(memory_returned);
  CHECK(closed == 40);
}

}  // namespace threads_test
