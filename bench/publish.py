#!/usr/bin/env python3
"""Puts the documents of a measurement together, says which bars are missed, and writes them into docs/PERFORMANCE.md.

    bench/publish.py FOLDER              rows.json, *_bench.json, guests.json and nat.json of FOLDER, as far as they
                                         are there, become FOLDER/figures.json
    bench/publish.py FOLDER --publish    then also docs/PERFORMANCE.md, between its markers, and docs/plots/*.svg
    bench/publish.py --figures FILE --publish [--docs FOLDER]        from a figures.json of before

A part for which there is no figure stays as it was.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bars
import plot
import report
import subject

TOP = Path(__file__).resolve().parents[1]
Table = list[list[str]]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="of the documents")
    parser.add_argument("--figures", type=Path, metavar="FILE", help="instead of FOLDER")
    parser.add_argument("--publish", action="store_true", help="write the documentation")
    parser.add_argument("--docs", type=Path, default=TOP / "docs", metavar="FOLDER", help="default %(default)s")
    parser.add_argument("--command", default="tools/bench", help="what to say was run (default %(default)s)")
    arguments = parser.parse_args()
    if (arguments.folder is None) == (arguments.figures is None):
        parser.error("give FOLDER or --figures FILE")
    return arguments


def collect(folder: Path, command: str) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((folder / "rows.json").read_text())
    figures["published_command"] = command
    figures["micro"] = {}
    for file in sorted(folder.glob("*_bench.json")):
        figures["micro"] |= _micro(json.loads(file.read_text()))
    guests = folder / "guests.json"
    figures["guests"] = _guests(json.loads(guests.read_text())) if guests.exists() else {}
    nat = folder / "nat.json"
    figures["nat"] = json.loads(nat.read_text())["nat"] if nat.exists() else []
    sight = folder / "sight.json"
    figures["sight"] = json.loads(sight.read_text()) if sight.exists() else {}
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def _micro(document: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Nanoseconds for one item (a look-up, a frame), by name."""
    runs: dict[str, list[float]] = {}
    for run in document["benchmarks"]:
        if run["run_type"] == "iteration" and run.get("items_per_second"):
            runs.setdefault(run["run_name"], []).append(1e9 / run["items_per_second"])
    return {name: report.spread(values) for name, values in runs.items()}


