#!/usr/bin/env python3
"""Measures the way out: TCP between a client and a server outside, through `nat`, beside QEMU's own user network and
slirp4netns, which rest on libslirp, too.

The client is the kernel of a network namespace, behind a TAP, so that no emulated guest is in the way. The switch has
the TAP as its port and runs in that namespace; the gateway, QEMU and slirp4netns run in another, from which a virtual
cable leads to the server. The cores are kept from halting (subject.py). All take turns; a figure is the median of the
runs, with its range. `up` is from the client.

    bench/nat_rates.py                      MTU 1500 and 65520, five runs of two seconds each way
    bench/nat_rates.py --mtu 1500 --runs 9 --json nat.json
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "e2e"))

from host import Host, LabError  # noqa: E402
from lab import enter_namespaces  # noqa: E402
from subject import awake_cores  # noqa: E402

SERVER = "203.0.113.2"
CLIENT = "10.0.2.100"
TAP = "tap0"
QEMU_MTU = 1500  # of its user network, fixed
CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
WAIT_SECONDS_MAX = 15.0


class World:
    """Client, host and server, and what is between client and host at the moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client, self.host, self.server = Host("client"), Host("host"), Host("server")
        self.host.run("ip", "link", "add", "out", "type", "veth", "peer", "in", "netns", str(self.server.pid))
        self.host.run("ip", "address", "add", "203.0.113.1/24", "dev", "out")
        self.host.run("ip", "link", "set", "out", "up")
        self.server.run("ip", "address", "add", f"{SERVER}/24", "dev", "in")
        self.server.run("ip", "link", "set", "in", "up")

    def close(self) -> None:
        for host in (self.client, self.host, self.server):
            host.close()

    def set_up_client(self, mtu: int) -> None:
        wait_until(f"{TAP} is there", lambda: TAP in self.client.run("ip", "-br", "link"))
        self.client.run("ip", "address", "replace", f"{CLIENT}/24", "dev", TAP)
        self.client.run("ip", "link", "set", TAP, "mtu", str(mtu), "up")
        self.client.run("ip", "route", "replace", "default", "via", "10.0.2.2")

    def measure(self, seconds: float, reverse: bool) -> float:
        """Megabits per second. The server is one for this measurement alone, and has ended before the way there does: one
        that does not hear the end of a measurement turns the next one away."""
        server = subprocess.Popen(self.server.command("iperf3", "-s", "--one-off"), stdout=subprocess.DEVNULL)
        try:
            wait_until("iperf3 listens", lambda: ":5201 " in self.server.run("ss", "-Hltn"))
            command = ["iperf3", "-c", SERVER, "-t", str(seconds), "-J", *(["-R"] if reverse else [])]
            result = json.loads(self.client.run(*command, timeout_s=seconds + 30))
            server.wait(WAIT_SECONDS_MAX)
        except subprocess.TimeoutExpired as late:
            raise LabError("iperf3 measures on") from late
        finally:
            server.kill()
            server.wait()
        if "error" in result:
            raise LabError(f"iperf3: {result['error']}")
        return float(result["end"]["sum_received"]["bits_per_second"]) / 1e6


def wait_until(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"not in time: {what}")


@contextlib.contextmanager
def ended(command: list[str], log: Path, **options: Any) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)
        try:
            yield
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS_MAX)


@contextlib.contextmanager
def lanyard(world: World, mtu: int, options: argparse.Namespace) -> Iterator[None]:
    """The switch finds the gateway beside itself: here one that goes to the host's namespace."""
    folder = world.folder / "bin"
    folder.mkdir(exist_ok=True)
    shutil.copy(options.bin / "switchd", folder / "switchd")
    gateway = folder / "lanyard-gateway"
    gateway.unlink(missing_ok=True)
    gateway.write_text(f'#!/bin/sh\nexec nsenter --target {world.host.pid} --net -- "{options.bin}/lanyard-gateway"\n')
    gateway.chmod(0o755)
    log = world.folder / "switchd.log"
    ports = [f"client=tap:{TAP}", f"out=nat,mtu={mtu}"]
    command = world.client.command(folder / "switchd", "--engine", options.engine, *ports)
    with ended(command, log, env={**os.environ, "XDG_STATE_HOME": str(world.folder)}):
        wait_until("switchd is ready", lambda: "ready\n" in log.read_text())
        world.set_up_client(mtu)
        yield


