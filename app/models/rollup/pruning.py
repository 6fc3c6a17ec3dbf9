"""Taking out rows of roll-ups that count nothing any longer, because all that they counted is gone.

A row of zeros says the same as none, so this may run at any time: rows are looked for outside of any
transaction, and deleted in short ones only if they are empty still.
"""

import time
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Table, bindparam, delete, literal_column, select, tuple_
from sqlalchemy.sql.dml import UpdateBase

from app.database.prepared import Prepared
from app.database.transactions import transaction
from app.extensions import db
from app.models.daily_count import DailyCount
from app.models.rollup.tables import facts, quarters, responses

TABLES = (cast(Table, DailyCount.__table__), quarters, facts, responses)
AT_ONCE = 500


def prune(seconds: float = 30.0) -> int:
    """Take out every row of zeros, until the time is over; returns how many went."""
    end = time.monotonic() + seconds
    return sum(_prune(table, end) for table in TABLES)


def _prune(table: Table, end: float) -> int:
    gone, place = 0, None
    while time.monotonic() < end:
        rows = empty_rows(table, place)
        gone += take_out(table, rows)
        if len(rows) < AT_ONCE:
            break
        place = rows[-1]
    return gone


def empty_rows(table: Table, place: Row[Any] | None = None) -> Sequence[Row[Any]]:
    """Return the keys of some empty rows behind a place, in the order of the keys, as writers take them."""
    key = list(table.primary_key.columns)
    query = select(*key).where(*_nothing(table)).order_by(*key).limit(AT_ONCE)
    with db.engine.connect() as connection:
        return connection.execute(
            query if place is None else query.where(tuple_(*key) > tuple_(*place))
        ).all()


def take_out(table: Table, rows: Sequence[Row[Any]]) -> int:
    """Delete those of the rows that are empty still; returns how many."""
    if not rows:
        return 0
    with transaction() as session:
        return _deleting(table).run(session.connection(), [row._asdict() for row in rows]).rowcount


@cache
def _deleting(table: Table) -> Prepared:
    def statement(_dialect: str) -> UpdateBase:
        same = (column == bindparam(column.name) for column in table.primary_key.columns)
        return delete(table).where(*same, *_nothing(table))

    return Prepared(statement)


def _nothing(table: Table) -> list[ColumnElement[bool]]:
    """Return the conditions that a row counts nothing."""
    return [column == literal_column("0") for column in table.columns if not column.primary_key]
