"""The rows of the table: what traffic, over which wire, and how one run of it is measured."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from subject import Failed, Load, Places, Program, Subject, awake_cores

ENDLESS = 10**12  # frames: the seconds are the limit


class Tools:
    """Where the programs are, and the addresses left for them to use."""

    def __init__(self, folder: str, places: Places, awake: bool = False) -> None:
        self.awake = awake  # keep the cores from halting in all rows, not only in those of round trips
        self.load = f"{folder}/load"
        self.pump = Program("pump", [f"{folder}/pump"])
        self.places = places
        self.half_rates: dict[str, int] = {}  # by wire, once measured


@dataclasses.dataclass(frozen=True)
class Row:
    """One kind of traffic. `burst` is frames in one write of the generator."""

    name: str
    group: str
    wire: str  # of both ports, or FROM-TO
    mix: str
    burst: int
    flows: int = 1
    rate: int = 0  # frames per second over all flows; 0: as fast as goes
    mtu: int = 0  # 0: loopback; else a veth pair of that MTU for each side
    copies: int = 0  # of broadcasts, each to a port of its own; 0: a pair
    idle: int = 0  # ports beside the pair, connected and silent
    # One frame there and back at a time: of one pair, "idle" or beside a flow at "half" load, or of all flows "at
    # once".
    round_trips: str = ""
    offload: bool = False  # the generator sends bursts of datagrams with UDP_SEGMENT, as another switch does
    quick: bool = True  # worth a run where only that it runs counts

    @property
    def wires(self) -> list[str]:
        """Of the source and of the sink."""
        return (self.wire.split("-") * 2)[:2]

    def load_options(self, frames: int, seconds: float) -> list[str]:
        options = ["--mix", self.mix, "--burst", str(self.burst), "--frames", str(frames), "--seconds", str(seconds)]
        if self.rate:
            options += ["--rate", str(self.rate)]
        if self.offload:
            options.append("--offload")
        if self.copies:
            options.append("--flood")
        if self.round_trips:
            options.append("--round-trips")
        return options

    def port_wires(self) -> list[str]:
        """Of each port of the program under test."""
        if self.copies:
            return [self.wire] * (1 + self.copies)
        pairs = self.flows + (1 if self.round_trips == "half" else 0)
        return self.wires * pairs + ["unix"] * self.idle


def all_rows() -> list[Row]:
    return [*_pairs(), *_sizes(), *_paced(), *_mixed(), *_floods(), *_many_ports(), *_veth(), *_idle_ports(),
            *_latency()]


def _pairs() -> Iterator[Row]:
    for wire in ("unix", "tcp", "udp"):
        for mix in ("64", "1514", "imix"):
            for burst in (1, 32):
                quick = burst == 32 and (mix != "imix" or wire == "udp")
                yield Row(f"{wire}-{mix}-{burst}", "pair", wire, mix, burst, quick=quick)


def _sizes() -> Iterator[Row]:
    """What lies between the sizes of the pairs, for the plots."""
    for wire in ("unix", "udp"):
        for mix in ("256", "1024"):
            yield Row(f"{wire}-{mix}-32", "size", wire, mix, 32, quick=False)
    for mix in ("64", "1514"):
        yield Row(f"udp-runs-{mix}-32", "size", "udp", mix, 32, offload=True, quick=mix == "1514")


def _paced() -> Iterator[Row]:
    """What a guest really does: it sends frame by frame, and the switch mostly sleeps."""
    for wire in ("unix", "tcp", "udp"):
        yield Row(f"{wire}-1514-1-paced", "paced", wire, "1514", 1, rate=20000)


def _mixed() -> Iterator[Row]:
    for wire in ("unix-udp", "udp-unix"):
        for mix in ("64", "1514"):
            for burst in (1, 32):
                yield Row(f"{wire}-{mix}-{burst}", "mixed", wire, mix, burst, quick=mix == "1514" and burst == 32)
    for burst in (1, 32):
        yield Row(f"mcast-unix-1514-{burst}", "mixed", "mcast-unix", "1514", burst, quick=burst == 32)


def _floods() -> Iterator[Row]:
    for wire in ("udp", "unix"):
        for copies in (8, 64):
            yield Row(f"flood-{copies}-{wire}", "flood", wire, "1514", 32, copies=copies)


def _many_ports() -> Iterator[Row]:
    for burst in (1, 4, 32):
        yield Row(f"udp-64ports-{burst}", "ports", "udp", "1514", burst, flows=32, rate=40000, quick=burst == 4)


def _veth() -> Iterator[Row]:
    for mtu in (1500, 9000):
        for mix in ("64", "1400", "1514"):
            yield Row(f"udp-mtu{mtu}-{mix}-32", "veth", "udp", mix, 32, mtu=mtu, quick=mtu == 1500 and mix == "1514")


def _idle_ports() -> Iterator[Row]:
    for idle in (0, 8, 64, 256):
        yield Row(f"unix-1514-32-idle{idle}", "idle", "unix", "1514", 32, idle=idle, quick=idle in (0, 256))


def _latency() -> Iterator[Row]:
    for wire in ("unix", "tcp", "udp"):
        for beside in ("idle", "half"):
            yield Row(f"{wire}-latency-{beside}", "latency", wire, "64", 1, round_trips=beside, quick=wire != "tcp")
    for wire in ("unix", "udp"):
        yield Row(f"{wire}-latency-8-at-once", "latency", wire, "64", 1, flows=8, round_trips="at once",
                  quick=wire == "unix")


@contextlib.contextmanager
def running(
    row: Row, programs: list[Program], tools: Tools, frames: int, seconds: float, faults: list[str]
) -> Iterator[dict[str, Load]]:
    """Starts them all, each with ports and a load of its own, by the name of the program; each load measures one run
    when asked. Those that are not asked sleep. What does not start is left out and is a fault."""
    options = row.load_options(frames, seconds)
    if row.round_trips == "half":
        options += ["--beside", str(half_of_what_goes(row.wire, tools, seconds))]
    loads = {}
    with contextlib.ExitStack() as stack:
        places = tools.places
        prefix: tuple[str, ...] = ()
        load_prefix: tuple[str, ...] = ()
        if row.mtu and programs:
            namespaces = stack.enter_context(Namespaces(row.mtu))
            prefix, load_prefix = namespaces.subject_prefix, namespaces.load_prefix
            places = Places(tools.places.folder, namespaces.hosts)
        for program in programs:
            if row.copies and program.name == "pump":
                program = Program(program.name, [*program.command, "--flood"])
            ports = [places.pair(wire) for wire in row.port_wires()]
            try:
                subject = stack.enter_context(Subject(program, ports, places.folder, prefix))
                busy = subject.endpoints[: len(subject.endpoints) - row.idle]
                for endpoint in subject.endpoints[len(busy) :]:
                    silent = stack.enter_context(socket.socket(socket.AF_UNIX))
                    silent.connect(endpoint.removeprefix("unix-connect:"))
                load = Load(tools.load, subject, busy, options, load_prefix)
            except Failed as failed:
                faults.append(f"{row.name}: {failed}")
                continue
            loads[program.name] = stack.enter_context(load)
        if row.round_trips or tools.awake:
            idler = stack.enter_context(awake_cores())
            for load in loads.values():
                load.idler = idler
        yield loads


def half_of_what_goes(wire: str, tools: Tools, seconds: float) -> int:
    """Frames per second: half of what the pump carries. Measured once, so that all programs get the same."""
    if wire not in tools.half_rates:
        row = Row("", "", wire, "1514", 32)
        with Subject(tools.pump, tools.places.pairs(wire, 2), tools.places.folder) as subject:
            with Load(tools.load, subject, subject.endpoints, row.load_options(ENDLESS, seconds)) as load:
                result = load.measure(seconds)
        tools.half_rates[wire] = max(1000, round(result["frames"] / result["seconds"] / 2))
    return tools.half_rates[wire]


class Namespaces:
    """Two network namespaces joined by two veth pairs: generator and sink in one, the program under test in the other.
    Loopback, with its MTU of 65536, hides fragmentation and the limits of offload. A user who is not root has them
    within a user namespace; either way they have no name, and end with the process that holds them."""

    def __init__(self, mtu: int) -> None:
        self.mtu = mtu
        self.hosts = [("10.99.0.1", "10.99.0.2"), ("10.99.1.1", "10.99.1.2")]
        self.holders: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Namespaces:
        try:
            self.subject_prefix = self._hold(NEW_NAMESPACE)
            self.load_prefix = self._hold([*self.subject_prefix, "unshare", "--net"])
            for i, (theirs, ours) in enumerate(self.hosts):
                _run(self.subject_prefix, "ip", "link", "add", f"s{i}", "mtu", str(self.mtu), "type", "veth",
                     "peer", "name", f"l{i}", "mtu", str(self.mtu), "netns", str(self.holders[1].pid))
                for prefix, link, host in ((self.subject_prefix, f"s{i}", theirs), (self.load_prefix, f"l{i}", ours)):
                    _run(prefix, "ip", "address", "add", f"{host}/24", "dev", link)
                    _run(prefix, "ip", "link", "set", link, "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for holder in self.holders:
            holder.kill()
            holder.communicate()

    def _hold(self, unshare: Sequence[str]) -> tuple[str, ...]:
        """Makes a namespace that lives as long as its holder; returns what a command in it begins with."""
        holder = subprocess.Popen([*unshare, "sh", "-c", "echo held; exec cat"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        self.holders.append(holder)
        assert holder.stdout is not None
        if holder.stdout.readline() != b"held\n":
            raise Failed("no network namespace could be made")
        of_user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        return ("nsenter", "--target", str(holder.pid), *of_user, "--net", "--")


NEW_NAMESPACE = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--net"]


@functools.cache
def why_no_namespaces() -> str | None:
    """Why this user may not have network namespaces; None where he may."""
    tried = subprocess.run([*NEW_NAMESPACE, "true"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"no network namespaces for this user: {tried.stderr.strip()}"


def _run(prefix: Sequence[str], *command: str) -> None:
    done = subprocess.run([*prefix, *command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()}")
