#!/usr/bin/env python3
"""Guests are killed and started again: the others notice nothing, the dead ones are forgotten and come back."""

from __future__ import annotations

from host import LabError
from judge import expect_all_pings, expect_all_transfers, serve
from lab import Lab, run


def guest_restart(lab: Lab) -> None:
    host = lab.host("one")
    unix = lab.sockets / "unix"
    switch = lab.switch(
        host, "tcp=tcp-listen:0", f"unix=unix-listen:{unix}", "udp=udp:127.0.0.1:7001,remote=127.0.0.1:7101"
    )
    tcp = f"socket,connect=127.0.0.1:{switch.number('tcp')}"
    dying = [
        lab.guest(host, "tcp", tcp),
        lab.guest(host, "stream", f"stream,server=off,addr.type=unix,addr.path={unix}"),
        lab.guest(host, "udp", "socket,udp=127.0.0.1:7001,localaddr=127.0.0.1:7101"),
    ]
    lab.boot(dying)  # first, so that its connection is tcp.1
    staying = [lab.guest(host, "stays-1", tcp), lab.guest(host, "stays-2", tcp)]
    lab.boot(staying)
    expect_all_pings([*dying, *staying])

    for round_number in (1, 2):
        seen = switch.lines_seen()
        for guest in dying:
            guest.kill()
        for port in ("tcp.1", "unix.1"):
            switch.wait_port(port, "down", after=seen)
        for guest in dying[:2]:
            if port_left := switch.port_of(guest.mac):
                raise LabError(f"{guest.name} was killed and is still known behind {port_left}")
        expect_all_pings(staying)
        lab.boot(dying)
        for port in ("tcp.1", "unix.1"):
            switch.wait_port(port, "up", after=seen)
        expect_all_pings([*dying, *staying])
        print(f"round {round_number}: back", flush=True)
    serve([*dying, *staying])
    expect_all_transfers([*dying, *staying])
    switch.check_ledger()
    switch.stop()


if __name__ == "__main__":
    run(guest_restart)
