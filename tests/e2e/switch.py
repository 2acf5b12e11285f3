"""A switchd in a host of the lab: started, read, asked for statistics, and stopped or killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host import BUILD, Host, LabError, tail

READY_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 20.0
ENGINE = os.environ.get("LANYARD_ENGINE", "auto")  # as --engine takes it
PROGRAM = Path(os.environ.get("LANYARD_SWITCHD", BUILD / "bin" / "switchd"))

# Which side of the ledger a drop is on (frames/drop_reason.h).
EGRESS_DROPS = {"egress_full", "mtu", "send_error", "port_down"}


class Switch:
    """One switchd. Its standard output is read by a thread; every wait is for a line of it, with a deadline."""

    def __init__(self, host: Host, folder: Path, logs: Path, arguments: tuple[str, ...]) -> None:
        self.host = host
        self.name = folder.name
        self.folder = folder  # for its control socket
        self.control = folder / "lanyard" / "switchd.sock"
        self.log = logs / f"{self.name}.log"
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread()
        self._lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()

    # --- Life.

    def start(self) -> None:
        """Starts switchd and waits until it says that it is ready."""
        if not PROGRAM.exists():
            raise LabError(f"{PROGRAM} is not there; tools/build makes it")
        self.folder.mkdir(exist_ok=True)
        self._lines, self._ended = [], False
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                self.host.command(PROGRAM, "--engine", ENGINE, *self._arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "XDG_RUNTIME_DIR": str(self.folder)},
            )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self.wait_line("ready", lambda line: line == "ready", READY_SECONDS_MAX)

    def stop(self) -> None:
        """Asks for a clean stop and insists on exit status 0."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name} did not stop within {STOP_SECONDS_MAX:.0f} s of SIGTERM") from None
        self._reader.join()
        if status != 0:
            raise LabError(f"{self.name} stopped with exit status {status}")

    def kill(self) -> None:
        """Ends it as a crash would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._reader.join()

    def children(self, program: str) -> list[int]:
        """The process ids of its children that run a program of that name."""
        assert self._process is not None
        found = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        names = {int(pid): Path(f"/proc/{pid}/comm").read_text().strip() for pid in found}
        return [pid for pid, name in names.items() if program.startswith(name)]

    # --- What it says.

    def number(self, port: str) -> int:
        """The TCP or UDP port number that a port of the switch is bound to."""
        return int(self.wait_line(f"port {port}", lambda line: line.startswith(f"port {port} ")).rpartition(":")[2])

    def lines_seen(self) -> int:
        """How much it has said up to now: `after` for a wait that is about what comes next."""
        with self._news:
            return len(self._lines)

    def wait_port(self, port: str, state: str, after: int = 0) -> None:
        """Waits until it reports a port as "up" or "down"; what it has reported already counts, unless `after` says."""
        self.wait_line(f"{port} {state}", lambda line: f"{line} ".startswith(f"port {port} {state} "), after=after)

    def wait_line(self, what: str, wanted: Callable[[str], bool], timeout_s: float = 30.0, after: int = 0) -> str:
        """Waits for a line of standard output, leaving out the first `after` ones."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while True:
                for line in self._lines[after:]:
                    if wanted(line):
                        return line
                if self._ended:
                    raise LabError(f"{self.name} ended without saying: {what}")
                if not self._news.wait(deadline - time.monotonic()):
                    raise LabError(f"{self.name} did not say within {timeout_s:.0f} s: {what}")

    def stats(self) -> dict[str, Any]:
        """Asks for the statistics (SIGUSR1) and returns them."""
        assert self._process is not None
        seen = self.lines_seen()
        self._process.send_signal(signal.SIGUSR1)
        line = self.wait_line("stats", lambda line: line.startswith("stats "), after=seen)
        stats: dict[str, Any] = json.loads(line.removeprefix("stats "))
        return stats

    def port_of(self, mac: str, network: str = "lan") -> str | None:
        """The port behind which it has learned a MAC address."""
        learned = self.stats()["networks"][network]["macs"]
        return next((entry["port"] for entry in learned if entry["mac"] == mac), None)

    def check_ledger(self) -> dict[str, Any]:
        """Every frame is accounted for on every port; returns the statistics that show it."""
        stats = self.stats()
        for name, port in stats["ports"].items():
            if "received_frames" not in port:
                continue  # it is not up and has counted nothing
            drops: dict[str, int] = port["drops"]
            at_egress = sum(count for reason, count in drops.items() if reason in EGRESS_DROPS)
            at_ingress = sum(drops.values()) - at_egress
            received = port["unicast"] + port["flooded"] + port["echoed_frames"] + at_ingress
            copies = port["sent_frames"] + port["queued_frames"] + at_egress
            if port["received_frames"] != received or port["copies"] != copies:
                raise LabError(f"the ledger of port {name} of {self.name} does not add up: {json.dumps(port)}")
        return stats

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self.log.open("a") as log:
                log.write(line)
            with self._news:
                self._lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def diagnose(self) -> str:
        """The end of its log, with fresh statistics where it still answers."""
        status = self._process.poll() if self._process else None
        if self._process and status is None:
            try:
                self.stats()
            except LabError as problem:
                return f"--- {self.name}: {problem}\n{tail(self.log, 30)}"
        return f"--- {self.name}: {'running' if status is None else f'exit status {status}'}\n{tail(self.log, 30)}"
