"""From runs to figures: median and range of CPU per frame, the ratio to the pump, and the tables people read."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

FRAMES_HEADER = (f"{'row':22} {'program':18} {'CPU ns/frame':>12} {'[min-max]':>15} {'/ pump':>16} {'kframes/s':>10} "
                 f"{'lost':>8} {'sleeps/kf':>9} {'others':>7}")


Run = dict[str, Any]

QUANTILES = ("median", "p90", "p99", "p999")  # of round trips


def nine_in_ten(values: list[float]) -> dict[str, float]:
    """Where one in a hundred may be absurd, so that a range says nothing: nine of ten are from p5 to p95."""
    places = statistics.quantiles(values, n=20, method="inclusive") if len(values) > 1 else values
    return {"median": statistics.median(values), "p5": places[0], "p95": places[-1]}


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def cost_ns(run: Run) -> float:
    """CPU time for each frame; 0 where none arrived."""
    return run["cpu_ns"] / run["frames"] if run["frames"] else 0.0


def ratio(ours: dict[str, Any], theirs: dict[str, Any],
          of: Callable[[Run], float] = cost_ns) -> dict[str, float] | None:
    """Of what two programs need, each run over the one of the same round. They were next to each other, while two
    medians may be of runs between which the machine has changed: how far apart its cores are alone makes a factor of
    1.1 to 2.5. None where no round has both."""
    other = dict(_by_round(theirs["runs"], of))
    ratios = [value / other[number] for number, value in _by_round(ours["runs"], of) if number in other]
    return spread(ratios) | {"rounds": len(ratios)} if ratios else None


def _by_round(runs: list[Run], of: Callable[[Run], float]) -> list[tuple[int, float]]:
    return [(run.get("round", i), value) for i, run in enumerate(runs) if (value := of(run)) > 0]


def summary(runs: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Of the runs of one program in one row."""
    if runs and "median_ns" in runs[0]:
        return {
            "round_trip_ns": {quantile: spread([run[f"{quantile}_ns"] for run in runs]) for quantile in QUANTILES},
            "lost_share": sum(run["lost"] for run in runs) / sum(run["sent"] for run in runs),
            "others": max(run["others"] for run in runs),
            "runs": runs,
        }
    per_frame = [cost_ns(run) for run in runs if run["frames"]]
    if not per_frame:
        return None
    sent = sum(run["sent"] for run in runs)
    return {
        "ns_per_frame": spread(per_frame),
        "frames_per_second": statistics.median(run["frames"] / run["seconds"] for run in runs if run["seconds"]),
        "frames": sum(run["frames"] for run in runs),
        "lost_share": sum(run["lost"] for run in runs) / sent if sent else 0.0,
        "strays": sum(run["strays"] for run in runs),
        "sleeps_per_frame": statistics.median(run["sleeps"] / run["frames"] for run in runs if run["frames"]),
        "others": max(run["others"] for run in runs),
        "runs": runs,
    }


def print_row(name: str, programs: dict[str, dict[str, Any] | None]) -> None:
    """`programs` maps the name of each to its summary; the pump's, where there is one, is the measure of the others."""
    limit = programs.get("pump")
    for program, figures in programs.items():
        if figures is None:
            print(f"{name:22} {program:18} {'no figure':>12}", flush=True)
            continue
        if "round_trip_ns" in figures:
            print_latency(name, program, figures, limit)
            continue
        ns = figures["ns_per_frame"]
        of_pump = show_ratio(ratio(figures, limit) if limit else None)
        span = f"[{ns['min']:.0f}-{ns['max']:.0f}]"
        print(f"{name:22} {program:18} {ns['median']:12.0f} {span:>15} {of_pump:>16} "
              f"{figures['frames_per_second'] / 1e3:10.0f} {figures['lost_share']:8.2%} "
              f"{figures['sleeps_per_frame'] * 1e3:9.1f} {figures['others']:7.0%}", flush=True)


def show_ratio(found: dict[str, float] | None) -> str:
    if not found:
        return ""
    span = f" [{found['min']:.2f}-{found['max']:.2f}]" if found["min"] < found["max"] else ""
    return f"{found['median']:.2f}{span}"


def trip_ns(quantile: str) -> Callable[[Run], float]:
    return lambda run: run[f"{quantile}_ns"]


def print_latency(name: str, program: str, figures: dict[str, Any], limit: dict[str, Any] | None) -> None:
    """There and back, in microseconds: the median of the runs for each quantile, and its ratio to the pump's."""
    text = []
    for quantile in QUANTILES:
        trips = figures["round_trip_ns"][quantile]
        found = ratio(figures, limit, trip_ns(quantile)) if limit else None
        of_pump = f" ({found['median']:.2f})" if found else ""
        text.append(f"{quantile} {trips['median'] / 1e3:.1f} us{of_pump}")
    print(f"{name:22} {program:18} {'  '.join(text)}", flush=True)


def print_memory(program: str, figures: dict[str, Any]) -> None:
    ready = figures["ready_seconds"]
    span = f"[{ready['min'] * 1e3:.1f}-{ready['max'] * 1e3:.1f}]"
    print(f"{'64 ports':22} {program:18} ready after {ready['median'] * 1e3:.1f} ms {span}, "
          f"resident idle {figures['idle_bytes'] / 2**20:.1f} MiB, busy {figures['busy_bytes'] / 2**20:.1f} MiB",
          flush=True)


def print_round_trips(program: str, figures: dict[str, dict[str, Any]]) -> None:
    for beside, trips in figures.items():
        print(f"{'stopped reader':22} {program:18} beside {beside:5} median {trips['median_ns'] / 1e3:7.0f} us  "
              f"p99 {trips['p99_ns'] / 1e3:7.0f} us  max {trips['max_ns'] / 1e3:7.0f} us  "
              f"lost {trips['lost']} of {trips['sent']}", flush=True)
