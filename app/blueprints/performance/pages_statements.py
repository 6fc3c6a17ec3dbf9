"""Rows of statements as the tables show them, with their course over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import Row, func, select

from app.blueprints.performance.pages_drawing import sparkline
from app.blueprints.performance.pages_sql import brief
from app.blueprints.performance.pages_titles import title
from app.database.tracking.figures import Point, ProcessFigures, StatementFigures
from app.database.tracking.scope import ignored
from app.database.tracking.statistics import READ_BY_MINUTE, Statistics, window_start
from app.database.tracking.tables import HOUR, MINUTE

# Points of a sparkline: it is some 90 pixels wide.
MOST_POINTS = 48


@dataclass(frozen=True)
class StatementRow:
    """One statement: its figures, its text on one line, its name in words, where it is issued."""

    figures: StatementFigures
    brief: str
    title: str
    line: str
    line_short: str
    href: str
    spark: str = ""


def rows_of(
    found: Sequence[StatementFigures], since: str | None, courses: Mapping[str, Sequence[float]] | None = None
) -> list[StatementRow]:
    """Make the rows of a table; `since` goes on in their links."""
    return [_row(figures, since, (courses or {}).get(figures.fingerprint, ())) for figures in found]


def _row(figures: StatementFigures, since: str | None, course: Sequence[float]) -> StatementRow:
    line = figures.callers[0].line if figures.callers else ""
    return StatementRow(
        figures,
        brief(figures.text),
        title(figures.text).words,
        line,
        short_line(line),
        url_for("performance.statement", fingerprint=figures.fingerprint, since=since),
        sparkline(course),
    )


def starts(series: Sequence[Point], processes: Sequence[ProcessFigures], version: str) -> dict[datetime, str]:
    """Mark the step of a series in which the oldest process began: what changed then may be a new version."""
    began = min((process.started_at for process in processes), default=None)
    steps = [point.start for point in series if began is not None and point.start <= began]
    if began is None or not steps:
        return {}
    return {steps[-1]: f"Earmark {version} started, {began:%H:%M} UTC"}


def short_line(line: str) -> str:
    """Leave the folders before the last two names away: `inbox/list.py:140`."""
    return "/".join(line.split("/")[-2:]) if line else "–"


def courses(
    statistics: Statistics, fingerprints: Sequence[str], since: datetime, now: datetime
) -> dict[str, list[float]]:
    """Return the average milliseconds of statements in each step of the span; 0 where one did not run."""
    seconds = MINUTE if now - since <= READ_BY_MINUTE else HOUR
    table, start = statistics.tables.statements, window_start(since, seconds)
    query = (
        select(
            table.c.fingerprint,
            table.c.start,
            func.sum(table.c.total_us).label("total_us"),
            func.sum(table.c.count).label("runs"),
        )
        .where(table.c.seconds == seconds, table.c.start >= start, table.c.fingerprint.in_(fingerprints))
        .group_by(table.c.fingerprint, table.c.start)
    )
    with ignored(), statistics.engine.connect() as connection:
        found = connection.execute(query).all() if fingerprints else []
    width = max(timedelta(seconds=seconds), (now - start) / MOST_POINTS)
    return _stepped(found, start, width, int((now - start) / width) + 1)


def _stepped(
    found: Sequence[Row[Any, Any, Any, Any]], start: datetime, width: timedelta, steps: int
) -> dict[str, list[float]]:
    """Add the windows up that fall into one step; found rows are those of `courses`."""
    sums: dict[str, list[tuple[float, int]]] = {}
    for row in found:
        course = sums.setdefault(row.fingerprint, [(0.0, 0)] * steps)
        at = min(int((row.start - start) / width), steps - 1)
        course[at] = (course[at][0] + float(row.total_us) / 1000, course[at][1] + int(row.runs))
    return {
        fingerprint: [total_ms / runs if runs else 0.0 for total_ms, runs in course]
        for fingerprint, course in sums.items()
    }
