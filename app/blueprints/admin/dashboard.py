"""`/admin/dashboard`: four numbers, submissions over time and by what they say, what waits, storage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.blueprints.admin import dashboard_figures as figures
from app.blueprints.admin import dashboard_wording as words
from app.blueprints.admin import wording
from app.blueprints.admin.dashboard_charts import AGE_NAMES, NOT_TOLD, Asked
from app.blueprints.admin.dashboard_drawing import Piece, pieces, sparkline
from app.blueprints.admin.dashboard_figures import MOST_DAYS, Flow, Scope
from app.blueprints.admin.dashboard_links import Links, browser_terms, page_terms
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.wording import BOX_BY_KEY, Kind
from app.clock import utc_now
from app.database.transactions import snapshot
from app.errors import ClientError, FieldError
from app.extensions import db
from app.models import Project
from app.models.rollup.periods import Periods, periods
from app.models.rollup.reading import OPEN, Reader, Told
from app.rail import load_rail

RANGES = ((7, "7 days"), (30, "30 days"), (84, "12 weeks"), (365, "12 months"))
DEFAULT_DAYS = 30
MOST_BARS = 5
MOST_BARS_OPENED = 25
MOST_MARKS = 3
DAY = timedelta(days=1)
MEDIANS = {
    "answer": ("First answer, median", "answered"),
    "settle": ("Time to settle, median", "settled"),
}
STEP_NAMES = {"hour": "an hour", "day": "a day", "week": "a week", "month": "a month"}


@dataclass(frozen=True)
class Number:
    """One of the four numbers: its parts with their units, how it changed, its line, and where it leads."""

    name: str
    parts: tuple[tuple[str, str], ...]
    change: str
    tone: str
    line: str
    href: str


@dataclass(frozen=True)
class Column:
    """A period of the wide chart: its number by category, and where each leads."""

    label: str
    title: str
    href: str
    counts: tuple[tuple[int, str], ...]
    mark: str


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


@dataclass(frozen=True)
class Address:
    """What the page's own address asks for."""

    days: int
    project: str
    tz: str

    def query(self, **changes: Any) -> dict[str, Any]:
        """Return the address's words, changed; what is usual is left out."""
        found = {"days": self.days, "project": self.project, "tz": self.tz} | changes
        usual = {"days": DEFAULT_DAYS, "project": "", "tz": ""}
        return {name: value for name, value in found.items() if value != usual[name]}


@blueprint.get("/dashboard")
def dashboard() -> ResponseReturnValue:
    """Show the figures of a range of days, for one project or all, in the viewer's time zone."""
    address = _address()
    scope, zone, now = figures.scope_of(address.project), _zone(address.tz), utc_now()
    rail = load_rail("dashboard")
    over = periods(address.days, zone, now)
    with snapshot(db.engine) as connection:
        page = _page(Asked(connection, scope, over))
    return render_template(
        "admin/dashboard.html",
        rail=rail,
        scope=scope,
        zone=str(zone),
        asked_zone=address.tz,
        days=address.days,
        ranges=[
            {"label": label, "href": _here(address, days=days), "current": days == address.days}
            for days, label in RANGES
        ],
        projects=_projects(address),
        page=page,
        csv=lambda name: _csv(name, address, zone),
    )


def _address() -> Address:
    args = request.args
    days = args.get("days", str(DEFAULT_DAYS))
    if not (days.isascii() and days.isdigit() and len(days) <= 3 and 1 <= int(days) <= MOST_DAYS):
        fault = FieldError("days", f"is a number from 1 to {MOST_DAYS}")
        raise ClientError(422, "validation_failed", "This address asks for no dashboard.", [fault])
    return Address(int(days), args.get("project", ""), args.get("tz", ""))


def _zone(asked: str) -> ZoneInfo:
    """Return the zone that the address names, else the one that the browser said by its cookie, else UTC."""
    if asked:
        return figures.zone_of(asked)
    try:
        return figures.zone_of(request.cookies.get("zone", "UTC"))
    except ClientError:
        return ZoneInfo("UTC")


def _here(address: Address, **changes: Any) -> str:
    return url_for("admin.dashboard", **address.query(**changes))


def _csv(name: str, address: Address, zone: ZoneInfo) -> str:
    query = address.query(tz=str(zone)) | {"format": "csv"}
    return url_for("admin_api.chart", name=name, **query)


def _projects(address: Address) -> list[dict[str, Any]]:
    rows = db.session.execute(
        select(Project.public_key, Project.name).where(Project.is_active).order_by(Project.name, Project.id)
    )
    return [
        {"label": label, "href": _here(address, project=key), "current": key == address.project}
        for key, label in (("", "All projects"), *rows)
    ]


def _page(asked: Asked) -> dict[str, Any]:
    reader, scope, over = asked.reader, asked.scope, asked.over
    links = Links(scope.key)
    boxes = reader.boxes()
    found = reader.submissions(figures.with_before(over))
    counts = {key: values[1:] for key, values in found.items() if any(values[1:])}
    told = reader.told(over.since)
    flow = figures.flow(reader, boxes, over)
    return {
        "numbers": _numbers(found, boxes, flow, over, links),
        "kinds": [_legend(scope, key) for key in figures.ordered(scope.kinds, counts)],
        "columns": _columns(reader, counts, asked, links),
        "step": STEP_NAMES[over.step],
        "summary": _summary(counts, over),
        "lists": _lists(counts, told, asked, links),
        "ages": _ages(reader, boxes, over.now, links),
        "unread": {"count": boxes.get("open", (0, 0))[1], "href": links.unread()},
        "responses": _responses(flow, over),
        "storage": _storage(asked, links),
        "never": not any(count for count, _ in boxes.values()) and not counts,
    }


