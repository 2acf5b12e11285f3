#!/usr/bin/env python3
"""HTTP of the real switchd: its API, its events and captures, its counters as Prometheus' own tools read them, who may ask,
and what bad input gets.

usage: http_test.py PATH-OF-SWITCHD PATH-OF-PROMTOOL
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families

PROMTOOL = sys.argv.pop(2) if len(sys.argv) > 2 else ""
SWITCHD = sys.argv.pop(1) if len(sys.argv) > 1 else ""
SECONDS_MAX = 30.0
NOBODY = 65534
# A plain user has others where he has subordinate ones (subuid(5)) and newuidmap(1).
MANY_USERS = ["unshare", "--user", "--map-root-user", "--map-auto"]
NO_OTHER_USERS = "this user has no others: subordinate ones (subuid(5)) and Debian's package uidmap give them"
CLIENTS_MAX = 64  # frames/limits.h: http_clients_max
GUEST, OTHER = bytes.fromhex("525400000001"), bytes.fromhex("525400000002")
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


def frame(number: int = 0, size: int = 60) -> bytes:
    """From the guest to the other, with a number."""
    return (OTHER + GUEST + b"\x88\xb5" + number.to_bytes(4, "big")).ljust(size, b"\0")


class Guest:
    """A VM on a `udp` port, as QEMU's dgram back end is one."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(SECONDS_MAX)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.switch = ("", 0)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.switch)

    def receive(self) -> bytes:
        return self.socket.recv(65536)


class Daemon:
    """A switchd with HTTP and two guests on `udp` ports, web and db."""

    def __init__(self, *arguments: str, address: str = "127.0.0.1:0", in_child: Callable[[], None] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lanyard-http-"))
        self.guests = {"web": Guest(), "db": Guest()}
        ports = [f"{name}=udp:127.0.0.1:0,remote=127.0.0.1:{guest.port}" for name, guest in self.guests.items()]
        self.log = (self.folder / "log").open("w+")
        self.process = subprocess.Popen(
            [SWITCHD, "--control", str(self.folder / "control"), "--http", address, *arguments, *ports],
            stdout=subprocess.PIPE, stderr=self.log, text=True, preexec_fn=in_child,
        )
        self.address = ("", 0)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            words = line.split()
            if words[0] == "http":
                self.address = (address.rsplit(":", 1)[0], int(words[1].rsplit(":", 1)[1]))
            elif words[0] == "port":
                self.guests[words[1]].switch = ("127.0.0.1", int(words[2].rsplit(":", 1)[1]))
            elif words[0] == "ready":
                return
        raise AssertionError(f"switchd ended before it was ready: {self.read_log()}")

    def read_log(self) -> str:
        return (self.folder / "log").read_text()

    def stop(self) -> int:
        self.process.terminate()
        status = self.process.wait(SECONDS_MAX)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()
        for guest in self.guests.values():
            guest.socket.close()
        shutil.rmtree(self.folder)

    # --- Requests.

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.address, timeout=SECONDS_MAX)

    def ask(self, method: str, path: str, body: Any = None, **fields: str) -> tuple[int, http.client.HTTPMessage, str]:
        connection = self.connection()
        connection.request(method, path, None if body is None else json.dumps(body), fields)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, response.headers, text

    def get(self, path: str, **fields: str) -> Any:
        status, _, text = self.ask("GET", path, **fields)
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {text}")
        return json.loads(text)

    def post(self, verb: str, **members: Any) -> Any:
        status, _, text = self.ask("POST", f"/v1/{verb}", members)
        if status != 200:
            raise AssertionError(f"POST {verb}: {status} {text}")
        return json.loads(text)

    def error(self, method: str, path: str, body: Any = None, **fields: str) -> tuple[int, str]:
        """Of a request that is refused: the status, and the message."""
        status, headers, text = self.ask(method, path, body, **fields)
        assert headers["Content-Type"] == "application/json", text
        return status, json.loads(text)["error"]["message"]

    def counters(self, port: str) -> dict[str, Any]:
        counters: dict[str, Any] = self.get(f"/v1/ports?name={port}")["ports"][0]["counters"]
        return counters


