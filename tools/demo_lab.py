#!/usr/bin/env python3
"""The running part of tools/demo: the hosts, switches and guests, what is shown of them, and --keep."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "e2e"))

from guest import Guest, accelerator  # noqa: E402
from host import BUILD, Host, LabError  # noqa: E402
from judge import serve, throughput  # noqa: E402
from lab import Lab, each, enter_namespaces, inside  # noqa: E402
from switch import Switch  # noqa: E402

COMMAND = "build/bin/lanyard"
KEPT = BUILD / "demo"  # a link to the folder with the sockets of a demo that was left running
GROUP = "239.1.1.1:5001"
OUTSIDE, PAGE = "198.51.100.2", "Hello from outside"
ROUTER = "10.7.0.254"
LET_GO = b"\0"
LEAVE_CONSOLE = b"\x1d"  # Ctrl-]
ATTEMPTS = 3


def main() -> int:
    if sys.argv[1:2] == ["--stop"]:
        return stop()
    if sys.argv[1:2] == ["--console"]:
        return console(sys.argv[2]) if len(sys.argv) == 3 else usage_error("--console needs the name of a guest")
    keep = sys.argv[1:] == ["--keep"]
    if keep and not inside():
        if kept_demo() is not None:
            return usage_error("a demo is running already; tools/demo --stop ends it")
        go_to_background()
    enter_namespaces()
    return demo(keep)


def usage_error(text: str) -> int:
    print(f"demo: {text}", file=sys.stderr)
    return 2


# --- What is shown.


def demo(keep: bool) -> int:
    lab = Lab("demo")
    try:
        passed = show(lab)
        if keep and passed:
            stay(lab)
        return 0 if passed else 1
    except LabError as problem:
        print(f"{lab.diagnose()}\n\nDemo FAILED: {problem}", flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: all of it ends.", flush=True)
        return 130
    finally:
        lab.close()


def show(lab: Lab) -> bool:
    switches = two_hosts(lab)
    print(f"\nBooting four guests ({accelerator()}), two on each host:")
    for guest in lab.guests:
        print(f"  {guest.host.name:5} {guest.name:6} {guest.address}  -netdev {guest.netdev}", flush=True)
    started = time.monotonic()
    lab.boot(lab.guests)
    print(f"All up after {time.monotonic() - started:.0f} s.\n\nRound trips between guests (ms):", flush=True)
    unreached = show_matrix(lab.guests)
    for switch in switches:
        show_switch(switch, lab.guests)
    west, east = lab.guests[1], lab.guests[3]
    reached = show_way_out(lab.guests)
    serve([east])
    print(f"\niperf3 from {west.name} to {east.name}, across both hosts: {throughput(west, east):.0f} Mb/s")
    pairs = len(lab.guests) * (len(lab.guests) - 1)
    passed = unreached == 0 and reached == len(lab.guests)
    print(f"\nDemo {'PASSED' if passed else 'FAILED'}: {pairs - unreached} of {pairs} pairs of guests reach each "
          f"other, {reached} of {len(lab.guests)} guests the outside.")
    sys.stdout.flush()
    return passed


def two_hosts(lab: Lab) -> list[Switch]:
    """Hosts, cable and switches are made; the guests are described, and not started yet."""
    west, east, outside = lab.host("west"), lab.host("east"), lab.host("outside")
    lab.cable(west, "10.1.0.1/24", east, "10.1.0.2/24")
    lab.cable(west, "198.51.100.1/24", outside, f"{OUTSIDE}/24")
    serve_outside(lab, outside)
    os.environ["XDG_STATE_HOME"] = str(lab.sockets)
    arguments = (
        ["tunnel=udp:10.1.0.1:9000,remote=10.1.0.2:9000", f"group=mcast:{GROUP}", "tcp=tcp-listen:7000",
         f"out=nat:10.7.0.0/24,router={ROUTER},dns=10.7.0.253,pool=10.7.0.100-10.7.0.199"],
        [
            "tunnel=udp:10.1.0.2:9000,remote=10.1.0.1:9000",
            "pair=udp:127.0.0.1:7001,remote=127.0.0.1:7002",
            f"unix=unix-listen:{lab.sockets}/unix",
        ],
    )
    print("\nTwo hosts on a cable with MTU 1500, each with a switch:")
    for host, ports in zip((west, east), arguments):
        print(f"  {host.name:5} switchd {' '.join(ports)}", flush=True)
    switches = [lab.switch(host, *ports) for host, ports in zip((west, east), arguments)]
    lab.guest(west, "mcast", f"socket,mcast={GROUP}")
    lab.guest(west, "tcp", "socket,connect=127.0.0.1:7000")
    lab.guest(east, "udp", "socket,udp=127.0.0.1:7001,localaddr=127.0.0.1:7002")
    lab.guest(east, "unix", f"stream,server=off,addr.type=unix,addr.path={lab.sockets}/unix")
    return switches


def show_way_out(guests: list[Guest]) -> int:
    """Has each guest fetch a page from outside, through the nat port of the west; returns how many got it."""
    print(f"\nThe outside, http://{OUTSIDE}/, through the port out=nat of the west:", flush=True)
    for guest in guests:
        guest.must(f"ip route add default via {ROUTER}")
    pages = each(lambda guest: guest.run(f"wget -q -O - http://{OUTSIDE}/")[1].strip(), guests)
    for guest, page in zip(guests, pages):
        print(f"  {guest.host.name:5} {guest.name:6} {page or 'nothing'}", flush=True)
    return pages.count(PAGE)


def serve_outside(lab: Lab, outside: Host) -> None:
    """One page by HTTP."""
    (lab.sockets / "index.html").write_text(PAGE + "\n")
    server = outside.command("busybox", "httpd", "-f", "-p", f"{OUTSIDE}:80", "-h", lab.sockets)
    lab.background.append(subprocess.Popen(server))


def show_matrix(guests: list[Guest]) -> int:
    """Prints the round trip of each pair, and returns how many pairs do not reach each other."""
    rows = each(lambda guest: [None if other is guest else round_trip(guest, other) for other in guests], guests)
    print("  from \\ to " + "".join(f"{guest.name:>9}" for guest in guests))
    unreached = 0
    for guest, row in zip(guests, rows):
        cells = ["-" if other is guest else ms or "none" for other, ms in zip(guests, row)]
        unreached += cells.count("none")
        print(f"  {guest.name:9}" + "".join(f"{cell:>9}" for cell in cells), flush=True)
    return unreached


def round_trip(guest: Guest, other: Guest) -> str | None:
    """The mean of three pings in milliseconds, or None when one is lost."""
    _, output = guest.run(f"ping -A -c {ATTEMPTS} -W 5 {other.address}")
    mean = re.search(r"min/avg/max = [\d.]+/([\d.]+)/", output)
    return f"{float(mean[1]):.1f}" if mean and f" {ATTEMPTS} packets received" in output else None


def show_switch(switch: Switch, guests: list[Guest]) -> None:
    stats: dict[str, Any] = switch.check_ledger()
    names = {guest.mac: guest.name for guest in guests}
    print(f"\nPorts of {switch.host.name}, and who is behind them (MAC table):")
    print("  port       received       sent  dropped     guests")
    for name, port in stats["ports"].items():
        behind = [entry["mac"] for entry in stats["networks"]["lan"]["macs"] if entry["port"] == name]
        who = ", ".join(f"{names.get(mac, '?')} ({mac})" for mac in sorted(behind))
        dropped = ", ".join(f"{count} {reason}" for reason, count in port["drops"].items() if count)
        print(f"  {name:8} {port['received_frames']:10} {port['sent_frames']:10}  {dropped or 'none':10}  {who}")
    sys.stdout.flush()


# --- --keep: the lab goes on in the background, and ends when somebody connects to its stop socket.


def go_to_background() -> None:
    """Goes on in a child without a terminal. This process shows what the child prints, up to LET_GO."""
    reading, writing = os.pipe()
    if os.fork() != 0:
        os.close(writing)
        while output := os.read(reading, 4096):
            os.write(1, output.removesuffix(LET_GO))
            if output.endswith(LET_GO):
                sys.exit(0)
        sys.exit(1)
    os.setsid()
    redirect(os.open(os.devnull, os.O_RDONLY), writing)


def redirect(standard_input: int, standard_output: int) -> None:
    for descriptor, target in ((standard_input, 0), (standard_output, 1), (standard_output, 2)):
        os.dup2(descriptor, target)


def stay(lab: Lab) -> None:
    stopping = socket.socket(socket.AF_UNIX)
    stopping.bind(str(lab.sockets / "stop"))
    stopping.listen()
    KEPT.unlink(missing_ok=True)
    KEPT.symlink_to(lab.sockets)
    print("\nIt goes on running. A guest's console (Ctrl-] leaves it):")
    for guest in lab.guests:
        print(f"  tools/demo --console {guest.name}")
    print("What a switch does, live (q quits); instead of top: status, ports, macs, events and others, see --help:")
    for switch in lab.switches:
        print(f"  {COMMAND} --control {KEPT.relative_to(TOP)}/{switch.control.relative_to(lab.sockets)} top")
    print("To end it: tools/demo --stop", flush=True)
    os.write(1, LET_GO)
    redirect(0, os.open(os.devnull, os.O_WRONLY))
    caller = wait_for_stop(stopping)
    KEPT.unlink(missing_ok=True)
    lab.close()
    caller.close()  # which tells the caller that all is gone


def wait_for_stop(stopping: socket.socket) -> socket.socket:
    while True:
        caller, _ = stopping.accept()
        if caller.recv(1):
            return caller
        caller.close()  # only looked whether a demo is running


def kept_demo() -> socket.socket | None:
    """A connection to a demo that is running; a byte sent on it ends the demo."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str((KEPT / "stop").resolve()))
    except OSError:
        return None
    return connection


def stop() -> int:
    connection = kept_demo()
    if connection is None:
        print("No demo is running.")
        return 0
    connection.sendall(b".")
    connection.recv(1)
    print("The demo has ended.")
    return 0


def console(name: str) -> int:
    path = (KEPT / f"{name}.console").resolve()
    if not path.exists():
        return usage_error(f"no guest '{name}' is running; start them with tools/demo --keep")
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    print(f"Console of guest {name}. Ctrl-] leaves it, Enter shows its prompt.", flush=True)
    saved = termios.tcgetattr(0) if os.isatty(0) else None
    try:
        if saved:
            tty.setraw(0)
        relay(connection)
    finally:
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)
    return 0


def relay(connection: socket.socket) -> None:
    while True:
        for ready in select.select([0, connection], [], [])[0]:
            data = os.read(0, 4096) if ready == 0 else connection.recv(4096)
            if not data or (ready == 0 and LEAVE_CONSOLE in data):
                return
            if ready == 0:
                connection.sendall(data)
            else:
                os.write(1, data)


if __name__ == "__main__":
    sys.exit(main())
