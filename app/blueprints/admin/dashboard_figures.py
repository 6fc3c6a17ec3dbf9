"""What the dashboard shows, read once: for its page, for `GET /admin/api/metrics` and for each chart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from zlib import crc32
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Connection, func, select

from app.blueprints.admin import wording
from app.blueprints.admin.wording import Kind
from app.config import current_settings
from app.database.gauges import measure
from app.database.tracking.watch import current_watcher
from app.errors import ClientError, FieldError
from app.extensions import db
from app.models import Project, Screenshot
from app.models.rollup.periods import Periods
from app.models.rollup.reading import OPEN, Reader, Responses
from app.observability.resources import disk_gauges

DAY = timedelta(days=1)
MOST_DAYS = 365
GROWTH_SPAN = timedelta(days=7)
OWN_COLOURS = (6, 7, 8)  # of the tokens --chart-N; 1-5 are the default categories'
KIND_COLOURS = {"bug": 1, "idea": 2, "question": 3, "praise": 4, "other": 5}


@dataclass(frozen=True)
class Scope:
    """Which project is looked at, and what its categories are called; `id` None is all of them."""

    id: int | None
    key: str
    name: str
    kinds: Mapping[str, Kind]


@dataclass(frozen=True)
class Storage:
    """What is kept, in bytes; None for what is not on this machine or cannot be told."""

    database_bytes: int
    pictures: int
    picture_bytes: int
    largest_picture_bytes: int
    disk_free_bytes: int | None
    disk_total_bytes: int | None
    days_until_full: float | None


@dataclass(frozen=True)
class Flow:
    """What waits, by day (UTC): open at its end, and how long answers and settling took."""

    days: tuple[date, ...]
    open_at_end: tuple[int, ...]
    responses: Responses

    def medians(self, measure: str) -> list[float | None]:
        """Return each day's median in seconds."""
        return [self.responses.median(measure, one, one + DAY) for one in self.days]


def scope_of(project: str) -> Scope:
    """Return the project of this public key, or all for an empty one. Raises ClientError 422."""
    if not project:
        return Scope(None, "", "All projects", wording.DEFAULT_KINDS)
    row = db.session.execute(
        select(Project.id, Project.name, Project.categories).where(Project.public_key == project)
    ).first()
    if row is None:
        raise _wrong("project", "is not the key of a project")
    return Scope(row.id, project, row.name, wording.kinds_of(row.categories))


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name in the IANA database. Raises ClientError 422."""
    if name not in _zones():
        raise _wrong("tz", "is no time zone, such as Europe/Stockholm")
    return ZoneInfo(name)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _wrong(field: str, message: str) -> ClientError:
    return ClientError(422, "validation_failed", "Some fields are not right.", [FieldError(field, message)])


def with_before(over: Periods) -> Periods:
    """Return the periods with as many days before them as their first one, to compare with."""
    return Periods(over.days, over.step, over.zone, (over.before(), *over.starts), over.now)


def flow(reader: Reader, boxes: Mapping[str, tuple[int, int]], over: Periods) -> Flow:
    """Return what waited on each day of the range and of as many before it, counted back from now."""
    first = over.now.date() - (2 * over.days - 1) * DAY
    days = tuple(first + place * DAY for place in range(2 * over.days))
    created, responses = reader.created_by_day(first), reader.responses(first)
    waiting = sum(boxes.get(status, (0, 0))[0] for status in OPEN)
    ends: list[int] = []
    for one in reversed(days):
        ends.append(max(0, waiting))
        waiting += responses.number("settle", one) - created[one]
    return Flow(days, tuple(reversed(ends)), responses)


def storage(connection: Connection, now: datetime) -> Storage:
    """Measure what is kept: of all projects, for a disk knows none."""
    watcher = current_watcher()
    pictures = connection.execute(
        select(
            func.count(Screenshot.id),
            func.coalesce(func.sum(Screenshot.size_bytes), 0),
            func.coalesce(func.max(Screenshot.size_bytes), 0),
        )
    ).one()
    local = current_settings().database_url is None
    disk = disk_gauges({"database": current_settings().instance_path if local else None})["database"]
    growth = measure.growth(watcher.statistics.samples(now - GROWTH_SPAN))
    return Storage(
        database_bytes=measure.database_gauges(watcher.engine, (), now).size_bytes,
        pictures=int(pictures[0]),
        picture_bytes=int(pictures[1]),
        largest_picture_bytes=int(pictures[2]),
        disk_free_bytes=None if disk is None else disk.free,
        disk_total_bytes=None if disk is None else disk.total,
        days_until_full=None if disk is None else measure.days_until_full(disk.free, growth),
    )


def ordered(kinds: Mapping[str, Kind], found: Mapping[str, Sequence[int]]) -> list[str]:
    """Return the categories that were found: the project's in their order, others behind them."""
    known = [key for key in (*wording.DEFAULT_KINDS, *kinds) if key in found]
    return [*dict.fromkeys(known), *sorted(set(found) - set(known))]


def colour_of(category: str) -> int:
    """Return the number of a category's colour, the same everywhere and always."""
    return KIND_COLOURS.get(category) or OWN_COLOURS[crc32(category.encode()) % len(OWN_COLOURS)]


def totals(found: Mapping[str, Sequence[int]], first: int = 0) -> list[int]:
    """Return the sums of all categories by period, from the period `first` on."""
    length = max((len(counts) for counts in found.values()), default=0)
    return [sum(counts[at] for counts in found.values()) for at in range(first, length)]
