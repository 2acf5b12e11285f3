// See the header for the theory. In both directions: swap the port to the edge of its run, shrink the run by
// that edge, then the neighbouring run either begins there already or is made anew.
#include "frames/port_ranking.h"

#include <utility>

#include "frames/check.h"
#include "frames/limits.h"

namespace lanyard {

void PortRanking::increment(PortIndex port) {
  LANYARD_CHECK(port < limits::ports_max);
  if (port >= ports_.size()) ports_.resize(port + 1);
  const std::uint32_t count = ports_[port].count++;
  if (count + 2 > runs_.size()) runs_.resize(count + 2);
  std::uint32_t place;
  if (count == 0) {
    place = static_cast<std::uint32_t>(order_.size());
    ports_[port].rank = place;
    order_.push_back(port);
  } else {
    place = runs_[count].first++;
    swap_ranks(ports_[port].rank, place);
  }
  if (place > 0 && ports_[order_[place - 1]].count == count + 1)
    runs_[count + 1].last = place;
  else
    runs_[count + 1] = {place, place};
}

void PortRanking::decrement(PortIndex port) {
  LANYARD_CHECK(count(port) > 0);
  const std::uint32_t count = ports_[port].count--;
  const std::uint32_t place = runs_[count].last--;
  swap_ranks(ports_[port].rank, place);
  if (count == 1) {
    order_.pop_back();  // the last of the run of ones is the last of all
  } else if (place + 1 < order_.size() && ports_[order_[place + 1]].count == count - 1) {
    runs_[count - 1].first = place;
  } else {
    runs_[count - 1] = {place, place};
  }
}

void PortRanking::swap_ranks(std::uint32_t one, std::uint32_t other) {
  std::swap(order_[one], order_[other]);
  ports_[order_[one]].rank = one;
  ports_[order_[other]].rank = other;
}

std::size_t PortRanking::memory_bytes() const {
  return ports_.capacity() * sizeof(Port) + order_.capacity() * sizeof(PortIndex) +
         runs_.capacity() * sizeof(Run);
}

std::size_t PortRanking::memory_bytes_max(std::size_t stations) {
  const std::size_t counts = stations + 1;  // 0 to all of them on one port
  // Vectors grow by doubling.
  return 2 * (limits::ports_max * (sizeof(Port) + sizeof(PortIndex)) + counts * sizeof(Run));
}

}  // namespace lanyard
