"""The strip of the coming six weeks: a bar a night, the first in accent, an odd one with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from app.blueprints.retention.forecast import Night

WIDTH, HEIGHT, TOP = 100.0, 104.0, 16.0  # percent of the width; pixels
LEAST_HEIGHT = 2.0
ODD = 2.5  # times the usual night, and at least so many:
ODD_ROWS = 10
BAR_SHARE = 0.72
WEEK = 7


@dataclass(frozen=True)
class Bar:
    """One night: places in percent of the width and pixels of the height."""

    night: Night
    x: float
    width: float
    y: float
    height: float
    label: str = ""
    anchor: str = "start"


@dataclass(frozen=True)
class Strip:
    """The drawing, and the nights at which weeks begin."""

    bars: tuple[Bar, ...]
    weeks: tuple[Bar, ...]
    total: int
    height: float = HEIGHT


def draw(nights: Sequence[Night]) -> Strip:
    """Lay the nights out side by side."""
    highest = max((night.rows for night in nights), default=0)
    slot = WIDTH / max(len(nights), 1)
    odd = _odd(nights)
    bars = tuple(_bar(night, number, slot, highest, odd) for number, night in enumerate(nights))
    return Strip(bars, bars[::WEEK], sum(night.rows for night in nights))


def _bar(night: Night, number: int, slot: float, highest: int, odd: Night | None) -> Bar:
    height = max(LEAST_HEIGHT, (HEIGHT - TOP) * night.rows / highest) if night.rows else 0.0
    x = number * slot + slot * (1 - BAR_SHARE) / 2
    return Bar(
        night,
        x=round(x, 2),
        width=round(slot * BAR_SHARE, 2),
        y=round(HEIGHT - height, 1),
        height=round(height, 1),
        label=_reason(night) if night is odd else "",
        anchor="end" if x > WIDTH * 0.75 else "start",
    )


def _odd(nights: Sequence[Night]) -> Night | None:
    """Return the night after tonight that stands out, if one does."""
    later = nights[1:]
    usual = median([night.rows for night in later]) if later else 0
    most = max(later, key=lambda night: night.rows, default=None)
    if most is None or most.rows < ODD_ROWS or most.rows < ODD * max(usual, 1):
        return None
    return most


def _reason(night: Night) -> str:
    name, rows = max(night.by_policy, key=lambda part: part[1])
    which = f"all by {name}" if rows == night.rows else f"{rows:,} of them by {name}"
    return f"{night.rows:,}, {which}"
