#!/usr/bin/env python3
"""switchd dies (SIGKILL) under traffic and is started again: guests of QEMU 10 reconnect, and all is as before."""

from __future__ import annotations

from guest import QEMU_10
from judge import expect_all_pings, expect_all_transfers, serve
from lab import Lab, run

PORT = 7001  # the same again after the restart
RECONNECT = "reconnect-ms=200"


def switch_restart(lab: Lab) -> None:
    host = lab.host("one")
    unix = lab.sockets / "unix"
    switch = lab.switch(
        host,
        f"tcp=tcp-listen:127.0.0.1:{PORT}",
        f"unix=unix-listen:{unix}",
        "udp=udp:127.0.0.1:7002,remote=127.0.0.1:7102",
    )
    tcp = f"stream,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port={PORT},{RECONNECT}"
    guests = [
        lab.guest(host, "tcp-1", tcp, qemu=QEMU_10),
        lab.guest(host, "tcp-2", tcp, qemu=QEMU_10),
        lab.guest(host, "unix", f"stream,server=off,addr.type=unix,addr.path={unix},{RECONNECT}", qemu=QEMU_10),
        lab.guest(host, "udp", "socket,udp=127.0.0.1:7002,localaddr=127.0.0.1:7102", qemu=QEMU_10),
    ]
    lab.boot(guests)
    expect_all_pings(guests)
    serve(guests)

    for round_number in (1, 2):
        guests[0].must(f"ping {guests[1].address} -i 0.01 > /dev/null 2>&1 &")
        guests[2].must(f"ping {guests[3].address} -i 0.01 > /dev/null 2>&1 &")
        switch.kill()
        switch.start()
        for port in ("tcp.1", "tcp.2", "unix.1"):
            switch.wait_port(port, "up")
        expect_all_pings(guests)
        expect_all_transfers(guests)
        switch.check_ledger()
        print(f"round {round_number}: reconnected", flush=True)
    switch.stop()


if __name__ == "__main__":
    run(switch_restart)
