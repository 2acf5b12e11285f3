#!/usr/bin/env python3
"""How runs become ratios, bars and verdicts (bench/report.py, bars.py, compare.py, run.py)."""

import argparse
import sys
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
sys.dont_write_bytecode = True

import bars  # noqa: E402
import compare  # noqa: E402
import report  # noqa: E402
import run as bench_run  # noqa: E402


def runs(costs_ns: list[float], first: int = 0) -> dict[str, Any]:
    made = [{"round": first + i, "cpu_ns": 1000 * cost, "frames": 1000, "sent": 1000, "lost": 0, "seconds": 1.0,
             "strays": 0, "sleeps": 0, "others": 0.0} for i, cost in enumerate(costs_ns)]
    return report.summary(made) or {}


def pair(name: str, **programs: dict[str, Any]) -> dict[str, Any]:
    return {name: {"group": "pair", "wire": "unix", "mix": "1514", "burst": 1,
                   "programs": {program.replace("_", " ", 1): of for program, of in programs.items()}}}


class Ratios(unittest.TestCase):
    def test_a_machine_that_changes_between_rounds_changes_no_ratio(self) -> None:
        ours, pump = runs([110, 198, 110, 198, 198]), runs([100, 180, 100, 180, 180])
        found = report.ratio(ours, pump)
        assert found
        self.assertAlmostEqual(found["min"], 1.1)
        self.assertAlmostEqual(found["max"], 1.1)

    def test_a_run_that_is_missing_takes_its_round_out(self) -> None:
        self.assertEqual(report.ratio(runs([1, 6, 8]), runs([2, 4], first=1)),
                         {"median": 2.5, "min": 2, "max": 3, "rounds": 2})
        self.assertIsNone(report.ratio(runs([1]), runs([1], first=1)))

    def test_a_bar_is_for_the_median_of_rounds(self) -> None:
        row = pair("unix-1514-1", pump=runs([100, 200, 200]), switchd_io_uring=runs([105, 105, 240]))
        found = bars.of_row(row["unix-1514-1"], row)["switchd io_uring"]
        self.assertEqual([(round(bar.value, 2), bar.met) for bar in found], [(1.05, True)])


class Verdicts(unittest.TestCase):
    def verdict(self, old: list[float], new: list[float]) -> str:
        row = pair("unix-1514-1", baseline_epoll=runs(old), switchd_epoll=runs(new))
        (found,) = compare.comparisons(row)
        return found.verdict

    def test_ranges_that_do_not_overlap_are_a_difference(self) -> None:
        self.assertEqual(self.verdict([100, 110], [120, 130]), "slower")
        self.assertEqual(self.verdict([100, 110], [80, 90]), "faster")
        self.assertEqual(self.verdict([100, 110], [110, 120]), "no difference")

    def test_as_are_twelve_rounds_that_say_the_same(self) -> None:
        old = [100.0, 180.0] * 6
        slower = [1.05 * cost for cost in old]
        self.assertEqual(self.verdict(old, slower), "slower")
        self.assertEqual(self.verdict(slower, old), "faster")
        self.assertEqual(self.verdict(old, slower[:11] + [179.0]), "no difference")
        self.assertEqual(self.verdict(old[:11], slower), "no difference")  # of which only eleven were in one round


class Rounds(unittest.TestCase):
    def test_how_far_the_cores_moved_is_of_all_runs_of_a_round(self) -> None:
        def of(*distances_ns: float) -> list[tuple[str, str, dict[str, Any]]]:
            return [("row", "program", {"core_distance_ns": distance}) for distance in distances_ns]

        self.assertEqual(bench_run.distance_change(of(125, 130, 500)), 4)
        self.assertEqual(bench_run.distance_change(of(125)), 1)
        self.assertEqual(bench_run.distance_change([("row", "program", {})]), 1)  # where there is one core

    def steadiest(self, *rounds: list[tuple[str, str, dict[str, Any]]]) -> tuple[Any, int]:
        """Of rounds that would follow one another: the one that counts, and how many were measured."""
        left = list(rounds)
        with mock.patch.object(bench_run, "measure_round", lambda *_: left.pop(0)):
            counts = bench_run.steadiest_round([], set(), argparse.Namespace(quick=False), [])
        return counts, len(rounds) - len(left)

    def test_a_round_in_which_the_cores_moved_is_measured_once_more(self) -> None:
        def of(*distances_ns: float) -> list[tuple[str, str, dict[str, Any]]]:
            return [("row", f"{i}", {"core_distance_ns": distance}) for i, distance in enumerate(distances_ns)]

        self.assertEqual(self.steadiest(of(125, 130)), (of(125, 130), 1))
        self.assertEqual(self.steadiest(of(125, 500), of(490, 500)), (of(490, 500), 2))
        self.assertEqual(self.steadiest(of(125, 400), of(125, 500), of(1, 1)), (of(125, 400), 2))
        self.assertEqual(self.steadiest(of(125, 400), of(125)), (of(125, 400), 2))  # a program failed in the second
        self.assertEqual(self.steadiest(of(125, 400), []), (of(125, 400), 2))


if __name__ == "__main__":
    unittest.main()
