"""A real guest: QEMU in a host of the lab, booting the image of tools/guest.

Its first serial port is the console for people (a UNIX socket, and a log); over the second, programs run commands:
see tools/guest-init.sh, which answers there.
"""

from __future__ import annotations

import functools
import re
import socket
import subprocess
import time
from pathlib import Path

from host import BUILD, Host, LabError, tail

IMAGE = BUILD / "guest"
MEMORY_MIB = 128
BOOT_SECONDS_MAX = 180.0  # many at once on two busy cores, emulated
COMMAND_BYTES_MAX = 2000  # one line of a terminal
GRACE_SECONDS = 30.0  # the guest ends a command on its own clock; this long after it we stop waiting
QEMU = "qemu-system-x86_64"
QEMU_10 = IMAGE / "qemu10" / "qemu-system-x86_64"


class Guest:
    """One guest with one network interface, or two. The first one's address and MTU are set while it boots."""

    def __init__(
        self,
        host: Host,
        name: str,
        netdev: str,
        number: int,
        *,
        logs: Path,
        sockets: Path,
        address: str = "",
        mtu: int = 1500,
        qemu: str | Path = QEMU,
        outside: str = "",
        by_network: bool = False,
    ) -> None:
        self.host = host
        self.name = name
        self.netdev = netdev
        self.address = address or f"10.7.0.{number}"
        self.mac = f"52:54:00:07:00:{number:02x}"
        self.mtu = mtu
        self.log = logs / f"guest-{name}.log"
        self.console = sockets / f"{name}.console"
        self._qemu = qemu
        self._outside = outside  # a second network interface, eth1
        self._by_network = by_network  # boots what DHCP tells it, by the iPXE of its network card
        self._process: subprocess.Popen[bytes] | None = None
        self._serial: socket.socket | None = None
        self._received = b""
        self._commands = 0

    # --- Life.

    def start(self) -> None:
        """Starts QEMU, and does not wait for the guest."""
        if not (IMAGE / "vmlinuz").exists():
            raise LabError(f"{IMAGE}/vmlinuz is not there; tools/guest makes it")
        ours, qemus = socket.socketpair()
        self._serial, self._received = ours, b""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.host.command(self._qemu, *self._options(qemus.fileno())),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[qemus.fileno()],
            )
        qemus.close()

    def wait_up(self) -> None:
        """Waits until the guest has its address and takes commands."""
        self._read_until(rb"^@ready\r?\n", time.monotonic() + BOOT_SECONDS_MAX, "boot")

    def kill(self) -> None:
        """Ends QEMU as a crash would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._serial is not None:
            self._serial.close()
            self._serial = None

    # --- Commands.

    def run(self, command: str, timeout_s: float = 30.0) -> tuple[int, str]:
        """Runs a shell command in the guest, for timeout_s at most, and returns its status and output."""
        assert self._serial is not None and self._process is not None
        assert "\n" not in command and len(command) < COMMAND_BYTES_MAX, "one line, please"
        self._commands += 1
        self._serial.sendall(f"{self._commands} {timeout_s:.0f} {command}\n".encode())
        deadline = time.monotonic() + timeout_s + GRACE_SECONDS
        output, end = self._read_until(rb"\n@%d (\d+)\n" % self._commands, deadline, command)
        return int(end[1]), output.decode(errors="replace")

    def must(self, command: str, timeout_s: float = 30.0) -> str:
        """Like run, but the command has to succeed."""
        status, output = self.run(command, timeout_s)
        if status != 0:
            raise LabError(f"guest {self.name}: {command}: exit status {status}: {output.strip()}")
        return output

    def _read_until(self, end: bytes, deadline: float, what: str) -> tuple[bytes, re.Match[bytes]]:
        assert self._serial is not None
        while not (found := re.search(end, self._received, re.MULTILINE)):
            self._serial.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                more = self._serial.recv(65536)
            except TimeoutError:
                raise LabError(f"guest {self.name} is not done in time: {what}") from None
            if not more:
                raise LabError(f"guest {self.name} is gone: {what}")
            self._received += more
        output, self._received = self._received[: found.start()], self._received[found.end() :]
        return output, found

    # --- QEMU.

    def _options(self, serial_fd: int) -> list[str]:
        backend, _, settings = self.netdev.partition(",")
        kernel = ["-kernel", str(IMAGE / "vmlinuz"), "-initrd", str(IMAGE / "initrd")]
        kernel += ["-append", self.kernel_arguments()]
        return [
            *("-name", self.name, "-m", str(MEMORY_MIB * (2 if self._by_network else 1)), "-accel", accelerator()),
            *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
            *(("-boot", "n") if self._by_network else kernel),
            *("-chardev", f"socket,id=console,path={self.console},server=on,wait=off,logfile={self.log},logappend=on"),
            *("-serial", "chardev:console"),
            *("-chardev", f"socket,id=programs,fd={serial_fd}", "-serial", "chardev:programs"),
            *("-netdev", f"{backend},id=lan,{settings}"),
            *("-device", f"virtio-net-pci,netdev=lan,mac={self.mac}" + ("" if self._by_network else ",romfile=")),
            *self._second_interface(),
        ]

    def kernel_arguments(self) -> str:
        # no_timer_check: an emulated guest on a busy machine sees its timer late, and the kernel would give up.
        address = self.address + ("" if self.address == "dhcp" else "/24")
        boot = f"console=ttyS0 quiet panic=-1 no_timer_check lan.name={self.name} lan.ip={address}"
        return f"{boot} lan.mtu={self.mtu}"

    def _second_interface(self) -> list[str]:
        if not self._outside:
            return []
        backend, _, settings = self._outside.partition(",")
        netdev = ",".join(filter(None, (backend, "id=outside", settings)))
        return ["-netdev", netdev, "-device", "virtio-net-pci,netdev=outside,mac=52:54:00:08:00:01,romfile="]

    def diagnose(self) -> str:
        """The end of its console."""
        status = self._process.poll() if self._process else None
        how = "not started" if not self._process else "running" if status is None else f"QEMU's exit status {status}"
        return f"--- guest {self.name} ({self.netdev}): {how}\n{tail(self.log, 12)}"


@functools.cache
def accelerator() -> str:
    """kvm where tools/guest found that it works, else tcg."""
    chosen = IMAGE / "accel"
    return chosen.read_text().strip() if chosen.exists() else "tcg"
