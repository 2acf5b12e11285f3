"""What guests can tell about the network between them: pings, transfers with a checksum, throughput."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from guest import Guest
from host import LabError
from lab import each

PINGS = 3
TRANSFER_BYTES = 300_000
FILE_PORT = 5200
IPERF_PORT = 5201
IPERF_SECONDS = 1
HEADER_BYTES = 28  # of IPv4 and ICMP, in front of what ping -s counts


def ping(guest: Guest, addresses: Sequence[str], size: int = 56, count: int = PINGS) -> dict[str, int]:
    """Pings each address in turn, and tells for each how many pings were answered. -A: no pause after an answer."""
    command = f"for a in {' '.join(addresses)}; do ping -A -c {count} -W 5 -s {size} $a; done"
    _, output = guest.run(command, timeout_s=15 * len(addresses) + 15)
    found = re.findall(r"--- (\S+) ping statistics ---\s+\d+ packets transmitted, (\d+) packets received", output)
    answered = {address: int(received) for address, received in found}
    return {address: answered.get(address, 0) for address in addresses}


def expect_all_pings(guests: Sequence[Guest], size: int = 56) -> None:
    """Every guest pings every other; each pair is judged."""
    answers = each(lambda guest: ping(guest, [other.address for other in guests if other is not guest], size), guests)
    names = {guest.address: guest.name for guest in guests}
    lost = [
        f"{guest.name} -> {names[address]} ({PINGS - answered} of {PINGS})"
        for guest, of_guest in zip(guests, answers)
        for address, answered in of_guest.items()
        if answered < PINGS
    ]
    if lost:
        raise LabError(f"pings of {size} bytes were lost: {', '.join(lost)}")


def expect_ping(guest: Guest, other: Guest, size: int = 56, count: int = PINGS) -> None:
    answered = ping(guest, [other.address], size, count)[other.address]
    if answered < count:
        raise LabError(f"pings of {size} bytes were lost: {guest.name} -> {other.name} ({count - answered} of {count})")


def expect_no_ping(guest: Guest, other: Guest, size: int) -> None:
    if ping(guest, [other.address], size, count=1)[other.address]:
        raise LabError(f"a ping of {size} bytes was answered, and should not be: {guest.name} -> {other.name}")


def ping_size(mtu: int) -> int:
    """The size of a ping that fills an MTU."""
    return mtu - HEADER_BYTES


def serve(guests: Sequence[Guest]) -> None:
    """Has each guest serve a random file (by netcat, to whoever connects) and measurements (by iperf3)."""
    command = (
        f"head -c {TRANSFER_BYTES} /dev/urandom > /tmp/file"
        f" && (nc -ll -p {FILE_PORT} -e cat /tmp/file < /dev/null > /dev/null 2>&1 &) && iperf3 -s -D"
        f" && for p in {FILE_PORT} {IPERF_PORT}; do until netstat -ltn | grep -q :$p; do usleep 50000; done; done"
    )
    each(lambda guest: guest.must(command, timeout_s=60), guests)


def expect_all_transfers(guests: Sequence[Guest]) -> None:
    """Every guest fetches the file of every other, and it arrives unchanged. serve() comes first."""
    sums = dict(zip([guest.address for guest in guests], each(lambda guest: _sum_of_own_file(guest), guests)))

    def fetch(guest: Guest) -> list[str]:
        others = [other for other in guests if other is not guest]
        return [f"{other.name} -> {guest.name}" for other in others if _fetched(guest, other) != sums[other.address]]

    wrong = [pair for pairs in each(fetch, guests) for pair in pairs]
    if wrong:
        raise LabError(f"a file did not arrive as it was sent: {', '.join(wrong)}")


def throughput(client: Guest, server: Guest, seconds: int = IPERF_SECONDS) -> float:
    """Megabits per second that TCP carries from client to server; more than nothing. serve() comes first."""
    output = client.must(f"iperf3 -c {server.address} -p {IPERF_PORT} -t {seconds} -J", timeout_s=seconds + 60)
    rate = float(json.loads(output)["end"]["sum_received"]["bits_per_second"]) / 1e6
    if rate <= 0:
        raise LabError(f"iperf3 measured nothing: {client.name} -> {server.name}")
    return rate


def _sum_of_own_file(guest: Guest) -> str:
    return guest.must("sha256sum < /tmp/file").split()[0]


def _fetched(guest: Guest, server: Guest) -> str:
    _, output = guest.run(f"nc -w 20 {server.address} {FILE_PORT} < /dev/null | sha256sum", timeout_s=60)
    return output.split()[0] if output.split() else ""
