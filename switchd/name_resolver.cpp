// Names on threads; see the header.
#include "switchd/name_resolver.h"

#include <fmt/format.h>
#include <netdb.h>
#include <pthread.h>

#include <algorithm>
#include <asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>


namespace lanyard {

namespace {

constexpr std::size_t stack_bytes = 1024 * 1024;  // modules of nsswitch.conf run on it

// A thread that nobody joins, and that takes no signals: those are the control plane's. 0, or an errno.
[[nodiscard]] int start_detached(void* (*body)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  const int error = ::pthread_create(&thread, &attributes, body, argument);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return error;
}

}  // namespace

// What a resolver and its threads have in common; outlives either.
struct NameResolver::Shared {
  asio::io_context& io;
  std::mutex mutex;
  NameResolver* resolver;  // null: it has gone, and `io` may have
};

struct NameResolver::Task {
  std::shared_ptr<Shared> shared;
  Ask ask;
  std::string host;
};

NameResolver::NameResolver(asio::io_context& io, Ask ask)
    : shared_(new Shared{io, {}, this}), ask_(std::move(ask)) {}

NameResolver::~NameResolver() {
  const std::lock_guard lock(shared_->mutex);
  shared_->resolver = nullptr;
}

NameResolver::LookUp NameResolver::look_up(const std::string& host, Done done) {
  const auto asker = std::make_shared<const Done>(std::move(done));
  const auto [asked, is_new] = askers_.try_emplace(host);
  asked->second.push_back(asker);
  if (is_new) {
    queue_.push_back(host);
    ask_next();
  }
  return asker;
}

bool NameResolver::is_wanted(const std::string& host) const {
  const auto& askers = askers_.at(host);
  return std::any_of(askers.begin(), askers.end(), [](const auto& asker) { return !asker.expired(); });
}

void NameResolver::ask_next() {
  while (asking_ < look_ups_max && !queue_.empty()) {
    const std::string host = std::move(queue_.front());
    queue_.pop_front();
    if (!is_wanted(host)) {
      askers_.erase(host);
      continue;
    }
    ++asking_;
    auto task = std::make_unique<Task>(Task{shared_, ask_, host});
    const int error = start_detached(&NameResolver::run, task.get());
    if (error == 0) {
      (void)task.release();  // the thread's
      continue;
    }
    const std::string wrong = fmt::format("cannot resolve '{}': no thread for it: {}", host, std::strerror(error));
    asio::post(shared_->io, [shared = shared_, host, wrong] {
      if (shared->resolver != nullptr) shared->resolver->finish(host, {{}, wrong});
    });
  }
}

// A thread's whole life.
void* NameResolver::run(void* argument) {
  const std::unique_ptr<Task> task(static_cast<Task*>(argument));
  NameAnswer answer = task->ask(task->host);
  const std::lock_guard lock(task->shared->mutex);
  if (task->shared->resolver == nullptr) return nullptr;
  asio::post(task->shared->io, [shared = task->shared, host = task->host, answer = std::move(answer)] {
    if (shared->resolver != nullptr) shared->resolver->finish(host, answer);
  });
  return nullptr;
}

void NameResolver::finish(const std::string& host, const NameAnswer& answer) {
  --asking_;
  const auto askers = askers_.extract(host);
  ask_next();
  for (const auto& asker : askers.mapped())
    if (const LookUp wanted = asker.lock()) (*wanted)(answer);
}

NameAnswer NameResolver::ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // one answer per address
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const int number = errno;
  if (error != 0)
    return {{}, fmt::format("cannot resolve '{}': {}", host,
                            error == EAI_SYSTEM ? std::strerror(number) : ::gai_strerror(error))};
  NameAnswer answer;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next)
    answer.addresses.emplace_back(entry->ai_addr, entry->ai_addrlen);
  ::freeaddrinfo(found);
  return answer;
}

}  // namespace lanyard
