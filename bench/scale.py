"""What is not a row of traffic: memory and start with many ports, and whether a stopped reader holds up others."""

from __future__ import annotations

import socket
import statistics
from typing import Any

from rows import Tools, half_of_what_goes
from subject import Load, Program, Subject, awake_cores

PORTS = 64
ROUND_TRIPS_PER_SECOND = 500


def memory_and_start(program: Program, tools: Tools, runs: int, seconds: float) -> dict[str, Any]:
    """Bytes resident with 64 UNIX ports, connected and idle, then busy; and seconds from exec to `ready`."""
    starts = []
    for _ in range(runs - 1):
        with Subject(program, tools.places.pairs("unix", PORTS), tools.places.folder) as subject:
            starts.append(subject.seconds_to_ready)
    with Subject(program, tools.places.pairs("unix", PORTS), tools.places.folder) as subject:
        starts.append(subject.seconds_to_ready)
        clients = []
        for endpoint in subject.endpoints:
            clients.append(socket.socket(socket.AF_UNIX))
            clients[-1].connect(endpoint.removeprefix("unix-connect:"))
        idle = subject.resident_bytes()
        for client in clients:
            client.close()
    with Subject(program, tools.places.pairs("unix", PORTS), tools.places.folder) as subject:
        options = ["--mix", "imix", "--burst", "32", "--seconds", str(seconds), "--frames", str(10**12)]
        with Load(tools.load, subject, subject.endpoints, options) as load:
            busy = load.measure(seconds)
    return {
        "ready_seconds": {"median": statistics.median(starts), "min": min(starts), "max": max(starts)},
        "idle_bytes": idle,
        "busy_bytes": busy["rss_bytes"],
        "busy_lost": busy["lost"],
    }


def round_trips_beside(program: Program, tools: Tools, beside: str, seconds: float) -> dict[str, Any]:
    """Round trips between two ports while `beside` happens between two others: idle, busy (half of what the pump can
    carry) or deaf (the same towards a reader that has stopped)."""
    options = ["--round-trips", "--mix", "64", "--rate", str(ROUND_TRIPS_PER_SECOND), "--seconds", str(seconds)]
    if beside != "idle":
        options += ["--beside", str(half_of_what_goes("unix", tools, seconds))]
    if beside == "deaf":
        options.append("--deaf")
    ports = tools.places.pairs("unix", 2 if beside == "idle" else 4)
    with Subject(program, ports, tools.places.folder) as subject:
        with awake_cores(), Load(tools.load, subject, subject.endpoints, options) as load:
            return load.measure(seconds)


def stopped_reader(program: Program, tools: Tools, seconds: float) -> dict[str, dict[str, Any]]:
    return {beside: round_trips_beside(program, tools, beside, seconds) for beside in ("idle", "busy", "deaf")}
