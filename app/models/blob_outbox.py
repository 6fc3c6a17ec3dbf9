"""Blobs to delete: rows written with the change that makes a blob needless, worked off after its commit.

A blob cannot be deleted inside a transaction (the commit may fail) nor only after it (the process may be
killed between). So the transaction writes which blobs go; whoever committed deletes them, and the timetable
deletes what a killed process left. A blob that is gone is no error, so a row may be worked off twice.

One row names many blobs: a row each would cost a sweep as much as the submissions themselves.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Protocol

from sqlalchemy import BigInteger, cast, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.database.transactions import current_session, transaction
from app.database.types import Json
from app.models.base import Base

MOST_KEYS = 500  # blobs named by one row: what a kill may make be deleted twice


class Blobs(Protocol):
    """What is asked of the blob store."""

    def delete(self, key: str) -> None:
        """Remove a blob; one that is gone is no error. Raises OSError when the store cannot."""


class BlobOutbox(Base, kw_only=True):
    """Some blobs that are to be deleted."""

    __tablename__ = "blob_outbox"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    blob_keys: Mapped[list[str]] = mapped_column(Json)
    blobs: Mapped[int]


def put(session: Session, keys: Iterable[str]) -> None:
    """Write down blobs to delete, inside the write transaction that makes them needless."""
    waiting = iter(keys)
    while some := list(islice(waiting, MOST_KEYS)):
        session.execute(insert(BlobOutbox), [{"blob_keys": some, "blobs": len(some)}])


def work_off(store: Blobs, most: int | None = None) -> int:
    """Delete blobs that are written down, those of the last change first, and return how many there were.

    `most` bounds how many rows are worked off, each of at most `MOST_KEYS`. Call it outside a transaction.
    Raises OSError when the store cannot; what is left stays written down.
    """
    done, rows = 0, 0
    while (most is None or rows < most) and (owed := _last()) is not None:
        row_id, keys = owed
        for key in keys:
            store.delete(key)
        with transaction() as session:
            session.execute(delete(BlobOutbox).where(BlobOutbox.id == row_id))
        done, rows = done + len(keys), rows + 1
    return done


def waiting() -> int:
    """Return how many blobs are written down and not deleted yet."""
    session = current_session()
    count = session.scalar(select(cast(func.coalesce(func.sum(BlobOutbox.blobs), 0), BigInteger)))
    session.rollback()
    return count or 0


def _last() -> tuple[int, list[str]] | None:
    session = current_session()
    query = select(BlobOutbox.id, BlobOutbox.blob_keys).order_by(BlobOutbox.id.desc()).limit(1)
    row = session.execute(query).first()
    session.rollback()  # no read stays open while blobs are deleted
    return None if row is None else (row.id, row.blob_keys)
