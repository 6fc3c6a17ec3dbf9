"""The left column of every signed-in page outside the inbox: the sections, their places, and the projects.

A blueprint adds its section once (`add_section`); the inbox draws its own boxes above them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Flask, current_app, url_for
from sqlalchemy import func, select

from app.extensions import db
from app.models import Project
from app.models.daily_count import counts_by_project

EXTENSION = "earmark_rail"
ORDER = ("dashboard", "performance", "retention")


@dataclass(frozen=True)
class Place:
    """One page of a section."""

    key: str
    label: str
    href: str


@dataclass(frozen=True)
class Section:
    """A part of the program with pages of its own; `role` may open it.

    The first place is where its name leads; the places are listed while one of them is open.
    """

    key: str
    label: str
    icon: str
    role: str
    places: Callable[[], Sequence[Place]]


@dataclass(frozen=True)
class ProjectRow:
    """A project in the rail, with its open submissions; none is the current one here."""

    name: str
    count: str
    href: str
    current: bool = False


@dataclass(frozen=True)
class Rail:
    """The left column; the inbox's boxes stay folded."""

    section: str
    place: str
    projects: tuple[ProjectRow, ...]
    boxes: tuple[()] = ()


def add_section(app: Flask, section: Section) -> None:
    """Add a section to the rail of every page. Raises ValueError for one that has no place in `ORDER`."""
    sections: list[Section] = app.extensions.setdefault(EXTENSION, [])
    sections.append(section)
    sections.sort(key=lambda added: ORDER.index(added.key))
    app.jinja_env.globals["rail_sections"] = _sections


def load_rail(section: str, place: str = "") -> Rail:
    """Read the projects and how many of their submissions are open, in one statement."""
    counts = counts_by_project("open").subquery()
    query = (
        select(Project.public_key, Project.name, func.coalesce(counts.c[1], 0).label("submissions"))
        .outerjoin(counts, counts.c.project_id == Project.id)
        .where(Project.is_active)
        .order_by(Project.name, Project.id)
    )
    rows = tuple(
        ProjectRow(row.name, f"{int(row.submissions):,}", url_for("admin.index", project=row.public_key))
        for row in db.session.execute(query)
    )
    return Rail(section, place, rows)


def _sections() -> list[Section]:
    found: list[Section] = current_app.extensions[EXTENSION]
    return found
