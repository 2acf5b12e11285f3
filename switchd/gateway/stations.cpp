// Stations heard, and questions to those that are not; see the header.
#include "switchd/gateway/stations.h"

#include <algorithm>
#include <utility>

namespace lanyard {

namespace {

constexpr std::int64_t news_ms = 1000;

}  // namespace

bool Stations::hear(Ipv4Address address, MacAddress mac, std::int64_t now_ms) {
  if (!questions_.empty()) answer(address, mac);
  const auto [known, is_new] = heard_.try_emplace(address, Heard{mac, now_ms});
  if (!is_new) {
    Heard& heard = known->second;
    if (heard.mac == mac && now_ms - heard.at_ms < news_ms) return false;
    heard = {mac, now_ms};
    return true;
  }
  order_.push_back(address);
  if (order_.size() <= addresses_max) return true;
  heard_.erase(order_.front());
  order_.pop_front();
  return true;
}

void Stations::answer(Ipv4Address address, MacAddress mac) {
  auto [question, end] = questions_.equal_range(address);
  while (question != end) {
    const bool is_asked_for = (question->second.about == About::is_there) == (question->second.mac == mac);
    if (!is_asked_for) {
      ++question;
      continue;
    }
    answered_.push_back({question->second.about, address, question->second.mac, mac});
    question = questions_.erase(question);
  }
}

std::optional<MacAddress> Stations::find(Ipv4Address address) const {
  const auto known = heard_.find(address);
  return known == heard_.end() ? std::nullopt : std::optional(known->second.mac);
}

bool Stations::heard_within(Ipv4Address address, MacAddress mac, std::int64_t ms, std::int64_t now_ms) const {
  const auto known = heard_.find(address);
  return known != heard_.end() && known->second.mac == mac && now_ms - known->second.at_ms < ms;
}

bool Stations::ask(About about, Ipv4Address address, MacAddress mac) {
  const auto [first, end] = questions_.equal_range(address);
  const auto is_it = [&](const auto& entry) { return entry.second.about == about && entry.second.mac == mac; };
  if (std::any_of(first, end, is_it)) return true;
  if (questions_.size() >= questions_max) return false;
  questions_.emplace(address, Question{about, mac});
  return true;
}

std::vector<Stations::Outcome> Stations::turn(std::int64_t now_ms, const Ask& send) {
  std::vector<Outcome> over = std::exchange(answered_, {});
  for (auto entry = questions_.begin(); entry != questions_.end();) {
    const auto [interval_ms, requests] = entry->second.about == About::is_free
                                             ? std::pair(free_interval_ms, free_requests)
                                             : std::pair(there_interval_ms, there_requests);
    Question& question = entry->second;
    if (question.sent > 0 && now_ms < question.due_ms) {
      ++entry;
    } else if (question.sent == requests) {
      over.push_back({question.about, entry->first, question.mac, std::nullopt});
      entry = questions_.erase(entry);
    } else {
      ++question.sent;
      question.due_ms = now_ms + interval_ms;
      send((entry++)->first);
    }
  }
  return over;
}

std::optional<std::int64_t> Stations::next_ms() const {
  if (!answered_.empty()) return 0;
  std::optional<std::int64_t> next;
  for (const auto& [address, question] : questions_)
    next = std::min(next.value_or(question.due_ms), question.sent == 0 ? 0 : question.due_ms);
  return next;
}

}  // namespace lanyard
