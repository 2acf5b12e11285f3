#!/usr/bin/python3
"""systemd-networkd, a DHCP client that sends names with dots as option 81 and a client identifier (option 61), as a VM of
a real switchd with a `nat` port. Both run in a network namespace of their own, joined by a pair of interfaces; networkd has
a /run of its own and is no root, so that it gives up nothing. Needs no root.

usage: networkd_test.py PATH-OF-SWITCHD
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

NETWORKD = "/lib/systemd/systemd-networkd"
NAMESPACES = ["unshare", "--map-user=1000", "--map-group=1000", "--keep-caps", "--net", "--mount"]
SECONDS_MAX = 60
SKIPPED = 77
LEASES = Path("/run/systemd/netif/leases")


def why_not() -> str:
    """Why this cannot be tested here; empty: it can."""
    if not Path(NETWORKD).exists():
        return f"there is no {NETWORKD}"
    tried = subprocess.run([*NAMESPACES, "mount", "-t", "sysfs", "-o", "ro", "sysfs", "/sys"], capture_output=True, text=True,
                           check=False)
    return tried.stderr.strip().replace("\n", " ") if tried.returncode != 0 else ""


def query(name: str, server: str) -> str:
    """The IPv4 address of a name, as the DNS server says; empty: it says none."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(SECONDS_MAX)
        asker.sendto(struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1), (server, 53))
        answer = asker.recv(512)
    count = struct.unpack(">H", answer[6:8])[0]
    return socket.inet_ntoa(answer[-4:]) if count == 1 else ""


class Host:
    """A switchd with a gateway, and an interface `vm` that is a VM of its. REQUIRES: namespaces of one's own."""

    def __init__(self, switchd: str, folder: Path) -> None:
        self.folder = folder
        for command in ("ip link set lo up", "ip link add sw type veth peer name vm", "ip link set sw up",
                        "mount -t tmpfs tmpfs /run", "mount -t sysfs -o ro sysfs /sys"):  # networkd asks udev, were it rw
            subprocess.run(command.split(), check=True)
        for needed in ("network", "netif/links", "netif/leases", "netif/lldp"):
            Path("/run/systemd", needed).mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.switchd = subprocess.Popen([switchd, "--control", "none", "lan=nic:sw", "out=nat"], text=True, stderr=log,
                                            env={**os.environ, "XDG_STATE_HOME": str(folder)}, stdout=subprocess.PIPE)
        assert self.switchd.stdout is not None
        while self.switchd.stdout.readline() not in ("ready\n", ""):
            pass

    def leased(self, dhcp: str, name: str) -> dict[str, str]:
        """What networkd has after it came up with these settings, and by what name the gateway knows it: `name`, or another
        when the deadline is over."""
        for old in LEASES.iterdir():
            old.unlink()
        subprocess.run("ip address flush dev vm scope global".split(), check=True)
        Path("/run/systemd/network/vm.network").write_text(
            f"[Match]\nName=vm\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=yes\n[DHCPv4]\n{dhcp}\n", encoding="utf-8")
        networkd = subprocess.Popen([NETWORKD], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return self.await_lease(name)
        finally:
            networkd.terminate()
            networkd.wait(SECONDS_MAX)

    def await_lease(self, name: str) -> dict[str, str]:
        deadline = time.monotonic() + SECONDS_MAX
        kept: dict[str, str] = {}
        addresses: list[str] = []
        while time.monotonic() < deadline:
            shown = subprocess.run(["ip", "-j", "address", "show", "dev", "vm", "scope", "global"], capture_output=True, check=True)
            addresses = [info["local"] for link in json.loads(shown.stdout) for info in link.get("addr_info", [])
                         if "local" in info and "tentative" not in info]
            for lease in LEASES.glob("[0-9]*"):
                kept = dict(line.split("=", 1) for line in lease.read_text(encoding="utf-8").splitlines() if "=" in line)
            if kept.get("ADDRESS") in addresses and any(":" in address for address in addresses):
                kept["IPV6"] = next(address for address in addresses if ":" in address)
                kept["NAME"] = self.await_name(kept["ADDRESS"], name)
                kept["ANSWER"] = query(f"{name}.lan", kept["DNS"])
                return kept
            time.sleep(0.05)
        raise TimeoutError(f"no lease: {addresses} {kept}\n{self.log.read_text(encoding='utf-8')}")

    def await_name(self, address: str, name: str) -> str:
        """By the gateway's file of leases, which is written a moment later."""
        deadline = time.monotonic() + SECONDS_MAX
        known = "(no lease in the file)"
        while known != name and time.monotonic() < deadline:
            for path in self.folder.glob("lanyard/leases-*.json"):
                for lease in json.loads(path.read_text(encoding="utf-8"))["leases"]:
                    if lease["address"] == address:
                        known = str(lease["name"])
            time.sleep(0.05)
        return known

    def stop(self) -> int:
        self.switchd.terminate()
        self.switchd.communicate(timeout=SECONDS_MAX)
        return self.switchd.returncode


class NetworkdTest(unittest.TestCase):
    host: Host

    @classmethod
    def setUpClass(cls) -> None:
        folder = Path(tempfile.mkdtemp(prefix="lanyard-networkd-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.host = Host(sys.argv[0], folder)

    @classmethod
    def tearDownClass(cls) -> None:
        assert cls.host.stop() == 0

    def test_names_addresses_and_what_is_told(self) -> None:
        dotted = self.host.leased("Hostname=web.example.com", "web")  # sent as option 81
        self.assertEqual((dotted["NAME"], dotted["ANSWER"]), ("web", dotted["ADDRESS"]))
        self.assertEqual((dotted["ROUTER"], dotted["DNS"], dotted["DOMAINNAME"]), ("10.0.2.2", "10.0.2.3", "lan"))
        self.assertTrue(dotted["CLIENTID"].startswith("ff"), dotted)  # option 61: an identifier that is no MAC address
        self.assertTrue(dotted["IPV6"].startswith("fd6c:616e:"), dotted)

        again = self.host.leased("Hostname=web.example.com", "web")
        self.assertEqual(again["ADDRESS"], dotted["ADDRESS"])

        plain = self.host.leased("Hostname=db", "db")  # sent as option 12
        self.assertEqual((plain["ADDRESS"], plain["NAME"]), (dotted["ADDRESS"], "db"))

        by_mac = self.host.leased("Hostname=mail.example.com\nClientIdentifier=mac", "mail")
        self.assertEqual((by_mac["ADDRESS"], by_mac["NAME"]), (dotted["ADDRESS"], "mail"))

        nameless = self.host.leased("SendHostname=no\nClientIdentifier=duid-only", "mail")  # keeps the one that it had
        self.assertEqual((nameless["ADDRESS"], nameless["NAME"]), (dotted["ADDRESS"], "mail"))


if __name__ == "__main__":
    if len(sys.argv) > 2:  # inside the namespaces
        sys.argv = sys.argv[2:]
        unittest.main(argv=[sys.argv[0]], verbosity=2)
    if reason := why_not():
        print(f"not tested here: {reason}", flush=True)
        sys.exit(SKIPPED)
    os.execvp(NAMESPACES[0], [*NAMESPACES, sys.executable, __file__, "--inside", sys.argv[1]])
