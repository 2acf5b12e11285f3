#!/usr/bin/env python3
"""What it costs a busy pair of ports that its switch is looked at.

One switchd, with a control socket and HTTP in each mode, a pair of ports with a flow of half of what the pump carries
(or round trips beside it), and 100000 further MAC addresses in the table. The modes take turns, run by run:

    nobody    looks
    watched   /metrics is scraped ten times a second, events are followed, and once in each run `lanyard
              macs` lists all MAC addresses
    another   is watched so: a second switchd on the core of the load
    captured  `lanyard capture -w` writes every frame to a file in memory

The figures: CPU time of the data thread and of the whole process for each frame, and for round trips their median and
99th percentile; each as the median of the runs with its range, beside its ratio to `nobody`. The switch runs on core 1,
and so does its control thread; load and lookers run on core 0. Both cores are kept from halting. Those who watch give
way to the load, and yet cost it time on the core they share, which round trips show: `another` is what that comes to.
How often they looked is counted. Of a capture also: frames written, frames lost.

    bench/sight.py --bin build/bin                     about four minutes
    bench/sight.py --bin build/bin --json sight.json
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import report
from rows import ENDLESS, Row, Tools, half_of_what_goes
from subject import LOAD_CORE, Failed, Idler, Load, Places, Subject, awake_cores, switchd

MACS = 100_000
SCRAPES_PER_SECOND = 10
ROWS = {
    Row("flow", "", "unix", "1514", 32): ("nobody", "watched", "captured"),
    Row("latency", "", "unix", "64", 1, round_trips="half"): ("nobody", "another", "watched"),
}
READY_SECONDS_MAX = 10.0
LOOKS_MIN = 0.9  # of what was meant


class Looked:
    """A switchd that can be looked at."""

    def __init__(self, subject: Subject, folder: Path, lanyard: str) -> None:
        self.subject = subject
        self.control = str(folder / "control")
        self.lanyard = lanyard
        self.capture_file = folder / "capture.pcapng"
        self.captured: dict[str, int] = {}
        self.looks: dict[str, int] = {}
        status = json.loads(self.run("status", "--json"))
        self.http = next(place for place in status["control"] if place.startswith("http"))

    def command(self, *words: str) -> list[str]:
        return [self.lanyard, "--control", self.control, *words]

    def run(self, *words: str) -> str:
        return subprocess.run(self.command(*words), check=True, capture_output=True, text=True).stdout

    def data_thread_ns(self) -> int:
        """CPU time of the thread that is not the first: the data plane's."""
        tasks = Path(f"/proc/{self.subject.pid}/task")
        others = [task for task in tasks.iterdir() if int(task.name) != self.subject.pid]
        return max(int((task / "schedstat").read_text().split()[0]) for task in others)

    # --- Ways to look.

    @contextlib.contextmanager
    def nobody(self, _: float) -> Iterator[None]:
        yield

    @contextlib.contextmanager
    def watched(self, seconds: float) -> Iterator[None]:
        done = threading.Event()
        failed: list[Exception] = []
        looks = {"scrapes": 0, "listings": 0}
        server = http.client.HTTPConnection(self.http.removeprefix("http://"))

        def every(interval: float, look: Any, counted: str) -> None:
            give_way()
            due = time.monotonic()
            try:
                while not done.wait(max(0.0, due - time.monotonic())):
                    look()
                    looks[counted] += 1
                    due += interval
            except (OSError, ValueError, http.client.HTTPException) as error:
                failed.append(error)

        def scrape() -> None:
            server.request("GET", "/metrics")
            server.getresponse().read()

        def list_macs() -> None:
            macs = self.run("macs").count("\n") - 1
            if macs < MACS:
                raise ValueError(f"{macs} MAC addresses, expected {MACS}")

        threads = [threading.Thread(target=every, args=(1 / SCRAPES_PER_SECOND, scrape, "scrapes")),
                   threading.Thread(target=every, args=(seconds, list_macs, "listings"))]
        follow = self.command("events", "--follow")
        with subprocess.Popen(follow, stdout=subprocess.DEVNULL, preexec_fn=give_way) as events:
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                done.set()
                for thread in threads:
                    thread.join()
                events.terminate()
                server.close()
        if failed:
            raise Failed(f"a look at the switch failed: {failed[0]}")
        if looks["scrapes"] < LOOKS_MIN * seconds * SCRAPES_PER_SECOND or looks["listings"] < 1:
            raise Failed(f"looked too seldom in {seconds} s: {looks}")
        self.looks = looks

    @contextlib.contextmanager
    def captured_all(self, _: float) -> Iterator[None]:
        command = self.command("capture", "-w", str(self.capture_file))
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as capture:
            deadline = time.monotonic() + READY_SECONDS_MAX
            while not (self.capture_file.exists() and self.capture_file.stat().st_size > 0):
                if time.monotonic() > deadline or capture.poll() is not None:
                    raise Failed("the capture does not begin")
                time.sleep(0.005)
            try:
                yield
            finally:
                capture.terminate()
                said = capture.stderr.read() if capture.stderr else ""
        found = re.search(r"(\d+) frames? captured, (\d+) lost", said)
        if found is None:
            raise Failed(f"the capture said: {said}")
        self.captured = {"frames": int(found[1]), "lost": int(found[2])}
        self.capture_file.unlink()


def give_way() -> None:
    """This thread and what it starts; the load has a short slice besides (endpoint.cpp)."""
    os.setpriority(os.PRIO_PROCESS, 0, 19)


