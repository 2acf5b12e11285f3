"""From runs to figures: median and range of CPU per frame, the ratio to the pump, and the tables people read."""

from __future__ import annotations

import statistics
from typing import Any

FRAMES_HEADER = (f"{'row':22} {'program':17} {'CPU ns/frame':>12} {'[min-max]':>15} {'/ pump':>7} {'kframes/s':>10} "
                 f"{'lost':>8} {'sleeps/kf':>9} {'others':>7}")


def summary(runs: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Of the runs of one program in one row."""
    per_frame = [run["cpu_ns"] / run["frames"] for run in runs if run["frames"]]
    if not per_frame:
        return None
    sent = sum(run["sent"] for run in runs)
    return {
        "ns_per_frame": {"median": statistics.median(per_frame), "min": min(per_frame), "max": max(per_frame)},
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
            print(f"{name:22} {program:17} {'no figure':>12}", flush=True)
            continue
        ns = figures["ns_per_frame"]
        ratio = f"{ns['median'] / limit['ns_per_frame']['median']:.2f}" if limit else ""
        span = f"[{ns['min']:.0f}-{ns['max']:.0f}]"
        print(f"{name:22} {program:17} {ns['median']:12.0f} {span:>15} {ratio:>7} "
              f"{figures['frames_per_second'] / 1e3:10.0f} {figures['lost_share']:8.2%} "
              f"{figures['sleeps_per_frame'] * 1e3:9.1f} {figures['others']:7.0%}", flush=True)


def print_memory(program: str, figures: dict[str, Any]) -> None:
    ready = figures["ready_seconds"]
    span = f"[{ready['min'] * 1e3:.1f}-{ready['max'] * 1e3:.1f}]"
    print(f"{'64 ports':22} {program:17} ready after {ready['median'] * 1e3:.1f} ms {span}, "
          f"resident idle {figures['idle_bytes'] / 2**20:.1f} MiB, busy {figures['busy_bytes'] / 2**20:.1f} MiB",
          flush=True)


def print_round_trips(program: str, figures: dict[str, dict[str, Any]]) -> None:
    for beside, trips in figures.items():
        print(f"{'stopped reader':22} {program:17} beside {beside:5} median {trips['median_ns'] / 1e3:7.0f} us  "
              f"p99 {trips['p99_ns'] / 1e3:7.0f} us  max {trips['max_ns'] / 1e3:7.0f} us  "
              f"lost {trips['lost']} of {trips['sent']}", flush=True)
