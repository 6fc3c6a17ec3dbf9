"""Candidate indexes: from a statement's comparisons and order, each to be tried before it is offered.

First the columns that are compared for equality, those first that leave the fewest rows, then the columns of
the order, or one that is compared for a range. Narrow ones are made beside wide ones; which one is worth its
place is for the planner to show.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.database.advice.predicates import TableRead
from app.database.advice.samples import Sample
from app.database.plans.catalog import Catalog, TableShape

MOST_EQUALS = 4  # all subsets of it are made: 16
MOST_COLUMNS = 6
LONGEST_NAME = 63  # PostgreSQL cuts names here
# From half of the rows NULL on, an index without them is the better one: half its size, the same lookups.
PARTIAL_FROM = 0.5


@dataclass(frozen=True)
class Candidate:
    """An index to try. `columns` holds (name, descending); `not_null` leaves out rows with NULL in the first.

    `rowid` is the column that is the table's row number, where there is one; `source` is `own` or `expert`.
    """

    table: str
    columns: tuple[tuple[str, bool], ...]
    not_null: bool = False
    rowid: str | None = None
    source: str = "own"

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns' names."""
        return tuple(name for name, _ in self.columns)

    @property
    def width(self) -> int:
        """How many columns an entry holds beside the row number, in which SQLite's entries end anyway."""
        return len(self.columns) - (self.names[-1] == self.rowid)

    @property
    def name(self) -> str:
        """Its conventional name, `ix_table_columns`."""
        parts = [f"{name}_desc" if down else name for name, down in self.columns]
        name = "_".join(["ix", self.table, *parts])
        if len(name.encode()) <= LONGEST_NAME:
            return name
        mark = hashlib.blake2s(name.encode(), digest_size=3).hexdigest()
        return f"{name.encode()[: LONGEST_NAME - 7].decode('utf-8', 'ignore')}_{mark}"

    def ddl(self, quote: Callable[[str], str], how: str = "create index") -> str:
        """Return the statement that makes it; `quote` is the dialect's."""
        listed = ", ".join(quote(name) + (" desc" if down else "") for name, down in self.columns)
        where = f" where {quote(self.columns[0][0])} is not null" if self.not_null else ""
        return f"{how} {quote(self.name)} on {quote(self.table)} ({listed}){where}"


def candidates(
    reads: Iterable[TableRead], catalog: Catalog, samples: Mapping[str, Sample]
) -> list[Candidate]:
    """Return the indexes that could help these reads and are not there yet, each once, likeliest first."""
    found: dict[Candidate, None] = {}
    for read in reads:
        table, sample = catalog[read.table], samples[read.table]
        for columns in _columns(read, table, sample):
            for made in _with_partial(read, Candidate(read.table, columns, rowid=table.rowid), sample):
                if is_new(made, table):
                    found.setdefault(made)
    return list(found)


def is_new(candidate: Candidate, table: TableShape) -> bool:
    """Return whether no index of the table does the candidate's work: begins with its columns, whole."""
    if candidate.names[0] == table.rowid:
        return False
    for index in table.indexes:
        if index.name == candidate.name:
            return False  # somebody's own, under that name
        there = tuple(zip(index.columns, index.descending, strict=True))
        if there[: len(candidate.columns)] == candidate.columns and (
            index.where is None or candidate.not_null
        ):
            return False
        if index.unique and index.where is None and candidate.names[: len(index.columns)] == index.columns:
            return False  # its rows are found one by one already
    return True


def _columns(read: TableRead, table: TableShape, sample: Sample) -> Iterable[tuple[tuple[str, bool], ...]]:
    places = {column: place for place, column in enumerate(table.columns)}
    equals = sorted({*read.equals, *read.joins}, key=lambda column: (sample.share(column), places[column]))
    if table.rowid in equals:
        equals.remove(table.rowid)  # found by its number; other ways to it are what is looked for
    for subset in _subsets(equals[:MOST_EQUALS]):
        fixed = tuple((column, False) for column in subset)
        for rest in _rests(read, subset):
            columns = (fixed + rest)[:MOST_COLUMNS]
            if columns:
                yield columns


def _subsets(columns: Sequence[str]) -> Iterable[tuple[str, ...]]:
    for size in range(len(columns), -1, -1):
        yield from itertools.combinations(columns, size)
    # The other way round, a pair can serve a second statement that compares only one of them.
    for first, second in itertools.combinations(columns, 2):
        yield second, first


def _rests(read: TableRead, fixed: Sequence[str]) -> Iterable[tuple[tuple[str, bool], ...]]:
    order = [part for part in read.order if part[0] not in fixed]
    if len({down for _, down in order}) == 1:
        order = [(column, False) for column, _ in order]  # an index is read backwards as well
    if order:
        yield tuple(order)
    for column in read.ranges:
        if column not in fixed:
            yield ((column, False),)
    yield ()


def _with_partial(read: TableRead, whole: Candidate, sample: Sample) -> Iterable[Candidate]:
    first = whole.names[0]
    if first in (*read.equals, *read.joins) and sample.null_share(first) >= PARTIAL_FROM:
        yield replace(whole, not_null=True)
    yield whole
