"""The rows of the table: what traffic, over which wire, and how one run of it is measured."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
from typing import Any

from subject import Load, Places, Program, Subject


class Tools:
    """Where the programs are, and the addresses left for them to use."""

    def __init__(self, folder: str, places: Places) -> None:
        self.load = f"{folder}/load"
        self.places = places


@dataclasses.dataclass(frozen=True)
class Row:
    """One kind of traffic. `burst` is frames in one write of the generator."""

    name: str
    wire: str
    mix: str
    burst: int
    flows: int = 1
    rate: int = 0  # frames per second over all flows; 0: as fast as goes
    mtu: int = 0  # 0: loopback; else a veth pair of that MTU for each side

    def load_options(self, frames: int, seconds: float) -> list[str]:
        options = ["--mix", self.mix, "--burst", str(self.burst), "--frames", str(frames), "--seconds", str(seconds)]
        if self.rate:
            options += ["--rate", str(self.rate)]
        if self.wire == "udp" and self.burst > 1 and self.mtu == 0:
            options.append("--offload")  # else the generator would be the limit, not the program under test
        return options


def all_rows() -> list[Row]:
    rows = [Row(f"{wire}-{mix}-{burst}", wire, mix, burst)
            for wire in ("unix", "tcp", "udp") for mix in ("64", "1514", "imix") for burst in (1, 32)]
    # What a guest really does: it sends frame by frame, and the switch mostly sleeps.
    rows += [Row(f"{wire}-1514-1-paced", wire, "1514", 1, rate=20000) for wire in ("unix", "tcp", "udp")]
    rows += [Row(f"udp-64ports-{burst}", "udp", "1514", burst, flows=32, rate=40000) for burst in (1, 4)]
    rows += [Row(f"udp-mtu{mtu}-1514-32", "udp", "1514", 32, mtu=mtu) for mtu in (1500, 9000)]
    return rows


def run_once(row: Row, program: Program, tools: Tools, frames: int, seconds: float) -> dict[str, Any]:
    """One run of one program: the document its load ends with."""
    with contextlib.ExitStack() as stack:
        places = tools.places
        prefix: tuple[str, ...] = ()
        load_prefix: tuple[str, ...] = ()
        if row.mtu:
            namespaces = stack.enter_context(Namespaces(row.mtu))
            prefix, load_prefix = namespaces.subject_prefix, namespaces.load_prefix
            places = Places(places.folder, namespaces.hosts)
        subject = stack.enter_context(Subject(program, places.pairs(row.wire, 2 * row.flows), places.folder, prefix))
        load = Load(tools.load, subject, subject.endpoints, row.load_options(frames, seconds), load_prefix)
        result = load.result(seconds)
    return result


class Namespaces:
    """Two network namespaces joined by two veth pairs: generator and sink in one, the program under test in the other.
    Loopback, with its MTU of 65536, hides fragmentation and the limits of offload. Needs root."""

    def __init__(self, mtu: int) -> None:
        self.subject_name = f"bench-{os.getpid()}-s"
        self.load_name = f"bench-{os.getpid()}-l"
        self.mtu = mtu
        self.subject_prefix = ("ip", "netns", "exec", self.subject_name)
        self.load_prefix = ("ip", "netns", "exec", self.load_name)
        self.hosts = [("10.99.0.1", "10.99.0.2"), ("10.99.1.1", "10.99.1.2")]

    def __enter__(self) -> Namespaces:
        for name in (self.subject_name, self.load_name):
            _ip("netns", "add", name)
        try:
            for i, (theirs, ours) in enumerate(self.hosts):
                _ip("link", "add", f"s{i}", "mtu", str(self.mtu), "netns", self.subject_name,
                    "type", "veth", "peer", "name", f"l{i}", "mtu", str(self.mtu), "netns", self.load_name)
                for namespace, link, host in ((self.subject_name, f"s{i}", theirs), (self.load_name, f"l{i}", ours)):
                    _ip("-n", namespace, "address", "add", f"{host}/24", "dev", link)
                    _ip("-n", namespace, "link", "set", link, "up")
        except subprocess.CalledProcessError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in (self.subject_name, self.load_name):
            _ip("netns", "delete", name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
