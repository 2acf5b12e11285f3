#!/usr/bin/env python3
"""What `cmake --install` brings: programs that start, and documents whose links lead somewhere.

usage: install_test.py BUILD-FOLDER
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else Path()


class InstallTest(unittest.TestCase):
    prefix: Path

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="lanyard-install-")
        cls.addClassCleanup(folder.cleanup)
        cls.prefix = Path(folder.name)
        subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix], check=True, stdout=subprocess.DEVNULL)

    def one(self, pattern: str) -> Path:
        found = list(self.prefix.glob(pattern))
        self.assertEqual(len(found), 1, pattern)
        return found[0]

    def test_programs_start(self) -> None:
        for name, option, word in (("switchd", "--help", "Usage"), ("lanyard", "--help", "Usage"),
                                   ("lanyard-gateway", "--version", "libslirp")):
            with self.subTest(name):
                ran = subprocess.run([self.one(f"bin/{name}"), option], capture_output=True, text=True, check=True)
                self.assertIn(word, ran.stdout)

    def test_the_dashboard_and_the_protocol_are_there(self) -> None:
        self.assertIn("panels", json.loads(self.one("share/lanyard/grafana.json").read_text()))
        self.assertIn("message Request", self.one("share/lanyard/control.proto").read_text())
        self.one("share/lanyard/lanyard-extcap")

    def test_links_of_documents_lead_somewhere(self) -> None:
        readme = self.one("share/doc/*/README.md")
        documents = [readme, *readme.parent.glob("**/*.md")]
        self.assertGreater(len(documents), 4)
        for document in documents:
            for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
                if "://" not in link:
                    with self.subTest(document=document.name, link=link):
                        self.assertTrue((document.parent / link).exists())


if __name__ == "__main__":
    unittest.main()
