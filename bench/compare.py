#!/usr/bin/env python3
"""Was a change worth it? Reads what run.py --baseline wrote and says, for each row and engine, whether the present
switchd is faster or slower than the baseline. Where the ranges of the two overlap, there is no difference to speak of.

    bench/compare.py FILE

Exits with 1 when any row has become slower.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from typing import Any


def verdict(old: dict[str, float], new: dict[str, float]) -> str:
    if new["max"] < old["min"]:
        return "faster"
    if new["min"] > old["max"]:
        return "slower"
    return "no difference"


def spreads(figures: dict[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    """What of a program in a row can be compared: less is better."""
    if "round_trip_ns" in figures:
        yield from ((f" {name}", figures["round_trip_ns"][name]) for name in ("median", "p99"))
    else:
        yield "", figures["ns_per_frame"]


def comparisons(rows: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, float], dict[str, float]]]:
    for row, measured in rows.items():
        programs = measured["programs"]
        for name, figures in programs.items():
            old = programs.get(name.replace("switchd", "baseline"))
            if not name.startswith("switchd") or figures is None or old is None:
                continue
            for (what, before), (_, after) in zip(spreads(old), spreads(figures)):
                yield row + what, name.removeprefix("switchd "), before, after


def show(spread: dict[str, float]) -> str:
    return f"{spread['median']:.0f} [{spread['min']:.0f}-{spread['max']:.0f}]"


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    with open(sys.argv[1]) as file:
        rows = json.load(file)["rows"]
    verdicts: dict[str, int] = {"faster": 0, "slower": 0, "no difference": 0}
    ratios = []
    print(f"{'row':28} {'engine':9} {'baseline ns':>22} {'present ns':>22} {'ratio':>6}  verdict")
    for row, engine, old, new in comparisons(rows):
        found = verdict(old, new)
        verdicts[found] += 1
        ratios.append(new["median"] / old["median"])
        print(f"{row:28} {engine:9} {show(old):>22} {show(new):>22} {ratios[-1]:6.2f}  {found}")
    if not ratios:
        sys.exit("nothing to compare")
    print(", ".join(f"{count} {name}" for name, count in verdicts.items())
          + f"; present / baseline over all: {statistics.geometric_mean(ratios):.3f}")
    overall = "slower" if verdicts["slower"] else "faster" if verdicts["faster"] else "no difference"
    print(f"overall: {overall}")
    return 1 if overall == "slower" else 0


if __name__ == "__main__":
    sys.exit(main())
