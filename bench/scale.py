"""What is not a row of traffic: memory and start with many ports, and whether a stopped reader holds up others."""

from __future__ import annotations

import socket
import statistics
from typing import Any

from rows import Tools
from subject import Load, Program, Subject

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
        busy = Load(tools.load, subject, subject.endpoints, options).result(seconds)
    return {
        "ready_seconds": {"median": statistics.median(starts), "min": min(starts), "max": max(starts)},
        "idle_bytes": idle,
        "busy_bytes": busy["rss_bytes"],
        "busy_lost": busy["lost"],
    }


def round_trips_beside(program: Program, tools: Tools, beside: str, seconds: float) -> dict[str, Any]:
    """Round trips between two ports while `beside` happens between two others: idle, busy or deaf (at full load towards
    a reader that has stopped)."""
    with Subject(program, tools.places.pairs("unix", 4), tools.places.folder) as subject:
        background = None
        if beside != "idle":
            # Longer than the round trips; a warm-up of a tenth comes on top.
            options = ["--mix", "1514", "--burst", "32", "--station", "100", "--frames", str(10**12),
                       "--seconds", str(seconds * 1.5 + 2)]
            if beside == "deaf":
                options.append("--deaf")
            background = Load(tools.load, subject, subject.endpoints[2:], options)
            background.wait_greeted()
        options = ["--round-trips", "--mix", "64", "--rate", str(ROUND_TRIPS_PER_SECOND), "--seconds", str(seconds)]
        result = Load(tools.load, subject, subject.endpoints[:2], options).result(seconds)
        result["beside"] = background.result(seconds * 2 + 2) if background else None
        return result


def stopped_reader(program: Program, tools: Tools, seconds: float) -> dict[str, dict[str, Any]]:
    return {beside: round_trips_beside(program, tools, beside, seconds) for beside in ("idle", "busy", "deaf")}
