#!/usr/bin/env python3
"""One listening port is a LAN for as many guests as connect: what QEMU's own listener, which serves one, cannot do."""

from __future__ import annotations

from collections.abc import Sequence

from guest import Guest
from host import LabError
from judge import expect_all_pings, expect_all_transfers, expect_ping, ping_size, serve
from lab import Lab, run

GUESTS = 5
PINGS = 200


def hub(lab: Lab) -> None:
    host = lab.host("one")
    switch = lab.switch(host, "tcp=tcp-listen:0")
    address = f"127.0.0.1:{switch.number('tcp')}"
    guests = [lab.guest(host, f"g{i}", f"socket,connect={address}") for i in range(1, GUESTS + 1)]
    lab.boot(guests)

    expect_all_pings(guests)
    expect_all_pings(guests, ping_size(1500))
    serve(guests)
    expect_all_transfers(guests)
    ports = {guest.name: switch.port_of(guest.mac) for guest in guests}
    if set(ports.values()) != {f"tcp.{i}" for i in range(1, GUESTS + 1)}:
        raise LabError(f"expected each guest behind a connection of its own, found {ports}")

    # What is for one guest goes to that guest only. The others still get the odd broadcast.
    bystander = str(ports["g3"])
    before = switch.stats()["ports"][bystander]["copies"]
    expect_ping(guests[0], guests[1], count=PINGS)
    copies = switch.check_ledger()["ports"][bystander]["copies"] - before
    if copies > PINGS / 4:
        raise LabError(f"{PINGS} pings between g1 and g2 sent {copies} frames to g3")
    expect_broadcasts_reach_others_only(guests)
    switch.stop()


def expect_broadcasts_reach_others_only(guests: Sequence[Guest]) -> None:
    """What a guest sends to all comes to every other, and never back to itself. Nobody answers such pings."""
    sender = guests[0]
    before = [frames_received(guest) for guest in guests]
    sender.run(f"ping -c {PINGS} -i 0.01 -W 1 10.7.0.255")
    received = [frames_received(guest) - count for guest, count in zip(guests, before)]
    if received[0] > PINGS / 4:
        raise LabError(f"{sender.name} sent {PINGS} broadcasts and received {received[0]} frames: its own, it seems")
    for guest, count in list(zip(guests, received))[1:]:
        if count < PINGS:
            raise LabError(f"{sender.name} sent {PINGS} broadcasts and {guest.name} received {count} frames")


def frames_received(guest: Guest) -> int:
    return int(guest.must("cat /sys/class/net/eth0/statistics/rx_packets"))


if __name__ == "__main__":
    run(hub)
