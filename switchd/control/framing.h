// The framing of the control protocol: each message preceded by its length, a 32-bit big-endian number. Used by both
// ends. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanyard::control {

inline constexpr std::size_t length_bytes = 4;
inline constexpr std::size_t request_bytes_max = 4u << 20;
inline constexpr std::size_t response_bytes_max = 2u << 20;

// `message` with its length in front.
[[nodiscard]] std::string framed(std::string_view message);

// Puts pieces of a stream together to messages. One that is announced as longer than `message_bytes_max` breaks it for
// good: what follows cannot be told apart any more. An empty message is one.
class MessageReader {
 public:
  explicit MessageReader(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  void add(std::string_view piece);
  // The next whole message, which is valid until the next call of either. Nothing: more must come, or it is broken.
  [[nodiscard]] std::optional<std::string_view> next();
  [[nodiscard]] bool is_broken() const { return broken_; }
  [[nodiscard]] std::size_t buffered_bytes() const { return bytes_.size() - at_; }

 private:
  std::size_t message_bytes_max_;
  std::string bytes_;
  std::size_t at_ = 0;  // what is in front has been given out
  bool broken_ = false;
};

}  // namespace lanyard::control
