// A bounded queue between one producer thread and one consumer thread, lock-free. The threads wake each other by
// other means (an eventfd).
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace lanyard {

template <class T>
class SpscQueue {
 public:
  // Holds up to `capacity` elements.
  explicit SpscQueue(std::size_t capacity) : places_(capacity + 1) {}

  // Producer. False when it is full; `element` is untouched then.
  [[nodiscard]] bool push(T& element) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    const std::size_t next = (tail + 1) % places_.size();
    if (next == head_.load(std::memory_order_acquire)) return false;
    places_[tail] = std::move(element);
    tail_.store(next, std::memory_order_release);
    return true;
  }
  // Consumer.
  [[nodiscard]] std::optional<T> pop() {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return std::nullopt;
    std::optional<T> element(std::move(places_[head]));
    head_.store((head + 1) % places_.size(), std::memory_order_release);
    return element;
  }

 private:
  std::vector<T> places_;
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace lanyard
