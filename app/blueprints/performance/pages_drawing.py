"""Figures as geometry: histograms, sparklines and bars for the templates to draw as SVG, without a script.

Lengths across are in percent, so that a drawing fills its place while its words keep their size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

from app.database.tracking.figures import Column, Timing

# The drawing area of a histogram in pixels: what stands above the highest bar, and the bars.
BARS_TOP = 44.0
BARS_HEIGHT = 132.0
LEAST_HEIGHT = 1.5
MOST_COLUMNS = 12
# Two words on one line stand apart at least by this part of the whole width, in percent.
LABEL_WIDTH = 9.5


@dataclass(frozen=True)
class Bar:
    """One column of a histogram, in percent of the width and pixels of the height."""

    x: float
    width: float
    y: float
    height: float
    middle: float
    low_ms: float
    high_ms: float
    count: int


@dataclass(frozen=True)
class Line:
    """A percentile's line and its words, which stand left of it where `anchor` is `end`."""

    name: str
    value_ms: float
    x: float
    anchor: str
    y: float


@dataclass(frozen=True)
class Histogram:
    """A histogram as it is drawn."""

    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    height: float


def histogram(columns: Sequence[Column], timing: Timing) -> Histogram:
    """Lay out a histogram whose columns double in width, with the lines of p50, p95 and p99."""
    folded = _folded(columns)
    if not folded:
        return Histogram((), (), BARS_TOP + BARS_HEIGHT)
    highest = max(column.count for column in folded)
    slot = 100 / len(folded)
    bars = tuple(_bar(column, number, slot, highest) for number, column in enumerate(folded))
    return Histogram(bars, _lines(folded, timing, slot), BARS_TOP + BARS_HEIGHT)


def _folded(columns: Sequence[Column]) -> list[Column]:
    """Put the columns at an end together until few enough stand side by side; rare ones go first."""
    found = list(columns)
    while len(found) > MOST_COLUMNS:
        if found[0].count <= found[-1].count:
            first, second = found[:2]
            found[:2] = [Column(first.low_ms, second.high_ms, first.count + second.count)]
        else:
            before, last = found[-2:]
            found[-2:] = [Column(before.low_ms, last.high_ms, before.count + last.count)]
    return found


def _bar(column: Column, number: int, slot: float, highest: int) -> Bar:
    height = max(LEAST_HEIGHT, BARS_HEIGHT * column.count / highest) if column.count else 0.0
    gap = min(slot * 0.1, 1.2)
    return Bar(
        x=_short(number * slot + gap / 2),
        width=_short(slot - gap),
        y=_short(BARS_TOP + BARS_HEIGHT - height),
        height=_short(height),
        middle=_short((number + 0.5) * slot),
        low_ms=column.low_ms,
        high_ms=column.high_ms,
        count=column.count,
    )


def _lines(columns: Sequence[Column], timing: Timing, slot: float) -> tuple[Line, ...]:
    """Place the percentiles on the columns' own, logarithmic scale; words that would meet go a line lower."""
    named = (("p50", timing.p50_ms), ("p95", timing.p95_ms), ("p99", timing.p99_ms))
    lines: list[Line] = []
    for name, value in named:
        x = _short(_place(columns, value, slot))
        anchor = "end" if x > LABEL_WIDTH else "start"
        meets = bool(lines) and x - lines[-1].x < LABEL_WIDTH and lines[-1].y < BARS_TOP / 2
        lines.append(Line(name, value, x, anchor, 25.0 if meets else 10.0))
    return tuple(lines)


def _place(columns: Sequence[Column], value: float, slot: float) -> float:
    for number, column in enumerate(columns):
        if value < column.high_ms or number == len(columns) - 1:
            low, high = max(column.low_ms, 1e-6), column.high_ms
            inside = log2(max(value, low) / low) / log2(high / low)
            return (number + min(1.0, inside)) * slot
    return 0.0


def sparkline(values: Sequence[float]) -> str:
    """Return the points of a line through the values, in a box of 100 × 20; empty for fewer than two."""
    if len(values) < 2:
        return ""
    highest = max(values) or 1.0
    step = 100 / (len(values) - 1)
    return " ".join(
        f"{_short(i * step)},{_short(19 - 18 * value / highest)}" for i, value in enumerate(values)
    )


def _short(value: float) -> float:
    return round(value, 2)
