#!/usr/bin/env python3
"""Forty hosts at once on one gateway, which are the kernel of a namespace each: addresses by udhcpc and dhclient, names
asked by dig, and all of them fetch a file at the same time. libslirp's own tables hold sixteen."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from host import Host, LabError
from internet import INTERNET, OUTSIDE_NAME, make_internet
from lab import Lab, each, need_taps, run

HOSTS = 40
RESERVED = "10.0.2.200"
SCRIPTS = {  # as each client calls its own
    "udhcpc": """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev "$interface" && ip route add default via "$router"
""",
    "dhclient": """#!/bin/sh
[ "$reason" = BOUND ] || exit 0
ip address add "$new_ip_address/24" dev "$interface" && ip route add default via "$new_routers"
""",
}


def forty_hosts(lab: Lab) -> None:
    need_taps()
    os.environ["XDG_STATE_HOME"] = str(lab.sockets)
    host = lab.host("one")
    files = make_internet(lab, host)
    lan = lab.sockets / "lan"
    switch = lab.switch(host, f"vms=unix-listen:{lan}", f"out=nat,reserve={mac(0)}+{RESERVED}+first")
    tap = lab.host("tap")
    lab.switch(tap, "hosts=tap:tap0", f"uplink=unix-connect:{lan}").wait_port("uplink", "up")
    tap.run("ip", "link", "set", "tap0", "up")
    hosts = [add_host(lab, tap, number) for number in range(HOSTS)]

    for name, text in SCRIPTS.items():  # before anybody runs one: a program that runs cannot be written
        (lab.sockets / name).write_text(text)
        (lab.sockets / name).chmod(0o755)
    each(lambda numbered: ask(lab, *numbered), enumerate(hosts))
    addresses = each(address, hosts)
    if addresses[0] != RESERVED or len(set(addresses)) != HOSTS:
        raise LabError(f"expected {RESERVED} and {HOSTS - 1} more addresses: {addresses}")
    told = [look_up(hosts[-1], f"h{number}.lan") for number in range(1, HOSTS)]
    if told != addresses[1:] or look_up(hosts[1], "first.lan") != RESERVED:
        raise LabError(f"names lead to {told}, addresses are {addresses}")
    expect_dns(hosts[1])

    sums = each(fetch, hosts)
    if set(sums) != {files["file"]}:
        raise LabError(f"{sum(each != files['file'] for each in sums)} of {HOSTS} files did not arrive as they are")
    expect_capture(lab, tap, hosts[2])
    for one in lab.switches:
        one.check_ledger()
    switch.stop()


def mac(number: int) -> str:
    return f"52:54:00:40:00:{number:02x}"


def add_host(lab: Lab, tap: Host, number: int) -> Host:
    """A namespace with an interface of its own MAC address on the TAP, isolated from the others there."""
    host = lab.host(f"h{number}")
    tap.run("ip", "link", "add", "link", "tap0", "name", "eth0", "netns", str(host.pid), "address", mac(number),
            "type", "macvlan", "mode", "private")
    host.run("ip", "link", "set", "eth0", "up")
    return host


def ask(lab: Lab, number: int, host: Host) -> None:
    """For an address: every tenth host is ISC's client, the others busybox's."""
    if number % 10 != 9:
        host.run("busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "10", "-T", "2", "-x", f"hostname:h{number}",
                 "-s", lab.sockets / "udhcpc", timeout_s=90)
        return
    config = lab.sockets / f"dhclient-{number}.conf"
    config.write_text(f'send host-name "h{number}";\n')
    host.run("dhclient", "-1", "-v", "-cf", config, "-lf", lab.sockets / f"dhclient-{number}.leases",
             "-pf", lab.sockets / f"dhclient-{number}.pid", "-sf", lab.sockets / "dhclient", "eth0", timeout_s=90)


def address(host: Host) -> str:
    return host.run("sh", "-c", "ip -4 -br address show eth0").split()[2].partition("/")[0]


def look_up(host: Host, name: str, *options: str) -> str:
    return host.run("dig", "@10.0.2.3", name, "+short", "+tries=3", "+time=5", *options).strip()


def expect_dns(host: Host) -> None:
    """What is not ours is the host's resolvers', by UDP and TCP; too long for UDP means again by TCP."""
    for options in ((), ("+tcp",), ("+noedns",)):
        if look_up(host, OUTSIDE_NAME, *options) != INTERNET:
            raise LabError(f"{OUTSIDE_NAME} is not found with {options}")
        if look_up(host, "first.lan", *options) != RESERVED:
            raise LabError(f"first.lan is not found with {options}")
    cut = host.run("dig", "@10.0.2.3", f"long.{OUTSIDE_NAME}", "TXT", "+noedns", "+ignore", "+tries=3", "+time=5")
    whole = host.run("dig", "@10.0.2.3", f"long.{OUTSIDE_NAME}", "TXT", "+noedns", "+tries=3", "+time=5")
    if " tc" not in cut or "Truncated, retrying in TCP mode" not in whole or "ANSWER: 1" not in whole:
        raise LabError(f"a long answer: {cut}\n{whole}")


def fetch(host: Host) -> str:
    return host.run("sh", "-c", f"busybox wget -q -O - http://{INTERNET}/file | sha256sum", timeout_s=120).split()[0]


def expect_capture(lab: Lab, tap: Host, host: Host) -> None:
    """tshark understands what we send, and finds nothing to object to."""
    file = lab.sockets / "capture.pcap"
    with (lab.logs / "tcpdump.log").open("w") as log:
        tcpdump: list[str | Path] = ["tcpdump", "-Z", "root", "-i", "tap0", "--immediate-mode", "-U", "-w", file]
        command = tap.command(*tcpdump, "port 67 or port 53")
        capture = subprocess.Popen(command, stdout=log, stderr=subprocess.PIPE, text=True)
        assert capture.stderr is not None
        while "listening on" not in capture.stderr.readline():
            pass
        host.run("ip", "address", "flush", "dev", "eth0")
        ask(lab, 2, host)
        look_up(host, "first.lan")
        host.run("dig", "@10.0.2.3", "-x", RESERVED, "+tries=3", "+time=5")
        types: list[str] = []
        deadline = time.monotonic() + 30
        while types != ["1", "2", "3", "5", "dns", "dns"]:
            if time.monotonic() > deadline:
                raise LabError(f"tshark saw the DHCP types and DNS answers {types}")
            fields = tap.run("tshark", "-r", file, "-Y", "dhcp || dns.flags.response == 1", "-T", "fields", "-e",
                             "dhcp.option.dhcp")
            types = [line or "dns" for line in fields.splitlines()]
        capture.terminate()
        capture.wait()
    faults = tap.run("tshark", "-r", file, "-Y", "_ws.malformed || _ws.expert.severity >= 6291456")
    if faults.strip():
        raise LabError(f"tshark objects:\n{faults}")


if __name__ == "__main__":
    run(forty_hosts)
