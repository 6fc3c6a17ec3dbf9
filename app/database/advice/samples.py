"""Samples of tables: how many rows, how many of them share a value, how long the values are.

A few thousand rows of a table are read, never all of it: on SQLite by row numbers drawn at random, on
PostgreSQL by TABLESAMPLE. The draw is the same each time, so that advice given twice is the same advice.
"""

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.database.plans.catalog import Catalog, TableShape

# 4,000 rows tell 1 % from 2 %, and are read in some 20 ms from a table of a million.
SAMPLE_ROWS = 4_000
FEWEST_ROWS = 200
MOST_COUNTED = 1_000_000
DEFAULT_MATCHING = 10.0  # rows that share a value where nothing is known: SQLite's planner assumes the same

Value = object
Row = tuple[Value, ...]


@dataclass(frozen=True)
class Sample:
    """Some rows of a table, of the columns asked for; `rows` estimates how many the table has."""

    rows: int
    columns: tuple[str, ...]
    drawn: tuple[Row, ...]
    _known: dict[frozenset[str], float] = field(default_factory=dict, compare=False, repr=False)
    _null_shares: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    def matching(self, columns: Iterable[str]) -> float:
        """Estimate how many rows share one value of `columns` taken together, NULLs left out.

        The number of distinct values is Duj1 of Haas and Stokes (1998), n·d / (n − f₁ + f₁·n/N), as
        PostgreSQL's ANALYZE has it: d distinct values among n rows drawn from N, f₁ of them seen once.
        """
        wanted = frozenset(columns)
        if wanted not in self._known:
            self._known[wanted] = self._matching(sorted(wanted))
        return self._known[wanted]

    def _matching(self, columns: Sequence[str]) -> float:
        if not self.drawn or not set(columns) <= set(self.columns):
            return min(DEFAULT_MATCHING, float(self.rows))
        counts = Counter(values for values in self._values(columns) if None not in values)
        drawn = counts.total()
        if not drawn:
            return 0.0
        whole = self.rows * drawn / len(self.drawn)
        once = sum(1 for count in counts.values() if count == 1)
        distinct = drawn * len(counts) / (drawn - once + once * drawn / max(whole, drawn))
        return whole / max(1.0, distinct)

    def a_key(self, columns: Sequence[str]) -> float:
        """Estimate how many rows an index has for one key, as ANALYZE counts: all NULLs are one key."""
        matching = self.matching(columns)
        missing = max((self.null_share(column) for column in columns), default=0.0)
        if not missing or not matching:
            return max(1.0, matching)
        return self.rows / (self.rows * (1 - missing) / matching + 1)

    def share(self, column: str) -> float:
        """Estimate which part of the rows has a certain value of a column (0–1)."""
        return self.matching([column]) / self.rows if self.rows else 1.0

    def null_share(self, column: str) -> float:
        """Return which part of the rows has NULL in a column (0–1)."""
        if not self.drawn or column not in self.columns:
            return 0.0
        if column not in self._null_shares:
            missing = sum(1 for (value,) in self._values([column]) if value is None)
            self._null_shares[column] = missing / len(self.drawn)
        return self._null_shares[column]

    def entry_bytes(self, columns: Sequence[str]) -> float:
        """Return the average length of an index entry's values in bytes."""
        known = [column for column in columns if column in self.columns]
        unknown = 8.0 * (len(columns) - len(known))
        lengths = [sum(_length(value) for value in values) for values in self._values(known)]
        return unknown + (sum(lengths) / len(lengths) if lengths else 8.0 * len(known))

    def _values(self, columns: Sequence[str]) -> Iterable[Row]:
        places = [self.columns.index(column) for column in columns]
        return (tuple(row[place] for place in places) for row in self.drawn)


def draw(connection: Connection, catalog: Catalog, wanted: dict[str, set[str]]) -> dict[str, Sample]:
    """Draw a sample of each table in `wanted`, of the columns given there."""
    read = _sqlite_sample if connection.dialect.name == "sqlite" else _postgresql_sample
    found = {}
    for name in sorted(wanted):
        table = catalog[name]
        columns = tuple(column for column in table.columns if column in wanted[name])
        found[name] = read(connection, table, columns or table.columns[:1])
    return found


