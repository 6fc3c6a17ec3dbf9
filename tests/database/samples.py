"""Tables of the tests' own, beside Earmark's: sorts with ties, NULLs and types of every kind."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from app.database.bulk import bulk_insert
from app.database.transactions import transaction
from app.database.types import UtcTime

sample_metadata = MetaData()

things = Table(
    "things",
    sample_metadata,
    Column("id", Integer, primary_key=True),
    Column("word", String, nullable=False),
    Column("rank", Integer),
    Column("score", Float),
    Column("price", Numeric(12, 2)),
    Column("flag", Boolean),
    Column("seen_at", UtcTime),
    Column("noted_at", DateTime),
    Column("token", Uuid),
    Column("raw", LargeBinary),
    Column("kind", Enum("red", "green", "blue", name="kind")),
)

# As any program's tables; Earmark's are STRICT, which knows no NUMERIC.
things.dialect_options["sqlite"]["strict"] = False


class Base(DeclarativeBase):
    metadata = sample_metadata


class Author(Base):
    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author | None] = relationship(back_populates="books")


@contextmanager
def stored(app: Any, table: Table = things, rows: Sequence[dict[str, Any]] = ()) -> Iterator[None]:
    """Keep the tables of the tests in the application's database, with rows in one of them."""
    with app.app_context():
        with transaction() as session:
            sample_metadata.create_all(session.connection())
            if rows:
                bulk_insert(session.connection(), table, rows)
        yield
