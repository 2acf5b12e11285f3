// Captures as pcapng; see the header.
#include "switchd/control/capture_encoder.h"

#include "frames/pcapng.h"

namespace lanyard::control {

void CaptureEncoder::begin(v1::CaptureData& data) {
  pcapng::write_section(*data.mutable_header(), "lanyard " LANYARD_VERSION);
}

void CaptureEncoder::add(const RecordView& view, v1::CaptureData& data) {
  const FrameRecord& record = view.record;
  pcapng::Packet packet;
  packet.interface = interface_of(record.port, data);
  packet.unix_ns = record.unix_ns;
  packet.bytes = view.bytes;
  packet.original_bytes = record.original_bytes;
  packet.direction = record.direction == FrameRecord::Direction::inbound ? pcapng::Direction::inbound
                                                                         : pcapng::Direction::outbound;
  std::string comment;
  if (record.drop != FrameRecord::no_drop)
    comment.append("drop: ").append(info(static_cast<DropReason>(record.drop)).name);
  packet.comment = comment;
  pcapng::write_packet(*data.mutable_records(), packet);
  data.set_frames(data.frames() + 1);
}

std::uint32_t CaptureEncoder::interface_of(std::uint64_t port, v1::CaptureData& data) {
  const auto next = static_cast<std::uint32_t>(interfaces_.size());
  const auto [place, added] = interfaces_.try_emplace(port, next);
  if (added) pcapng::write_interface(*data.mutable_header(), name_of_(port), snap_bytes_);
  return place->second;
}

}  // namespace lanyard::control