def _numbers(
    found: dict[str, list[int]],
    boxes: dict[str, tuple[int, int]],
    flow: Flow,
    over: Periods,
    links: Links,
) -> list[Number]:
    every = figures.totals(found) or [0, 0]
    new, before = sum(every[1:]), every[0]
    waiting, in_progress = (boxes.get(status, (0, 0))[0] for status in OPEN)
    then = flow.open_at_end[over.days - 1]
    place = f"last {over.days} days" if over.days > 1 else "today"
    both = " and in progress" if in_progress else ""
    return [
        Number(
            f"New, {place}",
            ((wording.number(new), ""),),
            words.more_or_fewer(new, before, "before"),
            "",
            sparkline(every[1:]),
            links.sent(over.since),
        ),
        Number(
            f"Open{both}",
            ((wording.number(waiting + in_progress), ""),),
            words.more_or_fewer(waiting + in_progress, then, f"{words.many(over.days, 'day')} ago"),
            "",
            sparkline(flow.open_at_end[-over.days :]),
            links.waiting(in_progress),
        ),
        _median("answer", flow, over, links),
        _median("settle", flow, over, links),
    ]


def _median(measure: str, flow: Flow, over: Periods, links: Links) -> Number:
    name, term = MEDIANS[measure]
    middle = flow.days[over.days]
    now = flow.responses.median(measure, middle, flow.days[-1] + DAY)
    before = flow.responses.median(measure, flow.days[0], middle)
    change, tone = words.faster_or_slower(now, before)
    parts = words.duration_parts(now) if now is not None else (("–", ""),)
    since = datetime(middle.year, middle.month, middle.day, tzinfo=UTC)
    line = sparkline(flow.medians(measure)[-over.days :])
    return Number(name, parts, change, tone, line, links.responded(term, since))


def _legend(scope: Scope, key: str) -> dict[str, Any]:
    return {
        "key": key,
        "label": wording.kind_of(dict(scope.kinds), key).label,
        "colour": figures.colour_of(key),
    }


def _columns(reader: Reader, counts: dict[str, list[int]], asked: Asked, links: Links) -> list[Column]:
    over = asked.over
    keys = figures.ordered(asked.scope.kinds, counts)
    marks, named = _marks(reader, over), _named(over)
    columns = []
    for at, local in enumerate(over.local_starts):
        label, title = words.period(local, over.step)
        since, until = over.starts[at], None if at + 1 == len(over.starts) else over.end(at)
        columns.append(
            Column(
                label="" if at not in named else "today" if until is None and over.step == "day" else label,
                title=title,
                href=links.sent(since, until),
                counts=tuple((counts[key][at], links.sent(since, until, category=key)) for key in keys),
                mark=marks.get(at, ""),
            )
        )
    return columns


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
    found: dict[int, str] = {}
    releases = sorted(reader.releases(over.since + DAY).items(), key=lambda item: (item[1], item[0]))
    for release, day in releases[-MOST_MARKS:]:
        found[max(0, over.index(_noon(day)))] = f"{release} released"
    return found


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _summary(counts: dict[str, list[int]], over: Periods) -> str:
    every = figures.totals(counts)
    if not any(every):
        return "No submissions in this time."
    most = max(range(len(every)), key=every.__getitem__)
    when = words.period(over.local_starts[most], over.step)[1]
    total = words.many(sum(every), "submission")
    return f"{total}; the most in {STEP_NAMES[over.step]}: {wording.number(every[most])}, {when}."


def _lists(counts: dict[str, list[int]], told: Told, asked: Asked, links: Links) -> list[BarList]:
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
        for label, count, terms, kind in rows
    )
    return BarList(key, title, key, bars[:MOST_BARS], bars[MOST_BARS:MOST_BARS_OPENED], len(bars))


def _ages(reader: Reader, boxes: dict[str, tuple[int, int]], now: datetime, links: Links) -> dict[str, Any]:
    counts = reader.ages(now)
    terms = (
        ("age:<1d",),
        ("age:>1d", "age:<3d"),
        ("age:>3d", "age:<7d"),
        ("age:>7d", "age:<4w"),
        ("age:>4w",),
    )
    in_progress = boxes.get("in_progress", (0, 0))[0]
    oldest = reader.oldest()
    parts: list[Piece] = pieces(counts)
    return {
        "total": sum(counts),
        "groups": [
            {"name": name, "count": count, "href": links.waiting(in_progress, *term), "piece": piece}
            for name, count, term, piece in zip(AGE_NAMES, counts, terms, parts, strict=True)
        ],
        "oldest": oldest and words.duration((now - oldest).total_seconds()),
        "oldest_href": oldest and links.waiting(in_progress, sort="oldest"),
    }


def _responses(flow: Flow, over: Periods) -> list[dict[str, Any]]:
    names = {"answer": "First answer", "settle": "Time to settle"}
    days = flow.days[-over.days :]
    return [
        {
            "day": day,
            "label": words.day(day),
            "title": words.long_day(day),
            "values": [
                None if (value := flow.responses.median(measure, day, day + DAY)) is None else value / 3600
                for measure in names
            ],
        }
        for day in days
    ]


def _storage(asked: Asked, links: Links) -> dict[str, Any]:
    found = figures.storage(asked.connection, asked.over.now)
    free = found.disk_free_bytes
    whole = found.database_bytes + found.picture_bytes + (free or 0)
    shares = pieces([found.database_bytes, found.picture_bytes], whole)
    return {
        "database": words.size(found.database_bytes),
        "pictures": wording.number(found.pictures),
        "pictures_size": words.size(found.picture_bytes),
        "pictures_href": links.pictures(),
        "free": "not on this machine" if free is None else words.size(free),
        "full": words.until_full(found.days_until_full),
        "pieces": shares,
    }
