"""Column types that mean the same on SQLite and PostgreSQL, and are allowed in SQLite STRICT tables.

STRICT tables take INTEGER, REAL, TEXT, BLOB and ANY only (sqlite.org/stricttables.html), so the names
that SQLAlchemy would write there (VARCHAR, BOOLEAN, JSON, …) are mapped to these.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Date, DateTime, Double, Float, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """An aware moment in UTC: microseconds since 1970 on SQLite, `timestamptz` on PostgreSQL."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type by database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Store a moment; refuses one without a time zone (ValueError)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        if dialect.name == "postgresql":
            return value.astimezone(UTC)
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read a moment back, aware and in UTC."""
        return (_of_timestamptz if dialect.name == "postgresql" else _of_microseconds)(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:  # noqa: ARG002
        """Return what reads a moment back: one function, where SQLAlchemy's own way goes through three."""
        return _of_timestamptz if dialect.name == "postgresql" else _of_microseconds


def _of_microseconds(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(microseconds=value)


def _of_timestamptz(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


# Any JSON value: TEXT on SQLite, jsonb on PostgreSQL. None is SQL NULL, not JSON null.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


@compiles(String, "sqlite")
@compiles(Date, "sqlite")
@compiles(JSON, "sqlite")
def _text(_type: Any, _compiler: Any, **_options: Any) -> str:
    return "TEXT"


@compiles(BigInteger, "sqlite")
@compiles(Boolean, "sqlite")
def _integer(_type: Any, _compiler: Any, **_options: Any) -> str:
    return "INTEGER"


@compiles(Float, "sqlite")
@compiles(Double, "sqlite")
def _real(_type: Any, _compiler: Any, **_options: Any) -> str:
    return "REAL"
