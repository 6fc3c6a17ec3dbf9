"""What has an age and is no submission: which tables, by which column, and how a batch of them goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Column, Table, delete, func, select
from sqlalchemy.orm import Session

from app.clock import utc_now
from app.limits_storage import SQLiteStorage, rate_limiter
from app.models import STATISTICS, AuditEntry, UserSession, audit_chain


@dataclass(frozen=True)
class Aged:
    """How many are older than a moment, with the oldest and the newest of them."""

    rows: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None


class Kind(Protocol):
    """Something that is kept for a while."""

    def aged(self, session: Session, before: datetime) -> Aged:
        """Count what is older than a moment."""

    def forget(self, session: Session, before: datetime, most: int) -> int:
        """Delete about so many of the oldest that are older, inside a write transaction; 0 at the end."""


@dataclass(frozen=True)
class Rows:
    """Rows of tables, each with a column that says when."""

    columns: tuple["Column[datetime]", ...]

    def aged(self, session: Session, before: datetime) -> Aged:
        """Count what is older than a moment."""
        total = Aged()
        for column in self.columns:
            query = select(func.count(), func.min(column), func.max(column)).where(column < before)
            rows, oldest, newest = session.execute(query).one()
            first, last = _known(total.oldest, oldest), _known(total.newest, newest)
            total = Aged(total.rows + rows, min(first, default=None), max(last, default=None))
        return total

    def forget(self, session: Session, before: datetime, most: int) -> int:
        """Delete about so many of the oldest that are older; rows of one moment go together."""
        for column in self.columns:
            place = select(column).where(column < before).order_by(column).offset(most - 1).limit(1)
            cut = session.scalar(place)
            older = column < before if cut is None else column <= cut
            gone = session.connection().execute(delete(column.table).where(older)).rowcount
            if gone:
                return gone
        return 0


class RateLimits:
    """Counters of rate limits in their own file; Redis forgets its own by itself."""

    def aged(self, _session: Session, before: datetime) -> Aged:
        """Count the counters that ended before a moment."""
        storage = rate_limiter().storage
        return Aged(storage.ended(before.timestamp())) if isinstance(storage, SQLiteStorage) else Aged()

    def forget(self, _session: Session, before: datetime, most: int) -> int:
        """Forget counters that ended before a moment."""
        storage = rate_limiter().storage
        return storage.forget(before.timestamp(), most) if isinstance(storage, SQLiteStorage) else 0


class AuditLog:
    """Entries of the audit log: a signed anchor takes the place of those that go, so the chain holds."""

    def aged(self, session: Session, before: datetime) -> Aged:
        """Count the entries from the beginning of the log that are all older than a moment."""
        last = audit_chain.last_older(session, before)
        query = select(func.count(), func.min(AuditEntry.created_at), func.max(AuditEntry.created_at))
        rows, oldest, newest = session.execute(query.where(AuditEntry.id <= last)).one()
        return Aged(rows, oldest, newest)

    def forget(self, session: Session, before: datetime, most: int) -> int:
        """Close about so many entries. Raises ClientError `audit_broken` (409) where they do not verify."""
        return audit_chain.close_segment(session, before, utc_now(), most)


def _known(*moments: datetime | None) -> list[datetime]:
    return [moment for moment in moments if moment is not None]


def _columns(*tables: Table, name: str) -> Rows:
    return Rows(tuple(table.c[name] for table in tables))


KINDS: Mapping[str, Kind] = {
    "audit": AuditLog(),
    "statistics": Rows(
        (
            STATISTICS.statements.c.start,
            STATISTICS.requests.c.start,
            STATISTICS.browser.c.start,
            STATISTICS.samples.c.taken_at,
        )
    ),
    "slow_log": _columns(STATISTICS.slow, name="created_at"),
    "sessions": _columns(UserSession.__table__, name="seen_at"),  # type: ignore[arg-type]
    "rate_limits": RateLimits(),
}
