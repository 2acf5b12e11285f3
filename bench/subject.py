"""The program under test: how each of them is started, given ports, watched and stopped.

All of them run on core 1, the load on core 0, where there are two cores. Every start gets ports that no start before it
had, on loopback addresses that belong to this runner's process alone: nothing waits for a port to become free, and two
runners do not meet.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

READY_SECONDS_MAX = 15
STOP_SECONDS_MAX = 10
LOAD_SECONDS_EXTRA = 60
CORE_DISTANCE_SECONDS_MAX = 10
OTHERS_SHARE_MAX = 0.05  # in a run that counts at once: above this a figure says little
TRIES_MAX = 3
DISTANCE_CHANGE_MAX = 1.5  # of the cores, between the runs of one round; near and far are a factor of 4 apart

LOAD_CORE, SUBJECT_CORE = (0, 1) if (os.cpu_count() or 1) > 1 else (-1, -1)


class Failed(Exception):
    """A program did not start, or ended in a way it should not; says which and how."""


def least_disturbed(measure: Callable[[], dict[str, Any]], share: str, tries_max: int = TRIES_MAX) -> dict[str, Any]:
    """Of some runs the one with the lowest `share`, a key of what they return: that of the cores which others took.
    Which one that is does not depend on its figure."""
    tries: list[dict[str, Any]] = []
    while not tries or (len(tries) < tries_max and tries[-1][share] > OTHERS_SHARE_MAX):
        tries.append(measure())
    return min(tries, key=lambda run: run[share]) | {"tries": len(tries)}


def core_distance(folder: str) -> dict[str, float]:
    """How long a cache line takes from the load's core to the other and back; empty where there is one core."""
    if LOAD_CORE < 0:
        return {}
    command = [f"{folder}/core_distance", str(LOAD_CORE), str(SUBJECT_CORE)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CORE_DISTANCE_SECONDS_MAX)
    except (OSError, subprocess.SubprocessError) as error:
        raise Failed(f"{command[0]}: {error}") from None
    if done.returncode != 0:
        raise Failed(f"{command[0]}: {done.stderr.strip()}")
    try:
        return {"core_distance_ns": float(done.stdout)}
    except ValueError:
        raise Failed(f"{command[0]}: '{done.stdout.strip()}' is no number") from None


class Places:
    """Pairs of addresses: for the program under test as a port, for the load as the endpoint opposite to it."""

    def __init__(self, folder: str | Path, hosts: Sequence[tuple[str, str]] = ()) -> None:
        pid = os.getpid()
        network = f"127.{1 + pid // 250 % 250}.{1 + pid % 250}"
        self.folder = folder
        self.hosts = list(hosts) or [(f"{network}.1", f"{network}.2")]  # (program under test, load), used in turn
        self.group = f"239.{1 + pid // 250 % 250}.{1 + pid % 250}.1"
        self.serial = 0

    def pairs(self, wire: str, count: int) -> list[tuple[str, str]]:
        return [self.pair(wire) for _ in range(count)]

    def pair(self, wire: str) -> tuple[str, str]:
        """Returns (port of the program under test, endpoint of the load)."""
        self.serial += 1
        theirs, ours = self.hosts[self.serial % len(self.hosts)]
        number = 10000 + self.serial % 50000
        if wire == "unix":
            path = f"{self.folder}/{self.serial}"
            return f"unix-listen:{path}", f"unix-connect:{path}"
        if wire == "tcp":
            return f"tcp-listen:{theirs}:{number}", f"tcp-connect:{theirs}:{number}"
        if wire == "udp":
            there, here = f"{theirs}:{number}", f"{ours}:{number}"
            return f"udp:{there},remote={here}", f"udp:{here},remote={there}"
        if wire == "mcast":
            return (f"mcast:{self.group}:{number},interface=127.0.0.1",) * 2
        raise ValueError(wire)


class Program:
    """One column of the table: a name and how to start it with given ports."""

    def __init__(self, name: str, command: list[str], vde: bool = False, group: str = "") -> None:
        self.name = name
        self.command = command
        self.vde = vde
        self.group = group  # of the rows it is for; "" is all


def pump(path: str) -> Program:
    return Program("pump", [path])


def bare_loop(path: str, engine: str) -> Program:
    return Program(f"bare loop {engine}", [path, engine], group="ports")


def switchd(path: str, engine: str, name: str = "switchd") -> Program:
    return Program(f"{name} {engine}", [path, "--engine", engine, "--control", "none", "--log-level", "warn"])


def vde_switch(path: str) -> Program:
    return Program("vde_switch", [path, "--numports", "80", "--sock"], vde=True)


