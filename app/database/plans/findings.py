"""What is wrong in a plan, in words: what it costs, and what to do about it. The same for both databases."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.database.advice.predicates import TableRead, reads
from app.database.plans.catalog import Catalog, TableShape
from app.database.plans.plan import Finding, Node, Plan
from app.database.plans.schema_copy import Sizes, TableSize
from app.database.plans.statement_text import Reading, read

# Reading or sorting fewer rows takes less than a millisecond: worth a note, no more.
FEW_ROWS = 1_000
# From here on, fetching each row from the table is most of the work of reading an index.
MANY_LOOKUPS = 100
# More columns than these make an index a second copy of the table.
MOST_COVERED = 2
LEVELS = ("bad", "note")
_WRITES = (("update",), ("delete",))


@dataclass(frozen=True)
class Known:
    """What is known of a statement beside its plan: its text, and its tables' shapes and sizes."""

    reading: Reading
    sizes: Sizes
    reads: Sequence[TableRead]

    def table(self, name: str) -> TableShape | None:
        """Return the table that a name of the statement stands for."""
        return self.reading.table_of(name)

    def size(self, name: str) -> TableSize:
        """Return how large the table is that a name stands for."""
        table = self.table(name)
        return self.sizes.get(table.name, TableSize()) if table else TableSize()

    def limited(self, name: str) -> bool:
        """Return whether the SELECT that reads a table may stop early."""
        scope = self.reading.scope_of(name)
        return scope is not None and scope.limited

    def read_of(self, name: str) -> TableRead | None:
        """Return how the statement compares and orders a table's columns."""
        return next((found for found in self.reads if found.alias.lower() == name.lower()), None)


def know(sql: str, catalog: Catalog, sizes: Sizes) -> Known:
    """Read a statement's text."""
    return Known(read(sql, catalog), sizes, reads(sql, catalog))


def plan_of(database: str, nodes: Sequence[Node]) -> Plan:
    """Make a plan of its first steps: gather their findings, worst first."""
    found: list[Finding] = []
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        found.extend(node.findings)
        waiting.extend(reversed(node.children))
    return Plan(database, tuple(nodes), tuple(sorted(found, key=lambda finding: LEVELS.index(finding.level))))


def scan(known: Known, name: str, times: float, *, joined: bool, along: str | None = None) -> list[Finding]:
    """Say what reading a whole table means.

    `times` is how often, `joined` whether for each row of another table; `along` names the index that gives
    the order, by which a statement with a LIMIT may stop early.
    """
    table, size, scope = known.table(name), known.size(name), known.reading.scope_of(name)
    filters = known.reading.filters(name)
    if table is None or (known.limited(name) and not filters and not joined):
        return []  # it reads as many rows as it returns, or is sorted, which is said there
    level = _level(None if size.rows is None else size.rows * times)
    if (along and known.limited(name)) or (size.rows is not None and size.rows <= 1):
        level = "note"  # a table of one row costs no more than an index would
    cost = f"Reads {_rows(size.rows)}" + (f" along {along}" if along else _bytes(size.size_bytes))
    cost += f", for each of {_rows(times)}." if times > 1 else "."
    if scope is not None and not scope.conditions and not joined:
        return [_missing_where(known, table, level, cost)]
    columns = _narrowing(known, name, joined=joined)
    cure = (
        f"Add an index on {table.name} ({', '.join(columns)})."
        if columns
        else "Narrow it by a condition that an index can serve: a column compared with a value."
    )
    finding = Finding("full_scan", level, cost, cure, table.name, tuple(columns))
    return [finding, *_unindexed(known, name, table, level)]


def _missing_where(known: Known, table: TableShape, level: str, cost: str) -> Finding:
    writes = any(scope.words[:1] in _WRITES for scope in known.reading.scopes)
    cure = (
        "Add a WHERE, or work through the table in batches."
        if writes
        else "Add a WHERE or a LIMIT; for a total, keep a running count."
    )
    return Finding("missing_where", "bad" if writes else level, cost, cure, table.name)


def _unindexed(known: Known, name: str, table: TableShape, level: str) -> list[Finding]:
    """Say why no index could serve a condition: LIKE, or a function around the column."""
    found = []
    for column in known.reading.likes(name):
        cost = f"LIKE on {column} looks at every row."
        cure = (
            "For words inside a text use full-text search; for its beginning, a range (>= 'ab' and < 'ac')."
        )
        found.append(Finding("like_without_index", level, cost, cure, table.name, (column,)))
    for column in known.reading.wrapped(name):
        index = next((index.name for index in table.indexes if index.columns[:1] == (column,)), None)
        if index is not None:
            cost = f"The index {index} cannot be used: {column} stands inside a function."
            cure = f"Compare {column} itself, or make an index on the whole expression."
            found.append(Finding("function_on_index", level, cost, cure, table.name, (column,)))
    return found


