"""One index of text by integer key: put, forget, and the conditions that find.

SQLite keeps it in a contentless FTS5 table (`contentless_delete`, SQLite 3.43), which holds words and no
text; PostgreSQL in a table with a tsvector and its GIN index. Words come cut and folded (`words`), so neither
database's own cutting counts. A fact (`browser=firefox`) is a word that no text can hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, delete, text
from sqlalchemy.dialects.postgresql import TSVECTOR

from app.database.among import among
from app.database.search.words import words

# Stands between two texts, so that no phrase reaches from one into the other.
BREAK = "="
# Of a segment: from there on FTS5 merges by itself (sqlite.org/fts5.html, 6.4); here it is told when.
DELETED_PERCENT = 10
# A tsvector counts positions to 16,383 (postgresql.org/docs, 12.1.2).
MOST_POSITIONS = 16_383


@dataclass(frozen=True)
class TextIndex:
    """The index of this name: a table with `rowid`, the key, and `words`."""

    name: str
    table: Table = field(init=False)

    def __post_init__(self) -> None:
        columns = (Column("rowid", BigInteger, primary_key=True), Column("words", TSVECTOR))
        object.__setattr__(self, "table", Table(self.name, MetaData(), *columns))

    def create(self, connection: Connection) -> None:
        """Make the index, empty."""
        if connection.dialect.name == "postgresql":
            connection.execute(
                text(f"create table {self.name} (rowid bigint primary key, words tsvector not null)")
            )
            connection.execute(text(f"create index ix_{self.name}_words on {self.name} using gin (words)"))
            return
        connection.exec_driver_sql(
            f"create virtual table {self.name} using fts5(words, content='', contentless_delete=1,"
            " tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* M* Co So Sk Sm' tokenchars '='\")"
        )

    def drop(self, connection: Connection) -> None:
        """Take the index away."""
        connection.execute(text(f"drop table {self.name}"))

    def put(self, connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
        """Write what `indexed` made, by key, in the place of what stood there."""
        if not rows:
            return
        if connection.dialect.name == "postgresql":
            sql = (
                f"insert into {self.name} (rowid, words) values (:key, cast(:words as tsvector))"  # noqa: S608
                " on conflict (rowid) do update set words = excluded.words"
            )
            connection.execute(text(sql), [{"key": key, "words": _tsvector(held)} for key, held in rows])
            return
        sql = f"insert or replace into {self.name} (rowid, words) values (?, ?)"  # noqa: S608
        connection.exec_driver_sql(sql, [tuple(row) for row in rows])

    def forget(self, connection: Connection, keys: Sequence[int]) -> None:
        """Take keys out; those that are not there are no error."""
        connection.execute(delete(self.table).where(among(self.table.c.rowid, keys)))

    def defer_merging(self, connection: Connection) -> None:
        """Let deletions rewrite nothing: what they leave behind goes by `merge_deleted`.

        FTS5 would merge up to 64 pages a level for every 64 rows deleted, inside the deleting transaction.
        """
        self._configure(connection, "deletemerge", 0)

    def merge_deleted(self, connection: Connection, pages: int) -> bool:
        """Write about `pages` pages anew without what was deleted; False when no segment has a tenth of it.

        Inside a write transaction. On PostgreSQL its own vacuum does that.
        """
        if connection.dialect.name == "postgresql":
            return False
        self._configure(connection, "deletemerge", DELETED_PERCENT)
        driver = connection.connection.dbapi_connection
        assert driver is not None, "a transaction has a connection"
        before = driver.total_changes
        self._configure(connection, "merge", pages)
        # The command itself is one change (sqlite.org/fts5.html, 6.8).
        merged: bool = driver.total_changes - before >= 2
        self.defer_merging(connection)
        return merged

    def _configure(self, connection: Connection, command: str, value: int) -> None:
        if connection.dialect.name != "postgresql":
            sql = f"insert into {self.name} ({self.name}, rank) values (?, ?)"  # noqa: S608
            connection.exec_driver_sql(sql, (command, value))

    def clear(self, connection: Connection) -> None:
        """Take everything out."""
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"truncate {self.name}"))
        else:
            connection.exec_driver_sql(f"insert into {self.name} ({self.name}) values ('delete-all')")  # noqa: S608


def indexed(texts: Sequence[str | None], facts: Mapping[str, str | None]) -> str:
    """Return what is put into the index: all words in order, between spaces, facts last."""
    found = [BREAK]
    for given in texts:
        if given:
            found.extend(word.text for word in words(given))
            found.append(BREAK)
    for name, value in facts.items():
        if value:
            found.extend(f"{name}={word.text}" for word in words(value))
            found.append(BREAK)
    return f" {' '.join(found)} "


def _tsvector(held: str) -> str:
    found = held.split()[:MOST_POSITIONS]
    return " ".join(f"'{word}':{at}" for at, word in enumerate(found, 1) if word != BREAK)
