"""Line plots as SVG, in the little that these figures need: named places on the x axis, one line for each series with
the range of its runs, and a y axis from zero or in powers of ten."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 50
COLOURS = {"pump": "#777777", "switchd epoll": "#0072b2", "switchd io_uring": "#d55e00", "vde_switch": "#009e73"}

Point = tuple[float, float, float]  # median, least, most


def line_plot(
    title: str,
    x_title: str,
    y_title: str,
    places: Sequence[str],
    series: Mapping[str, Sequence[Point | None]],
    log: bool = False,
) -> str:
    """`series` have a point, or none, for each of `places`."""
    most = max(point[2] for points in series.values() for point in points if point)
    least = min(point[1] for points in series.values() for point in points if point)
    ticks = _powers(least, most) if log else _steps(most)

    def x(i: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (i + 0.5) / len(places)

    def y(value: float) -> float:
        low, high = ticks[0], ticks[-1]
        share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        _text(LEFT, 22, title, size=15),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_title, anchor="middle"),
        f'<g transform="rotate(-90)">{_text(-(TOP + HEIGHT - BOTTOM) / 2, 16, y_title, anchor="middle")}</g>',
    ]
    for tick in ticks:
        parts.append(f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        parts.append(_text(LEFT - 6, y(tick) + 4, f"{tick:g}", anchor="end"))
    parts += [_text(x(i), HEIGHT - BOTTOM + 18, place, anchor="middle") for i, place in enumerate(places)]
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS.get(name, "#000000")
        seen = [(x(i), point) for i, point in enumerate(points) if point]
        line = " ".join(f"{at:.1f},{y(point[0]):.1f}" for at, point in seen)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for at, (middle, low, high) in seen:
            parts.append(f'<path d="M{at:.1f} {y(low):.1f}V{y(high):.1f}" stroke="{colour}"/>')
            parts.append(f'<circle cx="{at:.1f}" cy="{y(middle):.1f}" r="3" fill="{colour}"/>')
        below = TOP + 20 * number + 10
        parts.append(f'<path d="M{WIDTH - RIGHT + 15} {below}h20" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(WIDTH - RIGHT + 42, below + 4, name))
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'


def _steps(most: float) -> list[float]:
    """From zero beyond `most`, four to eight round steps."""
    step = 10.0 ** math.floor(math.log10(most / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if most / (step * factor) <= 8)
    return [step * i for i in range(math.ceil(most / step) + 1)]


def _powers(least: float, most: float) -> list[float]:
    first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]