class Subject:
    """A running program under test; use as a context manager. `endpoints` are what the load is to be given.

    `pairs` are of Places: one of them for each port. A vde_switch has its own place for them all, in `folder`."""

    def __init__(
        self,
        program: Program,
        pairs: Sequence[tuple[str, str]],
        folder: str | Path,
        prefix: Sequence[str] = (),
        pinned: bool = True,
    ) -> None:
        self.program = program
        self.vde_folder = ""
        if program.vde:
            self.vde_folder = tempfile.mkdtemp(dir=folder)
            self.endpoints = [f"vde:{self.vde_folder}" for _ in pairs]
            arguments = [self.vde_folder]
        else:
            self.endpoints = [ours for _, ours in pairs]
            arguments = [theirs for theirs, _ in pairs]
        self.errors = tempfile.TemporaryFile(dir=folder)  # a pipe nobody reads would stop a talkative one
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [*prefix, *program.command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            preexec_fn=_to_subject_core if pinned else None,
        )
        try:
            self._wait_ready()
        except Failed:
            self.stop()
            raise
        self.seconds_to_ready = time.monotonic() - begin

    def __enter__(self) -> Subject:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self.process.pid

    def _wait_ready(self) -> None:
        assert self.process.stdout is not None
        deadline = time.monotonic() + READY_SECONDS_MAX
        seen = b""
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failed(f"{self.program.name}: ended with {self.process.returncode} before it was ready: "
                             + self.complaint())
            if self.vde_folder:  # says nothing; its control socket is its sign
                if os.path.exists(f"{self.vde_folder}/ctl"):
                    return
                time.sleep(0.005)
            elif _readable(self.process.stdout, 0.1):
                seen += os.read(self.process.stdout.fileno(), 65536)
                if seen.startswith(b"ready\n") or b"\nready\n" in seen:
                    return
        raise Failed(f"{self.program.name}: not ready within {READY_SECONDS_MAX} s")

    def complaint(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()

    def cpu_ns(self) -> int:
        """User and system time so far, of all threads: the CPU clock of the process (clock_getcpuclockid)."""
        return _cpu_ns(self.pid)

    def resident_bytes(self) -> int:
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        return 0

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.communicate(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise Failed(f"{self.program.name}: had to be killed") from None


def _cpu_ns(pid: int) -> int:
    """By the CPU clock of a process, as clock_getcpuclockid(3) makes it."""
    return time.clock_gettime_ns(~pid << 3 | 2)


def _readable(stream: IO[Any], seconds: float) -> bool:
    """Within that time; of descriptors with any number, unlike select()."""
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _to_subject_core() -> None:
    if SUBJECT_CORE >= 0:
        os.sched_setaffinity(0, {SUBJECT_CORE})


class Idler:
    """Work on the core under test that gives way to any other: what of the core it had was nobody's loss."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu_ns(self) -> int:
        return _cpu_ns(self.pid)


@contextlib.contextmanager
def awake_cores() -> Iterator[Idler]:
    """Keeps both cores from halting, by work that gives way to any other at once (sched(7), SCHED_IDLE). How long a
    halted core of a virtual machine takes to wake up is the host's affair: 0.05 to 1.5 ms from minute to minute, many
    times what the program under test adds."""
    cores = {LOAD_CORE, SUBJECT_CORE}
    idlers = {core: subprocess.Popen([sys.executable, "-c", "while True: pass"],
                                     preexec_fn=lambda core=core: _to_idle(core)) for core in cores}
    try:
        yield Idler(idlers[SUBJECT_CORE].pid)
    finally:
        for idler in idlers.values():
            idler.kill()
            idler.wait()


def _to_idle(core: int) -> None:
    os.nice(19)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    if core >= 0:
        os.sched_setaffinity(0, {core})


class Load:
    """A running load on the endpoints of a subject, measuring on demand; use as a context manager."""

    def __init__(
        self, path: str, subject: Subject, endpoints: Sequence[str], options: Sequence[str], prefix: Sequence[str] = ()
    ) -> None:
        command = [*prefix, path, "--on-demand", "--core", str(LOAD_CORE), "--pid", str(subject.pid)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([*command, *options, *endpoints], stdin=pipe, stdout=pipe, stderr=pipe,
                                        text=True, bufsize=1)
        self.subject = subject
        self.idler: Idler | None = None  # busy on the core of the program under test, and no disturbance
        try:
            if self._line(LOAD_SECONDS_EXTRA) != "greeted\n":
                raise self._failed()
        except Failed:
            self.stop()
            raise

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def measure(self, seconds: float) -> dict[str, Any]:
        """One JSON document of the load. `seconds` is how long it was told to run."""
        assert self.process.stdin is not None
        idle_before = self.idler.cpu_ns() if self.idler else 0
        try:
            self.process.stdin.write("\n")
        except BrokenPipeError:
            raise self._failed() from None
        document: dict[str, Any] = json.loads(self._line(seconds + LOAD_SECONDS_EXTRA))
        if self.idler:
            idle_share = (self.idler.cpu_ns() - idle_before) / 1e9 / document["seconds"]
            document["others"] = max(0.0, document["others"] - idle_share)
        return document

    def _line(self, seconds: float) -> str:
        assert self.process.stdout is not None
        if not _readable(self.process.stdout, seconds):
            raise Failed(f"load on {self.subject.program.name}: nothing for {seconds:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise self._failed()
        return line

    def _failed(self) -> Failed:
        _, err = self.process.communicate()
        return Failed(f"load on {self.subject.program.name}: {err.strip() or 'ended'}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