def _narrowing(known: Known, name: str, *, joined: bool) -> list[str]:
    """Return the columns that an index should have: those compared for equality, then one range."""
    compared = known.read_of(name)
    if compared is None:
        return []
    own = {column for part in known.reading.filters(name) for column in known.reading.columns(name, part)}
    equals = [column for column in compared.equals if joined or column in own]
    ranges = [column for column in compared.ranges if (joined or column in own) and column not in equals]
    return equals + ranges[:1]


def sort(known: Known, purpose: str, names: Sequence[str], rows: float | None) -> Finding:
    """Say what sorting costs: for `purpose` (ORDER BY, GROUP BY, DISTINCT), fed by the tables in `names`."""
    cost = f"Holds and sorts {_rows(rows)} before the first is returned."
    table = known.table(names[0]) if len(names) == 1 else None
    columns = _ordering(known, names[0]) if table and "ORDER" in purpose else []
    if table and columns:
        cure = f"An index on {table.name} ({', '.join(columns)}) returns them in this order."
    elif "DISTINCT" in purpose:
        cure = "Ask by EXISTS instead of a join, so that nothing has to be made distinct."
    else:
        cure = "Order and group by columns of one index, or by fewer rows."
    return Finding("temp_btree", _level(rows), cost, cure, table.name if table else None, tuple(columns))


def _ordering(known: Known, name: str) -> list[str]:
    compared = known.read_of(name)
    if compared is None or not compared.order:
        return []
    # Columns of mixed directions need them in the index, too.
    mixed = len({down for _, down in compared.order}) > 1
    order = [f"{column} desc" if mixed and down else column for column, down in compared.order]
    return [*compared.equals, *(column for column in order if column not in compared.equals)]


def automatic_index(known: Known, name: str, columns: Sequence[str]) -> Finding:
    """Say that the database makes an index for one run and drops it."""
    size, table = known.size(name), known.table(name)
    cost = f"Builds an index over {_rows(size.rows)} at each run, and drops it."
    cure = f"Add an index on {table.name if table else name} ({', '.join(columns)})."
    level = _level(size.rows)
    return Finding("automatic_index", level, cost, cure, table.name if table else None, tuple(columns))


def correlated(rows: float | None, *, scans: bool) -> Finding:
    """Say that a subquery runs once for each row; `scans` says that it reads a whole table each time."""
    cost = f"Runs once for each of {_number(rows)} rows." if rows is not None else "Runs once for each row."
    cure = "Write it as a join, or as one grouped subquery that is joined."
    return Finding("correlated_subquery", "bad" if scans else _level(rows, unknown="note"), cost, cure)


def cartesian(known: Known, name: str, before: float | None) -> Finding:
    """Say that no condition joins a table to those read before it."""
    size, table = known.size(name), known.table(name)
    pairs = None if before is None or size.rows is None else before * size.rows
    cost = f"Pairs every row with every row: {_rows(pairs)}."
    cure = f"Join {table.name if table else name} by a condition, or ask for it by itself."
    return Finding("cartesian_join", _level(pairs), cost, cure, table.name if table else None)


def covering(known: Known, name: str, index: str, rows: float | None) -> list[Finding]:
    """Say that an index with one or two columns more would have all that is asked for."""
    table, scope = known.table(name), known.reading.scope_of(name)
    shape = next((found for found in table.indexes if found.name == index), None) if table else None
    if table is None or scope is None or shape is None or scope.takes_all or scope.limited:
        return []
    there = {*shape.columns, table.rowid}
    missing = [column for column in known.reading.columns(name) if column not in there]
    if rows is None or rows < MANY_LOOKUPS or not 0 < len(missing) <= MOST_COVERED or "" in there:
        return []
    cost = f"Looks up {_rows(rows)} in the table, one by one, for {' and '.join(missing)}."
    columns = (*shape.columns, *missing)
    cure = f"An index on {table.name} ({', '.join(columns)}) in place of {index} has all that is asked for."
    return [Finding("covering_index_missing", "note", cost, cure, table.name, columns)]


def _level(rows: float | None, unknown: str = "bad") -> str:
    if rows is None:
        return unknown
    return "bad" if rows >= FEW_ROWS else "note"


def _rows(rows: float | None) -> str:
    if rows is None:
        return "an unknown number of rows"
    return "about 1 row" if round(rows) == 1 else f"about {_number(rows)} rows"


def _number(number: float | None) -> str:
    if number is None:
        return "many"
    return f"{round(number):,}" if number < 1e12 else f"{number:.0e}"


def _bytes(size: int | None) -> str:
    if size is None:
        return ""
    for unit, bytes_of_it in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if size >= bytes_of_it:
            return f" ({size / bytes_of_it:.3g} {unit})"
    return f" ({size} bytes)"
