"""`/admin/dashboard`: four numbers, submissions over time and by what they say, what waits, storage."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.amounts import size
from app.blueprints.admin import dashboard_figures as figures
from app.blueprints.admin import dashboard_wording as words
from app.blueprints.admin import wording
from app.blueprints.admin.dashboard_charts import AGE_NAMES, Asked
from app.blueprints.admin.dashboard_drawing import Piece, pieces
from app.blueprints.admin.dashboard_figures import MOST_DAYS, Flow
from app.blueprints.admin.dashboard_links import Links
from app.blueprints.admin.dashboard_lists import lists
from app.blueprints.admin.dashboard_numbers import numbers
from app.blueprints.admin.dashboard_over_time import STEP_NAMES, columns, legend, summary
from app.blueprints.admin.inbox import blueprint
from app.clock import utc_now
from app.database.transactions import snapshot
from app.errors import ClientError, FieldError
from app.extensions import db
from app.models import Project
from app.models.rollup.periods import Periods, periods
from app.models.rollup.reading import Reader
from app.rail import load_rail

RANGES = ((7, "7 days"), (30, "30 days"), (84, "12 weeks"), (365, "12 months"))
DEFAULT_DAYS = 30
DAY = timedelta(days=1)


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
        "numbers": numbers(found, boxes, flow, over, links),
        "kinds": [legend(scope, key) for key in figures.ordered(scope.kinds, counts)],
        "columns": columns(reader, counts, asked, links),
        "step": STEP_NAMES[over.step],
        "summary": summary(counts, over),
        "lists": lists(counts, told, asked, links),
        "ages": _ages(reader, boxes, over.now, links),
        "unread": {"count": boxes.get("open", (0, 0))[1], "href": links.unread()},
        "responses": _responses(flow, over),
        "storage": _storage(asked, links),
        "never": not any(count for count, _ in boxes.values()) and not counts,
    }


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
        "database": size(found.database_bytes),
        "pictures": wording.number(found.pictures),
        "pictures_size": size(found.picture_bytes),
        "pictures_href": links.pictures(),
        "free": "not on this machine" if free is None else size(free),
        "full": words.until_full(found.days_until_full),
        "pieces": shares,
    }
