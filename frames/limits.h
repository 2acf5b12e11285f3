// Every bound of the switch, with its unit in the name, and how the bounds hang together. Memory is reserved as
// virtual address space and costs only the pages that frames really touch.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lanyard::limits {

inline constexpr std::size_t kibi = 1024;
inline constexpr std::size_t mebi = 1024 * kibi;

// --- Frames. 69632 is what QEMU takes on a stream (NET_BUFSIZE, include/net/net.h); one byte more and it closes.
inline constexpr std::size_t frame_bytes_min = 14;
inline constexpr std::size_t frame_bytes_max = 69632;
inline constexpr std::size_t length_header_bytes = 4;  // QEMU's stream wire, net/stream.c: big-endian u32
inline constexpr std::size_t udp_payload_bytes_max = 65507;

// --- Buffers. A chunk receives a stretch of a stream; a slot receives one datagram.
inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t chunk_receive_bytes = 256 * kibi;
// The head of a frame cut by the end of a chunk is copied here, in front of the next chunk, so it lies contiguous.
inline constexpr std::size_t chunk_headroom_bytes = frame_bytes_max + length_header_bytes;
inline constexpr std::size_t chunk_bytes =
    (chunk_headroom_bytes + chunk_receive_bytes + page_bytes - 1) / page_bytes * page_bytes;
// One cache line more than whole pages: the beginnings of slots a multiple of 4 KiB apart would share one set of the
// first-level cache.
inline constexpr std::size_t slot_bytes = 72 * kibi + 64;
// In front of a datagram: io_uring's recvmsg header, the source address, control data; and then, reusing those
// bytes, a VLAN tag that is put back and the length header that a stream egress needs.
inline constexpr std::size_t slot_headroom_bytes = 256;
inline constexpr std::size_t slot_receive_bytes = slot_bytes - slot_headroom_bytes;

// Every stream that has received holds one chunk; address space only, until frames touch it.
inline constexpr std::size_t chunks_max = 6144;
inline constexpr std::size_t slots_max = 4096;
// Below this many free buffers nothing more is pinned by a queue, so that ingress goes on being drained.
inline constexpr std::size_t chunks_reserve = 1024;
inline constexpr std::size_t slots_reserve = slots_max / 4;

// --- Ports and networks.
inline constexpr std::size_t ports_max = 4096;
inline constexpr std::size_t networks_max = 1024;
inline constexpr std::size_t peers_per_transport_max = 1024;  // udp with allow=
inline constexpr std::size_t peers_per_host_max = 512;        // of these, from one address: it cannot lock others out
inline constexpr std::uint64_t peer_idle_ns_max = 300ULL * 1'000'000'000ULL;
inline constexpr std::uint64_t peer_idle_crowded_ns_max = 30ULL * 1'000'000'000ULL;  // while others wait for a place
inline constexpr std::size_t peers_evicted_max = 32;  // that early, at one look; there is one a second
inline constexpr std::size_t port_name_bytes_max = 64;

// --- Captures.
inline constexpr std::size_t taps_max = 16;     // captures at one time
inline constexpr std::size_t mirrors_max = 16;
inline constexpr std::size_t filter_bytes_max = 4096;  // of a capture filter's text
// A tap's ring is looked at every 10 ms: 16 MiB are then enough for 1.6 GB/s, or for a look 100 ms late at 160 MB/s.
inline constexpr std::uint64_t capture_look_ns = 10'000'000;
inline constexpr std::size_t tap_ring_bytes = 16 * mebi;
inline constexpr std::size_t names_gone_max = 2 * ports_max;  // of ports, kept for frames that are older

// --- Gateways.
inline constexpr std::size_t leases_max = 4096;  // addresses in a pool
inline constexpr std::size_t reservations_max = 256;
inline constexpr std::size_t forwards_max = 256;

