#!/usr/bin/env python3
"""tools/lanyard-extcap: its answers, what it asks `lanyard` for, and that Wireshark's tshark captures with it.

In place of `lanyard` there is a program that writes down how it was called, knows one network and one port, and
captures three frames.

usage: extcap_test.py PATH-OF-LANYARD-EXTCAP
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

EXTCAP = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else Path()
NOBODY = "65534"
STAND_IN = r'''#!/usr/bin/env python3
import json, os, signal, struct, sys
words = sys.argv[1:]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps(words) + "\n")
if words[0] in ("networks", "ports"):
    print(json.dumps({words[0]: [{"name": "lab"} if words[0] == "networks" else {"name": "web.1"}]}))
    sys.exit(0)
if "bad" in words:
    print("lanyard: filter: syntax error", file=sys.stderr)
    sys.exit(1)
def block(kind, body):
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
frame = bytes.fromhex("ffffffffffff52540000000188b5") + bytes(46)
out = sys.stdout.buffer
out.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
out.write(block(1, struct.pack("<HHI", 1, 0, 0)))
for _ in range(3):
    out.write(block(6, struct.pack("<IIIII", 0, 0, 0, 60, 60) + frame))
out.flush()
print("lanyard: 3 frames captured, 0 lost", file=sys.stderr)
if os.environ.get("GOES_ON"):
    signal.sigwait({signal.SIGTERM})
'''


class ExtcapTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lanyard-extcap-"))
        self.folder.chmod(0o777)  # tshark is run as nobody
        self.addCleanup(shutil.rmtree, self.folder)
        self.calls = self.folder / "calls"
        self.calls.touch()
        self.calls.chmod(0o666)
        self.program = self.folder / "extcap" / EXTCAP.name
        self.program.parent.mkdir(mode=0o755)
        shutil.copy(EXTCAP, self.program)
        stand_in = self.folder / "lanyard"
        stand_in.write_text(STAND_IN)
        stand_in.chmod(0o755)
        self.environment = {**os.environ, "LANYARD": str(stand_in), "CALLS": str(self.calls),
                            "HOME": str(self.folder), "WIRESHARK_EXTCAP_DIR": str(self.program.parent)}

    def run_it(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(self.program), *arguments], env=self.environment, capture_output=True, text=True,
                              timeout=60, check=False)

    def last_call(self) -> list[str]:
        words: list[str] = json.loads(self.calls.read_text().splitlines()[-1])
        return words

    def test_each_network_is_an_interface(self) -> None:
        lines = self.run_it("--extcap-interfaces", "--extcap-version=4.2").stdout.splitlines()
        self.assertRegex(lines[0], r"^extcap \{version=")
        self.assertIn("interface {value=lanyard}{display=Lanyard: all networks}", lines)
        self.assertIn("interface {value=lanyard-lab}{display=Lanyard: network lab}", lines)

    def test_without_a_daemon_there_is_one_interface_and_no_fault(self) -> None:
        self.environment["LANYARD"] = "/nonexistent/lanyard"
        asked = self.run_it("--extcap-interfaces")
        self.assertEqual((asked.returncode, asked.stderr), (0, ""))
        self.assertEqual(len(asked.stdout.splitlines()), 2)

    def test_frames_are_ethernet(self) -> None:
        asked = self.run_it("--extcap-interface", "lanyard-lab", "--extcap-dlts")
        self.assertEqual(asked.stdout, "dlt {number=1}{name=EN10MB}{display=Ethernet}\n")

    def test_settings_name_the_ports(self) -> None:
        lines = self.run_it("--extcap-interface", "lanyard", "--extcap-config").stdout.splitlines()
        self.assertTrue(all(line.startswith(("arg {number=", "value {arg=")) for line in lines))
        self.assertIn("value {arg=1}{value=web.1}{display=web.1}{default=false}", lines)

    def test_a_bad_filter_is_said_on_standard_output(self) -> None:
        asked = ("--extcap-interface", "lanyard", "--extcap-capture-filter")
        self.assertEqual(self.run_it(*asked, "tcp").stdout, "")
        self.assertEqual(self.run_it(*asked, "bad").stdout, "lanyard: filter: syntax error\n")

    def test_an_interface_of_others_is_refused(self) -> None:
        for name in ("eth0", "lanyardx"):
            self.assertEqual(self.run_it("--extcap-interface", name, "--extcap-dlts").returncode, 2)

    def captured(self, *arguments: str) -> tuple[subprocess.CompletedProcess[str], bytes]:
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        got: list[bytes] = []
        reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
        reader.start()
        ran = self.run_it("--capture", "--fifo", str(fifo), *arguments)
        reader.join(timeout=60)
        return ran, b"".join(got)

    def test_a_capture_goes_to_the_fifo_and_settings_to_lanyard(self) -> None:
        ran, bytes_read = self.captured("--extcap-interface", "lanyard-lab", "--extcap-capture-filter", "tcp port 80",
                                        "--control", "/run/x.sock", "--drops", "--snap", "96", "--direction", "in",
                                        "--last", "10")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))  # the number of frames is no fault
        self.assertEqual(bytes_read[:4], b"\n\r\r\n")
        self.assertEqual(self.last_call(), ["capture", "--network", "lab", "--filter", "tcp port 80", "--direction",
                                            "in", "--snap", "96", "--last", "10s", "--count", str(2**64 - 1),
                                            "--drops", "--control", "/run/x.sock"])

    def test_a_port_is_captured_instead_of_the_network(self) -> None:
        self.captured("--extcap-interface", "lanyard-lab", "--port", "web.1")
        self.assertEqual(self.last_call(), ["capture", "web.1"])

    def test_what_lanyard_refuses_is_a_fault(self) -> None:
        ran, _ = self.captured("--extcap-interface", "lanyard", "--extcap-capture-filter", "bad")
        self.assertEqual((ran.returncode, ran.stderr), (1, "lanyard: filter: syntax error\n"))

    def test_it_ends_when_told(self) -> None:
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        words = [str(self.program), "--capture", "--fifo", str(fifo), "--extcap-interface", "lanyard"]
        running = subprocess.Popen(words, env={**self.environment, "GOES_ON": "1"}, stderr=subprocess.PIPE, text=True)
        with fifo.open("rb") as reader:
            self.assertEqual(reader.read(4), b"\n\r\r\n")
            running.send_signal(signal.SIGTERM)
            reader.read()
        self.assertEqual(running.communicate(timeout=60)[1], "")
        self.assertEqual(running.returncode, 0)

    def test_tshark_captures_with_it(self) -> None:
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
        listed = subprocess.run([*as_nobody, "tshark", "-D"], env=self.environment, capture_output=True, text=True,
                                timeout=60, check=False)  # root's extcap programs are the system's only
        self.assertIn("lanyard-lab (Lanyard: network lab)", listed.stdout)
        ran = subprocess.run([*as_nobody, "tshark", "-n", "-i", "lanyard-lab", "-c", "3", "-T", "fields", "-e",
                              "eth.src", "-e", "frame.len"], env=self.environment, capture_output=True, text=True,
                             timeout=60, check=False)
        self.assertEqual(ran.stdout.splitlines(), ["52:54:00:00:00:01\t60"] * 3, ran.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
