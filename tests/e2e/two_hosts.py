#!/usr/bin/env python3
"""Two hosts, a switch on each, joined by a UDP tunnel over a cable with an MTU of 1500; guests on both.

A guest's full-size frame does not fit the cable once it is in a datagram, so the hosts fragment it and put it together
again: guests notice nothing. With a guest MTU of 1458 (1500 less 28 bytes of IPv4 and UDP and 14 of Ethernet) nothing
is fragmented any more.
"""

from __future__ import annotations

from collections.abc import Callable

from host import Host, LabError
from judge import expect_all_pings, expect_all_transfers, ping_size, serve, throughput
from lab import Lab, each, run

REDUCED_MTU = 1458


def two_hosts(lab: Lab) -> None:
    west, east = lab.host("west"), lab.host("east")
    lab.cable(west, "10.1.0.1/24", east, "10.1.0.2/24", mtu=1500)
    west_switch = lab.switch(west, "tunnel=udp:10.1.0.1:9000,remote=10.1.0.2:9000", "tcp=tcp-listen:0")
    unix = lab.sockets / "east"
    east_switch = lab.switch(
        east, "tunnel=udp:10.1.0.2:9000,remote=10.1.0.1:9000", f"unix=unix-listen:{unix}", "group=mcast:239.1.1.1:5001"
    )
    tcp = f"socket,connect=127.0.0.1:{west_switch.number('tcp')}"
    stream = f"stream,server=off,addr.type=unix,addr.path={unix}"
    guests = [
        lab.guest(west, "west-1", tcp),
        lab.guest(west, "west-2", tcp),
        lab.guest(east, "east-1", stream),
        lab.guest(east, "east-2", "socket,mcast=239.1.1.1:5001"),
    ]
    lab.boot(guests)
    expect_all_pings(guests)
    if fragments_of(west, east, lambda: expect_all_pings(guests, ping_size(1500))) == 0:
        raise LabError("full-size frames were expected to be fragmented on the cable, and were not")
    serve(guests)
    expect_all_transfers(guests)
    print(f"fragmented: {throughput(guests[0], guests[2]):.0f} Mb/s", flush=True)

    each(lambda guest: guest.must(f"ip link set eth0 mtu {REDUCED_MTU}"), guests)
    fragments = fragments_of(west, east, lambda: expect_all_pings(guests, ping_size(REDUCED_MTU)))
    fragments += fragments_of(west, east, lambda: expect_all_transfers(guests))
    if fragments != 0:
        raise LabError(f"{fragments} fragments were sent although guests have an MTU of {REDUCED_MTU}")
    print(f"not fragmented: {throughput(guests[0], guests[2]):.0f} Mb/s", flush=True)

    for switch in (west_switch, east_switch):
        switch.check_ledger()
        switch.stop()


def fragments_of(west: Host, east: Host, traffic: Callable[[], None]) -> int:
    """How many IP fragments the two hosts send during some traffic."""
    before = [host.ip_counter("FragCreates") for host in (west, east)]
    traffic()
    return sum(host.ip_counter("FragCreates") for host in (west, east)) - sum(before)


if __name__ == "__main__":
    run(two_hosts)
