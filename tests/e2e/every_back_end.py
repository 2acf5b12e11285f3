#!/usr/bin/env python3
"""Every network back end of QEMU with every other: one switch, all guests at once, each pair judged."""

from __future__ import annotations

from judge import expect_all_pings, expect_all_transfers, ping_size, serve, throughput
from lab import Lab, run


def every_back_end(lab: Lab) -> None:
    host = lab.host("one")
    sockets = lab.sockets
    switch = lab.switch(
        host,
        "group=mcast:239.1.1.1:5001",
        "udp-a=udp:127.0.0.1:7001,remote=127.0.0.1:7101",
        "udp-b=udp:127.0.0.1:7002,remote=127.0.0.1:7102",
        "tcp=tcp-listen:0",
        "to-tcp=tcp-connect:127.0.0.1:7003",
        f"unix=unix-listen:{sockets}/unix",
        f"to-unix=unix-connect:{sockets}/to-unix",
        f"dgram=unix-dgram:{sockets}/dgram,remote={sockets}/dgram-guest",
    )
    tcp = switch.number("tcp")
    unix_dgram = f"local.type=unix,local.path={sockets}/dgram-guest,remote.type=unix,remote.path={sockets}/dgram"
    inet = "local.type=inet,local.host=127.0.0.1,local.port=7102,remote.type=inet,remote.host=127.0.0.1,remote.port=7002"
    netdevs = {
        "mcast": "socket,mcast=239.1.1.1:5001",
        "mcast-dgram": "dgram,remote.type=inet,remote.host=239.1.1.1,remote.port=5001",
        "udp": "socket,udp=127.0.0.1:7001,localaddr=127.0.0.1:7101",
        "connect": f"socket,connect=127.0.0.1:{tcp}",
        "listen": "socket,listen=127.0.0.1:7003",
        "stream-inet": f"stream,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port={tcp}",
        "stream-unix": f"stream,server=off,addr.type=unix,addr.path={sockets}/unix",
        "stream-unix-server": f"stream,server=on,addr.type=unix,addr.path={sockets}/to-unix",
        "dgram-inet": f"dgram,{inet}",
        "dgram-unix": f"dgram,{unix_dgram}",
    }
    guests = [lab.guest(host, name, netdev) for name, netdev in netdevs.items()]
    lab.boot(guests)
    for port in ("to-tcp", "to-unix"):
        switch.wait_port(port, "up")

    expect_all_pings(guests)
    expect_all_pings(guests, ping_size(1500))
    serve(guests)
    expect_all_transfers(guests)
    for client, server in zip(guests, guests[1:] + guests[:1]):
        print(f"{client.name} -> {server.name}: {throughput(client, server):.0f} Mb/s", flush=True)
    switch.check_ledger()
    switch.stop()


if __name__ == "__main__":
    run(every_back_end)
