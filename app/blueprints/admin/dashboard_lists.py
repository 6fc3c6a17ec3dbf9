"""The dashboard's lists of bars: what submissions say of themselves, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.blueprints.admin import dashboard_figures as figures
from app.blueprints.admin import wording
from app.blueprints.admin.dashboard_charts import NOT_TOLD, Asked
from app.blueprints.admin.dashboard_links import Links, browser_terms, page_terms
from app.blueprints.admin.wording import BOX_BY_KEY, Kind
from app.models.rollup.reading import Told

MOST_BARS = 5
MOST_BARS_OPENED = 25


@dataclass(frozen=True)
class Bar:
    """One row of a bar list; `share` of the longest, in per cent."""

    label: str
    count: int
    share: float
    href: str | None
    kind: Kind | None = None


@dataclass(frozen=True)
class BarList:
    """A list of bars; `more` stands folded below the first."""

    key: str
    title: str
    csv: str
    bars: tuple[Bar, ...]
    more: tuple[Bar, ...]
    all: int


def lists(counts: dict[str, list[int]], told: Told, asked: Asked, links: Links) -> list[BarList]:
    """Return the lists of a range; `counts` are by category and period, `told` since its beginning."""
    since = asked.over.since
    kinds = dict(asked.scope.kinds)
    categories = [
        (wording.kind_of(kinds, key).label, sum(counts[key]), {"category": key}, wording.kind_of(kinds, key))
        for key in figures.ordered(kinds, counts)
    ]
    statuses = [
        (BOX_BY_KEY[status].label, count, {"status": status}, None)
        for status, count in sorted(told.counts["status"].items(), key=lambda item: -item[1])
    ]

    def facts(fact: str, terms: Any, label: Any = str) -> list[tuple[str, int, Any, None]]:
        return [
            (label(value) if value else NOT_TOLD, count, terms(value) if value else None, None)
            for value, count in told.top(fact)
        ]

    ratings = facts("rating", lambda value: {"rating": value}, _stars)
    hosts = {value.partition("/")[0] for value in told.counts["page"] if value}
    pages = facts(
        "page", page_terms, lambda page: page if len(hosts) > 1 else page[len(page.partition("/")[0]) :]
    )
    made: dict[tuple[str, str], Sequence[Any]] = {
        ("categories", "Category"): categories,
        ("pages", "Page"): pages,
        ("browsers", "Browser"): facts("browser", browser_terms),
        ("releases", "Release"): facts("release", lambda value: {"release": value}),
        ("statuses", "Status"): statuses,
        ("ratings", "Rating"): sorted(ratings, key=lambda row: (row[2] is not None, row[0]), reverse=True),
    }
    return [_bars(key, title, rows, since, links) for (key, title), rows in made.items()]


def _stars(value: str) -> str:
    return f"{value} of 5, {wording.RATINGS[int(value)]}"


def _bars(key: str, title: str, rows: Sequence[Any], since: datetime, links: Links) -> BarList:
    # What is not told may be most of all; it is no measure for the others.
    longest = max((count for _, count, terms, _ in rows if terms is not None), default=1)
    bars = tuple(
        Bar(
            label,
            count,
            min(100.0, round(100 * count / longest, 1)),
            None if terms is None else links.sent(since, **terms),
            kind,
        )
        # There may be thousands of pages; links to those that are not shown took half of the page's time.
        for label, count, terms, kind in rows[:MOST_BARS_OPENED]
    )
    return BarList(key, title, key, bars[:MOST_BARS], bars[MOST_BARS:], len(rows))
