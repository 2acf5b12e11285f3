#!/usr/bin/env python3
"""A guest without a disk boots over the LAN, by the iPXE in its network card: from the gateway, which says where (DHCP)
and serves the files (TFTP); and, where the gateway leaves DHCP to others, from a dnsmasq that is another machine of the
LAN, beside which the gateway is router and DNS server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from guest import IMAGE, Guest
from host import LabError
from internet import wait_address
from lab import Lab, run
from switch import Switch

SECRET = "not for guests"


def network_boot(lab: Lab) -> None:
    os.environ["XDG_STATE_HOME"] = str(lab.sockets)
    by_the_gateway(lab)
    by_another_server(lab)


def by_the_gateway(lab: Lab) -> None:
    host, path = lab.host("one"), lab.sockets / "lan"
    guest = lab.guest(host, "diskless", netdev(path), address="dhcp", by_network=True)
    folder = make_folder(lab, guest, "${next-server}")
    (folder / "outside").symlink_to(lab.sockets / "secret")
    (lab.sockets / "secret").write_text(SECRET)
    switch = lab.switch(host, f"vms=unix-listen:{path}", f"out=nat,tftp={folder},bootfile=boot.ipxe")
    boot(lab, guest, "10.0.2.15")
    if guest.must("tftp -g -r boot.ipxe -l /tmp/got 10.0.2.2 && cat /tmp/got") != (folder / "boot.ipxe").read_text():
        raise LabError("boot.ipxe did not arrive as it is")
    for name in ("outside", "../secret", "none"):
        if guest.run(f"tftp -g -r {name} -l /tmp/got 10.0.2.2")[0] == 0 or SECRET in guest.run("cat /tmp/got")[1]:
            raise LabError(f"the gateway serves {name}")
    written = guest.run("echo evil > /tmp/evil && tftp -p -l /tmp/evil -r evil 10.0.2.2")[0] == 0
    if written or (folder / "evil").exists():
        raise LabError("the gateway takes files")
    guest.must("ping -c 1 -W 5 10.0.2.3")
    end(switch, guest)


def by_another_server(lab: Lab) -> None:
    host, server, path = lab.host("two"), lab.host("server"), lab.sockets / "other"
    lab.cable(host, "192.0.2.1/24", server, "10.0.2.50/24")
    guest = lab.guest(host, "stranger", netdev(path), address="dhcp", by_network=True)
    folder = make_folder(lab, guest, "10.0.2.50")
    switch = lab.switch(host, f"vms=unix-listen:{path}", "server=nic:to-server", "out=nat,dhcp=off")
    command = ["dnsmasq", "--keep-in-foreground", "--no-daemon", "--user=root", "--port=0", "--interface=to-two",
               "--dhcp-authoritative", "--dhcp-range=10.0.2.100,10.0.2.110", "--dhcp-option=3,10.0.2.2",
               "--dhcp-option=6,10.0.2.3", "--enable-tftp", f"--tftp-root={folder}", "--dhcp-boot=boot.ipxe",
               f"--dhcp-leasefile={lab.sockets / 'dnsmasq.leases'}"]
    with (lab.logs / "dnsmasq.log").open("w") as log:
        lab.background.append(subprocess.Popen(server.command(*command), stdout=log, stderr=log))
    boot(lab, guest, "10.0.2.1")
    if "10.0.2.2" not in guest.must("nslookup gateway.lan 10.0.2.3"):
        raise LabError("the gateway does not answer DNS beside another DHCP server")
    end(switch, guest)


def netdev(path: Path) -> str:
    return f"stream,addr.type=unix,addr.path={path},server=off"


def make_folder(lab: Lab, guest: Guest, server: str) -> Path:
    """What `guest` boots, as a TFTP server has it."""
    folder = lab.sockets / f"tftp-{guest.name}"
    folder.mkdir(mode=0o755)
    for name in ("vmlinuz", "initrd"):
        (folder / name).write_bytes((IMAGE / name).read_bytes())
    url = f"tftp://{server}"
    lines = ("#!ipxe", f"kernel {url}/vmlinuz {guest.kernel_arguments()}", f"initrd {url}/initrd", "boot", "")
    (folder / "boot.ipxe").write_text("\n".join(lines))
    return folder


def boot(lab: Lab, guest: Guest, address: str) -> None:
    lab.boot([guest])
    guest.address = wait_address(guest)
    if not guest.address.startswith(address):
        raise LabError(f"{guest.name} has the address {guest.address}, expected {address}")


def end(switch: Switch, guest: Guest) -> None:
    switch.check_ledger()
    switch.stop()
    guest.kill()


if __name__ == "__main__":
    run(network_boot)
