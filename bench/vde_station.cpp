// A station on a port of vde_switch, through libvdeplug, one call for each frame: the interface offers no
// batches.
#include <fcntl.h>

#include <cerrno>
#include <vector>

#include "bench/station.h"

extern "C" {
#include <libvdeplug.h>  // says nothing about linkage itself
}

namespace lanyard::bench {

namespace {

constexpr std::size_t frames_per_receive = 64;

class VdeStation final : public Station {
 public:
  VdeStation(VDECONN* adopted, MacAddress mac) : Station(mac), connection_(adopted), frame_(VDE_ETHBUFSIZE) {
    // The library's own flags argument is not passed on to the socket.
    const int flags = fcntl(vde_datafd(connection_), F_GETFL);
    if (fcntl(vde_datafd(connection_), F_SETFL, flags | O_NONBLOCK) != 0) system_error("fcntl");
  }
  ~VdeStation() override { vde_close(connection_); }

  bool send(const Burst& burst) override {
    for (; sent_ < burst.frames.size(); ++sent_) {
      const std::span<std::byte> frame = burst.frames[sent_];
      if (vde_send(connection_, frame.data(), frame.size(), 0) >= 0) continue;
      if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR) return false;
      system_error("vde_send");
    }
    sent_ = 0;
    return true;
  }

  bool receive(Tally& tally) override {
    for (std::size_t i = 0; i < frames_per_receive; ++i) {
      const ssize_t bytes = vde_recv(connection_, frame_.data(), frame_.size(), 0);
      if (bytes <= 0) return i > 0;
      count_frame({frame_.data(), static_cast<std::size_t>(bytes)}, mac(), tally);
    }
    return true;
  }

  int fd() const override { return vde_datafd(connection_); }

 private:
  VDECONN* connection_;
  std::vector<std::byte> frame_;
  std::size_t sent_ = 0;  // frames of the present burst
};

}  // namespace

std::unique_ptr<Station> make_vde_station(const Endpoint& endpoint, MacAddress mac) {
  std::string path = endpoint.place;
  std::string description = "load";
  VDECONN* connection = vde_open(path.data(), description.data(), nullptr);
  if (connection == nullptr) system_error(endpoint.place);
  return std::make_unique<VdeStation>(connection, mac);
}

}  // namespace lanyard::bench
