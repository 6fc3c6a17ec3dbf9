"""The charts by name: labels and series of numbers, the same for the page, the API and CSV."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from app.blueprints.admin import dashboard_figures as figures
from app.blueprints.admin import wording
from app.blueprints.admin.dashboard_figures import Scope
from app.models.feedback import STATUSES
from app.models.rollup.periods import Periods
from app.models.rollup.reading import AGES, Reader

NOT_TOLD = "not told"
AGE_NAMES = ("Under a day", "1 to 3 days", "3 to 7 days", "1 to 4 weeks", "Over 4 weeks")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Series:
    """Numbers under one name; None where there is none to be had."""

    key: str
    label: str
    values: tuple[float | int | None, ...]


@dataclass(frozen=True)
class Chart:
    """A chart: what its points are called, and its series, each of as many numbers."""

    name: str
    title: str
    unit: str
    points: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Asked:
    """What a chart is asked for: how much, of which project, on which snapshot."""

    connection: Connection
    scope: Scope
    over: Periods

    @property
    def reader(self) -> Reader:
        """A reader of the project."""
        return Reader(self.connection, self.scope.id)


def _submissions(asked: Asked) -> Chart:
    found = asked.reader.submissions(asked.over)
    keys = figures.ordered(asked.scope.kinds, found)
    series = tuple(
        Series(key, wording.kind_of(dict(asked.scope.kinds), key).label, tuple(found[key])) for key in keys
    )
    labels = tuple(start.isoformat() for start in asked.over.local_starts)
    return Chart(
        "submissions", f"Submissions by {asked.over.step}", "submissions", asked.over.step, labels, series
    )


def _categories(asked: Asked) -> Chart:
    found = asked.reader.submissions(asked.over)
    kinds = dict(asked.scope.kinds)
    counts = {wording.kind_of(kinds, key).label: sum(found[key]) for key in figures.ordered(kinds, found)}
    return _bars("categories", "Submissions by category", "category", counts)


def _statuses(asked: Asked) -> Chart:
    found = asked.reader.told(asked.over.since).counts["status"]
    counts = {status: found[status] for status in STATUSES if found[status]}
    return _bars("statuses", "Submissions by status", "status", counts)


def _told(name: str, fact: str) -> Callable[[Asked], Chart]:
    def chart(asked: Asked) -> Chart:
        told = asked.reader.told(asked.over.since)
        counts = {value or NOT_TOLD: count for value, count in told.top(fact)}
        return _bars(name, f"Submissions by {fact}", fact, counts)

    return chart


def _bars(name: str, title: str, points: str, counts: dict[str, int]) -> Chart:
    series = Series("submissions", "Submissions", tuple(counts.values()))
    return Chart(name, title, "submissions", points, tuple(counts), (series,))


def _response_times(asked: Asked) -> Chart:
    days = tuple(asked.over.now.date() - place * DAY for place in reversed(range(asked.over.days)))
    found = asked.reader.responses(days[0])

    def medians(measure: str) -> tuple[float | None, ...]:
        values = (found.median(measure, day, day + DAY) for day in days)
        return tuple(None if value is None else round(value, 1) for value in values)

    series = (
        Series("first_answer", "First answer, median", medians("answer")),
        Series("settle", "Time to settle, median", medians("settle")),
    )
    labels = tuple(day.isoformat() for day in days)
    return Chart("response_times", "Response times by day (UTC)", "seconds", "day", labels, series)


def _waiting(asked: Asked) -> Chart:
    reader = asked.reader
    flow = figures.flow(reader, reader.boxes(), asked.over)
    labels = tuple(day.isoformat() for day in flow.days[-asked.over.days :])
    series = Series("open", "Open at the end of the day", flow.open_at_end[-asked.over.days :])
    return Chart("open", "Open at the end of each day (UTC)", "submissions", "day", labels, (series,))


def _ages(asked: Asked) -> Chart:
    counts = asked.reader.ages(asked.over.now)
    assert len(counts) == len(AGES) + 1
    return _bars("ages", "Age of what is open", "age", dict(zip(AGE_NAMES, counts, strict=True)))


def _storage(asked: Asked) -> Chart:
    found = figures.storage(asked.connection, asked.over.now)
    sizes = {
        "Database": found.database_bytes,
        "Pictures": found.picture_bytes,
        "Free on this disk": found.disk_free_bytes,
    }
    series = Series("bytes", "Bytes", tuple(sizes.values()))
    return Chart("storage", "Storage", "bytes", "part", tuple(sizes), (series,))


CHARTS: dict[str, Callable[[Asked], Chart]] = {
    "submissions": _submissions,
    "categories": _categories,
    "statuses": _statuses,
    "pages": _told("pages", "page"),
    "browsers": _told("browsers", "browser"),
    "releases": _told("releases", "release"),
    "ratings": _told("ratings", "rating"),
    "response_times": _response_times,
    "open": _waiting,
    "ages": _ages,
    "storage": _storage,
}
