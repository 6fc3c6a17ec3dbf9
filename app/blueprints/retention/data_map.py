"""The data map: every column of every table with what it is, why it is there, how long it stays and where.

Which columns there are is read from the tables; what is said of them stands in `data_kinds` and
`data_columns`, and a test compares. How long submissions stay is read from the policies in force.
"""

from dataclasses import dataclass

from sqlalchemy import Table, select

from app.blueprints.retention.data_columns import EVERYWHERE, PERSONAL, SAID
from app.blueprints.retention.data_kinds import ARCHIVE_DAYS, KINDS, Kind
from app.config import current_settings
from app.database.transactions import current_session
from app.models import RetentionPolicy
from app.models.base import Base


@dataclass(frozen=True)
class Column:
    """One column as the map shows it; `personal` where it can say something of one person."""

    table: str
    name: str
    says: str
    personal: bool


@dataclass(frozen=True)
class Group:
    """One kind of data as the map shows it."""

    title: str
    why: str
    stays: str
    place: str
    columns: tuple[Column, ...]


def groups() -> list[Group]:
    """Return the data map, how long submissions stay as the policies in force say."""
    return [
        Group(kind.title, kind.why, _stays(kind.stays), kind.place, tuple(_columns(kind))) for kind in KINDS
    ]


def undescribed() -> set[str]:
    """Return `table.column` of all that the map says nothing of; a test keeps it empty."""
    mapped = {name for kind in KINDS for name in kind.tables}
    return {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if table.name not in mapped or _says(table, column.name) is None
    }


def stale() -> set[str]:
    """Return `table.column` of all that is described and not there."""
    tables = Base.metadata.tables
    return {
        f"{name}.{column}"
        for name, columns in SAID.items()
        for column in columns
        if column not in tables[name].columns
    }


def _columns(kind: Kind) -> list[Column]:
    found = []
    for name in kind.tables:
        table = Base.metadata.tables[name]
        for column in table.columns:
            said = _says(table, column.name)
            personal = column.name in PERSONAL.get(name, ())
            found.append(Column(name, column.name, said or "not described", personal))
    return found


def _says(table: Table, column: str) -> str | None:
    if table.name == "quarter_counts" and column.startswith("q"):
        return "submissions of one quarter of an hour"
    return SAID.get(table.name, {}).get(column) or EVERYWHERE.get(column)


def _stays(words: str) -> str:
    if words == ARCHIVE_DAYS:
        return f"{current_settings().archive_days:,} days ({ARCHIVE_DAYS})"
    session = current_session()
    query = select(RetentionPolicy).where(RetentionPolicy.kind == words, RetentionPolicy.is_active)
    policies = session.scalars(query.order_by(RetentionPolicy.name)).all()
    if not policies:
        return "for good: no policy says otherwise" if words in ("submissions", "audit") else words
    return "; ".join(f"{one.name}: {_length(one)}" for one in policies)


def _length(policy: RetentionPolicy) -> str:
    if policy.keep_days is not None:
        return f"{policy.keep_days:,} days"
    if policy.keep_submissions is not None:
        return f"at most {policy.keep_submissions:,} submissions"
    return f"at most {policy.keep_bytes or 0:,} bytes"
