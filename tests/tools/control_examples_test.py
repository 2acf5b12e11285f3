#!/usr/bin/python3
"""The examples of the control protocol do what they say: those in docs/examples and what docs/CONTROL.md shows, each
against a switchd of its own. And that page names all verbs and codes that there are. Run by the system's Python,
which the package python3-protobuf is for.

usage: control_examples_test.py PATH-OF-SWITCHD FOLDER-OF-THE-SOURCES
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

SOURCES = Path(sys.argv.pop()).resolve() if len(sys.argv) > 2 else Path()
SWITCHD = Path(sys.argv.pop()).resolve() if len(sys.argv) > 1 else Path()
PAGE = SOURCES / "docs" / "CONTROL.md"
END_SECONDS_MAX = 60


class ExamplesTest(unittest.TestCase):
    folder: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="lanyard-control-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        subprocess.run(["protoc", f"--python_out={cls.folder}", "-I", str(SOURCES / "switchd"),
                        str(SOURCES / "switchd" / "control.proto")], check=True, timeout=END_SECONDS_MAX)
        sys.path.insert(0, str(cls.folder))

    def setUp(self) -> None:
        self.environment = {**os.environ, "PYTHONPATH": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder)}
        self.daemon = subprocess.Popen([str(SWITCHD), "--network", "lan", "--http", "127.0.0.1:0"], env=self.environment, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop)
        assert self.daemon.stdout is not None
        self.http = "http://" + self.daemon.stdout.readline().removeprefix("http ").rstrip()
        self.assertEqual(self.daemon.stdout.readline(), "ready\n")

    def stop(self) -> None:
        self.daemon.terminate()
        try:
            self.daemon.communicate(timeout=END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.communicate()
        self.assertEqual(self.daemon.returncode, 0)

    def printed(self, *words: str) -> list[str]:
        """What a Python program prints that ends with status 0 and says nothing else."""
        ran = subprocess.run([sys.executable, *words], env=self.environment, cwd=self.folder, text=True,
                             capture_output=True, timeout=END_SECONDS_MAX, check=False)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return ran.stdout.splitlines()

    def test_five_ports_come_carry_frames_and_go(self) -> None:
        lines = self.printed(str(SOURCES / "docs" / "examples" / "five_ports.py"),
                             str(self.folder / "lanyard" / "switchd.sock"))
        self.assertEqual(len(lines), 1)

    def test_five_ports_over_http(self) -> None:
        lines = self.printed(str(SOURCES / "docs" / "examples" / "five_ports_http.py"), self.http)
        self.assertEqual(len(lines), 1)

    def test_what_the_page_shows_runs(self) -> None:
        shown = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
        self.assertEqual(len(shown), 2)
        version, messages = (self.printed("-c", example) for example in shown)
        comment = re.search(r"print\(.*# ([0-9a-f ]+)$", shown[0], re.MULTILINE)
        self.assertEqual(version, [comment and comment[1]])
        self.assertRegex(messages[0], r"^web is at 127\.0\.0\.1:\d+$")
        self.assertEqual(messages[1:], ["{'web': 0}"])

    def test_the_page_names_every_verb_and_code(self) -> None:
        messages: Any = importlib.import_module("control_pb2")
        text = PAGE.read_text()
        for verb in messages.Request.DESCRIPTOR.oneofs_by_name["verb"].fields:
            self.assertTrue(re.search(rf"\n\|[^|]*`{verb.name}`", text), verb.name)
        for code in messages.Error.Code.keys():
            self.assertTrue(f"\n| `{code}` |" in text, code)


if __name__ == "__main__":
    unittest.main(verbosity=2)
