// Turns records of frames (frames/frame_record.h) into CaptureData: pcapng in two parts, so that a client can begin a
// new file in the middle with all headers there have been so far. Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "frames/frame_record.h"
#include "switchd/control.pb.h"

namespace lanyard::control {

class CaptureEncoder {
 public:
  // `name_of` tells a port's name by its serial.
  CaptureEncoder(std::function<std::string(std::uint64_t)> name_of, std::uint32_t snap_bytes)
      : name_of_(std::move(name_of)), snap_bytes_(snap_bytes) {}

  // What a file begins with, also one without frames. Once, first.
  static void begin(v1::CaptureData& data);
  // The frame, and before it its port where that is new.
  void add(const RecordView& view, v1::CaptureData& data);

 private:
  [[nodiscard]] std::uint32_t interface_of(std::uint64_t port, v1::CaptureData& data);

  std::function<std::string(std::uint64_t)> name_of_;
  std::uint32_t snap_bytes_;
  std::unordered_map<std::uint64_t, std::uint32_t> interfaces_;  // by serial
};

}  // namespace lanyard::control
