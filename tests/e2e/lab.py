"""A laboratory: hosts that are network namespaces, joined by virtual cables, with real switches and real guests.

The program that uses it runs again inside namespaces of its own (network, mounts, process ids). Nothing it sends can
leave them, no name in /run/netns is taken, and when the program ends, however it ends, the kernel ends everything in
it. Root is not needed where the system lets users make namespaces.

    def scenario(lab: Lab) -> None:
        host = lab.host("one")
        switch = lab.switch(host, "web=tcp-listen:0")
        ...
    if __name__ == "__main__":
        run(scenario)

Nothing here sleeps to synchronise: every wait is for a condition and has a deadline, after which LabError says what
was waited for.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from guest import Guest
from host import BUILD, Host, LabError, Skipped
from switch import ENGINE, Switch

INSIDE = "LANYARD_LAB_INSIDE"
SKIPPED = 77  # the exit code by which ctest knows it

Item = TypeVar("Item")
Result = TypeVar("Result")


class Lab:
    """Makes hosts, switches and guests, and ends them all."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hosts: list[Host] = []
        self.switches: list[Switch] = []
        self.guests: list[Guest] = []
        self.background: list[subprocess.Popen[bytes]] = []  # of scenarios: servers and the like
        self.logs = BUILD / "e2e" / name
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self.sockets = Path(tempfile.mkdtemp(prefix="lanyard-", dir="/tmp"))  # a UNIX path has 107 bytes at most

    def host(self, name: str) -> Host:
        self.hosts.append(Host(name))
        return self.hosts[-1]

    def cable(self, a: Host, a_address: str, b: Host, b_address: str, mtu: int = 1500) -> None:
        """Joins two hosts by a veth pair. In each the interface is named for the other: to-NAME."""
        a.run("ip", "link", "add", f"to-{b.name}", "type", "veth", "peer", f"to-{a.name}", "netns", str(b.pid))
        for host, interface, address in ((a, f"to-{b.name}", a_address), (b, f"to-{a.name}", b_address)):
            host.run("ip", "address", "add", address, "dev", interface)
            host.run("ip", "link", "set", interface, "mtu", str(mtu), "up")

    def switch(self, host: Host, *arguments: str, name: str = "") -> Switch:
        """Starts a switchd in a host and waits until it is ready."""
        folder = self.sockets / (name or f"switch-{host.name}")
        self.switches.append(Switch(host, folder, self.logs, arguments))
        self.switches[-1].start()
        return self.switches[-1]

    def guest(self, host: Host, name: str, netdev: str, **options: Any) -> Guest:
        """A guest that is not started yet: start many, then wait for each, so that they boot side by side."""
        number = len(self.guests) + 1
        self.guests.append(Guest(host, name, netdev, number, logs=self.logs, sockets=self.sockets, **options))
        return self.guests[-1]

    def boot(self, guests: Iterable[Guest]) -> None:
        """Starts guests side by side and waits until all are up."""
        waiting = list(guests)
        for guest in waiting:
            guest.start()
        for guest in waiting:
            guest.wait_up()

    def close(self) -> None:
        for guest in self.guests:
            guest.kill()
        for switch in self.switches:
            switch.kill()
        for process in self.background:
            process.kill()
            process.wait()
        for host in self.hosts:
            host.close()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def diagnose(self) -> str:
        """What a reader of a failure wants to see first."""
        of_switches = [switch.diagnose() for switch in self.switches]
        of_guests = [guest.diagnose() for guest in self.guests]
        return "\n".join([*of_switches, *of_guests, f"All logs: {self.logs}"])


def each(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Calls function for all items side by side and returns the results in order."""
    work = list(items)
    with ThreadPoolExecutor(max(1, len(work))) as pool:
        return list(pool.map(function, work))


def need_taps() -> None:
    """Some containers and virtual machines keep TAPs from everybody, or from all but root."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        raise Skipped(f"/dev/net/tun: {error.strerror}") from None


def inside() -> bool:
    """Whether this program is in its namespaces already."""
    return INSIDE in os.environ


def enter_namespaces() -> None:
    """Runs this program again inside namespaces of its own, unless it already is."""
    if inside():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
        return
    unshare = ["unshare", "--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        unshare.append("--map-root-user")
    tried = subprocess.run([*unshare, "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        sys.exit(
            f"This needs namespaces, and the system refuses them: {tried.stderr.strip()}\n"
            "Run it as root, or allow them to users: sysctl kernel.unprivileged_userns_clone=1 "
            "(on Ubuntu: kernel.apparmor_restrict_unprivileged_userns=0)."
        )
    os.environ[INSIDE] = "1"
    os.execvp("unshare", [*unshare, sys.executable, *sys.argv])


def run(scenario: Callable[[Lab], None]) -> None:
    """The main program of a scenario: runs it in a lab, says how it went and exits with 0, 1 or SKIPPED."""
    enter_namespaces()
    started = time.monotonic()
    name = scenario.__name__ if ENGINE == "auto" else f"{scenario.__name__}_on_{ENGINE}"
    lab = Lab(name)
    name = name.replace("_", " ")
    try:
        scenario(lab)
    except Skipped as why:
        print(f"not tested here: {why}", flush=True)
        sys.exit(SKIPPED)
    except Exception as problem:
        if not isinstance(problem, (AssertionError, LabError)):
            traceback.print_exc()
        print(f"FAILED: {name}: {problem}\n{lab.diagnose()}", flush=True)
        sys.exit(1)
    finally:
        lab.close()
    print(f"passed: {name} ({time.monotonic() - started:.0f} s)")
