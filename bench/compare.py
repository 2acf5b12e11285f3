#!/usr/bin/env python3
"""Was a change worth it? Reads what run.py --baseline wrote and says, for each row and engine, whether the present
switchd is faster or slower than the baseline. The ratio is of runs that were next to each other. It is faster where the
ranges of the two do not overlap, or where it was so in each of twelve rounds or more; likewise slower. By chance alone,
one of 2048 comparisons of twelve rounds would say either.

    bench/compare.py FILE

Exits with 1 when any row has become slower.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from typing import Any

import report


ROUNDS_MIN = 12  # that all say the same


def verdict(old: dict[str, float], new: dict[str, float], ratio: dict[str, float]) -> str:
    enough = ratio["rounds"] >= ROUNDS_MIN
    if new["max"] < old["min"] or (enough and ratio["max"] < 1):
        return "faster"
    if new["min"] > old["max"] or (enough and ratio["min"] > 1):
        return "slower"
    return "no difference"


Compared = tuple[dict[str, float], Callable[[report.Run], float]]


def measures(figures: dict[str, Any]) -> Iterator[tuple[str, Compared]]:
    """What of a program in a row can be compared: less is better."""
    if "round_trip_ns" in figures:
        yield from ((f" {name}", (figures["round_trip_ns"][name], report.trip_ns(name))) for name in ("median", "p99"))
    else:
        yield "", (figures["ns_per_frame"], report.cost_ns)


@dataclasses.dataclass(frozen=True)
class Comparison:
    row: str
    engine: str
    old: dict[str, float]
    new: dict[str, float]
    ratio: dict[str, float]
    verdict: str


def comparisons(rows: dict[str, Any]) -> Iterator[Comparison]:
    for row, measured in rows.items():
        programs = measured["programs"]
        for name, figures in programs.items():
            old = programs.get(name.replace("switchd", "baseline"))
            if not name.startswith("switchd") or figures is None or old is None:
                continue
            for (what, (before, of)), (_, (after, _)) in zip(measures(old), measures(figures)):
                ratio = report.ratio(figures, old, of)
                if ratio:
                    yield Comparison(row + what, name.removeprefix("switchd "), before, after, ratio,
                                     verdict(before, after, ratio))


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
    print(f"{'row':28} {'engine':9} {'baseline ns':>22} {'present ns':>22} {'ratio':>16}  verdict")
    for each in comparisons(rows):
        verdicts[each.verdict] += 1
        ratios.append(each.ratio["median"])
        print(f"{each.row:28} {each.engine:9} {show(each.old):>22} {show(each.new):>22} "
              f"{report.show_ratio(each.ratio):>16}  {each.verdict}")
    if not ratios:
        sys.exit("nothing to compare")
    print(", ".join(f"{count} {name}" for name, count in verdicts.items())
          + f"; present / baseline over all: {statistics.geometric_mean(ratios):.3f}")
    overall = "slower" if verdicts["slower"] else "faster" if verdicts["faster"] else "no difference"
    print(f"overall: {overall}")
    return 1 if overall == "slower" else 0


if __name__ == "__main__":
    sys.exit(main())
