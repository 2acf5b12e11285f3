// Listing MAC tables; see the header.
#include "switchd/mac_listing.h"

#include <algorithm>

namespace lanyard {

void MacListing::begin(DataLink& link, std::vector<NamedNetwork> networks, Hooks hooks) {
  std::reverse(networks.begin(), networks.end());
  std::shared_ptr<MacListing>(new MacListing(link, std::move(networks), std::move(hooks)))->next();
}

void MacListing::next() {
  while (!networks_.empty() && !hooks_.exists(networks_.back())) {
    networks_.pop_back();
    cursor_ = 0;
  }
  if (networks_.empty()) return hooks_.end();
  link_.list_macs(networks_.back().index, cursor_,
                  [self = shared_from_this()](const Notice& notice) { self->take(notice); });
}

void MacListing::take(const Notice& notice) {
  if (!notice.stations.empty()) hooks_.slice(networks_.back().name, notice.stations);
  cursor_ = notice.cursor;
  if (cursor_ == MacTable::list_end) {
    networks_.pop_back();
    cursor_ = 0;
  }
  hooks_.pace([self = shared_from_this()] { self->next(); });
}

}  // namespace lanyard