// --- Configuration.
inline constexpr std::size_t config_bytes_max = mebi;
inline constexpr std::size_t config_depth_max = 8;  // of nested YAML; what we understand is 4 deep
inline constexpr std::size_t allow_prefixes_max = 256;  // of one port
inline constexpr std::size_t unix_path_bytes_max = 107;  // sockaddr_un's 108, less the terminating NUL
inline constexpr std::size_t path_bytes_max = 4095;          // PATH_MAX, less the terminating NUL
inline constexpr std::size_t interface_name_bytes_max = 15;  // IFNAMSIZ, less the terminating NUL
inline constexpr std::size_t group_name_bytes_max = 32;      // as of groupadd(8)

// --- Control.
inline constexpr std::size_t events_kept_max = 1024;
inline constexpr std::size_t control_clients_max = 64;
inline constexpr std::size_t control_streams_max = 16;            // of one client
inline constexpr std::size_t control_waiting_bytes_soft_max = mebi;  // for a client; beyond, its streams lose parts
inline constexpr std::size_t control_waiting_bytes_max = 8 * mebi;   // beyond, nothing more is read of it
inline constexpr std::size_t http_clients_max = 64;
inline constexpr std::size_t http_request_s_max = 30;        // for a client to send one
inline constexpr std::size_t http_stalled_s_max = 300;       // for a client to take some of what is sent
inline constexpr std::size_t http_field_bytes_max = 8192;    // of the target, or of a header field
inline constexpr std::size_t http_fields_max = 64;
inline constexpr std::size_t http_token_bytes_min = 16;
inline constexpr std::size_t http_token_bytes_max = 512;
inline constexpr std::uint64_t ageing_s_max = 86'400;
inline constexpr std::uint64_t rewind_mib_max = 4096;

// --- Standard output: what waits for a reader that has fallen behind.
inline constexpr std::size_t output_bytes_max = mebi;

// --- Egress queues, per port. Bytes protect memory; frames bound what a script may ask for with queue=.
inline constexpr std::size_t queue_frames_default = 8192;
inline constexpr std::size_t queue_frames_max = 65536;
inline constexpr std::size_t queue_bytes_max = 2 * mebi;
// A queue may hold this much buffer space (whole buffers, however little of each it needs); beyond it frames are
// copied out into a buffer of the queue's own.
inline constexpr std::size_t queue_pinned_bytes_max = 16 * chunk_bytes;

// --- One turn of the loop.
inline constexpr std::size_t turn_frames_soft_max = 16384;  // no further completion is taken beyond this
inline constexpr std::size_t batch_frames_max = 36 * kibi;
inline constexpr std::size_t datagrams_per_receive = 64;
// Runs (UDP_GRO) hold up to 64 KiB each: fewer at once, and fewer in a turn, so that one turn fits in an empty queue.
inline constexpr std::size_t runs_per_receive = 15;
inline constexpr std::size_t turn_run_bytes_max = mebi;
inline constexpr std::size_t segments_per_send = 256;  // iovec entries of one send; the kernel takes 1024
inline constexpr std::size_t messages_per_send = 64;
inline constexpr std::size_t gso_segments_max = 64;  // UDP_MAX_SEGMENTS, Linux before 6.9

// --- MAC table, per network.
inline constexpr std::size_t macs_default = 131072;
inline constexpr std::uint64_t mac_ageing_ns_default = 300ULL * 1'000'000'000ULL;

static_assert(slot_receive_bytes > frame_bytes_max, "an oversize datagram must be seen to be oversize");
static_assert(chunk_receive_bytes > 2 * (frame_bytes_max + length_header_bytes));
static_assert(turn_frames_soft_max + chunk_bytes / (frame_bytes_min + length_header_bytes) <= batch_frames_max,
              "the last receive of a turn always fits");
static_assert(queue_bytes_max > chunk_receive_bytes, "one read of one port must fit in an empty queue");
static_assert(chunks_max - chunks_reserve > ports_max, "as many streams as there may be ports leave the pool at ease");
static_assert(turn_run_bytes_max + runs_per_receive * udp_payload_bytes_max < queue_bytes_max);
static_assert(peers_per_host_max < peers_per_transport_max);
static_assert(queue_frames_default <= queue_frames_max);
static_assert(queue_pinned_bytes_max / slot_bytes > datagrams_per_receive, "one receive of datagrams is not copied");

}  // namespace lanyard::limits
