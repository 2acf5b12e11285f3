// Leases on disk, so that guests keep their addresses when the gateway or the host starts again. Replaced as
// a whole and atomically: a reader finds the old or the new file, never half of one.
//
// One gateway's at a time: it holds a lock (flock(2)) on PATH.lock, a file of its own, since each save makes the file
// of leases another one. The kernel lets go of it however the gateway ends. The one that comes second has its leases in
// memory only: two that write one file would give away each other's.
//
// A save does not wait for the disk: all guests would wait with it. Whatever has been saved outlives the gateway and
// switchd, however they end, since the kernel has it. It outlives a power loss once the file has been synced, which is
// done at an orderly end, or when the file system has committed, which takes it up to half a minute (ext4: 5 s, btrfs
// and XFS: 30 s). A loss before costs the leases of that time on ext4 and btrfs, which write a file's bytes before they
// put it in place of another. On XFS it may leave an empty file, and costs all; that is no file of leases, and is told.
// The guests of this host have lost their power with it: they ask for the address they had and get it if it is free.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "switchd/gateway/lease_table.h"
#include "transports/fd.h"

namespace lanyard {

struct LeaseLock {
  Fd held;                   // until it is closed
  bool is_anothers = false;  // the file is not ours to read or to write
  std::string wrong;         // empty, or what to tell people
};

// Waits for a while where another has the lock: it may be ending with a switch that has just been killed. A lock that
// the file system does not give is told, and keeps nobody from the file.
[[nodiscard]] LeaseLock lock_leases(const std::string& path,
                                    std::chrono::milliseconds time_max = std::chrono::seconds(1));

// An empty string, or what went wrong.
[[nodiscard]] std::string save_leases(const std::string& path, const std::vector<Lease>& leases);
// Waits until a power loss does not matter to what was saved.
void sync_leases(const std::string& path);
// A file that is not there has no leases. One that cannot be read is told in `wrong` and left as it is.
[[nodiscard]] std::vector<Lease> load_leases(const std::string& path, std::string& wrong);
// What a file says; false, and no leases, where it is none of ours.
[[nodiscard]] std::string write_lease_text(const std::vector<Lease>& leases);
[[nodiscard]] bool read_lease_text(const std::string& text, std::vector<Lease>& leases);

}  // namespace lanyard