def enter_network(namespace: IO[str]) -> None:
    """setns(2), which Python has from 3.12 on."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")


@contextlib.contextmanager
def qemu_user(world: World, mtu: int, options: argparse.Namespace) -> Iterator[None]:
    with open(f"/proc/{world.client.pid}/ns/net") as there, open("/proc/self/ns/net") as here:
        enter_network(there)
        tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", TAP.encode(), IFF_TAP | IFF_NO_PI))
        enter_network(here)
    hub = ["-netdev", "hubport,id=a,hubid=0,netdev=user", "-netdev", "hubport,id=b,hubid=0,netdev=tap"]
    command = world.host.command("qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none",
                                 "-netdev", "user,id=user", "-netdev", f"tap,id=tap,fd={tap}", *hub)
    try:
        with ended(command, world.folder / "qemu.log", pass_fds=[tap]):
            world.set_up_client(mtu)
            yield
    finally:
        os.close(tap)


@contextlib.contextmanager
def slirp4netns(world: World, mtu: int, options: argparse.Namespace) -> Iterator[None]:
    command = world.host.command("slirp4netns", f"--mtu={mtu}", "--netns-type=path",
                                 f"/proc/{world.client.pid}/ns/net", TAP)
    with ended(command, world.folder / "slirp4netns.log"):
        world.set_up_client(mtu)
        yield


WAYS = {"switchd nat": lanyard, "QEMU user": qemu_user, "slirp4netns": slirp4netns}


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="lanyard-bench-", dir="/tmp") as folder:
        world = World(Path(folder))
        try:
            with awake_cores():
                return [row for mtu in options.mtu for row in rows_of(world, mtu, options)]
        finally:
            world.close()


def rows_of(world: World, mtu: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    figures: dict[tuple[str, str], list[float]] = {}
    for _ in range(options.runs):
        for name, way in WAYS.items():
            if way is qemu_user and mtu != QEMU_MTU:
                continue
            with way(world, mtu, options):
                for direction in ("up", "down"):
                    rate = world.measure(options.seconds, direction == "down")
                    figures.setdefault((name, direction), []).append(rate)
    rows: list[dict[str, Any]] = []
    for (name, direction), rates in figures.items():
        rows.append({"mtu": mtu, "direction": direction, "way": name, "mbps": statistics.median(rates), "runs": rates})
    for row in rows:
        peers = {each["way"]: each["mbps"] for each in rows if each["direction"] == row["direction"]}
        row["of_slirp4netns"] = row["mbps"] / peers["slirp4netns"]
        spread = f"[{min(row['runs']):.0f}-{max(row['runs']):.0f}]"
        print(f"MTU {mtu:5}  {row['direction']:4}  {row['way']:12} {row['mbps']:7.0f} Mb/s {spread:>13}"
              f"  {row['of_slirp4netns']:.2f} of slirp4netns", flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=TOP / "build" / "bin", help="folder of switchd (default build/bin)")
    parser.add_argument("--engine", default="auto", help="of switchd (default %(default)s)")
    parser.add_argument("--mtu", type=int, action="append", help="IP packets of that size (default 1500 and 65520)")
    parser.add_argument("--runs", type=int, default=5, help="of each (default 5)")
    parser.add_argument("--seconds", type=float, default=2, help="each way, of each run (default 2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    options.mtu = options.mtu or [1500, 65520]
    options.bin = options.bin.resolve()
    enter_namespaces()
    try:
        rows = run(options)
    except LabError as problem:
        print(f"nat_rates.py: {problem}", file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(json.dumps({"nat": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
