// The recent past of a network: the last frames it carried, in a ring of records (frames/frame_record.h) of which the
// oldest give way. Written by the data thread while nobody else has it.
//
// To be read it changes hands whole: the control plane sends a fresh one, the data thread puts that in its place and
// hands this one back (Command::swap_rewind, Notice::past). Nothing is copied and nothing waits.
//
// Memory, for a network of rewind_mib M: at most M is being written and less than 2 M kept by RewindHistory, pages
// being taken as frames come; while one is being merged, M more. A capture that is still reading the past holds on to
// what it reads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "frames/frame_record.h"
#include "transports/memory.h"

namespace lanyard {

class Rewind {
 public:
  // Throws std::system_error when there is not so much address space.
  explicit Rewind(std::size_t bytes) : region_(bytes), memory_(region_.span()) {}

  // Sets the number of captured bytes to all there are, whatever it was.
  void append(FrameRecord record, std::span<const std::byte> bytes);

  [[nodiscard]] std::size_t capacity_bytes() const { return memory_.size(); }
  [[nodiscard]] std::size_t used_bytes() const { return tail_ - head_; }

  // Reads from the oldest on. REQUIRES: nothing is appended meanwhile.
  class Reader {
   public:
    explicit Reader(std::shared_ptr<const Rewind> of) : of_(std::move(of)), at_(of_->head_) {}
    [[nodiscard]] std::optional<RecordView> next();  // stays until pop(); nothing: that was all
    void pop() { at_ += of_->memory_.bytes_at(at_); }

   private:
    std::shared_ptr<const Rewind> of_;
    std::uint64_t at_;
  };

 private:
  MemoryRegion region_;
  RecordMemory memory_;
  std::uint64_t head_ = 0;  // the oldest record
  std::uint64_t tail_ = 0;
};

// What has been taken of a network, so that whoever asks soon after another still gets the past. Control thread.
class RewindHistory {
 public:
  // A rewind that the data plane has handed back, and writes no more.
  void add(std::shared_ptr<Rewind> taken);
  // In order of time; unchanged as long as somebody has them.
  [[nodiscard]] const std::vector<std::shared_ptr<Rewind>>& all() const { return kept_; }
  void clear() { kept_.clear(); }

 private:
  [[nodiscard]] bool merge(const std::shared_ptr<Rewind>& taken);
  std::vector<std::shared_ptr<Rewind>> kept_;
};

}  // namespace lanyard