def fill_table(endpoint: str) -> socket.socket:
    """Sends one frame from each of many stations, addressed to the port's own side, so that none is flooded."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(endpoint.removeprefix("unix-connect:"))
    own = b"\x02\xff\0\0\0\0"
    batch = bytearray()
    for number in range(MACS):
        source = b"\x02\x10" + number.to_bytes(4, "big") if number else own
        batch += (60).to_bytes(4, "big") + (own + source + b"\x88\xb5").ljust(60, b"\0")
    client.sendall(batch)
    return client


def measure(looked: Looked, another: Looked, load: Load, mode: str, seconds: float) -> dict[str, Any]:
    looked_at = another if mode == "another" else looked
    look = {"nobody": looked_at.nobody, "captured": looked_at.captured_all}.get(mode, looked_at.watched)
    with look(seconds):
        thread_before = looked.data_thread_ns()
        result = load.measure(seconds)
        result["thread_ns"] = looked.data_thread_ns() - thread_before
    if mode == "captured":
        result["captured"] = dict(looked.captured)
    if mode in ("watched", "another"):
        result["looks"] = dict(looked_at.looks)
    return result


def bench(row: Row, modes: tuple[str, ...], tools: Tools, arguments: argparse.Namespace, folder: Path,
          idler: Idler) -> dict[str, Any]:
    half = str(half_of_what_goes(row.wire, tools, 0.5))
    options = row.load_options(ENDLESS, arguments.seconds) + ["--beside" if row.round_trips else "--rate", half]
    ports = [tools.places.pair(wire) for wire in [*row.port_wires(), "unix"]]
    runs: dict[str, list[dict[str, Any]]] = {mode: [] for mode in modes}
    with contextlib.ExitStack() as stack:
        looked = stack.enter_context(start(ports, arguments, folder / "watched"))
        others_ports = [tools.places.pair("unix") for _ in ports]
        another = stack.enter_context(start(others_ports, arguments, folder / "another", prefix=("nice", "-n", "19")))
        load = stack.enter_context(Load(tools.load, looked.subject, looked.subject.endpoints[:-1], options))
        load.idler = idler
        for _ in range(arguments.runs):
            for mode in modes:
                runs[mode].append(measure(looked, another, load, mode, arguments.seconds))
    return {mode: figures(of_mode) for mode, of_mode in runs.items()}


@contextlib.contextmanager
def start(ports: list[tuple[str, str]], arguments: argparse.Namespace, folder: Path,
          prefix: tuple[str, ...] = ()) -> Iterator[Looked]:
    """A switchd with that many MAC addresses; with a prefix it is not where the measured one is."""
    folder.mkdir(exist_ok=True)
    program = switchd(f"{arguments.bin}/switchd", arguments.engine)
    words = program.command.index("--control")
    program.command[words + 1] = str(folder / "control")
    program.command += ["--http", "127.0.0.1:0"]
    with Subject(program, ports, folder, prefix, pinned=not prefix) as subject:
        looked = Looked(subject, folder, f"{arguments.bin}/lanyard")
        with contextlib.closing(fill_table(subject.endpoints[-1])):
            while json.loads(looked.run("networks", "--json"))["networks"][0]["macs"] < MACS:
                time.sleep(0.05)
            yield looked


def figures(runs: list[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {"runs": runs}
    if "p99_ns" in runs[0]:
        made["median_ns"] = report.spread([run["median_ns"] for run in runs])
        made["p99_ns"] = report.spread([run["p99_ns"] for run in runs])
    else:
        made["frames_per_second"] = report.spread([run["frames"] / run["seconds"] for run in runs])
        made["process_ns"] = report.spread([run["cpu_ns"] / run["frames"] for run in runs])
        made["thread_ns"] = report.spread([run["thread_ns"] / run["frames"] for run in runs])
    made["lost"] = sum(run["lost"] for run in runs)
    if "captured" in runs[0]:
        made["captured"] = sum(run["captured"]["frames"] for run in runs)
        made["captured_lost"] = sum(run["captured"]["lost"] for run in runs)
    if "looks" in runs[0]:
        made["scrapes"] = sum(run["looks"]["scrapes"] for run in runs)
        made["listings"] = sum(run["looks"]["listings"] for run in runs)
    return made


def show(row: str, modes: dict[str, dict[str, Any]]) -> None:
    for mode, made in modes.items():
        for name, spread in made.items():
            if not isinstance(spread, dict):
                continue
            ratio = spread["median"] / modes["nobody"][name]["median"]
            print(f"{row:8} {mode:9} {name:18} {spread['median']:12.1f} [{spread['min']:.1f}-{spread['max']:.1f}]  "
                  f"{ratio:.3f} of nobody's")
        counts = [f"lost {made['lost']}"]
        if "captured" in made:
            counts.append(f"captured {made['captured']}, lost to the capture {made['captured_lost']}")
        if "scrapes" in made:
            counts.append(f"{made['scrapes']} scrapes, {made['listings']} listings")
        print(f"{row:8} {mode:9} {'; '.join(counts)}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/bin",
                        help="folder of switchd, lanyard, pump and load (default %(default)s)")
    parser.add_argument("--engine", default="auto", help="of switchd (default %(default)s)")
    parser.add_argument("--runs", type=int, default=7, help="of each mode (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run (default %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write every run there as well")
    arguments = parser.parse_args()
    if LOAD_CORE >= 0:
        os.sched_setaffinity(0, {LOAD_CORE})
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="lanyard-sight-", dir=memory) as name:
        folder = Path(name)
        tools = Tools(arguments.bin, Places(folder))
        with awake_cores() as idler:
            made = {row.name: bench(row, modes, tools, arguments, folder, idler) for row, modes in ROWS.items()}
    for row_name, of_modes in made.items():
        show(row_name, of_modes)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(made, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
