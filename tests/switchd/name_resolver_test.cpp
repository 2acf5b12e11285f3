// Look-ups of names: on threads, so that one that gets no answer is in nobody's way.
#include "switchd/name_resolver.h"

#include <asio/executor_work_guard.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <set>

#include "tests/support/deadline.h"

namespace name_resolver_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// A resolver that answers for a name once it is told to. Threads may outlive the test, and this with them.
class Scripted {
 public:
  [[nodiscard]] NameResolver::Ask ask() const {
    return [state = state_](const std::string& host) {
      std::unique_lock lock(state->mutex);
      ++state->asked[host];
      ++state->under_way;
      state->under_way_max = std::max(state->under_way_max, state->under_way);
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return state->answered.contains(host) || state->all_answered; });
      --state->under_way;
      state->changed.notify_all();
      NameAnswer answer;
      answer.wrong = "cannot resolve '" + host + "': told so";
      return answer;
    };
  }
  void answer(const std::string& host) {
    const std::lock_guard lock(state_->mutex);
    state_->answered.insert(host);
    state_->changed.notify_all();
  }
  void answer_all() {
    const std::lock_guard lock(state_->mutex);
    state_->all_answered = true;
    state_->changed.notify_all();
  }
  void await_asked(std::size_t names) {
    std::unique_lock lock(state_->mutex);
    CHECK(state_->changed.wait_for(lock, std::chrono::seconds(20), [&] { return state_->asked.size() >= names; }));
  }
  void await_end_of_all() {
    std::unique_lock lock(state_->mutex);
    CHECK(state_->changed.wait_for(lock, std::chrono::seconds(20), [&] { return state_->under_way == 0; }));
  }
  [[nodiscard]] std::size_t asked(const std::string& host) {
    const std::lock_guard lock(state_->mutex);
    return state_->asked[host];
  }
  [[nodiscard]] std::size_t under_way_max() {
    const std::lock_guard lock(state_->mutex);
    return state_->under_way_max;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, std::size_t> asked;
    std::set<std::string> answered;
    bool all_answered = false;
    std::size_t under_way = 0;
    std::size_t under_way_max = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct LookUps {
  asio::io_context io;
  Scripted script;
  NameResolver resolver{io, script.ask()};

  void run_until(const std::function<bool()>& done) {
    io.restart();
    const auto work = asio::make_work_guard(io);
    for (const Deadline deadline; !done() && !deadline.passed();) io.run_one_for(std::chrono::milliseconds(100));
    CHECK(done());
  }
};

}  // namespace

TEST_CASE("a name that gets no answer is in no other's way") {
  LookUps look_ups;
  bool dead = false;
  std::string live;
  const auto one = look_ups.resolver.look_up("dead", [&](const NameAnswer&) { dead = true; });
  const auto other = look_ups.resolver.look_up("live", [&](const NameAnswer& answer) { live = answer.wrong; });
  look_ups.script.answer("live");
  look_ups.run_until([&] { return !live.empty(); });
  CHECK(live == "cannot resolve 'live': told so");
  CHECK_FALSE(dead);
  CHECK(look_ups.resolver.is_busy());
  look_ups.script.answer_all();
  look_ups.run_until([&] { return dead; });
  CHECK_FALSE(look_ups.resolver.is_busy());
}

TEST_CASE("a name that many ask for is looked up once at a time, and who has gone is not told") {
  LookUps look_ups;
  unsigned told = 0;
  std::vector<NameResolver::LookUp> askers;
  for (int i = 0; i < 5; ++i)
    askers.push_back(look_ups.resolver.look_up("name", [&](const NameAnswer&) { ++told; }));
  askers.pop_back();
  look_ups.script.answer_all();
  look_ups.run_until([&] { return told == 4; });
  CHECK(look_ups.script.asked("name") == 1);
  const auto again = look_ups.resolver.look_up("name", [&](const NameAnswer&) { ++told; });
  look_ups.run_until([&] { return told == 5; });
  CHECK(look_ups.script.asked("name") == 2);
}

TEST_CASE("so many names are looked up at one time, and the others after them, but for those nobody wants any more") {
  LookUps look_ups;
  constexpr std::size_t names = NameResolver::look_ups_max + 5;
  std::size_t told = 0;
  std::vector<NameResolver::LookUp> askers;
  for (std::size_t i = 0; i < names; ++i)
    askers.push_back(look_ups.resolver.look_up("n" + std::to_string(i), [&](const NameAnswer&) { ++told; }));
  look_ups.script.await_asked(NameResolver::look_ups_max);
  askers.back().reset();
  look_ups.script.answer_all();
  look_ups.run_until([&] { return told == names - 1; });
  CHECK(look_ups.script.under_way_max() == NameResolver::look_ups_max);
  CHECK(look_ups.script.asked("n" + std::to_string(names - 1)) == 0);
}

TEST_CASE("a resolver goes without waiting for its threads") {
  Scripted script;
  {
    asio::io_context io;
    NameResolver resolver(io, script.ask());
    (void)resolver.look_up("dead", [](const NameAnswer&) { FAIL("it has gone"); });
    script.await_asked(1);
  }
  script.answer_all();
  script.await_end_of_all();
}

TEST_CASE("the system's resolver finds this machine, and says which name it does not know") {
  const NameAnswer found = NameResolver::ask_system("localhost");
  REQUIRE_FALSE(found.addresses.empty());
  CHECK(found.wrong.empty());
  CHECK(found.addresses.front().port() == 0);
  const NameAnswer unknown = NameResolver::ask_system("no such name");
  CHECK(unknown.addresses.empty());
  CHECK_THAT(unknown.wrong, Catch::StartsWith("cannot resolve 'no such name': "));
}

}  // namespace name_resolver_test
