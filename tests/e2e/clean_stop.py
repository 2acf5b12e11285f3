#!/usr/bin/env python3
"""SIGTERM under traffic: exit status 0, every UNIX socket gone, guests alive; and what a crash leaves is no obstacle."""

from __future__ import annotations

import stat
from pathlib import Path

from host import LabError
from judge import expect_all_pings
from lab import Lab, run


def clean_stop(lab: Lab) -> None:
    host = lab.host("one")
    folder = lab.sockets / "switch"
    folder.mkdir()
    switch = lab.switch(
        host,
        f"unix=unix-listen:{folder}/stream",
        f"dgram=unix-dgram:{folder}/dgram,remote={lab.sockets}/dgram-guest",
        "tcp=tcp-listen:0",
    )
    dgram = f"local.type=unix,local.path={lab.sockets}/dgram-guest,remote.type=unix,remote.path={folder}/dgram"
    guests = [
        lab.guest(host, "stream", f"stream,server=off,addr.type=unix,addr.path={folder}/stream"),
        lab.guest(host, "dgram", f"dgram,{dgram}"),
        lab.guest(host, "tcp", f"socket,connect=127.0.0.1:{switch.number('tcp')}"),
    ]
    lab.boot(guests)
    expect_all_pings(guests)
    if not sockets_in(folder):
        raise LabError(f"expected the sockets of switchd in {folder} while it runs")
    for guest, other in zip(guests, guests[1:] + guests[:1]):
        guest.must(f"ping {other.address} -i 0.01 -s 1400 > /dev/null 2>&1 &")
    switch.stop()
    if left := sockets_in(folder) + sockets_in(switch.folder):
        raise LabError(f"a clean stop left {', '.join(map(str, left))}")
    for guest in guests:
        guest.must("true")

    switch.start()
    switch.kill()
    switch.start()
    switch.stop()
    if left := sockets_in(folder) + sockets_in(switch.folder):
        raise LabError(f"a stop after a crash left {', '.join(map(str, left))}")


def sockets_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if stat.S_ISSOCK(path.lstat().st_mode)]


if __name__ == "__main__":
    run(clean_stop)
