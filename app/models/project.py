"""Projects: one site or product whose pages carry the widget, and what its widget asks."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CheckConstraint, Connection, Table, bindparam, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.dml import UpdateBase

from app.clock import utc_now
from app.database.prepared import Prepared
from app.database.types import Json, UtcTime
from app.models.base import Base
from app.models.identifiers import new_public_id

DEFAULT_CATEGORIES = ("bug", "idea", "question", "praise", "other")
ASKED = ("no", "optional", "required")
THEMES = ("auto", "light", "dark")
POSITIONS = ("bottom-right", "bottom-left", "top-right", "top-left")


def new_public_key() -> str:
    """Return a new public key, `pk_` and 72 random bits; it names a project, it is no secret."""
    return "pk_" + secrets.token_urlsafe(9)


def _default_categories() -> list[dict[str, Any]]:
    return [{"key": key, "label": None} for key in DEFAULT_CATEGORIES]


class Project(Base, kw_only=True):
    """A project and its widget's settings. `origins` empty means any page may send."""

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("ask_name in ('no', 'optional', 'required')", name="ask_name"),
        CheckConstraint("ask_email in ('no', 'optional', 'required')", name="ask_email"),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    public_key: Mapped[str] = mapped_column(unique=True, default_factory=new_public_key)
    name: Mapped[str]
    origins: Mapped[list[str]] = mapped_column(Json, default_factory=list)
    categories: Mapped[list[dict[str, Any]]] = mapped_column(Json, default_factory=_default_categories)
    ask_name: Mapped[str] = mapped_column(default="no")
    ask_email: Mapped[str] = mapped_column(default="optional")
    ask_rating: Mapped[bool] = mapped_column(default=False)
    screenshots: Mapped[bool] = mapped_column(default=True)
    theme: Mapped[str] = mapped_column(default="auto")
    position: Mapped[str] = mapped_column(default="bottom-right")
    locale: Mapped[str | None] = mapped_column(default=None)
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(Json, default_factory=dict)
    consent: Mapped[str | None] = mapped_column(default=None)
    privacy_url: Mapped[str | None] = mapped_column(default=None)
    rate_limit: Mapped[str | None] = mapped_column(default=None)
    byte_quota: Mapped[int | None] = mapped_column(default=None)
    stored_bytes: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    tag_seen_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)

    @property
    def category_keys(self) -> frozenset[str]:
        """The keys a submission of this project may name."""
        return frozenset(category["key"] for category in self.categories)


def add_bytes(connection: Connection, sizes: Mapping[int, int]) -> None:
    """Add to the bytes that projects keep, by their ids; in key order: two writers cannot deadlock."""
    rows = [{"project": key, "bytes": size} for key, size in sorted(sizes.items()) if size]
    if rows:
        _ADD_BYTES.run(connection, rows)


@dataclass(frozen=True)
class IntakeProject:
    """What intake needs to know of a project, detached from any session."""

    id: int
    public_key: str
    name: str
    origins: frozenset[str]
    category_keys: frozenset[str]
    screenshots: bool
    rate_limit: str | None
    byte_quota: int | None
    stored_bytes: int
    widget: dict[str, Any]


def intake_project(session: Session, public_key: str) -> IntakeProject | None:
    """Load an active project by its public key as a detached value, or None."""
    project = session.scalar(select(Project).where(Project.public_key == public_key, Project.is_active))
    return None if project is None else _detached(project)


def _adding(_dialect: str) -> UpdateBase:
    table = cast(Table, Project.__table__)
    return (
        update(table)
        .where(table.c.id == bindparam("project"))
        .values(stored_bytes=table.c.stored_bytes + bindparam("bytes"))
    )


_ADD_BYTES = Prepared(_adding)


def _detached(project: Project) -> IntakeProject:
    return IntakeProject(
        id=project.id,
        public_key=project.public_key,
        name=project.name,
        origins=frozenset(project.origins),
        category_keys=project.category_keys,
        screenshots=project.screenshots,
        rate_limit=project.rate_limit,
        byte_quota=project.byte_quota,
        stored_bytes=project.stored_bytes,
        widget=_widget_settings(project),
    )


def _widget_settings(project: Project) -> dict[str, Any]:
    return {
        "project": {"key": project.public_key, "name": project.name},
        "categories": project.categories,
        "ask": {"name": project.ask_name, "email": project.ask_email, "rating": project.ask_rating},
        "screenshot": project.screenshots,
        "theme": project.theme,
        "position": project.position,
        "locale": project.locale,
        "texts": project.texts,
        "consent": project.consent,
        "privacy_url": project.privacy_url,
    }
