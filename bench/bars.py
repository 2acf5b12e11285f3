"""The bars: what the project wants of its figures. A bar that is missed is shown as missed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import report

RESIDENT_IDLE_BYTES_MAX = 32 * 2**20  # with 64 ports
RESIDENT_BUSY_BYTES_MAX = 96 * 2**20
READY_SECONDS_MAX = 0.050
MAC_NS_MAX = 50.0  # with 100 000 known
GUESTS_OF_DIRECT_MIN = 0.93
GUESTS_OF_VDE_MIN = 1.25
NAT_OF_SLIRP4NETNS_MIN = 0.85
NAT_OF_QEMU_MIN = 1.0
COST_OF_IDLE_PORTS_MIN = 0.97  # the cost with none, over that with some
LATENCY_MAX = 1.15
WATCHED_MAX = 1.02  # cost for the data thread while a switch is watched, over that while it is not
WATCHED_P99_MAX = 1.05  # of round trips, over that while another switch is watched on the core of the load

ENGINES = ("epoll", "io_uring")
AUTO_ENGINE = "io_uring"  # what --engine auto takes where the kernel has it


@dataclasses.dataclass(frozen=True)
class Bar:
    """A figure over that of `against`, in rows of traffic the median of rounds, and the limit of this ratio; or one
    alone, in `unit`."""

    value: float
    limit: float
    against: str = ""
    at_most: bool = True
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def __str__(self) -> str:
        digits = 2 if round(self.value, 2) != round(self.limit, 2) else 3  # what is missed should look so
        shown = f"{self.value:.{digits}f} {self.against or self.unit}".strip()
        text = f"{shown} {'≤' if self.at_most else '≥'} {self.limit:g}"
        return text if self.met else f"**{text}: missed**"


def of_row(row: dict[str, Any], rows: dict[str, Any]) -> dict[str, list[Bar]]:
    """By program, of one row of traffic; `rows` are all."""
    found: dict[str, list[Bar]] = {}
    for engine, bar in _of_row(row, rows):
        found.setdefault(f"switchd {engine}", []).append(bar)
    return found


def median(row: dict[str, Any], program: str) -> float | None:
    figures = row["programs"].get(program)
    return figures["ns_per_frame"]["median"] if figures and "ns_per_frame" in figures else None


def _of_row(row: dict[str, Any], rows: dict[str, Any]) -> Iterator[tuple[str, Bar]]:
    group = row["group"]
    if group == "pair":
        yield from _of_pair(row)
    elif group in ("veth", "flood"):
        yield from _ratio(row, AUTO_ENGINE, "pump", 1.15)
    elif group == "mixed":
        yield from _ratio(row, AUTO_ENGINE, "pump", 1.10)
    elif group == "ports":
        costs = {engine: cost for engine in ENGINES if (cost := median(row, f"switchd {engine}")) is not None}
        if costs:
            better = min(costs, key=lambda engine: costs[engine])
            yield from _ratio(row, better, f"bare loop {better}", 1.10)
    elif group == "idle" and row["idle"] > 0:
        none = next((other for other in rows.values() if other["group"] == "idle" and other["idle"] == 0), None)
        for engine in ENGINES:
            alone, beside = (each["programs"].get(f"switchd {engine}") if each else None for each in (none, row))
            if alone and beside and (found := report.ratio(alone, beside)):
                yield engine, Bar(found["median"], COST_OF_IDLE_PORTS_MIN, "of none idle", at_most=False)
    elif group == "latency":
        yield from _of_latency(row)


def _of_pair(row: dict[str, Any]) -> Iterator[tuple[str, Bar]]:
    if row["wire"] == "udp":
        yield from _ratio(row, AUTO_ENGINE, "pump", 1.10)
        yield from _ratio(row, AUTO_ENGINE, "vde_switch", 0.65)
    elif row["mix"] == "1514":
        for engine in ENGINES:
            yield from _ratio(row, engine, "pump", 1.10 if engine == AUTO_ENGINE else 1.25)
    elif (row["wire"], row["mix"], row["burst"]) == ("unix", "64", 32):
        for engine in ENGINES:
            yield from _ratio(row, engine, "pump", 1.25)


def _ratio(row: dict[str, Any], engine: str, against: str, limit: float) -> Iterator[tuple[str, Bar]]:
    ours, other = (row["programs"].get(program) for program in (f"switchd {engine}", against))
    if ours and other and (found := report.ratio(ours, other)):
        yield engine, Bar(found["median"], limit, f"of {against}")


def _of_latency(row: dict[str, Any]) -> Iterator[tuple[str, Bar]]:
    ours, pump = (row["programs"].get(program) for program in (f"switchd {AUTO_ENGINE}", "pump"))
    for quantile in ("median", "p99") if ours and pump else ():
        if found := report.ratio(ours, pump, report.trip_ns(quantile)):
            yield AUTO_ENGINE, Bar(found["median"], LATENCY_MAX, f"of pump, {quantile}")


def of_memory(figures: dict[str, Any]) -> list[Bar]:
    return [
        Bar(figures["ready_seconds"]["median"] * 1e3, READY_SECONDS_MAX * 1e3, unit="ms"),
        Bar(figures["idle_bytes"] / 2**20, RESIDENT_IDLE_BYTES_MAX / 2**20, unit="MiB idle"),
        Bar(figures["busy_bytes"] / 2**20, RESIDENT_BUSY_BYTES_MAX / 2**20, unit="MiB busy"),
    ]


def of_micro(name: str, figures: dict[str, float]) -> list[Bar]:
    wanted = name in ("learn_known/100000", "look_up_known/100000")
    return [Bar(figures["median"], MAC_NS_MAX, unit="ns")] if wanted else []


def of_guests(rates: dict[str, dict[str, float]]) -> dict[str, list[Bar]]:
    """`rates` are Mb/s by what joins the guests."""
    ours = f"switchd {AUTO_ENGINE}"
    limits = {"QEMU to QEMU": GUESTS_OF_DIRECT_MIN, "vde_switch": GUESTS_OF_VDE_MIN}
    if ours not in rates:
        return {}
    return {ours: [Bar(rates[ours]["median"] / rates[other]["median"], limit, f"of {other}", at_most=False)
                   for other, limit in limits.items() if other in rates]}


def of_sight(mode: str, figure: str, modes: dict[str, Any]) -> list[Bar]:
    """Of a switch that is watched; a capture has no bar."""
    other, limit = {"thread_ns": ("nobody", WATCHED_MAX), "p99_ns": ("another", WATCHED_P99_MAX)}.get(figure, ("", 0.0))
    if mode != "watched" or other not in modes:
        return []
    return [Bar(modes[mode][figure]["median"] / modes[other][figure]["median"], limit, f"of {other}'s")]


def of_nat(way: str, rates: dict[str, float]) -> list[Bar]:
    """`rates` are Mb/s one way by what leads outside; QEMU's user network is there at its own MTU only."""
    if way != "switchd nat" or "QEMU user" not in rates:
        return []
    own = rates[way]
    return [Bar(own / rates["slirp4netns"], NAT_OF_SLIRP4NETNS_MIN, "of slirp4netns", at_most=False),
            Bar(own / rates["QEMU user"], NAT_OF_QEMU_MIN, "of QEMU user", at_most=False)]
