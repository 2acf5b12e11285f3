#!/usr/bin/env python3
"""Large frames: 9000 bytes on every port, 65535 on streams; what a datagram cannot carry is counted as `mtu`."""

from __future__ import annotations

from host import LabError
from judge import expect_all_pings, expect_all_transfers, expect_no_ping, expect_ping, ping_size, serve, throughput
from lab import Lab, each, run

JUMBO_MTU = 9000
MTU_MAX = 65535  # of IPv4; with its Ethernet header 65549 bytes, where a UDP datagram has 65507 at most


def jumbo(lab: Lab) -> None:
    host = lab.host("one")
    unix = lab.sockets / "unix"
    switch = lab.switch(
        host,
        "tcp=tcp-listen:0",
        f"unix=unix-listen:{unix}",
        "udp=udp:127.0.0.1:7001,remote=127.0.0.1:7101",
        "group=mcast:239.1.1.1:5001",
    )
    tcp = lab.guest(host, "tcp", f"socket,connect=127.0.0.1:{switch.number('tcp')}", mtu=JUMBO_MTU)
    stream = lab.guest(host, "stream", f"stream,server=off,addr.type=unix,addr.path={unix}", mtu=JUMBO_MTU)
    udp = lab.guest(host, "udp", "socket,udp=127.0.0.1:7001,localaddr=127.0.0.1:7101", mtu=JUMBO_MTU)
    mcast = lab.guest(host, "mcast", "socket,mcast=239.1.1.1:5001", mtu=JUMBO_MTU)
    guests = [tcp, stream, udp, mcast]
    lab.boot(guests)
    expect_all_pings(guests, ping_size(JUMBO_MTU))
    serve(guests)
    expect_all_transfers(guests)
    print(f"tcp -> stream, MTU {JUMBO_MTU}: {throughput(tcp, stream):.0f} Mb/s", flush=True)

    each(lambda guest: guest.must(f"ip link set eth0 mtu {MTU_MAX}"), guests)
    expect_ping(tcp, stream, ping_size(MTU_MAX))
    expect_ping(stream, tcp, ping_size(MTU_MAX))
    for guest, port in ((udp, "udp"), (mcast, "group")):
        expect_no_ping(stream, guest, ping_size(MTU_MAX))
        if switch.stats()["ports"][port]["drops"]["mtu"] == 0:
            raise LabError(f"a frame that port {port} cannot carry was not counted as mtu")
    expect_all_pings(guests)
    switch.check_ledger()
    switch.stop()


if __name__ == "__main__":
    run(jumbo)