def index_bytes(sample: Sample, columns: Sequence[str], database: str, *, not_null: bool = False) -> int:
    """Estimate an index's size in bytes, newly built; `not_null` leaves out NULL in its first column.

    SQLite (sqlite.org/fileformat2.html, 1.6): values, row number of some four bytes, lengths and pointer of
    four, pages full. PostgreSQL (storage of B-trees): values rounded up to eight bytes, twelve around them,
    pages nine tenths full.
    """
    rows = sample.rows * (1 - sample.null_share(columns[0])) if not_null else float(sample.rows)
    values = sample.entry_bytes(columns)
    if database == "sqlite":
        return round(rows * (values + 4 + 4))
    return round(rows * (math.ceil(values / 8) * 8 + 12) / 0.9)


def _sqlite_sample(connection: Connection, table: TableShape, columns: tuple[str, ...]) -> Sample:
    quoted = connection.dialect.identifier_preparer.quote
    name, listed = quoted(table.name), ", ".join(map(quoted, columns))
    key = table.rowid or ("rowid" if "rowid" not in table.columns else "_rowid_")
    if table.keyed:
        return _first_rows(connection, name, columns, listed)
    key = quoted(key)
    # Two subqueries: min and max asked for together read the whole table.
    low, high = connection.exec_driver_sql(
        f"select (select min({key}) from {name}), (select max({key}) from {name})"  # noqa: S608 (quoted)
    ).one()
    if low is None or high - low < 2 * SAMPLE_ROWS:
        return _first_rows(connection, name, columns, listed)
    # The same rows each time; nothing here is secret.
    drawn = random.Random(table.name).sample(range(low, high + 1), SAMPLE_ROWS)  # noqa: S311
    found = connection.execute(
        text(f"select {listed} from {name} where {key} in (select value from json_each(:drawn))"),  # noqa: S608
        {"drawn": json.dumps(drawn)},
    ).all()
    if len(found) < FEWEST_ROWS:  # row numbers far apart
        return _first_rows(connection, name, columns, listed)
    rows = round((high - low + 1) * len(found) / SAMPLE_ROWS)
    return Sample(rows, columns, tuple(tuple(row) for row in found))


def _first_rows(connection: Connection, name: str, columns: tuple[str, ...], listed: str) -> Sample:
    most = 2 * SAMPLE_ROWS
    found = connection.exec_driver_sql(f"select {listed} from {name} limit {most}").all()  # noqa: S608
    rows = len(found)
    if rows == most:
        rows = connection.exec_driver_sql(
            f"select count(*) from (select 1 from {name} limit {MOST_COUNTED}) as counted"  # noqa: S608
        ).scalar_one()
    return Sample(rows, columns, tuple(tuple(map(_hashable, row)) for row in found))


def _postgresql_sample(connection: Connection, table: TableShape, columns: tuple[str, ...]) -> Sample:
    quoted = connection.dialect.identifier_preparer.quote
    name, listed = quoted(table.name), ", ".join(map(quoted, columns))
    rows = connection.execute(
        text("select reltuples::bigint from pg_class where oid = to_regclass(:name)"), {"name": name}
    ).scalar_one()
    if rows < 2 * SAMPLE_ROWS:  # small, or never analysed (-1)
        return _first_rows(connection, name, columns, listed)
    percent = min(100.0, 100.0 * SAMPLE_ROWS / rows)
    try:
        found = connection.exec_driver_sql(
            f"select {listed} from {name} tablesample system ({percent:.6f}) repeatable (0)"  # noqa: S608
            f" limit {2 * SAMPLE_ROWS}"
        ).all()
    except DBAPIError:  # a foreign or partitioned table
        found = []
    if len(found) < FEWEST_ROWS:
        return _first_rows(connection, name, columns, listed)
    return Sample(int(rows), columns, tuple(tuple(map(_hashable, row)) for row in found))


def _hashable(value: Value) -> Value:
    return json.dumps(value, sort_keys=True, default=str) if isinstance(value, (dict, list)) else value


def _length(value: Value) -> int:
    """Return a value's bytes in a record: SQLite's, whose integers are as short as they can be."""
    if value is None or value is True or value is False:
        return 1
    if isinstance(value, int):
        return 1 + (value.bit_length() + 8) // 8
    if isinstance(value, str):
        return 1 + len(value.encode("utf-8", "replace"))
    if isinstance(value, (bytes, memoryview)):
        return 1 + len(value)
    return 8
