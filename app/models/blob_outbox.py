"""Blobs to delete: rows written with the change that makes a blob needless, worked off after its commit.

A blob cannot be deleted inside a transaction (the commit may fail) nor only after it (the process may be
killed between). So the transaction writes which blobs go; whoever committed deletes them, and the timetable
deletes what a killed process left. A blob that is gone is no error, so a row may be worked off twice.

One row names many blobs: a row each would cost a sweep as much as the submissions themselves.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple, Protocol
from typing import cast as cast_type

from sqlalchemy import BigInteger, Table, bindparam, cast, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.database.among import among
from app.database.transactions import current_session, transaction
from app.database.types import Json
from app.models.base import Base

MOST_KEYS = 500  # blobs named by one row
ROWS_AT_ONCE = 4  # struck out in one transaction: what a kill may make be deleted twice


class Blobs(Protocol):
    """What is asked of the blob store."""

    def delete_all(self, keys: Sequence[str]) -> None:
        """Remove blobs; those that are gone are no error. Raises OSError when the store cannot."""


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
    while most is None or rows < most:
        some = delete_blobs(store, ROWS_AT_ONCE if most is None else min(most - rows, ROWS_AT_ONCE))
        if not some:
            break
        with transaction() as session:
            strike(session, some)
        done, rows = done + sum(row.blobs for row in some), rows + len(some)
    return done


def delete_blobs(store: Blobs, most: int) -> list["Owed"]:
    """Delete the blobs of the newest `most` rows, outside a transaction; whoever calls strikes the rows out.

    A sweep strikes them out in the transaction of its next batch: a commit less each time. Raises OSError.
    """
    session = current_session()
    found = session.connection().execute(_NEWEST, {"most": most}).all()
    session.rollback()  # no read stays open while blobs are deleted
    for row in found:
        store.delete_all(row.blob_keys)
    return [Owed(row.id, row.blobs) for row in found]


def strike(session: Session, rows: Sequence["Owed"]) -> None:
    """Strike out rows whose blobs are deleted, inside the caller's write transaction."""
    if rows:
        session.execute(delete(BlobOutbox).where(among(BlobOutbox.id, [row.id for row in rows])))


class Owed(NamedTuple):
    """A row whose blobs are deleted: its id, and how many there were."""

    id: int
    blobs: int


_outbox = cast_type(Table, BlobOutbox.__table__)
_NEWEST = (
    select(_outbox.c.id, _outbox.c.blob_keys, _outbox.c.blobs)
    .order_by(_outbox.c.id.desc())
    .limit(bindparam("most", type_=BigInteger()))
)


def waiting() -> int:
    """Return how many blobs are written down and not deleted yet."""
    session = current_session()
    count = session.scalar(select(cast(func.coalesce(func.sum(BlobOutbox.blobs), 0), BigInteger)))
    session.rollback()
    return count or 0
