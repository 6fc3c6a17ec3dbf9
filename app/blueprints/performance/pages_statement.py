"""One statement's page, the page of an operator's plan, and the list as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.amounts import many
from app.blueprints.performance import pages_wording as wording
from app.blueprints.performance.pages_drawing import Histogram, histogram
from app.blueprints.performance.pages_filters import moment
from app.blueprints.performance.pages_sql import Piece, lines
from app.blueprints.performance.pages_statements import starts
from app.blueprints.performance.pages_titles import title
from app.blueprints.performance.views import PlanView, StatementView
from app.clock import rfc3339
from app.database.tracking.figures import ProcessFigures, StatementFigures
from app.database.tracking.watch import current_watcher
from app.version import VERSION

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# A title is the page's name and must leave room for the rest of the head.
LONGEST_TITLE = 70
# A spreadsheet would run what begins with one of these (OWASP, CSV injection).
FORMULA_STARTS = tuple("=+-@\t\r\n|%＝＋－＠")
CSV_COLUMNS = (
    "fingerprint",
    "statement",
    "share",
    "count",
    "total_ms",
    "avg_ms",
    "min_ms",
    "max_ms",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "rows",
    "slow_count",
    "errors",
    "last_seen",
    "issued_at",
)


@dataclass(frozen=True)
class StatementPage:
    """What the page of a statement shows beside its view."""

    view: StatementView
    title: str
    lines: list[list[Piece]]
    rows: str
    histogram: Histogram
    database: str
    plan_of: str
    marks: Mapping[datetime, str]


def of(
    view: StatementView, processes: Sequence[ProcessFigures], dialect: str, now: datetime
) -> StatementPage:
    """Make the page of a statement."""
    figures, detail = view.detail.figures, view.detail
    words = title(figures.text).words
    return StatementPage(
        view=view,
        title=words if len(words) <= LONGEST_TITLE else f"{words[:LONGEST_TITLE]}…",
        lines=lines(figures.text),
        rows=_rows(figures),
        histogram=histogram(detail.histogram, figures.timing),
        database=DATABASES.get(dialect, dialect),
        plan_of=_plan_of(view, now),
        marks=starts(detail.series, processes, VERSION),
    )


def _rows(figures: StatementFigures) -> str:
    """Write how many rows one run gives."""
    return (
        wording.figure(figures.rows / figures.timing.count).removesuffix(".0")
        if figures.timing.count
        else "0"
    )


def _plan_of(view: StatementView, now: datetime) -> str:
    slowest = next((sample for sample in view.samples if sample.plan is not None), None)
    if slowest is None or view.plan is None:
        return "as it plans now" if view.plan else ""
    when = moment(slowest.created_at, now)
    return f"slowest run, {'today ' if slowest.created_at.date() == now.date() else ''}{when} UTC"


def plan_words(view: PlanView | None) -> dict[str, Any]:
    """Return what the page of an operator's plan says around it."""
    dialect = current_watcher().engine.dialect.name
    words = {
        "database": DATABASES.get(dialect, dialect),
        "placeholder": "?" if dialect == "sqlite" else "%s",
        "verdict": "",
    }
    if view is not None:
        number = len(view.plan.findings)
        words["verdict"] = f"{many(number, 'finding')}" if number else "nothing is wrong with it"
    return words


def as_csv(found: Iterable[StatementFigures]) -> str:
    """Write statements as CSV, safe to open in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for figures in found:
        writer.writerow(map(_cell, _values(figures)))
    return text.getvalue()


def _values(figures: StatementFigures) -> tuple[object, ...]:
    timing = figures.timing
    return (
        figures.fingerprint,
        figures.text,
        round(figures.share, 6),
        timing.count,
        *(
            round(value, 3)
            for value in (
                timing.total_ms,
                timing.avg_ms,
                timing.min_ms,
                timing.max_ms,
                timing.p50_ms,
                timing.p95_ms,
                timing.p99_ms,
            )
        ),
        figures.rows,
        figures.slow_count,
        figures.errors,
        rfc3339(figures.last_seen),
        figures.callers[0].line if figures.callers else "",
    )


def _cell(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
