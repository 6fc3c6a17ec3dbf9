"""The dashboard's wide chart: submissions by period and category, and when releases were first heard of."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from app.blueprints.admin import dashboard_figures as figures
from app.blueprints.admin import dashboard_wording as words
from app.blueprints.admin import wording
from app.blueprints.admin.dashboard_charts import Asked
from app.blueprints.admin.dashboard_figures import Scope
from app.blueprints.admin.dashboard_links import Links
from app.models.rollup.periods import DAY, Periods
from app.models.rollup.reading import Reader

MOST_MARKS = 3
STEP_NAMES = {"hour": "an hour", "day": "a day", "week": "a week", "month": "a month"}


@dataclass(frozen=True)
class Column:
    """A period of the wide chart: its number by category, and where each leads."""

    label: str
    title: str
    href: str
    counts: tuple[tuple[int, str], ...]
    mark: str


def legend(scope: Scope, key: str) -> dict[str, Any]:
    """Return what a category is called, and the number of its colour."""
    return {
        "key": key,
        "label": wording.kind_of(dict(scope.kinds), key).label,
        "colour": figures.colour_of(key),
    }


def columns(reader: Reader, counts: dict[str, list[int]], asked: Asked, links: Links) -> list[Column]:
    """Return the periods of the range with their numbers by category (`counts`)."""
    over = asked.over
    keys = figures.ordered(asked.scope.kinds, counts)
    marks, named = _marks(reader, over), _named(over)
    found = []
    for at, local in enumerate(over.local_starts):
        label, title = words.period(local, over.step)
        since, until = over.starts[at], None if at + 1 == len(over.starts) else over.end(at)
        found.append(
            Column(
                label="" if at not in named else "today" if until is None and over.step == "day" else label,
                title=title,
                href=links.sent(since, until),
                counts=tuple((counts[key][at], links.sent(since, until, category=key)) for key in keys),
                mark=marks.get(at, ""),
            )
        )
    return found


def _named(over: Periods) -> frozenset[int]:
    """Choose which points the axis names: Mondays where there are many days, each few for other steps."""
    every = range(len(over.starts))
    if over.step == "day" and len(every) > 10:
        mondays = [at for at in every if over.local_starts[at].weekday() == 0]
        # What stands too near to the last one would lie on it.
        return frozenset(
            [*(at for at in mondays[:: -max(1, len(mondays) // 5)] if at < len(every) - 3), every[-1]]
        )
    return frozenset(every[:: -max(1, len(every) // 13)])


def _marks(reader: Reader, over: Periods) -> dict[int, str]:
    """Say in which period a release was first heard of; the latest few, for more would hide the chart."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    releases = sorted(reader.releases(over.since + DAY).items(), key=lambda item: (item[1], item[0]))
    for release, day in releases[-MOST_MARKS:]:
        found[max(0, over.index(_noon(day)))].append(release)
    return {at: f"{', '.join(names)} released" for at, names in found.items()}


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def summary(counts: dict[str, list[int]], over: Periods) -> str:
    """Say the chart's main point."""
    every = figures.totals(counts)
    if not any(every):
        return "No submissions in this time."
    most = max(range(len(every)), key=every.__getitem__)
    when = words.period(over.local_starts[most], over.step)[1]
    total = words.many(sum(every), "submission")
    return f"{total}; the most in {STEP_NAMES[over.step]}: {wording.number(every[most])}, {when}."
