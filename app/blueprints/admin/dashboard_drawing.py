"""Figures as geometry for the dashboard's SVG: sparklines, and a bar in pieces. Nothing needs a script."""

from collections.abc import Sequence
from dataclasses import dataclass

# The box of a sparkline in pixels, and what its line keeps clear of each edge for the dot at its end.
WIDTH, HEIGHT, CLEAR = 92.0, 28.0, 3.0
MOST_POINTS = 15  # more of them say noise, not a course
GAP = 0.35  # per cent of the width between two pieces
LEAST = 0.4


@dataclass(frozen=True)
class Piece:
    """A piece of a bar: where it begins and how wide it is, in per cent."""

    x: float
    width: float


def sparkline(values: Sequence[float | None]) -> str:
    """Return the points of a line through the means of a few groups of values; empty for fewer than two."""
    size = max(1, -(-len(values) // MOST_POINTS))
    groups = [
        [one for one in values[at : at + size] if one is not None] for at in range(0, len(values), size)
    ]
    known = [(at, sum(group) / len(group)) for at, group in enumerate(groups) if group]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    first, last = known[0][0], known[-1][0]
    across = (WIDTH - 2 * CLEAR) / (last - first)
    up = (HEIGHT - 2 * CLEAR) / ((high - low) or 1)
    return " ".join(
        f"{CLEAR + (at - first) * across:.1f},{HEIGHT - CLEAR - (value - low) * up:.1f}"
        for at, value in known
    )


def pieces(counts: Sequence[float], whole: float | None = None) -> list[Piece]:
    """Lay counts side by side in a bar that stands for `whole`, by default for all of them."""
    total = sum(counts) if whole is None else whole
    found, x = [], 0.0
    for count in counts:
        width = 100 * count / total if total else 0.0
        shown = max(LEAST, width - GAP) if count else 0.0
        found.append(Piece(round(x, 2), round(shown, 2)))
        x += width
    return found
