"""A host of the lab: a network namespace. And what everything in the lab shares: places, LabError, ends of logs."""

from __future__ import annotations

import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
COMMAND_SECONDS_MAX = 30.0


class LabError(Exception):
    """Something expected did not happen. The text says what."""


class Skipped(Exception):
    """This machine cannot do what the scenario needs. The text says what."""


class Host:
    """A network namespace, kept by a process that ends with the lab. Its loopback carries multicast groups too."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo held; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"held\n":
            raise LabError(f"no network namespace could be made for host {name}")
        self.run("ip", "link", "set", "lo", "up", "multicast", "on")
        self.run("ip", "route", "add", "239.0.0.0/8", "dev", "lo")

    @property
    def pid(self) -> int:
        return self._holder.pid

    def command(self, *argv: str | Path) -> list[str]:
        """What to execute so that argv runs in this host, as the process that is started."""
        return ["nsenter", "--target", str(self.pid), "--net", "--", *map(str, argv)]

    def run(self, *argv: str | Path, timeout_s: float = COMMAND_SECONDS_MAX) -> str:
        """Runs a command to its end and returns what it prints."""
        done = subprocess.run(self.command(*argv), capture_output=True, text=True, timeout=timeout_s)
        if done.returncode != 0:
            raise LabError(f"host {self.name}: {' '.join(map(str, argv))}: {done.stderr.strip()}")
        return done.stdout

    def set_mtu(self, interface: str, mtu: int) -> None:
        self.run("ip", "link", "set", interface, "mtu", str(mtu))

    def ip_counter(self, name: str) -> int:
        """A counter of the kernel's IPv4 of this host, as in /proc/net/snmp: FragCreates, ReasmOKs."""
        names, values = [
            line.split()[1:] for line in self.run("cat", "/proc/net/snmp").splitlines() if line.startswith("Ip:")
        ]
        return int(dict(zip(names, values))[name])

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()


def tail(path: Path, lines: int) -> str:
    """The last lines of a log, indented."""
    text = path.read_text(errors="replace").splitlines()[-lines:] if path.exists() else ["(no log)"]
    return "\n".join("    " + "".join(filter(str.isprintable, line)) for line in text)
