"""The Internet of a lab: a namespace with servers of HTTP, iperf3 and DNS, at the other end of a host's cable."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

from guest import Guest
from host import Host, LabError
from lab import Lab

INTERNET, INTERNET6 = "203.0.113.2", "2001:db8::2"
OUTSIDE_NAME = "www.example.test"
FILE_BYTES = 300_000


def make_internet(lab: Lab, host: Host) -> dict[str, str]:
    """Joins `host` to it and makes its DNS server the resolver of the lab. Returns the checksum of /file."""
    internet = lab.host("internet")
    lab.cable(host, "203.0.113.1/24", internet, f"{INTERNET}/24")
    for end, address in ((host, "2001:db8::1/64"), (internet, f"{INTERNET6}/64")):
        end.run("ip", "address", "add", address, "nodad", "dev", f"to-{internet.name if end is host else host.name}")
    files = serve_internet(lab, internet)
    use_resolver(lab, INTERNET)
    return files


def serve_internet(lab: Lab, internet: Host) -> dict[str, str]:
    """HTTP, iperf3 and DNS in the namespace that is the Internet. Returns the checksum of the file by its name."""
    folder = lab.sockets / "www"
    folder.mkdir()
    content = os.urandom(FILE_BYTES)
    (folder / "file").write_bytes(content)
    commands: tuple[list[str | Path], ...] = (
        ["busybox", "httpd", "-f", "-p", "80", "-h", folder],
        ["iperf3", "-s"],
        ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--no-daemon", "--user=root",
         f"--address=/{OUTSIDE_NAME}/{INTERNET}", f"--txt-record=long.{OUTSIDE_NAME}," + ",".join(["x" * 200] * 10)],
    )
    for command in commands:
        with (lab.logs / f"internet-{Path(command[0]).name}.log").open("w") as log:
            lab.background.append(subprocess.Popen(internet.command(*command), stdout=log, stderr=log))
    for port in (80, 5201, 53):
        wait_listening(internet, port)
    return {"file": subprocess.run(["sha256sum", folder / "file"], capture_output=True, text=True).stdout.split()[0]}


def wait_listening(host: Host, port: int) -> None:
    deadline = time.monotonic() + 20
    while f":{port} " not in host.run("ss", "-Hltn"):
        if time.monotonic() > deadline:
            raise LabError(f"nobody listens on port {port} of {host.name}")


def use_resolver(lab: Lab, address: str) -> None:
    """Of this lab alone: it has mounts of its own."""
    file = lab.sockets / "resolv.conf"
    file.write_text(f"nameserver {address}\n")
    subprocess.run(["mount", "--bind", file, "/etc/resolv.conf"], check=True)


def wait_address(guest: Guest) -> str:
    """Waits until the guest has an address by DHCP, and returns it."""
    output = guest.must("until ip -4 address show eth0 | grep inet; do usleep 100000; done", timeout_s=60)
    return str(re.findall(r"inet ([0-9.]+)/24", output)[0])


def fetch(guest: Guest, expected: str) -> None:
    output = guest.must(f"wget -q -O - http://{INTERNET}/file | sha256sum", timeout_s=60)
    if output.split()[-2] != expected:
        raise LabError(f"{guest.name}: the file did not arrive as it is: {output}")
