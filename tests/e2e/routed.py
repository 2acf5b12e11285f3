#!/usr/bin/env python3
"""The way out by a TAP of the host, which routes without translation while the gateway only gives addresses and names."""

from __future__ import annotations

import os

from host import LabError
from internet import fetch, make_internet, wait_address
from lab import Lab, need_taps, run


def routed(lab: Lab) -> None:
    need_taps()
    os.environ["XDG_STATE_HOME"] = str(lab.sockets)
    host = lab.host("one")
    file = make_internet(lab, host)["file"]
    internet = next(each for each in lab.hosts if each.name == "internet")
    host.run("ip", "tuntap", "add", "vms0", "mode", "tap")
    host.run("ip", "address", "add", "192.0.2.1/24", "dev", "vms0")
    host.run("ip", "link", "set", "vms0", "up")
    host.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    internet.run("ip", "route", "add", "192.0.2.0/24", "via", "203.0.113.1")
    path = lab.sockets / "routed"
    switch = lab.switch(
        host, f"vms=unix-listen:{path}", "host=tap:vms0",
        "names=nat:192.0.2.0/24,router=192.0.2.2,dns=192.0.2.3,via=192.0.2.1,outbound=none", name="switch-routed",
    )
    guest = lab.guest(host, "routed", f"stream,addr.type=unix,addr.path={path},server=off", address="dhcp")
    lab.boot([guest])
    address = wait_address(guest)
    fetch(guest, file)
    internet.run("ping", "-c", "2", "-W", "5", address)  # and from outside, with no forward and no translation
    if "192.0.2.15" not in guest.must("nslookup routed.lan"):
        raise LabError("the gateway does not know the guest's name")
    switch.check_ledger()
    switch.stop()


if __name__ == "__main__":
    run(routed)
