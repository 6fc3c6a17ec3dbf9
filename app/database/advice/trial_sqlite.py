"""Trying indexes on SQLite: an empty copy of schema and statistics, on which the planner plans as it would.

The copy is asked for plans only; an authorizer keeps statements from changing what the copy, or this process,
is like (EXPLAIN of a PRAGMA takes effect while it is prepared).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, StaticPool, create_engine

from app.database.advice.candidates import Candidate
from app.database.advice.predicates import TableRead
from app.database.advice.readings import Reader, Reading, steps_of
from app.database.advice.samples import Sample
from app.database.engine import sqlite
from app.database.plans.catalog import Catalog, read_catalog
from app.database.plans.child import plan_steps
from app.database.plans.explain import explain
from app.database.plans.plan import Plan
from app.database.plans.schema_copy import clone_schema, table_sizes
from app.database.tracking.figures import StatementFigures

PROOF = "Tried on an empty copy of the schema with the table's real statistics."
_ALLOWED = {
    sqlite.SQLITE_SELECT,
    sqlite.SQLITE_READ,
    sqlite.SQLITE_FUNCTION,
    sqlite.SQLITE_RECURSIVE,
    sqlite.SQLITE_INSERT,
    sqlite.SQLITE_UPDATE,
    sqlite.SQLITE_DELETE,
}


class SqliteTrial:
    """A copy of a database to try indexes on."""

    proof = PROOF

    def __init__(self, connection: Connection, catalog: Catalog, samples: Mapping[str, Sample]) -> None:
        self._catalog = catalog
        self._samples = samples
        self._real = connection
        schema = clone_schema(connection)
        self.copy = schema.open_copy()
        self._engine = create_engine(
            "sqlite://", module=sqlite, creator=lambda: self.copy, poolclass=StaticPool
        )
        self._sizes = table_sizes(connection, catalog)
        self._analysed = {row[0] for row in schema.statistics.get("sqlite_stat1", ())}
        self._changed = False
        # The copy's tables with the indexes of this moment, read once for all that is planned with them.
        self._tried: Catalog | None = None

    def close(self) -> None:
        """Forget the copy."""
        self._engine.dispose()
        self.copy.close()

    def reading(self, statement: StatementFigures, reads: Sequence[TableRead]) -> Reading | None:
        """Estimate what the statement reads as the planner would run it now; None if it cannot be planned."""
        rowids = {name: table.rowid for name, table in self._catalog.items()}
        returned = statement.rows / max(1, statement.timing.count)
        try:
            lines = self._lines(statement.text)
        except sqlite.Error:
            return None
        return Reader(reads, self._samples, rowids, returned).read(steps_of(lines))

    def plan(self, statement: StatementFigures) -> Plan:
        """Return the statement's plan; that of the real database while no index is tried."""
        if not self._changed:
            return explain(self._real, statement.text, catalog=self._catalog)
        with self._engine.connect() as connection:
            self._tried = self._tried or read_catalog(connection)
            return explain(connection, statement.text, catalog=self._tried, sizes=self._sizes)

    @contextmanager
    def having(self, candidates: Sequence[Candidate]) -> Iterator[None]:
        """Have these indexes, with the statistics they would have, in the body."""
        for candidate in candidates:
            self.copy.execute(candidate.ddl(_quoted))
            self._state(candidate)
        self.copy.execute("analyze sqlite_schema")  # reads the statistics anew, gathers none
        self._changed = bool(candidates)
        try:
            yield
        finally:
            self._changed, self._tried = False, None
            for candidate in candidates:
                self.copy.execute(f"drop index {_quoted(candidate.name)}")

    def _state(self, candidate: Candidate) -> None:
        # In a table that was never analysed, a new index has no statistics either.
        if candidate.table not in self._analysed:
            return
        sample = self._samples[candidate.table]
        rows = sample.rows
        if candidate.not_null:
            rows = round(rows * (1 - sample.null_share(candidate.names[0])))
        names = candidate.names
        count = sample.matching if candidate.not_null else sample.a_key
        each = [max(1, round(count(names[: n + 1]))) for n in range(len(names))]
        self.copy.execute(
            "insert into sqlite_stat1 (tbl, idx, stat) values (?, ?, ?)",
            (candidate.table, candidate.name, " ".join(map(str, [max(1, rows), *each]))),
        )

    def _lines(self, sql: str) -> list[tuple[int, int, int, str]]:
        self.copy.set_authorizer(_authorize)
        try:
            return plan_steps(self.copy, sql)
        finally:
            self.copy.set_authorizer(None)


def _authorize(action: int, *_: object) -> int:
    return int(sqlite.SQLITE_OK if action in _ALLOWED else sqlite.SQLITE_DENY)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
