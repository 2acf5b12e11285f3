#!/usr/bin/env python3
"""One listening port is a LAN for as many guests as connect: what QEMU's own listener, which serves one, cannot do."""

from __future__ import annotations

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
    switch.stop()


if __name__ == "__main__":
    run(hub)
