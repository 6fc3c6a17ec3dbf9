"""Reading the audit log: the filters, and pages of it, the same for API, page and command line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from app.database.paging.keyset import Page, paginate
from app.extensions import db
from app.models import AuditEntry
from app.models.audit_chain import COLUMNS

ORDER = (AuditEntry.created_at.desc(), AuditEntry.id.desc())
EQUAL = ("actor", "action", "target", "outcome")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which entries a list shows; None leaves a field free. Times are aware, `until` is exclusive."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def select(self) -> Select[Any]:
        """Select the entries; page it by `ORDER`."""
        query = select(*COLUMNS)
        for name in EQUAL:
            value = getattr(self, name)
            if value is not None:
                query = query.where(getattr(AuditEntry, name) == value)
        if self.since is not None:
            query = query.where(AuditEntry.created_at >= self.since)
        if self.until is not None:
            query = query.where(AuditEntry.created_at < self.until)
        return query


def page(wanted: Wanted, *, cursor: str | None, limit: int) -> Page:
    """Return a page of entries, the newest first. Raises ClientError for a cursor of another list."""
    return paginate(wanted.select(), order=ORDER, cursor=cursor, limit=limit, scope="audit")


def known_actions() -> list[str]:
    """Return the actions that the log holds, in order: one look into the index for each of them."""
    steps = select(func.min(AuditEntry.action).label("action")).cte("steps", recursive=True)
    following = (
        select(func.min(AuditEntry.action)).where(AuditEntry.action > steps.c.action).scalar_subquery()
    )
    steps = steps.union_all(select(following).where(steps.c.action.is_not(None)))
    found = db.session.scalars(select(steps.c.action).where(steps.c.action.is_not(None)))
    return list(found)
