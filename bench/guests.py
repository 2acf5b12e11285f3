#!/usr/bin/env python3
"""Two real guests with iperf3, joined by the switch, by QEMU alone and by vde_switch, for each of QEMU's wires.

All pairs of a wire are up at once and are measured in turn, so that a change of the machine's mood meets them all. The
guests are emulated where there is no KVM, and then keep both cores busy: the figures say what a user of such a machine
gets, not what the switch could carry. A figure is the mean of both ways. `switch CPU` is the switch's time for each
second of the measurement, `stolen` the largest share of the cores that the host of this virtual machine took in a run:
guests are that much slower then. A run above 5 % is measured again, at most twice, whatever its figure; the least
disturbed counts.

    bench/guests.py                          four wires, three runs of five seconds each way
    bench/guests.py --wires unix,udp --runs 5 --json guests.json

Runs in the laboratory of tests/e2e (namespaces of its own), with the guest of tools/guest and the switch in build/bin.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/e2e"))

import subject  # noqa: E402
from guest import Guest  # noqa: E402
from host import BUILD, Host  # noqa: E402
from judge import serve, throughput  # noqa: E402
from lab import Lab, run  # noqa: E402


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--switchd", default=str(BUILD / "bin/switchd"), help="default %(default)s")
    parser.add_argument("--baseline", metavar="PATH", help="an earlier switchd, measured in turns with the present one")
    parser.add_argument("--pump", action="store_true", help="the pump as well, which is the limit of a switch")
    parser.add_argument("--engines", default="epoll,io_uring", help="of switchd (default %(default)s)")
    parser.add_argument("--wires", default="unix,tcp,udp,mcast", help="default %(default)s")
    parser.add_argument("--runs", type=int, default=3, help="of each pair (default %(default)s)")
    parser.add_argument("--seconds", type=int, default=5, help="of one run, each way (default %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write every run there as well")
    return parser.parse_args()


class Pair:
    """Two guests, and what joins them: a running program, or nothing where QEMU does it alone."""

    def __init__(self, name: str, netdevs: list[str], joined_by: subject.Subject | None = None) -> None:
        self.name = name
        self.netdevs = netdevs  # the first one's guest is up before the second one's starts: it may be a listener
        self.joined_by = joined_by
        self.guests: list[Guest] = []
        self.runs: list[dict[str, float]] = []

    def measure(self, seconds: int) -> None:
        self.runs.append(subject.least_disturbed(lambda: self._measure_once(seconds), "stolen"))

    def _measure_once(self, seconds: int) -> dict[str, float]:
        before = self.joined_by.cpu_ns() if self.joined_by else 0
        stolen_before, all_before = core_ticks()
        there = throughput(self.guests[0], self.guests[1], seconds)
        back = throughput(self.guests[1], self.guests[0], seconds)
        stolen, all_ticks = core_ticks()
        used = self.joined_by.cpu_ns() - before if self.joined_by else 0
        return {"megabits_per_second": (there + back) / 2, "there": there, "back": back,
                "switch_cpu_share": used / seconds / 2e9,
                "stolen": (stolen - stolen_before) / max(1, all_ticks - all_before)}


def core_ticks() -> tuple[int, int]:
    """Of all cores, since the machine started: those that the host took (steal, proc_stat(5)), and all."""
    with open("/proc/stat") as stat:
        ticks = [int(value) for value in stat.readline().split()[1:9]]  # guest times, behind them, are in user time
    return ticks[7], sum(ticks)


def direct_netdevs(wire: str, folder: Path) -> list[str]:
    """QEMU to QEMU, as its own documentation has it."""
    there, here = "127.0.0.1:6001", "127.0.0.1:6002"
    return {
        "unix": [f"stream,server={side},addr.type=unix,addr.path={folder}/direct" for side in ("on", "off")],
        "tcp": [f"socket,listen={there}", f"socket,connect={there}"],
        "udp": [f"socket,udp={there},localaddr={here}", f"socket,udp={here},localaddr={there}"],
        "mcast": ["socket,mcast=239.1.1.1:6001"] * 2,
    }[wire]


def port_and_netdev(wire: str, folder: Path, number: int) -> tuple[str, str]:
    """One port of a switch and the guest behind it. Numbers are free to choose: the host is a namespace of its own."""
    there, here = f"127.0.0.1:{7000 + number}", f"127.0.0.1:{8000 + number}"
    path = f"{folder}/{number}"
    group = f"239.1.2.{number}:{7000 + number}"
    return {
        "unix": (f"unix-listen:{path}", f"stream,server=off,addr.type=unix,addr.path={path}"),
        "tcp": (f"tcp-listen:{there}", f"socket,connect={there}"),
        "udp": (f"udp:{there},remote={here}", f"socket,udp={there},localaddr={here}"),
        "mcast": (f"mcast:{group}", f"socket,mcast={group}"),
    }[wire]


def programs(arguments: argparse.Namespace) -> Iterator[subject.Program]:
    engines = [engine for engine in arguments.engines.split(",") if engine]
    yield from (subject.switchd(arguments.switchd, engine) for engine in engines)
    if arguments.baseline:
        yield from (subject.switchd(arguments.baseline, engine, "baseline") for engine in engines)
    if arguments.pump:
        yield subject.pump(str(BUILD / "bin/pump"))
    if vde := shutil.which("vde_switch"):
        yield subject.vde_switch(vde)


def make_pairs(
    lab: Lab, host: Host, wire: str, arguments: argparse.Namespace, stack: contextlib.ExitStack
) -> list[Pair]:
    pairs = [Pair("QEMU to QEMU", direct_netdevs(wire, lab.sockets))]
    for i, program in enumerate(programs(arguments)):
        ports = [port_and_netdev(wire, lab.sockets, 2 * i + side) for side in (1, 2)]
        running = stack.enter_context(
            subject.Subject(program, ports, lab.sockets, prefix=host.command(), pinned=False))
        netdevs = [f"vde,sock={running.vde_folder}"] * 2 if program.vde else [netdev for _, netdev in ports]
        pairs.append(Pair(program.name, netdevs, running))
    for pair in pairs:
        names = [f"{wire}-{pair.name}-{side}".replace(" ", "-") for side in "ab"]
        pair.guests = [lab.guest(host, name, netdev) for name, netdev in zip(names, pair.netdevs)]
    return pairs


def measure_wire(lab: Lab, wire: str, arguments: argparse.Namespace) -> dict[str, Any]:
    host = lab.host(wire)
    with contextlib.ExitStack() as stack:
        pairs = make_pairs(lab, host, wire, arguments, stack)
        for side in (0, 1):
            lab.boot([pair.guests[side] for pair in pairs])
        serve([guest for pair in pairs for guest in pair.guests])
        for number in range(arguments.runs):
            for i in range(len(pairs)):
                pairs[(i + number) % len(pairs)].measure(arguments.seconds)
        for pair in pairs:
            for guest in pair.guests:
                guest.kill()
    for pair in pairs:
        print_pair(wire, pair)
    return {pair.name: pair.runs for pair in pairs}


def print_pair(wire: str, pair: Pair) -> None:
    rates = [run["megabits_per_second"] for run in pair.runs]
    share = statistics.median(run["switch_cpu_share"] for run in pair.runs)
    stolen = max(run["stolen"] for run in pair.runs)
    print(f"{wire:6} {pair.name:17} {statistics.median(rates):6.0f} Mb/s [{min(rates):.0f}-{max(rates):.0f}]"
          f"  stolen {stolen:.0%}" + (f"  switch CPU {share:.0%}" if pair.joined_by else ""), flush=True)


def bench_of_guests(lab: Lab) -> None:
    arguments = parse_arguments()
    measured = {wire: measure_wire(lab, wire, arguments) for wire in arguments.wires.split(",")}
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"command": sys.argv, "wires": measured}, file, indent=1)


if __name__ == "__main__":
    parse_arguments()  # before the laboratory is made: --help and mistakes need none
    run(bench_of_guests)
