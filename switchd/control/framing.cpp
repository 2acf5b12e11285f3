// The framing of the control protocol; see the header.
#include "switchd/control/framing.h"

#include "frames/bytes.h"

namespace lanyard::control {

std::string framed(std::string_view message) {
  std::string out(length_bytes, '\0');
  store_be32(reinterpret_cast<std::byte*>(out.data()), static_cast<std::uint32_t>(message.size()));
  out.append(message);
  return out;
}

void MessageReader::add(std::string_view piece) {
  if (broken_) return;
  bytes_.erase(0, at_);
  at_ = 0;
  bytes_.append(piece);
}

std::optional<std::string_view> MessageReader::next() {
  if (broken_ || buffered_bytes() < length_bytes) return std::nullopt;
  const std::size_t bytes = load_be32(reinterpret_cast<const std::byte*>(bytes_.data() + at_));
  if (bytes > message_bytes_max_) {
    broken_ = true;
    bytes_.clear();
    at_ = 0;
    return std::nullopt;
  }
  if (buffered_bytes() < length_bytes + bytes) return std::nullopt;
  const std::string_view message(bytes_.data() + at_ + length_bytes, bytes);
  at_ += length_bytes + bytes;
  return message;
}

}  // namespace lanyard::control
