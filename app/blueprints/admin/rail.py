"""The rail of the inbox: boxes with their counts, saved views, projects, and which section is open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import select

from app.blueprints.admin import wording
from app.blueprints.admin.wanted import EVERYWHERE, Wanted
from app.blueprints.admin.wording import BOX_BY_KEY, BOXES, Kind
from app.extensions import db
from app.models import Project, SavedView
from app.models.daily_count import counts_by_box
from app.security import actor


@dataclass(frozen=True)
class ProjectRow:
    """A project in the rail."""

    id: int
    key: str
    name: str
    kinds: dict[str, Kind]
    count: str
    href: str
    current: bool


@dataclass(frozen=True)
class Place:
    """One link of the rail."""

    key: str
    label: str
    icon: str
    href: str
    count: str
    current: bool


@dataclass(frozen=True)
class ViewRow:
    """A saved view in the rail; its count is fetched when the page stands."""

    public_id: str
    name: str
    query: str
    href: str
    is_shared: bool
    is_mine: bool
    owner: str
    current: bool


@dataclass(frozen=True)
class Rail:
    """The left column: boxes with counts, views, projects, and which section is open."""

    section: str
    boxes: tuple[Place, ...]
    views: tuple[ViewRow, ...]
    projects: tuple[ProjectRow, ...]
    unread: int
    counts: Mapping[str, int]
    snoozed: Place

    def count(self, status: str) -> int:
        """Return how many submissions a box holds."""
        return self.counts.get(status, 0)

    def project(self, key: str) -> ProjectRow | None:
        """Return a project by its public key."""
        return next((row for row in self.projects if row.key == key), None)

    @property
    def total(self) -> int:
        """How many submissions there are in all boxes."""
        return sum(self.counts.values())

    @property
    def view(self) -> ViewRow | None:
        """The saved view that is open."""
        return next((row for row in self.views if row.current), None)


def load_rail(wanted: Wanted, section: str) -> Rail:
    """Read projects with their counts, and the saved views, in two statements."""
    inbox = section == "inbox"
    found = _projects()
    views = _views(wanted if inbox else None)
    in_view = any(view.current for view in views)
    shown = {key: rows for key, rows in found.items() if wanted.project in ("", key)}
    counts = _sums(row for rows in shown.values() for row in rows)
    boxes = tuple(
        Place(
            box.key,
            box.label,
            box.icon,
            url_for("admin.index", **Wanted(status=box.key, project=wanted.project).query()),
            wording.number(counts.get(box.key, (0, 0))[0]),
            current=inbox and not in_view and box.key == wanted.status,
        )
        for box in BOXES
    )
    return Rail(
        section,
        boxes,
        views,
        tuple(_project(rows, wanted, inbox) for rows in found.values() if rows[0].is_active),
        unread=counts.get(wanted.status, (0, 0))[1],
        counts={status: all_ for status, (all_, _) in counts.items()},
        snoozed=_snoozed(wanted, inbox),
    )


def _snoozed(wanted: Wanted, inbox: bool) -> Place:
    """Return the place of what is snoozed: a filter, and not a box that the roll-up counts."""
    asked = Wanted(status=EVERYWHERE, is_archived=EVERYWHERE, project=wanted.project, q="is:snoozed")
    here = inbox and asked.query() == wanted.query()
    return Place("snoozed", "Snoozed", "clock", url_for("admin.index", **asked.query()), "", current=here)


def _projects() -> dict[str, list[Any]]:
    """Read every project, with a row for each of its boxes that holds something."""
    counts = counts_by_box().subquery()
    query = (
        select(
            Project.id,
            Project.public_key,
            Project.name,
            Project.categories,
            Project.is_active,
            counts.c.status,
            counts.c.submissions,
            counts.c.unread,
        )
        .outerjoin(counts, counts.c.project_id == Project.id)
        .order_by(Project.name, Project.id)
    )
    found: dict[str, list[Any]] = {}
    for row in db.session.execute(query):
        found.setdefault(row.public_key, []).append(row)
    return found


def _sums(rows: Iterable[Any]) -> Mapping[str, tuple[int, int]]:
    """Add up submissions and unread by status."""
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        if row.status is not None:
            all_, unread = sums.get(row.status, (0, 0))
            sums[row.status] = (all_ + row.submissions, unread + row.unread)
    return sums


def _project(rows: Sequence[Any], wanted: Wanted, inbox: bool) -> ProjectRow:
    first = rows[0]
    status = wanted.status if wanted.status in BOX_BY_KEY else "open"
    return ProjectRow(
        id=first.id,
        key=first.public_key,
        name=first.name,
        kinds=wording.kinds_of(first.categories),
        count=wording.number(_sums(rows).get(status, (0, 0))[0]),
        href=url_for("admin.index", **Wanted(status=status, project=first.public_key).query()),
        current=inbox and first.public_key == wanted.project,
    )


def _views(wanted: Wanted | None) -> tuple[ViewRow, ...]:
    someone = actor()
    if someone is None:
        return ()
    found = db.session.scalars(SavedView.seen_by(someone.user_id))
    return tuple(
        ViewRow(
            public_id=view.public_id,
            name=view.name,
            query=view.query,
            href=f"{url_for('admin.index')}?{view.query}",
            is_shared=view.is_shared,
            is_mine=view.user_id == someone.user_id,
            owner=view.user.name,
            current=wanted is not None and view.query == wanted.address(),
        )
        for view in found
    )