def _guests(document: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    return {wire: {name: _guests_of(runs) for name, runs in pairs.items()} for wire, pairs in document["wires"].items()}


def _guests_of(runs: list[dict[str, float]]) -> dict[str, float]:
    rates = report.spread([run["megabits_per_second"] for run in runs])
    return rates | {"stolen": max(run.get("stolen", 0.0) for run in runs)}


# The parts of the page, each between `<!-- begin NAME -->` and `<!-- end NAME -->`.


def machine(figures: dict[str, Any]) -> list[str]:
    about = figures["machine"]
    load = about["load"][0]
    text = [f"Measured {figures['date'][:10]} by `{figures['published_command']}` on {about['cores']} cores of "
            f"{about['cpu']}, Linux {about['kernel']}, load {load:.1f} at the beginning."]
    if distances_ns := [run["core_distance_ns"] for run in _all_runs(figures) if "core_distance_ns" in run]:
        apart = report.nine_in_ten(distances_ns)
        text += [f"A cache line went from one core to the other and back in {apart['median']:.0f} ns, "
                 f"before nine of ten runs in {apart['p5']:.0f} to {apart['p95']:.0f} ns."]
    disturbed = [f"{name} ({100 * share:.1f} %)" for name, share in _others(figures)
                 if share > subject.OTHERS_SHARE_MAX]
    if disturbed:
        text += ["Others took more than 5 % of the core under test in: " + ", ".join(disturbed) + "."]
    missed = list(_missed(figures))
    text += [f"{len(missed)} bars are missed:" if missed else "Every bar is met."]
    lines = [line for paragraph in text for line in (*_wrapped(paragraph), "")]
    return lines + [line for bar in missed for line in _wrapped(f"* {bar}", indent="  ")]


def _wrapped(paragraph: str, indent: str = "") -> list[str]:
    return textwrap.wrap(paragraph, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _all_runs(figures: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for row in figures["rows"].values():
        for of in row["programs"].values():
            yield from of["runs"] if of else ()


def _others(figures: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for name, row in figures["rows"].items():
        yield name, max((of["others"] for of in row["programs"].values() if of), default=0.0)


def _all_bars(figures: dict[str, Any]) -> Iterator[tuple[str, bars.Bar]]:
    for name, row in figures["rows"].items():
        for program, found in bars.of_row(row, figures["rows"]).items():
            yield from ((f"{name}, {program}", bar) for bar in found)
    for program, of in figures["scale"]["64-ports"].items():
        if program.startswith("switchd"):
            yield from ((f"64 ports, {program}", bar) for bar in bars.of_memory(of))
    for name, of in figures["micro"].items():
        yield from ((name, bar) for bar in bars.of_micro(name, of))
    for wire, rates in figures["guests"].items():
        for program, found in bars.of_guests(rates).items():
            yield from ((f"guests by {wire}, {program}", bar) for bar in found)
    for row in figures["nat"]:
        yield from ((f"nat {row['direction']}", bar) for bar in bars.of_nat(row["way"], _nat_peers(figures, row)))
    for row_name, modes in figures["sight"].items():
        for figure in set(SIGHT_FIGURES) & set(modes["nobody"]):
            yield from ((f"watched, {row_name}", bar) for bar in bars.of_sight("watched", figure, modes))


def _missed(figures: dict[str, Any]) -> Iterator[str]:
    yield from (f"{where}: {bar}" for where, bar in _all_bars(figures) if not bar.met)


def rows_of(group: str) -> Callable[[dict[str, Any]], list[str]]:
    return lambda figures: _costs(figures, group)


def _costs(figures: dict[str, Any], group: str) -> list[str]:
    table = [["row", "program", "CPU ns/frame", "[min-max]", "of the pump", "kframes/s", "bar"]]
    for name, row in _group(figures, group):
        found = bars.of_row(row, figures["rows"])
        limit = row["programs"].get("pump")
        for program, of in row["programs"].items():
            if of is None:
                continue
            ns = of["ns_per_frame"]
            table.append([name, program, f"{ns['median']:.0f}", f"[{ns['min']:.0f}-{ns['max']:.0f}]",
                          report.show_ratio(report.ratio(of, limit) if limit else None),
                          f"{of['frames_per_second'] / 1e3:.0f}", _text(found.get(program, []))])
    return _markdown(table, right=(2, 3, 4, 5))


def _group(figures: dict[str, Any], group: str) -> list[tuple[str, dict[str, Any]]]:
    return [(name, row) for name, row in figures["rows"].items() if row["group"] == group]


def latency(figures: dict[str, Any]) -> list[str]:
    table = [["row", "program", *("p50", "p90", "p99", "p99.9"), "p50 [min-max]", "bar"]]
    for name, row in _group(figures, "latency"):
        found = bars.of_row(row, figures["rows"])
        for program, of in row["programs"].items():
            if of is None:
                continue
            times = of["round_trip_ns"]
            middle = times["median"]
            table.append([name, program, *(f"{times[q]['median'] / 1e3:.1f}" for q in report.QUANTILES),
                          f"[{middle['min'] / 1e3:.1f}-{middle['max'] / 1e3:.1f}]", _text(found.get(program, []))])
    return _markdown(table, right=range(2, 7))


def memory(figures: dict[str, Any]) -> list[str]:
    table = [["program", "ready after ms", "[min-max]", "MiB idle", "MiB busy", "bar"]]
    for program, of in figures["scale"]["64-ports"].items():
        ready = of["ready_seconds"]
        found = bars.of_memory(of) if program.startswith("switchd") else []
        table.append([program, f"{ready['median'] * 1e3:.1f}", f"[{ready['min'] * 1e3:.1f}-{ready['max'] * 1e3:.1f}]",
                      f"{of['idle_bytes'] / 2**20:.1f}", f"{of['busy_bytes'] / 2**20:.1f}", _text(found)])
    return _markdown(table, right=range(1, 5))


def stopped_reader(figures: dict[str, Any]) -> list[str]:
    table = [["program", "beside", "p50 us", "p99 us", "max us", "lost"]]
    for program, by_neighbour in figures["scale"]["stopped-reader"].items():
        for beside, trips in by_neighbour.items():
            table.append([program, beside, *(f"{trips[f'{q}_ns'] / 1e3:.0f}" for q in ("median", "p99", "max")),
                          f"{trips['lost']} of {trips['sent']}"])
    return _markdown(table, right=range(2, 6))


def micro(figures: dict[str, Any]) -> list[str]:
    table = [["benchmark", "ns", "[min-max]", "bar"]]
    for name, of in figures["micro"].items():
        table.append([name, f"{of['median']:.1f}", f"[{of['min']:.1f}-{of['max']:.1f}]",
                      _text(bars.of_micro(name, of))])
    return _markdown(table, right=(1, 2))


def guests(figures: dict[str, Any]) -> list[str]:
    table = [["wire", "joined by", "Mb/s", "[min-max]", "bar"]]
    for wire, rates in figures["guests"].items():
        found = bars.of_guests(rates)
        for name, of in rates.items():
            table.append([wire, name, f"{of['median']:.0f}", f"[{of['min']:.0f}-{of['max']:.0f}]",
                          _text(found.get(name, []))])
    lines = _markdown(table, right=(2, 3))
    starved = [f"{wire}, {name} ({100 * of['stolen']:.1f} %)" for wire, rates in figures["guests"].items()
               for name, of in rates.items() if of.get("stolen", 0.0) > subject.OTHERS_SHARE_MAX]
    if starved:
        lines += ["", *_wrapped("The host took more than 5 % of the cores in: " + "; ".join(starved) + ".")]
    return lines


def nat(figures: dict[str, Any]) -> list[str]:
    table = [["MTU", "way", "", "Mb/s", "[min-max]", "of slirp4netns", "bar"]]
    for row in figures["nat"]:
        found = bars.of_nat(row["way"], _nat_peers(figures, row))
        table.append([f"{row['mtu']}", row["direction"], row["way"], f"{row['mbps']:.0f}",
                      f"[{min(row['runs']):.0f}-{max(row['runs']):.0f}]", f"{row['of_slirp4netns']:.2f}", _text(found)])
    return _markdown(table, right=(0, 3, 4, 5))


def _nat_peers(figures: dict[str, Any], row: dict[str, Any]) -> dict[str, float]:
    return {each["way"]: each["mbps"] for each in figures["nat"]
            if (each["mtu"], each["direction"]) == (row["mtu"], row["direction"])}


SIGHT_FIGURES = {
    "thread_ns": "CPU ns/frame of the data thread",
    "process_ns": "CPU ns/frame of the process",
    "median_ns": "round trip ns, median",
    "p99_ns": "round trip ns, p99",
}


def sight(figures: dict[str, Any]) -> list[str]:
    table = [["figure", "who looks", "", "[min-max]", "of nobody's", "bar"]]
    for modes in figures["sight"].values():
        for name, title in SIGHT_FIGURES.items():
            for mode, made in modes.items():
                if name not in made:
                    continue
                spread, alone = made[name], modes["nobody"][name]["median"]
                table.append([title, mode, f"{spread['median']:.1f}", f"[{spread['min']:.1f}-{spread['max']:.1f}]",
                              f"{spread['median'] / alone:.3f}", _text(bars.of_sight(mode, name, modes))])
    captured = figures["sight"].get("flow", {}).get("captured")
    lines = _markdown(table, right=(2, 3, 4))
    if captured:
        all_frames = captured["captured"] + captured["captured_lost"]
        written = 100 * captured["captured"] / all_frames
        lines += ["", f"Of {all_frames:,} frames the captures wrote {written:.1f} %, and counted the rest as lost; the "
                  f"flow lost {captured['lost']}."]
    return lines


def _text(found: list[bars.Bar]) -> str:
    return "; ".join(map(str, found))


def _markdown(table: Table, right: Any) -> list[str]:
    """Nothing when there is only the head."""
    if len(table) == 1:
        return []
    rule = ["--:" if i in right else ":--" for i in range(len(table[0]))]
    return ["| " + " | ".join(cells) + " |" for cells in (table[0], rule, *table[1:])]


PARTS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "machine": machine,
    **{group: rows_of(group) for group in ("pair", "size", "paced", "mixed", "flood", "ports", "veth", "idle")},
    "latency": latency,
    "memory": memory,
    "stopped-reader": stopped_reader,
    "micro": micro,
    "guests": guests,
    "nat": nat,
    "sight": sight,
}


def write_page(figures: dict[str, Any], page: Path) -> None:
    text = page.read_text()
    for name, part in PARTS.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        if begin not in text or end not in text:
            sys.exit(f"{page}: no markers for {name}")
        lines = part(figures)
        if lines:
            before, rest = text.split(begin, 1)
            text = before + begin + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1]
    page.write_text(text)


def write_plots(figures: dict[str, Any], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    rows = figures["rows"]
    for wire in ("unix", "udp"):
        sizes = ["64", "256", "1024", "1514"]
        names = [f"{wire}-{size}-32" for size in sizes]
        _plot(folder / f"size-{wire}.svg", f"{wire}, bursts of 32", "bytes of a frame", sizes, rows, names)
    idle = ["0", "8", "64", "256"]
    _plot(folder / "idle.svg", "unix, 1514 bytes, bursts of 32", "idle ports beside the pair", idle, rows,
          [f"unix-1514-32-idle{count}" for count in idle])
    for beside in ("idle", "half"):
        row = rows.get(f"udp-latency-{beside}")
        if row:
            series = {program: [_point(of["round_trip_ns"][quantile], 1e3) for quantile in report.QUANTILES]
                      for program, of in row["programs"].items() if of}
            title = "udp, round trips" + (" beside half of what goes" if beside == "half" else "")
            (folder / f"latency-{beside}.svg").write_text(
                plot.line_plot(title, "quantile", "microseconds", ["p50", "p90", "p99", "p99.9"], series, log=True))


def _plot(file: Path, title: str, x_title: str, places: list[str], rows: dict[str, Any], names: list[str]) -> None:
    """Nothing where a row was not measured."""
    if not all(name in rows for name in names):
        return
    programs = list(rows[names[0]]["programs"])
    series = {program: [_point(of["ns_per_frame"]) if (of := rows[name]["programs"].get(program)) else None
                        for name in names] for program in programs}
    file.write_text(plot.line_plot(title, x_title, "CPU ns for a frame", places, series))


def _point(spread: dict[str, float], unit: float = 1) -> plot.Point:
    return spread["median"] / unit, spread["min"] / unit, spread["max"] / unit


def main() -> int:
    arguments = parse_arguments()
    figures = json.loads(arguments.figures.read_text()) if arguments.figures else collect(
        arguments.folder, arguments.command)
    for text in _missed(figures):
        print("missed:", re.sub(r"[*]", "", text))
    if arguments.publish:
        write_page(figures, arguments.docs / "PERFORMANCE.md")
        write_plots(figures, arguments.docs / "plots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
