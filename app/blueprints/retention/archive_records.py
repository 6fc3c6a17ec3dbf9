"""A submission as one record of the archive: its row, the rows that hang on it, and its pictures.

What hangs on a submission is read from the tables' foreign keys, so a new table is archived by being there;
what is derived is named in `DERIVED`. References to other tables are written as those rows' public ids, since
integer keys are not what they were once a database was restored; rows of one submission refer to each other
by the ids that they had.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Column, Date, LargeBinary, Row, Table, select
from sqlalchemy.orm import Session

from app.clock import rfc3339
from app.database.among import among
from app.database.types import UtcTime
from app.models import Feedback
from app.models.base import Base

FORMAT = 1
FEEDBACK = cast(Table, Feedback.__table__)
# Tables of submissions that follow from the rest: holds are about the live row alone, and what an act was
# before means nothing once the act is gone, which is soon.
DERIVED = frozenset({"held_submissions", "act_rows", "act_tags"})
# Columns that follow from the rest, or mean something in one database only.
LEFT_OUT = frozenset({"held"})
BLOB_COLUMNS = ("blob_key", "thumbnail_key")
# New ids of rows that were brought back, by table and the id they had.
Fresh = Mapping[tuple[str, int], int]


@dataclass(frozen=True)
class Record:
    """One submission, its pictures not read yet; `content` is what becomes a line of JSON."""

    feedback_id: int
    public_id: str
    project_id: int
    created_at: datetime
    content: dict[str, Any]

    @property
    def blob_keys(self) -> list[str]:
        """The keys of its blobs, in the order of its rows."""
        rows = (row for part in self.content["rows"].values() for row in part)
        return [row[name] for row in rows for name in BLOB_COLUMNS if row.get(name)]


@cache
def children() -> tuple[Table, ...]:
    """Return the tables whose rows belong to a submission, those that others refer to first."""
    tables = (table for table in Base.metadata.sorted_tables if table.name not in DERIVED)
    return tuple(table for table in tables if table is not FEEDBACK and owner_of(table) is not None)


def owner_of(table: Table) -> Column[Any] | None:
    """Return the column that names the submission a row belongs to: it goes when the submission does."""
    for key in table.foreign_keys:
        if key.column.table is FEEDBACK and key.ondelete == "CASCADE":
            return key.parent
    return None


def read(session: Session, feedback_ids: Sequence[int]) -> list[Record]:
    """Read submissions with everything that belongs to them, by id; what is gone is left out."""
    rows = session.execute(select(FEEDBACK).where(among(FEEDBACK.c.id, feedback_ids)).order_by(FEEDBACK.c.id))
    found = {row.id: row for row in rows}
    names = _Names(session)
    parts = {table.name: _rows_of(session, table, list(found), names) for table in children()}
    return [
        Record(
            row.id,
            row.public_id,
            row.project_id,
            row.created_at,
            {
                "format": FORMAT,
                "submission": _plain(FEEDBACK, row, names),
                "rows": {name: part[row.id] for name, part in parts.items() if row.id in part},
            },
        )
        for row in found.values()
    ]


def stored(session: Session, table: Table, values: Mapping[str, Any], fresh: Fresh) -> dict[str, Any] | None:
    """Turn a record's row into values of its table as they are now, without its id.

    A column that the table no longer has is left out; one that it has newly keeps its default. A reference to
    what is gone is None; where the table needs one, so is the whole row. `fresh` are the new ids of rows of
    the same submission.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        column = table.c.get(name)
        if column is None or name in LEFT_OUT or name == "id":
            continue
        target = _target(column)
        if target is None:
            found[name] = _value(column, value)
            continue
        named = "public_id" in target.c and target not in children()
        key = _key(session, target, value) if named else fresh.get((target.name, value))
        if key is None and not column.nullable:
            return None
        found[name] = key
    return found


def _rows_of(
    session: Session, table: Table, feedback_ids: Sequence[int], names: "_Names"
) -> dict[int, list[dict[str, Any]]]:
    owner = owner_of(table)
    assert owner is not None
    order = [*table.primary_key.columns]
    found: dict[int, list[dict[str, Any]]] = {}
    for row in session.execute(select(table).where(among(owner, feedback_ids)).order_by(*order)):
        values = _plain(table, row, names)
        values.pop(owner.name)
        found.setdefault(row._mapping[owner.name], []).append(values)
    return found


def _plain(table: Table, row: Row[Any], names: "_Names") -> dict[str, Any]:
    """Return a row as JSON takes it; what is empty is left out, so a line is short."""
    found = {}
    for column in table.columns:
        value = row._mapping[column.name]
        if value is None or column.name in LEFT_OUT or (column.name == "id" and table is FEEDBACK):
            continue
        target = _target(column)
        named = target is not None and target not in children()
        found[column.name] = names.of(target, value) if named and target is not None else _as_json(value)
    return found


def _target(column: Column[Any]) -> Table | None:
    """Return the table that a reference leads to."""
    return next((key.column.table for key in column.foreign_keys), None)


class _Names:
    """Public ids of rows that records refer to, each read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, int], str | None] = {}

    def of(self, table: Table, key: int) -> str | None:
        """Return the public id of a row."""
        place = (table.name, key)
        if place not in self._known:
            query = select(table.c.public_id).where(table.c.id == key)
            self._known[place] = self._session.scalar(query)
        return self._known[place]


def _key(session: Session, table: Table, public_id: str | None) -> int | None:
    return session.scalar(select(table.c.id).where(table.c.public_id == public_id))


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, UtcTime):
        return datetime.fromisoformat(value)
    if isinstance(column.type, Date):
        return date.fromisoformat(value)
    return base64.b64decode(value) if isinstance(column.type, LargeBinary) else value
