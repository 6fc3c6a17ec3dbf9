"""Annotations as SVG: the same geometry, sizes and halo as the widget draws on its canvas.

Shapes were checked when they were taken (app/blueprints/intake/submission.py), yet nothing here trusts
more than their kind: a shape that cannot be drawn is left out.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Of js/widget/draw.js, in CSS pixels of the picture.
TEXT_LINE = 24
TEXT_BASELINE = 18
ARROW_HEAD = 22
BARB_TURN = 0.56
DEFAULT_COLOR = "#d63a0f"  # --drawn of tokens.css

Point = tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """One shape: a path that is stroked or filled, or lines of text at a place."""

    color: str
    path: str = ""
    filled: bool = False
    lines: tuple[tuple[str, str], ...] = ()
    x: str = ""


def drawn(shapes: Sequence[dict[str, Any]] | None) -> list[Mark]:
    """Return what can be drawn of `annotation_coords`."""
    return [mark for shape in shapes or () if (mark := _mark(shape)) is not None]


def _mark(shape: dict[str, Any]) -> Mark | None:
    color = str(shape.get("color") or "")
    color = color if re.fullmatch(r"#[0-9a-fA-F]{6}", color) else DEFAULT_COLOR
    try:
        points = [(float(x), float(y)) for x, y in shape["points"]]
        return _MAKERS[shape["kind"]](points, color, str(shape.get("text") or ""))
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _rectangle(points: list[Point], color: str, _text: str) -> Mark:
    return Mark(color, _box(points))


def _highlight(points: list[Point], color: str, _text: str) -> Mark:
    return Mark(color, _box(points), filled=True)


def _pen(points: list[Point], color: str, _text: str) -> Mark:
    return Mark(color, _line(points))


def _arrow(points: list[Point], color: str, _text: str) -> Mark:
    (x1, y1), (x2, y2) = points
    angle = math.atan2(y2 - y1, x2 - x1)
    length = min(ARROW_HEAD, math.hypot(x2 - x1, y2 - y1) / 2)
    barbs = [
        (x2 - length * math.cos(angle + turn), y2 - length * math.sin(angle + turn))
        for turn in (BARB_TURN, -BARB_TURN)
    ]
    return Mark(color, _line([(x1, y1), (x2, y2), barbs[0], (x2, y2), barbs[1]]))


def _text(points: list[Point], color: str, text: str) -> Mark:
    x, y = points[0]
    lines = enumerate(text.split("\n"))
    return Mark(
        color, lines=tuple((_n(y + TEXT_BASELINE + at * TEXT_LINE), line) for at, line in lines), x=_n(x)
    )


_MAKERS = {
    "rectangle": _rectangle,
    "highlight": _highlight,
    "pen": _pen,
    "arrow": _arrow,
    "text": _text,
}


def _box(points: list[Point]) -> str:
    (x1, y1), (x2, y2) = points
    return f"M{_n(x1)} {_n(y1)}H{_n(x2)}V{_n(y2)}H{_n(x1)}Z"


def _line(points: list[Point]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _n(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError("not a place")
    return f"{value:.1f}".removesuffix(".0")
