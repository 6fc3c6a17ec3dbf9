"""What the archive holds: its parts (one blob each, of one month) and which submission lies in which.

Owns the rows only; what a part holds is written and read by the retention blueprint. A submission stands in
the index once, with the part that has its newest copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ForeignKey, Index, Select, Table, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import utc_now
from app.database.types import UtcTime
from app.models import blob_outbox
from app.models.base import Base
from app.models.identifiers import new_public_id

MANIFEST_SUFFIX = ".manifest.json"
PART_SUFFIX = ".jsonl.gz"


class ArchivePart(Base, kw_only=True):
    """One blob of the archive; `oldest` and `newest` are when its submissions were made."""

    __tablename__ = "archive_parts"
    __table_args__ = (
        Index("ix_archive_parts_month", "month", "id"),
        Index("ix_archive_parts_created", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    month: Mapped[str]  # 2026-11
    name: Mapped[str] = mapped_column(unique=True)  # of its blobs, without their suffixes
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    submissions: Mapped[int]
    screenshots: Mapped[int]
    oldest: Mapped[datetime] = mapped_column(UtcTime)
    newest: Mapped[datetime] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)

    @property
    def key(self) -> str:
        """The key of the blob that holds the submissions."""
        return self.name + PART_SUFFIX

    @property
    def keys(self) -> tuple[str, str]:
        """The keys of its blobs: the submissions, and the manifest."""
        return self.key, self.name + MANIFEST_SUFFIX


class ArchivedSubmission(Base, kw_only=True):
    """Where the newest copy of a submission lies. `project_id` may name a project that is gone."""

    __tablename__ = "archived_submissions"

    public_id: Mapped[str] = mapped_column(primary_key=True)
    part_id: Mapped[int] = mapped_column(ForeignKey("archive_parts.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[int] = mapped_column(index=True)
    sha256: Mapped[str]


@dataclass(frozen=True)
class Month:
    """One month of the archive; sizes in bytes, as stored."""

    month: str
    parts: int
    submissions: int
    screenshots: int
    size_bytes: int


def add(session: Session, part: ArchivePart, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write a part and where its submissions lie now, inside the caller's write transaction.

    `lines` hold `public_id`, `project_id` and `sha256`.
    """
    session.add(part)
    session.flush()
    ids = [line["public_id"] for line in lines]
    session.execute(
        delete(ArchivedSubmission).where(ArchivedSubmission.public_id.in_(ids)),
        execution_options={"synchronize_session": False},
    )
    if lines:
        rows = [{**line, "part_id": part.id} for line in lines]
        session.execute(insert(cast(Table, ArchivedSubmission.__table__)), rows)


def drop(session: Session, part: ArchivePart) -> None:
    """Take a part out, inside the caller's write transaction; its blobs go by the outbox."""
    blob_outbox.put(session, part.keys)
    session.execute(
        delete(ArchivedSubmission).where(ArchivedSubmission.part_id == part.id),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        delete(ArchivePart).where(ArchivePart.id == part.id),
        execution_options={"synchronize_session": False},
    )


def archived(session: Session, public_ids: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of the newest copy of each of these submissions that is in the archive."""
    query = select(ArchivedSubmission.public_id, ArchivedSubmission.sha256)
    rows = session.execute(query.where(ArchivedSubmission.public_id.in_(public_ids)))
    return {row.public_id: row.sha256 for row in rows}


def places(session: Session, part_id: int) -> dict[str, str]:
    """Return the submissions whose newest copy lies in a part, each with its SHA-256."""
    query = select(ArchivedSubmission.public_id, ArchivedSubmission.sha256)
    rows = session.execute(query.where(ArchivedSubmission.part_id == part_id))
    return {row.public_id: row.sha256 for row in rows}


def parts_of(
    *,
    public_id: str | None = None,
    project_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Select[ArchivePart]:
    """Select the parts that may hold what is asked for, the oldest first; `until` is exclusive."""
    query = select(ArchivePart).order_by(ArchivePart.month, ArchivePart.id)
    if since is not None:
        query = query.where(ArchivePart.newest >= since)
    if until is not None:
        query = query.where(ArchivePart.oldest < until)
    wanted = []
    if public_id is not None:
        wanted.append(ArchivedSubmission.public_id == public_id)
    if project_id is not None:
        wanted.append(ArchivedSubmission.project_id == project_id)
    if wanted:
        query = query.where(ArchivePart.id.in_(select(ArchivedSubmission.part_id).where(*wanted)))
    return query


def months(session: Session) -> list[Month]:
    """Return the archive by month, the newest first."""
    query = (
        select(
            ArchivePart.month,
            func.count(),
            func.sum(ArchivePart.submissions),
            func.sum(ArchivePart.screenshots),
            func.sum(ArchivePart.size_bytes),
        )
        .group_by(ArchivePart.month)
        .order_by(ArchivePart.month.desc())
    )
    return [Month(row[0], *map(int, row[1:])) for row in session.execute(query)]


def kept_names(session: Session, names: Sequence[str]) -> set[str]:
    """Return which of these names of blobs a part has."""
    query = select(ArchivePart.name).where(ArchivePart.name.in_(names))
    return set(session.scalars(query))
