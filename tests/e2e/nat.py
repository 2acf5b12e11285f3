#!/usr/bin/env python3
"""One word, `nat`, gives guests addresses, names and the way out: to a server in another namespace, which is the
Internet here, over IPv4 and IPv6, by TCP, UDP and ICMP; and a way in where the host says so. The gateway may be killed,
the host may lose its network: guests keep their addresses and go on."""

from __future__ import annotations

import os
import signal
import time

from guest import Guest
from host import Host, LabError
from judge import expect_ping
from internet import INTERNET, INTERNET6, OUTSIDE_NAME, make_internet, wait_address
from lab import Lab, run
from switch import Switch

BACK_SECONDS_MAX = 2.0


def nat(lab: Lab) -> None:
    host = lab.host("one")
    files = make_internet(lab, host)
    host.run("sysctl", "-qw", "net.ipv4.ping_group_range=0 0")

    os.environ["XDG_STATE_HOME"] = str(lab.sockets)
    forwarded = 18080
    switch = lab.switch(host, f"vms=unix-listen:{lab.sockets / 'lan'}", f"out=nat,forward=tcp:{forwarded}:10.0.2.15:80")
    netdev = f"stream,addr.type=unix,addr.path={lab.sockets / 'lan'},server=off"
    guests = [lab.guest(host, name, netdev, address="dhcp") for name in ("a", "b")]
    lab.boot(guests[:1])
    wait_address(guests[0])
    lab.boot(guests[1:])
    for guest in guests:
        guest.address = wait_address(guest)
    if [guest.address for guest in guests] != ["10.0.2.15", "10.0.2.16"]:
        raise LabError(f"expected the first two addresses of the pool: {[guest.address for guest in guests]}")
    a, b = guests

    expect_told(a)
    expect_names(a, b)
    expect_ping(a, b)
    fetch_both_ways(a, files)
    fetch_in(host, a, forwarded)

    kill_gateway_under_load(switch, a)
    fetch_both_ways(a, files)
    again = [wait_renewed(guest) for guest in guests]
    if again != ["10.0.2.15", "10.0.2.16"]:
        raise LabError(f"addresses changed when the gateway started again: {again}")

    host.run("ip", "link", "set", "to-internet", "down")
    if a.run(f"timeout 4 wget -q -O /dev/null http://{INTERNET}/file", timeout_s=20)[0] == 0:
        raise LabError("the outside is reached without a network")
    host.run("ip", "link", "set", "to-internet", "up")
    host.run("ip", "address", "replace", "2001:db8::1/64", "nodad", "dev", "to-internet")
    fetch_both_ways(a, files)
    switch.check_ledger()
    switch.stop()


def wait_renewed(guest: Guest) -> str:
    """Has the guest ask for its address again (SIGUSR1 of udhcpc)."""
    guest.must("n=$(wc -l < /tmp/dhcp.events); kill -USR1 $(cat /tmp/udhcpc.pid);"
               " until [ $(wc -l < /tmp/dhcp.events) -gt $n ]; do usleep 100000; done", timeout_s=60)
    return wait_address(guest)


def expect_told(guest: Guest) -> None:
    events = guest.must("cat /tmp/dhcp.events")
    expected = "bound ip=10.0.2.15 mask=24 router=10.0.2.2 dns=10.0.2.3 domain=lan mtu=1500 lease=3600"
    if expected not in events:
        raise LabError(f"DHCP told the guest something else than {expected}:\n{events}")


def expect_names(a: Guest, b: Guest) -> None:
    for command, expected in (
        ("nslookup b.lan", b.address),
        ("nslookup b", b.address),
        (f"nslookup {b.address}", "b.lan"),
        ("nslookup gateway.lan", "10.0.2.2"),
        (f"nslookup {OUTSIDE_NAME}", INTERNET),
    ):
        status, output = a.run(command)
        if expected not in output.partition("Name:")[2] + output.partition("name =")[2]:
            raise LabError(f"{command}: expected {expected}, status {status}: {output}")
    status, output = a.run("nslookup nobody.lan")
    if "NXDOMAIN" not in output:
        raise LabError(f"a name that nobody has: {output}")


def fetch_both_ways(guest: Guest, files: dict[str, str]) -> None:
    """HTTP over IPv4, by name, and over IPv6; UDP and TCP by iperf3 both ways; ICMP echo."""
    for url in (f"http://{INTERNET}/file", f"http://{OUTSIDE_NAME}/file", f"http://[{INTERNET6}]/file"):
        output = guest.must(f"wget -q -O - '{url}' | sha256sum", timeout_s=60)
        if output.split()[-2] != files["file"]:
            raise LabError(f"{url} did not arrive as it is: {output.strip()}")
    for options in ("", "-R", "-u -b 2M", "-u -b 2M -R"):
        guest.must(f"iperf3 -c {INTERNET} -t 1 {options}", timeout_s=60)
    guest.must(f"ping -c 2 -W 5 {INTERNET}")


def fetch_in(host: Host, guest: Guest, port: int) -> None:
    """From the host to a server in the guest, by the forward."""
    guest.must("mkdir -p /tmp/www && echo inside > /tmp/www/page && httpd -p 80 -h /tmp/www")
    page = host.run("busybox", "wget", "-q", "-O", "-", f"http://127.0.0.1:{port}/page")
    if page != "inside\n":
        raise LabError(f"the forward gave {page!r}")


def kill_gateway_under_load(switch: Switch, guest: Guest) -> None:
    """SIGKILL while data flows; another gateway is there within two seconds, and guests reach it."""
    gateway = switch.children("lanyard-gateway")
    if len(gateway) != 1:
        raise LabError(f"expected one gateway, found {gateway}")
    guest.must(f"(iperf3 -c {INTERNET} -t 20 > /tmp/iperf.log 2>&1 &) ;"
               " until grep -q connected /tmp/iperf.log; do usleep 100000; done")
    seen = switch.lines_seen()
    killed = time.monotonic()
    os.kill(gateway[0], signal.SIGKILL)
    switch.wait_line("out down", lambda line: line.startswith("port out down"), after=seen)
    switch.wait_line("out up", lambda line: line == "port out up nat:10.0.2.0/24", after=seen)
    took = time.monotonic() - killed
    if took > BACK_SECONDS_MAX:
        raise LabError(f"the gateway was away for {took:.1f} s")
    guest.run("killall iperf3")


if __name__ == "__main__":
    run(nat)
