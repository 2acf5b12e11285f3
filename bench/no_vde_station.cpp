// In the place of vde_station.cpp where libvdeplug is not installed.
#include "bench/station.h"

namespace lanyard::bench {

std::unique_ptr<Station> make_vde_station(const Endpoint& endpoint, MacAddress) {
  failure(endpoint.place + ": built without libvdeplug");
}

}  // namespace lanyard::bench
