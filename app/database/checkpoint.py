"""Checkpoints beside the writers: the log of a SQLite file is written back while nobody waits for it.

SQLite does it by itself in the commit that makes the log long, with our turn held: of a sweep's locks the
99th percentile was 46 ms with that and 20 without (docs/performance.md). That stays, for when nobody calls
this in time.
"""

from typing import Any

from sqlalchemy import Engine

from app.database.engine import WAL_AUTOCHECKPOINT_PAGES, sqlite, turn_of
from app.database.tracking.scope import ignored
from app.database.turn import TurnTimeout

# `pragma wal_checkpoint(noop)`, which only tells, came with this version (sqlite.org/pragma.html).
TELLS_ITS_LOG = (3, 51, 0)
# Before it a checkpoint beside a writer may corrupt the file (sqlite.org/wal.html, the WAL-reset bug).
SAFE_BESIDE_WRITERS = (3, 51, 3)
PAGES = WAL_AUTOCHECKPOINT_PAGES // 2
# The rest is a few pages; who does not get the turn for them leaves them to the next call.
TURN_SECONDS = 1.0


def checkpoint(engine: Engine) -> bool:
    """Write the log back if `PAGES` of it or more wait for that; tells whether it did.

    Does nothing on PostgreSQL, nor on a SQLite that could not do it beside writers.
    """
    turn = turn_of(engine)
    if turn is None or sqlite.sqlite_version_info < SAFE_BESIDE_WRITERS:
        return False
    with ignored():
        pooled = engine.raw_connection()  # outside a transaction, where alone it is possible
        try:
            cursor = pooled.cursor()
            if pending_pages(cursor) < PAGES:
                return False
            cursor.execute("pragma wal_checkpoint(passive)").fetchone()
            # What was written meanwhile: the log begins anew only when all of it is written back.
            with turn.taken(TURN_SECONDS):
                cursor.execute("pragma wal_checkpoint(passive)").fetchone()
        except TurnTimeout:
            pass
        finally:
            pooled.close()
    return True


def pending_pages(cursor: Any) -> int:
    """Return how many pages of the log wait to be written back; of a SQLite that tells it."""
    _, logged, written = cursor.execute("pragma wal_checkpoint(noop)").fetchone()
    return max(int(logged) - int(written), 0)