def server_sent(response: http.client.HTTPResponse) -> Iterator[dict[str, str]]:
    """The events of a stream, as they come."""
    event: dict[str, str] = {}
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            event[name] = value
        else:
            yield event
            event = {}


class HttpTest(unittest.TestCase):
    def daemon(self, *arguments: str, **options: Any) -> Daemon:
        daemon = Daemon(*arguments, **options)
        self.addCleanup(daemon.close)
        return daemon

    def exchange(self, daemon: Daemon, frames: int = 1) -> None:
        """Frames go from web to db, none is lost."""
        for number in range(frames):
            daemon.guests["web"].send(frame(number))
            self.assertEqual(daemon.guests["db"].receive(), frame(number))

    # --- What is asked.

    def test_what_there_is(self) -> None:
        daemon = self.daemon()
        self.exchange(daemon, 3)
        status = daemon.get("/v1/status")
        self.assertEqual(status["control"][1], "http://127.0.0.1:{}".format(daemon.address[1]))
        self.assertEqual((status["ports"], status["ports_up"]), (2, 2))
        self.assertEqual(daemon.get("/v1/version")["protocol"], 1)
        self.assertEqual([network["name"] for network in daemon.get("/v1/networks")["networks"]], ["lan"])
        self.assertEqual([port["name"] for port in daemon.get("/v1/ports")["ports"]], ["db", "web"])
        self.assertEqual(daemon.counters("web")["received_frames"], 3)
        self.assertEqual([mac["mac"] for mac in daemon.get("/v1/macs?port=web")["macs"]], ["52:54:00:00:00:01"])
        self.assertEqual(daemon.get("/v1/mirrors"), {"mirrors": []})
        status_code, _, page = daemon.ask("GET", "/")
        self.assertEqual(status_code, 200)
        self.assertIn("GET  /v1/ports\n", page)
        self.assertEqual(daemon.stop(), 0)

    def test_changes(self) -> None:
        daemon = self.daemon()
        added = daemon.post("add_port", port={"text": "new=udp:127.0.0.1:0,remote=127.0.0.1:9"})
        self.assertEqual(added["ports"][0]["state"], "up")
        daemon.post("add_network", name="lab", kind="hub")
        daemon.post("set_port", name="new", keys=[{"key": "network", "values": ["lab"]}])
        self.assertEqual(daemon.get("/v1/ports?name=new")["ports"][0]["network"], "lab")
        daemon.post("disable_port", name="new")
        self.assertEqual(daemon.get("/v1/ports?name=new")["ports"][0]["state"], "disabled")
        daemon.post("enable_port", name="new")
        daemon.post("remove_port", name="new")
        daemon.post("set_network", name="lab", kind="switch", ageing_s=60)
        daemon.post("remove_network", name="lab")
        self.exchange(daemon)
        self.assertEqual(daemon.post("flush_macs"), {"count": 1})
        plan = daemon.post("apply", yaml="ports:\n  one: {type: tcp-listen, address: '0'}\n", dry_run=True)
        self.assertEqual([change["action"] for change in plan["changes"]], ["add", "remove", "remove"])
        self.exchange(daemon)
        daemon.post("shutdown")
        self.assertEqual(daemon.process.wait(SECONDS_MAX), 0)

    def test_mistakes_are_named_and_nothing_changes(self) -> None:
        daemon = self.daemon()
        cases: list[tuple[str, str, Any, int, str]] = [
            ("GET", "/v1/prots", None, 404, "'/v1/prots', did you mean '/v1/ports'?"),
            ("GET", "/elsewhere", None, 404, "/elsewhere"),
            ("POST", "/v1/ports", {}, 405, "expected GET, not POST"),
            ("GET", "/v1/add_port", None, 405, "expected POST, not GET"),
            ("DELETE", "/metrics", None, 405, "expected GET"),
            ("POST", "/v1/cancel", {"stream": 1}, 404, "/v1/cancel"),
            ("GET", "/v1/ports?nmae=web", None, 400, "'nmae', did you mean 'name'?"),
            ("GET", "/v1/ports?name=wep", None, 404, "'wep', did you mean 'web'?"),
            ("GET", "/v1/ports?name", None, 400, "FIELD=VALUE"),
            ("GET", "/v1/ports?name=%zz", None, 400, "query"),
            ("GET", "/v1/status?name=web", None, 400, "'name'"),
            ("GET", "/v1/stats?interval_ms=5", None, 400, "from 100 to 60000, not 5"),
            ("GET", "/v1/stats?interval_ms=often", None, 400, "interval_ms: expected a number"),
            ("GET", "/v1/events?follow=maybe", None, 400, "follow: expected true or false, not 'maybe'"),
            ("GET", "/v1/capture?filter=tpc", None, 400, "filter"),
            ("GET", "/v1/ports", {"name": "web"}, 400, "in the query"),
            ("POST", "/v1/add_port?text=a", {}, 400, "in the body"),
            ("POST", "/v1/add_port", {"prot": {}}, 400, "prot"),
            ("POST", "/v1/add_port", {"port": {"text": "web=udp:1,remote=127.0.0.1:1"}}, 409, "'web' is there already"),
            ("POST", "/v1/set_port", {"name": "web", "keys": [{"key": "queue", "values": ["0"]}]}, 400, "queue"),
            ("POST", "/v1/remove_port", {"name": "nobody"}, 404, "'nobody'"),
            ("POST", "/v1/remove_port", {"name": 5}, 400, "name"),
            ("POST", "/v1/remove_network", {"name": "lan"}, 409, "lan"),
        ]
        before = daemon.get("/v1/ports")["ports"]
        for method, path, body, status, words in cases:
            with self.subTest(f"{method} {path} {body}"):
                got, message = daemon.error(method, path, body)
                self.assertEqual(got, status, message)
                self.assertIn(words, message)
        connection = daemon.connection()
        for text in ("{", "[]", "nothing", '{"name":"web"', "\x00", '{"name":"\xff"}'):
            connection.request("POST", "/v1/remove_port", text.encode("latin-1"))
            response = connection.getresponse()
            self.assertEqual(response.status, 400, text)
            response.read()
        connection.close()
        for method, path, allowed in (("POST", "/v1/ports", "GET, HEAD"), ("GET", "/v1/add_port", "POST"),
                                      ("DELETE", "/metrics", "GET, HEAD"), ("PUT", "/", "GET, HEAD")):
            with self.subTest(f"{method} {path}"):
                status, headers, text = daemon.ask(method, path)
                self.assertEqual((status, headers["Allow"]), (405, allowed))
                self.assertEqual(json.loads(text)["error"]["code"], "method_not_allowed")
        self.assertEqual(daemon.get("/v1/ports")["ports"], before)

    # --- Counters.

    def test_metrics(self) -> None:
        daemon = self.daemon()
        self.exchange(daemon, 5)
        daemon.guests["web"].send(b"short")
        text = ""
        while '\nlanyard_port_sent_frames_total{port="db",network="lan"} 5\n' not in text:  # which is told when it is sent
            status, headers, text = daemon.ask("GET", "/metrics")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
        while True:  # the short one is on its way, and networks are looked at once a second
            _, headers, text = daemon.ask("GET", "/metrics", Accept=OPEN_METRICS)
            families = {family.name: family for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
            drops = {(sample.labels["port"], sample.labels["reason"]): sample.value
                     for sample in families["lanyard_port_drops"].samples}
            known = [sample.value for sample in families["lanyard_network_macs"].samples]
            if drops["web", "runt"] == 1 and known == [1]:
                break
        self.assertEqual(sum(drops.values()), 1)
        self.assertEqual(headers["Content-Type"], "application/openmetrics-text; version=1.0.0; charset=utf-8")
        received = {sample.labels["port"]: sample.value for sample in families["lanyard_port_received_frames"].samples}
        self.assertEqual(received, {"web": 6, "db": 0})
        # Each counter of control.proto is there by its name.
        counters = {re.sub("^lanyard_port_", "", name) for name in families if name.startswith("lanyard_port_")}
        self.assertEqual(counters - {"info", "up"}, set(daemon.counters("web")))

    def test_the_dashboard_asks_for_what_there_is(self) -> None:
        """docs/grafana.json: the queries are good, and their metrics are those of the daemon."""
        dashboard = json.loads((Path(__file__).parents[2] / "docs" / "grafana.json").read_text())
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertGreater(len(queries), 10)
        daemon = self.daemon()
        samples = set(re.findall(r"^lanyard_\w+", daemon.ask("GET", "/metrics")[2], re.MULTILINE))
        asked = set(re.findall(r"lanyard_\w+", json.dumps(dashboard)))
        self.assertEqual(asked - samples, set())
        rules = [{"record": f"r{number}", "expr": query.replace("$__rate_interval", "1m")}
                 for number, query in enumerate(queries)]
        file = daemon.folder / "rules.yml"
        file.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))  # JSON is YAML
        checked = subprocess.run([PROMTOOL, "check", "rules", str(file)], capture_output=True, text=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_the_readme_tells_prometheus_what_it_needs(self) -> None:
        """The lines for prometheus.yml are good, and with the token that they name the counters are had by anybody."""
        readme = (Path(__file__).parents[2] / "README.md").read_text()
        found = re.search(r"```yaml\n# in /etc/prometheus/prometheus.yml.*\n((?:  .*\n)+)```", readme)
        assert found is not None
        with tempfile.TemporaryDirectory() as folder:
            token = Path(folder, "lanyard-token")
            subprocess.run(f"(umask 077; head -c 24 /dev/urandom | base64 > {token})", shell=True, check=True)  # as there
            lines = found[1].replace("/etc/prometheus/lanyard-token", str(token))
            self.assertIn(str(token), lines)
            config = Path(folder, "prometheus.yml")
            config.write_text("scrape_configs:\n" + lines)
            checked = subprocess.run([PROMTOOL, "check", "config", str(config)], capture_output=True, text=True, check=False)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
            daemon = self.daemon("--http-token", str(token))
            self.assertEqual(daemon.ask("GET", "/metrics")[0], 401)
            known = {"Authorization": f"Bearer {token.read_text().strip()}"}
            self.assertEqual(daemon.ask("GET", "/metrics", **known)[0], 200)

    # --- Streams.

    def test_events(self) -> None:
        daemon = self.daemon()
        connection = daemon.connection()
        connection.request("GET", "/v1/events")
        response = connection.getresponse()
        self.assertEqual((response.status, response.headers["Content-Type"]), (200, "text/event-stream"))
        events = server_sent(response)
        daemon.post("disable_port", name="web")
        event = next(events)
        self.assertEqual((event["id"], event["event"]), ("1", "port_changed"))
        self.assertEqual(json.loads(event["data"])["port"], "web")
        daemon.post("enable_port", name="web")
        self.assertEqual(next(events)["id"], "2")
        event = next(events)
        self.assertEqual((event["id"], event["event"]), ("3", "port_up"))
        # Who comes back says what it has seen; who asks for the past gets that, and the end.
        again = daemon.connection()
        again.request("GET", "/v1/events", headers={"Last-Event-ID": "1"})
        self.assertEqual(next(server_sent(again.getresponse()))["id"], "2")
        _, _, text = daemon.ask("GET", "/v1/events?follow=false")
        self.assertEqual([line for line in text.split("\n") if line.startswith("id: ")], ["id: 1", "id: 2", "id: 3"])
        # The end of the daemon is one, and the stream's.
        daemon.process.terminate()
        self.assertIn("stopping", [event["event"] for event in self.until_the_end(events)])
        self.assertEqual(daemon.process.wait(SECONDS_MAX), 0)
        connection.close()
        again.close()

    def until_the_end(self, events: Iterator[dict[str, str]]) -> list[dict[str, str]]:
        seen = []
        try:
            for event in events:
                seen.append(event)
        except (http.client.IncompleteRead, ConnectionResetError):
            pass
        return seen

    def test_statistics(self) -> None:
        daemon = self.daemon()
        connection = daemon.connection()
        connection.request("GET", "/v1/stats?interval_ms=100&network=lan")
        readings = server_sent(connection.getresponse())
        self.exchange(daemon, 2)
        for reading in readings:
            self.assertEqual(reading["event"], "ports")
            ports = {port["name"]: port["counters"] for port in json.loads(reading["data"])["ports"]}
            if ports["db"]["sent_frames"] == 2:
                break
        connection.close()
        self.exchange(daemon)

    def test_a_capture(self) -> None:
        daemon = self.daemon()
        connection = daemon.connection()
        connection.request("GET", "/v1/capture?ports=web&ports=db&direction=in&count=3&filter=ether%20proto%200x88b5")
        response = connection.getresponse()  # its head comes when the capture is in place
        self.assertEqual((response.status, response.headers["Content-Type"]), (200, "application/x-pcapng"))
        self.exchange(daemon, 4)
        file = daemon.folder / "capture.pcapng"
        file.write_bytes(response.read())
        read = subprocess.run(["tshark", "-r", str(file), "-T", "fields", "-e", "frame.interface_name", "-e", "eth.src"],
                              capture_output=True, text=True, check=True)
        self.assertEqual(read.stdout.splitlines(), ["web\t52:54:00:00:00:01"] * 3)
        connection.close()

    def test_a_long_list(self) -> None:
        daemon = self.daemon()
        stations = 5000
        for number in range(stations):
            source = b"\x02\0" + number.to_bytes(4, "big")
            daemon.guests["web"].send((OTHER + source + b"\x88\xb5").ljust(60, b"\0"))
            daemon.guests["db"].receive()
        macs = daemon.get("/v1/macs")["macs"]
        self.assertEqual(len({mac["mac"] for mac in macs}), stations)

    def test_a_stopped_reader_stops_nobody(self) -> None:
        daemon = self.daemon()
        reader = socket.create_connection(daemon.address)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(b"GET /v1/capture HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(reader.recv(16).startswith(b"HTTP/1.1 200"))
        frames, size, at_once = 9000, 1514, 50
        for number in range(0, frames, at_once):
            for one in range(at_once):
                daemon.guests["web"].send(frame(number + one, size))
            for one in range(at_once):
                self.assertEqual(daemon.guests["db"].receive(), frame(number + one, size))
        self.assertEqual(daemon.counters("web")["received_frames"], frames)
        reader.close()
        self.exchange(daemon)

    # --- Who may ask.

    def test_a_token(self) -> None:
        token = "correct-horse-battery-staple"
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(token + "\nmore\n")
            file.flush()
            daemon = self.daemon("--http-token", file.name, address="0.0.0.0:0")
            for given in ("", "Bearer", "Bearer ", "Bearer wrong", f"Bearer {token}x", f"Basic {token}", token):
                with self.subTest(given):
                    fields = {"Authorization": given} if given else {}
                    for path in ("/metrics", "/v1/status", "/"):
                        status, headers, text = daemon.ask("GET", path, **fields)
                        self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"))
                        self.assertEqual(json.loads(text)["error"]["code"], "unauthenticated")
            good = {"Authorization": f"bearer {token}", "Host": "switch.example", "Origin": "http://elsewhere.example"}
            self.assertEqual(daemon.ask("GET", "/v1/status", **good)[0], 200)
            self.assertEqual(daemon.ask("GET", "/metrics", **good)[0], 200)

    def test_what_does_not_start(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            short = Path(folder, "short")
            short.write_text("secret\n")
            with socket.create_server(("127.0.0.1", 0)) as taken:
                busy = f"127.0.0.1:{taken.getsockname()[1]}"
                cases = [
                    (["--http", "0.0.0.0:0"], 2, "http-token"),
                    (["--http", "[::]:0"], 2, "http-token"),
                    (["--http", "switch.example:80"], 2, "expected an IP address or localhost"),
                    (["--http", "127.0.0.1"], 2, "[HOST:]PORT"),
                    (["--http-token", str(short)], 2, "expected http"),
                    (["--http", "127.0.0.1:0", "--http-token", str(short)], 1, "16 to 512"),
                    (["--http", "127.0.0.1:0", "--http-token", f"{folder}/none"], 1, f"{folder}/none"),
                    (["--http", busy], 1, busy),
                ]
                for arguments, status, words in cases:
                    with self.subTest(arguments):
                        run = subprocess.run([SWITCHD, "--control", "none", "tcp-listen:0", *arguments],
                                             capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
                        self.assertEqual((run.returncode, words in run.stderr), (status, True), run.stderr)

    def test_without_a_token_web_pages_are_refused(self) -> None:
        daemon = self.daemon()
        own = "http://127.0.0.1:{}".format(daemon.address[1])
        for fields, expected in [
            ({"Host": "localhost"}, 200), ({"Host": "localhost:80"}, 200), ({"Host": "[::1]:80"}, 200),
            ({"Origin": own}, 200), ({"Host": "rebound.example"}, 403), ({"Host": ""}, 403),
            ({"Origin": "http://elsewhere.example"}, 403), ({"Origin": "null"}, 403),
            ({"Host": "LocalHost"}, 200), ({"Host": "[::1].evil.example"}, 403), ({"Host": "[::1"}, 403),
            ({"Host": "localhost:x"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "none"}, 200),
        ]:
            with self.subTest(fields):
                status, _, text = daemon.ask("GET", "/v1/status", **fields)
                self.assertEqual(status, expected)
                if expected == 403:
                    self.assertEqual(json.loads(text)["error"]["code"], "permission_denied")

    @unittest.skipUnless(os.geteuid() == 0, NO_OTHER_USERS)
    def test_without_a_token_other_users_are_told_of_it(self) -> None:
        for address in ("127.0.0.1:0", "[::1]:0"):
            daemon = self.daemon(address=address)
            daemon.address = (daemon.address[0].strip("[]"), daemon.address[1])
            self.assertEqual(daemon.ask("GET", "/v1/status")[0], 200)
            body = b'{"name":"bad"}'
            for method, path, content in (("GET", "/metrics", b""), ("HEAD", "/metrics", b""), ("GET", "/v1/status", b""),
                                          ("GET", "/", b""), ("GET", "/v1/events", b""), ("POST", "/v1/add_network", body)):
                with self.subTest(address=address, method=method, path=path):
                    head, _, text = self.ask_as_nobody(daemon, method, path, content).partition(b"\r\n\r\n")
                    self.assertTrue(head.startswith(b"HTTP/1.1 403 "), head)
                    self.assertIn(b"Content-Type: application/json", head)
                    if method == "HEAD":
                        self.assertEqual(text, b"")
                        continue
                    error = json.loads(text)["error"]
                    self.assertEqual(error["code"], "permission_denied")
                    self.assertIn(f"user {NOBODY} may not ask", error["message"])
                    self.assertIn("--http-token FILE", error["message"])
                    self.assertIn("Authorization: Bearer TOKEN", error["message"])
            self.assertIn("refused a process of another user", daemon.read_log())
            self.assertEqual([network["name"] for network in daemon.get("/v1/networks")["networks"]], ["lan"])

    @staticmethod
    def ask_as_nobody(daemon: Daemon, method: str, path: str, body: bytes) -> bytes:
        """The whole answer, up to the end of the connection."""
        request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        program = (f"import socket, sys; s = socket.create_connection({daemon.address!r}, {SECONDS_MAX});"
                   f"s.sendall({request!r})\nwhile piece := s.recv(65536): sys.stdout.buffer.write(piece)")
        return subprocess.run([sys.executable, "-c", program], user=NOBODY, extra_groups=[], capture_output=True,
                              check=True).stdout

    @unittest.skipUnless(os.geteuid() == 0, NO_OTHER_USERS)
    def test_other_users_who_only_connect_keep_nobody_out(self) -> None:
        daemon = self.daemon()
        program = ("import socket, sys\n"
                   f"held = [socket.create_connection({daemon.address!r}) for _ in range({3 * CLIENTS_MAX})]\n"
                   "print('there', flush=True); sys.stdin.read()")
        crowd = subprocess.Popen([sys.executable, "-c", program], user=NOBODY, extra_groups=[], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
        try:
            assert crowd.stdin is not None and crowd.stdout is not None
            self.assertEqual(crowd.stdout.readline(), b"there\n")
            connections = []
            for _ in range(CLIENTS_MAX):  # as many as there may ever be
                connections.append(daemon.connection())
                connections[-1].request("GET", "/v1/version")
                self.assertEqual(connections[-1].getresponse().read()[:1], b"{")
            for connection in connections:
                connection.close()
        finally:
            crowd.communicate()
        self.exchange(daemon)

    def test_a_token_that_everybody_can_read_is_worth_a_warning(self) -> None:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("correct-horse-battery-staple\n")
            file.flush()
            for mode, warned in ((0o600, False), (0o640, False), (0o644, True)):
                with self.subTest(oct(mode)):
                    os.chmod(file.name, mode)
                    daemon = self.daemon("--http-token", file.name)
                    self.assertEqual("everybody on this machine can read" in daemon.read_log(), warned)

    # --- Bad input.

    def test_clients_that_reset_their_connections(self) -> None:
        """Each is forgotten once: more of them than there may be at a time are no hindrance to others."""
        daemon = self.daemon()
        for number in range(3 * CLIENTS_MAX):
            client = socket.create_connection(daemon.address)
            path = ("/metrics", "/v1/events", "/v1/stats?interval_ms=100")[number % 3]
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        self.await_answer(daemon)
        self.exchange(daemon)
        self.assertNotIn("are there", daemon.read_log())

    def test_a_further_request_ends_a_stream(self) -> None:
        daemon = self.daemon()
        with socket.create_connection(daemon.address, SECONDS_MAX) as client:
            for path, sign in (("/v1/events", b"event-stream"), ("/v1/stats", b"received_frames"), ("/v1/version", b"protocol")):
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                got = b""
                while sign not in got:
                    piece = client.recv(65536)
                    self.assertTrue(piece)
                    got += piece

    @unittest.skipUnless(os.geteuid() == 0, NO_OTHER_USERS)
    def test_who_has_gone_is_nobody(self) -> None:
        """What another user sent before closing is not carried out, however late its connection is accepted."""
        daemon = self.daemon()
        os.kill(daemon.process.pid, signal.SIGSTOP)
        program = ("import socket, sys\n"
                   f"for _ in range(20):\n s = socket.create_connection(('127.0.0.1', {daemon.address[1]}))\n"
                   " s.sendall(b'POST /v1/add_network HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 14\\r\\n\\r\\n'"
                   "b'{\"name\":\"bad\"}')\n s.close()")
        try:
            subprocess.run([sys.executable, "-c", program], user=NOBODY, extra_groups=[], check=True)
        finally:
            os.kill(daemon.process.pid, signal.SIGCONT)
        self.await_answer(daemon)
        self.assertEqual([network["name"] for network in daemon.get("/v1/networks")["networks"]], ["lan"])
        self.assertIn("nobody has any more", daemon.read_log())

    def test_head_tells_of_what_get_has(self) -> None:
        """On every path that is read, with the same status and type, no body, and the connection is of use afterwards."""
        daemon = self.daemon()
        index = daemon.ask("GET", "/")[2]
        paths = ["/"] + [line.split()[1] for line in index.splitlines() if line.startswith("GET ")]
        self.assertIn("/metrics", paths)
        self.assertIn("/v1/ports", paths)
        streams = {"/v1/events": "text/event-stream", "/v1/stats": "text/event-stream",
                   "/v1/capture": "application/x-pcapng", "/v1/macs": "application/json"}
        for path in [*paths, "/v1/ports?name=none"]:
            with self.subTest(path):
                connection = daemon.connection()
                connection.request("HEAD", path)
                response = connection.getresponse()
                self.assertEqual(response.read(), b"")
                if path in streams:
                    self.assertEqual((response.status, response.headers["Content-Type"]), (200, streams[path]))
                    self.assertNotIn("Content-Length", response.headers)  # nobody knows it (RFC 9110, 8.6)
                    self.assertNotIn("Transfer-Encoding", response.headers)
                else:
                    status, headers, text = daemon.ask("GET", path)
                    self.assertEqual((response.status, response.headers["Content-Type"]), (status, headers["Content-Type"]))
                    if path not in ("/metrics", "/v1/status"):  # whose length differs by then
                        self.assertEqual(int(response.headers["Content-Length"]), len(text.encode()))
                    else:
                        self.assertGreater(int(response.headers["Content-Length"]), 100)
                connection.request("GET", "/v1/version")
                self.assertEqual(json.loads(connection.getresponse().read())["protocol"], 1)
                connection.close()
        status, headers, _ = daemon.ask("HEAD", "/v1/add_port")
        self.assertEqual((status, headers["Allow"]), (405, "POST"))

    def test_garbage(self) -> None:
        daemon = self.daemon()
        head = b"POST /v1/remove_port HTTP/1.1\r\nHost: localhost\r\n"
        for sent in (
            b"\0" * 1000, b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", os.urandom(5000).replace(b"\n", b""),
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", head + b"A: " + b"b" * 100_000 + b"\r\n\r\n",
            head + b"".join(b"F%d: x\r\n" % i for i in range(1000)) + b"\r\n",
            head + b"Content-Length: 99999999999999999999\r\n\r\n", head + b"Content-Length: -1\r\n\r\n",
            head + b"Content-Length: 1000000000\r\n\r\n" + b"a" * 5_000_000,
            head + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ):
            with self.subTest(sent[:80]), socket.create_connection(daemon.address, SECONDS_MAX) as client:
                try:
                    client.sendall(sent)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):  # whatever is answered, it ends
                        pass
                except OSError as error:  # it was closed before all was sent, or before we turned around
                    self.assertIn(error.errno, (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN))
            self.exchange(daemon)
        with socket.create_connection(daemon.address) as half:
            half.sendall(head + b"Content-Length: 20\r\n\r\n{")
        self.assertEqual(daemon.get("/v1/status")["ports"], 2)

    def test_a_thousand_connections(self) -> None:
        daemon = self.daemon()
        clients = []
        for _ in range(1000):
            client = socket.socket()
            client.settimeout(SECONDS_MAX)
            client.connect(daemon.address)
            clients.append(client)
        self.exchange(daemon, 100)
        closed = 0
        for client in clients[CLIENTS_MAX:]:
            try:
                closed += client.recv(1) == b""
            except ConnectionResetError:
                closed += 1
        self.assertEqual(closed, 1000 - CLIENTS_MAX)
        clients[0].sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(clients[0].recv(100).startswith(b"HTTP/1.1 200"))
        for client in clients:
            client.close()
        self.await_answer(daemon)

    def test_out_of_descriptors(self) -> None:
        """A failed accept() is not the end of accepting."""
        daemon = self.daemon(in_child=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48)))
        clients = []
        for _ in range(48):
            client = socket.socket()
            client.connect(daemon.address)
            clients.append(client)
        self.exchange(daemon, 10)
        for client in clients:
            client.close()
        self.await_answer(daemon)
        self.exchange(daemon)

    def await_answer(self, daemon: Daemon) -> None:
        """Asks until it is served: that clients have gone is noticed in time."""
        for _ in range(10_000):
            try:
                daemon.get("/v1/status")
                return
            except (ConnectionError, http.client.HTTPException):
                continue
        self.fail("no answer")


if __name__ == "__main__":
    if os.geteuid() != 0:
        if subprocess.run([*MANY_USERS, "true"], capture_output=True, check=False).returncode == 0:
            os.execvp(MANY_USERS[0], [*MANY_USERS, *sys.orig_argv])
        print(f"not tested here: {NO_OTHER_USERS}", flush=True)
    unittest.main(verbosity=2)
