"""A SQLite database without its rows: its schema, the planner's statistics, and how large its tables are.

A copy made of it plans statements as the database does. Triggers are left out: they have no part in a plan.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from app.database.engine import sqlite
from app.database.plans.child import fill

STATISTICS = ("sqlite_stat1", "sqlite_stat4")
SAMPLED_ROWS = 20
# A row takes some 12 bytes (SQLite's record format), so row numbers beyond what fits are no count of rows.
SMALLEST_ROW_BYTES = 12

Value = str | int | float | bytes | None


@dataclass(frozen=True)
class TableSize:
    """How large a table is, estimated; None where nothing is known.

    `keys` holds, by index, what ANALYZE found (sqlite.org/fileformat2.html, 2.6.3): rows, then the average
    number of rows that agree in the first column, the first two, and so on.
    """

    rows: int | None = None
    size_bytes: int | None = None
    keys: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


Sizes = Mapping[str, TableSize]


@dataclass(frozen=True)
class Schema:
    """What a planner needs to know: DDL in the order to run it, and the statistics' rows by table."""

    ddl: tuple[str, ...]
    statistics: Mapping[str, tuple[tuple[Value, ...], ...]]

    def open_copy(self) -> sqlite.Connection:
        """Make an empty database in memory that plans like the original; the caller closes it."""
        copy = sqlite.connect(":memory:", isolation_level=None, check_same_thread=False)
        fill(copy, self.ddl, self.statistics)
        return copy


def clone_schema(connection: Connection) -> Schema:
    """Read schema and statistics of a SQLite database."""
    return Schema(tuple(_ddl(connection)), _statistics(connection))


def table_sizes(connection: Connection, tables: Iterable[str]) -> dict[str, TableSize]:
    """Estimate the tables' sizes: from the statistics, else the last row's number; on PostgreSQL as it says.

    Reads at most 20 rows of each table.
    """
    wanted = sorted(set(tables))
    if connection.dialect.name != "sqlite":
        return _postgresql_sizes(connection, wanted)
    keys = _keys(connection)
    return {table: _sqlite_size(connection, table, keys.get(table, {})) for table in wanted}


def _ddl(connection: Connection) -> Iterable[str]:
    # Shadow tables come with their virtual table; names that begin with sqlite_ are the library's own.
    found = connection.exec_driver_sql(
        "select s.sql from sqlite_schema as s"
        " where s.sql is not null and s.type <> 'trigger' and s.name not like 'sqlite#_%' escape '#'"
        " and s.tbl_name not in"
        " (select name from pragma_table_list where schema = 'main' and type = 'shadow')"
        " order by case s.type when 'table' then 0 when 'index' then 1 else 2 end, s.rowid"
    )
    return found.scalars().all()


def _statistics(connection: Connection) -> dict[str, tuple[tuple[Value, ...], ...]]:
    return {
        table: tuple(tuple(row) for row in connection.exec_driver_sql(f"select * from {table}"))  # noqa: S608
        for table in _present(connection, STATISTICS)
    }


def _present(connection: Connection, tables: Sequence[str]) -> list[str]:
    found = connection.exec_driver_sql("select name from sqlite_schema where type = 'table'").scalars().all()
    return [table for table in tables if table in found]


def _keys(connection: Connection) -> dict[str, dict[str, tuple[int, ...]]]:
    if not _present(connection, ["sqlite_stat1"]):
        return {}
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for table, index, stat in connection.exec_driver_sql("select tbl, idx, stat from sqlite_stat1"):
        # After the numbers stand words such as "unordered" and "sz=40".
        numbers = tuple(int(part) for part in str(stat).split() if part.isdigit())
        if numbers:
            found.setdefault(table, {})[index or ""] = numbers
    return found


def _sqlite_size(connection: Connection, table: str, keys: Mapping[str, tuple[int, ...]]) -> TableSize:
    shape = connection.execute(
        text("select type, wr from pragma_table_list(:table) where schema = 'main'"), {"table": table}
    ).first()
    if shape is None or shape.type != "table":
        return TableSize()
    # A partial index counts its own rows only, so the largest count is the table's.
    rows = max((numbers[0] for numbers in keys.values()), default=None)
    if rows is None and not shape.wr:
        rows = _last_row(connection, table)
    row_bytes = _row_bytes(connection, table, newest=not shape.wr)
    size = None if rows is None or row_bytes is None else round(rows * row_bytes)
    return TableSize(rows, size, keys)


def _last_row(connection: Connection, table: str) -> int:
    quoted = connection.dialect.identifier_preparer.quote(table)
    last = connection.exec_driver_sql(f"select max(rowid) from {quoted}").scalar()  # noqa: S608
    pages: int = connection.exec_driver_sql("pragma page_count").scalar_one()
    page_bytes: int = connection.exec_driver_sql("pragma page_size").scalar_one()
    return max(0, min(last or 0, pages * page_bytes // SMALLEST_ROW_BYTES))


def _row_bytes(connection: Connection, table: str, *, newest: bool) -> float | None:
    """Return the average length of some rows' values; the length of a blob is known without reading it."""
    quote = connection.dialect.identifier_preparer.quote
    columns = connection.execute(text("select name from pragma_table_info(:table)"), {"table": table})
    lengths = " + ".join(f"coalesce(length({quote(name)}), 0) + 1" for name in columns.scalars())
    order = " order by rowid desc" if newest else ""
    average: float | None = connection.exec_driver_sql(
        f"select avg({lengths}) from (select * from {quote(table)}{order} limit {SAMPLED_ROWS})"  # noqa: S608
    ).scalar()
    return average


def _postgresql_sizes(connection: Connection, tables: Sequence[str]) -> dict[str, TableSize]:
    found = connection.execute(
        text(
            "select relname, reltuples::bigint as tuples, pg_table_size(oid) as bytes from pg_class"
            " where relname = any(:tables) and pg_table_is_visible(oid)"
        ),
        {"tables": list(tables)},
    )
    # -1 says that the table was never analysed.
    return {row.relname: TableSize(row.tuples if row.tuples >= 0 else None, row.bytes) for row in found}
