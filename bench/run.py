#!/usr/bin/env python3
"""Measures switchd against the pump, its limit, and against vde_switch, its peer.

The figure is CPU per frame: user and system time of the program under test over the frames that arrived. Absolute
times change from day to day on a virtual machine; a ratio inside one run does not, so the programs take turns, and each
figure is the median of several runs with its range. A ratio is the median of rounds, in each of which every program has
one run; a round between whose runs the host moved the cores (bench/core_distance) is measured once more. The program
under test runs on core 1, generator and sink on core 0. `others` is the largest share of core 1 that something else
used meanwhile, such as the host of a virtual machine. A run above 5 % is measured again, at most twice, whatever its
figure; the least disturbed counts. Rows in which half of the runs of a program remain disturbed are measured once more
after all others; the less disturbed of the two counts.

    bench/run.py --bin build/bin                        everything, five runs each: about twenty minutes
    bench/run.py --bin build/bin --rows 'unix-1514' --runs 9 --json figures.json
    bench/run.py --bin build/bin --baseline old/switchd --rows 'unix-64'     was a change worth it?
    bench/run.py --bin build/bin --quick               only that every kind of row runs and its frames arrive

Rows are WIRE-SIZE-BURST (burst: frames in one write of the generator; the wire of both ports, or FROM-TO), udp-runs-...
(bursts that the generator sends with UDP_SEGMENT, as another switch does; the pump takes them apart one by one),
...-paced (20000 frames per second, so that the switch sleeps between them), flood-PORTS-WIRE (broadcasts of 1514 bytes
in bursts of 32; the figures are of each copy), udp-64ports-BURST (32 flows in turn, 40000 frames per second together;
beside a bare event loop of each engine), udp-mtuMTU-... (over veth pairs), ...-idlePORTS (with that many
silent ports beside the pair), WIRE-latency-... (round trips of 64 bytes, alone, beside a flow of half of what the pump
carries, or of eight pairs at once; ratios to the pump's in parentheses), 64-ports (memory and start) and stopped-reader
(round trips of one pair beside another).
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import itertools
import json
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from typing import Any

import report
import rows
import scale
import subject

QUICK_FRAMES = 2000
QUICK_SECONDS = 5
QUICK_SCALE_SECONDS = 0.2
# Offered no faster than they are taken; what is missing then is a fault. A busy machine may still lose a few datagrams.
LOST_DATAGRAMS_SHARE_MAX = 0.05
RUNS_PER_START = 3
ROUND_TRIES_MAX = 2
RUN_EXTRA_SECONDS = 0.15  # a run takes this much longer than its traffic


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/bin", help="folder of the programs (default %(default)s)")
    parser.add_argument("--switchd", help="another switchd than the one in --bin")
    parser.add_argument("--baseline", metavar="PATH", help="an earlier switchd, measured in turns with the present one")
    parser.add_argument("--engines", default="epoll,io_uring", help="of switchd (default %(default)s)")
    parser.add_argument("--no-peer", action="store_true", help="leave vde_switch out")
    parser.add_argument("--no-limit", action="store_true", help="leave pump and bare loop out")
    parser.add_argument("--rows", default="", metavar="REGEX", help="only rows whose name has a match")
    parser.add_argument("--runs", type=int, default=5, help="of each program in each row (default %(default)s)")
    parser.add_argument("--frames", type=int, default=10**12, help="of one run at most")
    parser.add_argument("--seconds", type=float, default=1.0, help="of one run at most (default %(default)s)")
    parser.add_argument("--awake", action="store_true", help="keep the cores from halting, as in rows of round trips")
    parser.add_argument("--nice", type=int, default=0, help="of everything measured; below 0 as root on a busy machine")
    parser.add_argument("--json", metavar="FILE", help="write every run there as well")
    parser.add_argument("--quick", action="store_true", help="few frames, one run: does everything still run?")
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.runs, arguments.frames, arguments.seconds = 1, QUICK_FRAMES, QUICK_SECONDS
    arguments.scale_seconds = QUICK_SCALE_SECONDS if arguments.quick else arguments.seconds
    return arguments


def find_programs(arguments: argparse.Namespace) -> list[subject.Program]:
    engines = [engine for engine in arguments.engines.split(",") if engine]
    programs = []
    if not arguments.no_limit:
        programs.append(subject.pump(f"{arguments.bin}/pump"))
        programs += [subject.bare_loop(f"{arguments.bin}/bare_loop", engine) for engine in engines]
    switchd = arguments.switchd or f"{arguments.bin}/switchd"
    for path in (arguments.switchd, arguments.baseline):
        if path and not os.access(path, os.X_OK):
            sys.exit(f"{path}: not a program")
    if os.access(switchd, os.X_OK):
        programs += [subject.switchd(switchd, engine) for engine in engines]
    if arguments.baseline:
        programs += [subject.switchd(arguments.baseline, engine, "baseline") for engine in engines]
    vde = shutil.which("vde_switch")
    if vde and not arguments.no_peer:
        programs.append(subject.vde_switch(vde))
    return programs


def why_not(row: rows.Row, program: subject.Program) -> str | None:
    """Why this program has no figure in this row; None when it has."""
    if program.group and program.group != row.group:
        return "it is no limit here"
    if program.vde and (row.wire != "udp" or row.mtu or row.copies or row.flows > 1):
        return "its ports are one UNIX datagram for each frame, comparable with udp on loopback"
    return rows.why_no_namespaces() if row.mtu else None


def measure_rows(
    together: list[rows.Row],
    programs: list[subject.Program],
    tools: rows.Tools,
    arguments: argparse.Namespace,
    faults: list[str],
) -> dict[str, dict[str, dict[str, Any] | None]]:
    """Runs the programs in turn, another one first each time; returns the summary of each, by row and program.

    They are started anew now and then: how memory happens to lie is a part of what varies."""
    results: dict[str, dict[str, list[dict[str, Any]]]] = {row.name: {} for row in together}
    for first in range(0, arguments.runs, RUNS_PER_START):
        with contextlib.ExitStack() as stack:
            turns: list[Turn] = []
            broken: set[subject.Load] = set()  # until the next start
            for row in together:
                able = [program for program in programs if why_not(row, program) is None]
                loads = stack.enter_context(
                    rows.running(row, able, tools, arguments.frames, arguments.seconds, faults))
                turns += [(row, name, load) for name, load in loads.items()]
            for number in range(first, min(first + RUNS_PER_START, arguments.runs)):
                in_turn = [turns[(i + number) % len(turns)] for i in range(len(turns))]
                for row_name, name, run in steadiest_round(in_turn, broken, arguments, faults):
                    results[row_name].setdefault(name, []).append(run | {"round": number})
    order = [program.name for program in programs]
    return {
        row: {name: report.summary(by_program[name]) for name in order if name in by_program}
        for row, by_program in results.items()
    }


Turn = tuple[rows.Row, str, subject.Load]
Round = list[tuple[str, str, dict[str, Any]]]  # row, program and run


def steadiest_round(
    turns: list[Turn], broken: set[subject.Load], arguments: argparse.Namespace, faults: list[str]
) -> Round:
    """A run of each, as they are compared with each other. Once more where the machine changed between two of them; the
    round in which it changed less counts, whatever its figures are, unless programs failed in it."""
    rounds: list[Round] = []
    while not rounds or (len(rounds) < ROUND_TRIES_MAX and not arguments.quick
                         and distance_change(rounds[-1]) > subject.DISTANCE_CHANGE_MAX):
        rounds.append(measure_round(turns, broken, arguments, faults))
    return min(rounds, key=lambda measured: (-len(measured), distance_change(measured)))


def distance_change(measured: Round) -> float:
    """How much farther apart the cores were in one run than in another."""
    distances_ns = [run["core_distance_ns"] for _, _, run in measured if "core_distance_ns" in run]
    return max(distances_ns) / min(distances_ns) if distances_ns else 1.0


def measure_round(
    turns: list[Turn], broken: set[subject.Load], arguments: argparse.Namespace, faults: list[str]
) -> Round:
    measured: Round = []
    for row, name, load in turns:
        if load in broken:
            continue
        try:
            measured.append((row.name, name, run_undisturbed(row, name, load, arguments, faults)))
        except subject.Failed as failed:
            faults.append(f"{row.name}: {failed}")
            broken.add(load)
            load.stop()  # or it disturbs the others
    return measured


def run_undisturbed(
    row: rows.Row, program: str, load: subject.Load, arguments: argparse.Namespace, faults: list[str]
) -> dict[str, Any]:
    def measure() -> dict[str, Any]:
        run = core_distance(arguments.bin, faults) | load.measure(arguments.seconds)
        check(row, program, run, faults)
        return run

    return subject.least_disturbed(measure, "others", 1 if arguments.quick else subject.TRIES_MAX)


def core_distance(folder: str, faults: list[str]) -> dict[str, float]:
    """As subject.core_distance, but a run counts without it."""
    try:
        return subject.core_distance(folder)
    except subject.Failed as failed:
        faults.append(str(failed))
        return {}


def disturbance(programs: dict[str, dict[str, Any] | None]) -> float:
    """Of a row: the share that others took of the median run, of the program that suffered most. Not of the figures."""
    measured = [figures for figures in programs.values() if figures]
    return max((statistics.median(run["others"] for run in figures["runs"]) for figures in measured), default=1.0)


def check(row: rows.Row, program: str, result: dict[str, Any], faults: list[str]) -> None:
    lossless = not {"udp", "mcast"} & set(row.wires)
    if result["frames"] == 0 or result["lost"] > (0 if lossless else LOST_DATAGRAMS_SHARE_MAX) * result["sent"]:
        faults.append(f"{row.name}: {program}: {result['lost']} of {result['sent']} frames were lost")
    if result.get("strays", 0) > 0:
        faults.append(f"{row.name}: {program}: {result['strays']} frames went where they do not belong")


def measure_scale(
    programs: list[subject.Program], tools: rows.Tools, arguments: argparse.Namespace, faults: list[str]
) -> dict[str, dict[str, Any]]:
    """The rows that are not about CPU per frame."""
    measured: dict[str, dict[str, Any]] = {"64-ports": {}, "stopped-reader": {}}
    for program in programs:
        if program.vde or program.group:
            continue
        try:
            if re.search(arguments.rows, "64-ports"):
                figures = scale.memory_and_start(program, tools, arguments.runs, arguments.scale_seconds)
                measured["64-ports"][program.name] = figures
                report.print_memory(program.name, figures)
            if re.search(arguments.rows, "stopped-reader"):
                figures = scale.stopped_reader(program, tools, arguments.scale_seconds)
                measured["stopped-reader"][program.name] = figures
                report.print_round_trips(program.name, figures)
                if any(trips["lost"] for trips in figures.values()):
                    faults.append(f"stopped-reader: {program.name}: round trips were lost")
        except subject.Failed as failed:
            faults.append(str(failed))
    return measured


def rise_above_others(nice: int) -> None:
    """For this process and all it starts. Where the kernel groups sessions, niceness counts within the group only, and
    the group has its own."""
    os.nice(nice)
    if os.path.exists("/proc/self/autogroup"):
        with open("/proc/self/autogroup", "w") as autogroup:
            autogroup.write(str(nice))


def cpu_model() -> str:
    with open("/proc/cpuinfo") as cpuinfo:
        return next((line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")), "")


def chosen_rows(arguments: argparse.Namespace) -> list[rows.Row]:
    return [row for row in rows.all_rows()
            if re.search(arguments.rows, row.name) and (row.quick or not arguments.quick)]


def has_all_of(programs: dict[str, Any], earlier: dict[str, Any] | None) -> bool:
    return earlier is None or programs.keys() >= earlier["programs"].keys()


class Progress:
    """How far it is, and how long it will still take; on standard error, where the table is not."""

    def __init__(self, chosen: list[rows.Row], programs: list[subject.Program], arguments: argparse.Namespace) -> None:
        self.quiet = arguments.quick
        self.runs = {row.name: sum(why_not(row, program) is None for program in programs) * arguments.runs
                     for row in chosen}
        self.left = dict(self.runs)
        self.done = 0
        self.run_seconds = arguments.seconds * 1.1 + RUN_EXTRA_SECONDS
        self.total = sum(self.left.values())
        self.start = time.monotonic()
        self.say()

    def passed(self, row: str) -> None:
        self.done += self.left.pop(row)
        self.run_seconds = (time.monotonic() - self.start) / max(1, self.done)
        self.say()

    def again(self, disturbed: list[rows.Row]) -> None:
        self.left = {row.name: self.runs[row.name] for row in disturbed}
        self.total += sum(self.left.values())
        if disturbed:
            self.say()

    def say(self) -> None:
        if not self.quiet:
            seconds = (self.total - self.done) * self.run_seconds
            print(f"# {self.done} of {self.total} runs, about {seconds / 60:.1f} min left", file=sys.stderr,
                  flush=True)


def main() -> int:
    arguments = parse_arguments()
    if arguments.list:
        print(*[row.name for row in rows.all_rows()], "64-ports", "stopped-reader", sep="\n")
        return 0
    if arguments.nice:
        rise_above_others(arguments.nice)
    programs = find_programs(arguments)
    try:
        subject.core_distance(arguments.bin)  # asked beside each run: better to fail before the first
    except subject.Failed as failed:
        sys.exit(str(failed))
    faults: list[str] = []
    document: dict[str, Any] = {
        "command": sys.argv,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": {"kernel": platform.release(), "cpu": cpu_model(), "cores": os.cpu_count(), "load": os.getloadavg()},
        "rows": {},
    }
    with tempfile.TemporaryDirectory(prefix="lanyard-bench-") as folder:
        tools = rows.Tools(arguments.bin, subject.Places(folder), arguments.awake)
        print(report.FRAMES_HEADER)
        chosen = chosen_rows(arguments)
        progress = Progress(chosen, programs, arguments)

        def measure(together: list[rows.Row]) -> bool:
            try:
                measured = measure_rows(together, programs, tools, arguments, faults)
            except subject.Failed as failed:  # to start, or to stop: the other rows count still
                faults.append(f"{together[0].name}: {failed}")
                for row in together:
                    progress.passed(row.name)
                return True
            worst = max(disturbance(measured[row.name]) for row in together)
            before = max((disturbance(document["rows"][row.name]["programs"]) for row in together
                          if row.name in document["rows"]), default=worst)
            counts = worst <= before and all(has_all_of(measured[row.name], document["rows"].get(row.name))
                                             for row in together)
            for row in together:  # all or none: their rounds belong together
                if counts:
                    document["rows"][row.name] = {**dataclasses.asdict(row), "programs": measured[row.name]}
                    report.print_row(row.name, measured[row.name])
                progress.passed(row.name)
            return worst <= subject.OTHERS_SHARE_MAX

        # Rows that are compared with each other are measured in turns, as programs are.
        groups = itertools.groupby(chosen, lambda row: row.group if row.group == "idle" else row.name)
        disturbed = [together for _, group in groups if not measure(together := list(group))]
        if not arguments.quick:
            progress.again([row for together in disturbed for row in together])
            for together in disturbed:
                measure(together)
        document["scale"] = measure_scale(programs, tools, arguments, faults)
    document["faults"] = faults
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(document, file, indent=1)
    for fault in faults:
        print("fault:", fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
