"""The tables of the roll-ups, and adding to them, in the order of their keys."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Date, ForeignKey, String, Table
from sqlalchemy.dialects import postgresql, sqlite

from app.database.prepared import Prepared
from app.models.base import Base
from app.models.rollup.ledger import QUARTERS, Ledger

STATE_ID = 1


def _project() -> Column[int]:
    return Column("project_id", BigInteger, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)


def _count(name: str = "submissions") -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _day() -> Column[object]:
    return Column("day", Date, primary_key=True)


# A day (UTC) in one row: the days of any time zone are sums of a few of its columns.
quarters = Table(
    "quarter_counts",
    Base.metadata,
    _day(),
    _project(),
    Column("category", String, primary_key=True),
    _count(),
    *(_count(name) for name in QUARTERS),
)
facts = Table(
    "fact_counts",
    Base.metadata,
    Column("fact", String, primary_key=True),
    _day(),
    _project(),
    Column("value", String, primary_key=True),
    _count(),
)
responses = Table(
    "response_counts",
    Base.metadata,
    Column("measure", String, primary_key=True),
    _day(),
    _project(),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    _count(),
)
state = Table(
    "rollup_state",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("counted_to", BigInteger, nullable=False),
)


def add(connection: Connection, ledger: Ledger) -> None:
    """Add a ledger's differences, inside a write transaction: one statement a table.

    A statement for each quarter of an hour met was most of what a small batch of a sweep took.
    """
    if days := ledger.quarter_rows():
        _adding(quarters, ("submissions", *QUARTERS)).run_values(connection, days)
    if told := ledger.fact_rows():
        _adding(facts, ("submissions",)).run_values(connection, told)
    if took := ledger.response_rows():
        _adding(responses, ("submissions",)).run_values(connection, took)


@cache
def _adding(table: Table, measures: tuple[str, ...]) -> Prepared:
    names = [*table.primary_key.columns.keys(), *measures]

    def upsert(dialect: str) -> sqlite.Insert | postgresql.Insert:
        make: Callable[[Table], sqlite.Insert | postgresql.Insert]
        make = postgresql.insert if dialect == "postgresql" else sqlite.insert
        statement = make(table)
        return statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={name: table.c[name] + statement.excluded[name] for name in measures},
        )

    return Prepared(upsert, names)


def add_totals(connection: Connection, totals: Mapping[tuple[Any, ...], int]) -> None:
    """Add to the days of `quarter_counts` alone; a repair needs it, for quarters add to their day."""
    rows = [(*key, count) for key, count in sorted(totals.items()) if count]
    if rows:
        _adding(quarters, ("submissions",)).run_values(connection, rows)
