#!/usr/bin/env python3
"""The ways out besides `nat`, for users who have no TAP: a guest with a second network card that routes for the rest,
and passt behind unix-connect. routed.py has the one with a TAP."""

from __future__ import annotations

import os
import subprocess

from guest import Guest
from host import Host, LabError
from internet import INTERNET, fetch, make_internet, wait_address
from lab import Lab, run

ROUTER = (
    "while read -r m; do insmod /modules/$m; done < /modules/router",
    "ip link set eth1 up && ip address add 10.9.0.15/24 dev eth1 && ip route add default via 10.9.0.2",
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    "nft add table ip nat",
    "nft 'add chain ip nat postrouting { type nat hook postrouting priority srcnat; }'",
    "nft add rule ip nat postrouting oifname eth1 masquerade",
)


def ways_out(lab: Lab) -> None:
    os.environ["XDG_STATE_HOME"] = str(lab.sockets)
    host = lab.host("one")
    files = make_internet(lab, host)
    by_a_guest(lab, host, files["file"])
    by_passt(lab, host, files["file"])


def by_a_guest(lab: Lab, host: Host, file: str) -> None:
    path = lab.sockets / "classic"
    switch = lab.switch(host, f"vms=unix-listen:{path}", name="switch-classic")
    netdev = f"stream,addr.type=unix,addr.path={path},server=off"
    router = lab.guest(host, "router", netdev, address="10.7.0.1", outside="user,net=10.9.0.0/24")
    plain = lab.guest(host, "plain", netdev, address="10.7.0.9")
    lab.boot([router, plain])
    for command in ROUTER:
        router.must(command)
    plain.must("ip route add default via 10.7.0.1")
    fetch(plain, file)
    forwarded = int(router.must("grep -A1 '^Ip: F' /proc/net/snmp | tail -n 1").split()[6])
    if forwarded < 10:
        raise LabError(f"the router forwarded {forwarded} packets only")
    switch.check_ledger()
    switch.stop()
    for guest in (router, plain):
        guest.kill()


def by_passt(lab: Lab, host: Host, file: str) -> None:
    path, outside = lab.sockets / "passt-lan", lab.sockets / "passt"
    host.run("ip", "route", "add", "default", "via", INTERNET)  # passt wants to know which interface leads outside
    with (lab.logs / "passt.log").open("w") as log:
        command = host.command("passt", "--foreground", "--socket", outside, "--runas", "0", "--no-map-gw")
        lab.background.append(subprocess.Popen(command, stdout=log, stderr=log))
    switch = lab.switch(host, f"vms=unix-listen:{path}", f"out=unix-connect:{outside}", name="switch-passt")
    switch.wait_port("out", "up")
    guest = lab.guest(host, "passt", f"stream,addr.type=unix,addr.path={path},server=off", address="dhcp")
    lab.boot([guest])
    address = wait_address(guest)
    if address != "203.0.113.1":  # passt gives the host's own
        raise LabError(f"passt gave {address}")
    guest.must(f"ip route replace {INTERNET} dev eth0")
    fetch(guest, file)
    switch.check_ledger()
    switch.stop()
    guest.kill()


if __name__ == "__main__":
    run(ways_out)
