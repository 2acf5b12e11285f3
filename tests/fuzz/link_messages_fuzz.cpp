// Feeds the reader of rtnetlink messages. Whatever comes, no more interfaces have gone than there is room to say so.
#include <linux/rtnetlink.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "frames/check.h"
#include "switchd/link_watch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto gone = lanyard::links_gone({reinterpret_cast<const std::byte*>(data), size});
  LANYARD_CHECK(gone.size() <= size / NLMSG_LENGTH(sizeof(ifinfomsg)));
  return 0;
}
