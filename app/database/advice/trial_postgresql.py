"""Trying indexes on PostgreSQL: with HypoPG where it is installed, else on samples of the tables.

The samples are temporary tables of the same names, which PostgreSQL finds before the real ones, with the
same indexes, some thousand rows, and statistics of their own. All of it happens in one transaction that is
rolled back. The planner chooses on a smaller table than the real one, where an index helps less: what it uses
there it uses here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from app.database.advice.candidates import Candidate
from app.database.advice.predicates import TableRead
from app.database.advice.readings import RANGE_SHARE, Reading
from app.database.advice.samples import Sample
from app.database.plans.catalog import Catalog
from app.database.plans.explain import explain
from app.database.plans.plan import Plan
from app.database.plans.postgresql import generic_plan
from app.database.tracking.figures import StatementFigures
from app.errors import ClientError

SAMPLED = "Tried on a sample of the tables' rows, in temporary tables."
HYPOTHETICAL = "Tried with HypoPG, on the real tables' statistics."
NOT_PROVEN = "Not proven: HypoPG is not installed, and this role may not make temporary tables."
# Some 200 pages of a few columns: enough that reading all of them is not the cheapest way.
TRIAL_ROWS = 10_000
TIMEOUT_MS = 5_000
_EQUAL = re.compile(r'"?(\w+)"?\)?(?:::[\w ]+(?:\[\])?)? = ')
_RANGE = re.compile(r'"?(\w+)"?\)?(?:::[\w ]+)? (?:<|<=|>|>=) ')
_ROW = re.compile(r'ROW\("?(\w+)"?')
# These read all of their input before they give a row; a LIMIT above does not shorten it.
_WHOLE = ("Sort", "Hash", "Materialize", "SetOp", "WindowAgg", "Bitmap Heap Scan")
Node = Mapping[str, Any]


class PostgresqlTrial:
    """A transaction to try indexes in."""

    def __init__(self, connection: Connection, catalog: Catalog, samples: Mapping[str, Sample]) -> None:
        self._connection = connection
        self._catalog = catalog
        self._samples = samples
        self.proof = self.possible_proof(connection)
        self._hypothetical: dict[str, str] = {}
        self._afterwards = ExitStack()
        self._afterwards.enter_context(unprepared(connection))
        connection.execute(text(f"set local statement_timeout = {TIMEOUT_MS}"))
        if self.proof == SAMPLED:
            for name in samples:
                self._copy(name)

    @staticmethod
    def possible_proof(connection: Connection) -> str:
        """Say how indexes are tried here."""
        if connection.scalar(text("select 1 from pg_extension where extname = 'hypopg'")):
            return HYPOTHETICAL
        allowed = connection.scalar(text("select has_database_privilege(current_database(), 'TEMP')"))
        return SAMPLED if allowed else NOT_PROVEN

    def close(self) -> None:
        """Leave nothing behind."""
        self._connection.rollback()
        self._afterwards.close()

    def reading(self, statement: StatementFigures, _reads: Sequence[TableRead]) -> Reading | None:
        """Estimate what the statement reads as the planner would run it now; None if it cannot be planned."""
        if self.proof == NOT_PROVEN:
            return None
        try:
            plan = generic_plan(self._connection, statement.text)
        except ClientError:
            return None
        returned = statement.rows / max(1, statement.timing.count)
        return _Measure(self._samples, self._hypothetical, self.proof == SAMPLED, returned).read(plan)

    def plan(self, statement: StatementFigures) -> Plan:
        """Return the statement's plan."""
        return explain(self._connection, statement.text)

    @contextmanager
    def having(self, candidates: Sequence[Candidate]) -> Iterator[None]:
        """Have these indexes in the body."""
        point = self._connection.begin_nested()
        try:
            for candidate in candidates:
                self._make(candidate)
            yield
        finally:
            point.rollback()
            if self._hypothetical:
                self._connection.execute(text("select hypopg_reset()"))
                self._hypothetical.clear()

    def _make(self, candidate: Candidate) -> None:
        ddl = candidate.ddl(self._connection.dialect.identifier_preparer.quote)
        if self.proof == HYPOTHETICAL:
            made = self._connection.execute(
                text("select indexname from hypopg_create_index(:ddl)"), {"ddl": ddl}
            ).scalar_one()
            self._hypothetical[made] = candidate.name
        else:
            self._connection.exec_driver_sql(ddl)

    def _copy(self, name: str) -> None:
        quoted = self._connection.dialect.identifier_preparer.quote
        table, rows = quoted(name), self._samples[name].rows
        source = f"{quoted(self._schema(name))}.{table}"
        percent = min(100.0, 100 * TRIAL_ROWS / max(1, rows))
        self._connection.exec_driver_sql(
            f"create temporary table {table} (like {source} including indexes) on commit drop"
        )
        self._connection.exec_driver_sql(
            f"insert into pg_temp.{table} select * from {source}"  # noqa: S608 (names are quoted)
            f" tablesample system ({percent:.6f}) repeatable (0) limit {2 * TRIAL_ROWS}"
        )
        self._connection.exec_driver_sql(f"analyze pg_temp.{table}")

    def _schema(self, name: str) -> str:
        found = self._connection.execute(
            text(
                "select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where c.relname = :name and c.relkind = 'r' and pg_table_is_visible(c.oid)"
            ),
            {"name": name},
        )
        return str(found.scalar_one())


@contextmanager
def unprepared(connection: Connection) -> Iterator[None]:
    """Keep psycopg from preparing statements by itself in the body, and have it forget those that it has.

    At the next rollback, to a savepoint too, it would deallocate all there are, those of `plans` with them.
    Rolls back what the connection has begun; does nothing on SQLite.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        yield
        return
    connection.rollback()
    before, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = before


class _Measure:
    """Estimates the rows that a plan of PostgreSQL reads from the real tables."""

    def __init__(
        self, samples: Mapping[str, Sample], names: Mapping[str, str], sampled: bool, returned: float
    ) -> None:
        self._samples = samples
        self._names = names
        self._sampled = sampled
        self._returned = max(1.0, returned)
        self._sorted = 0.0
        self._indexes: set[str] = set()

    def read(self, plan: Node) -> Reading:
        """Estimate a plan."""
        rows = self._rows(plan, 1.0)
        return Reading(rows, self._sorted, frozenset(self._indexes))

    def _rows(self, node: Node, part: float) -> float:
        """Return the rows read below a node of which a part (0–1) is asked for."""
        kind, below = node["Node Type"], node.get("Plans", [])
        if "Index Name" in node:
            self._indexes.add(self._names.get(node["Index Name"], node["Index Name"]))
        if kind == "Limit":
            part = min(1.0, self._returned / self._given(below[0]))
        elif kind in _WHOLE or (kind == "Aggregate" and node.get("Strategy") != "Sorted"):
            part = 1.0
        if kind == "Sort":
            self._sorted += self._given(below[0])
        if kind == "Nested Loop":
            outer, inner = below[0], below[1]
            return self._rows(outer, part) + part * self._given(outer) * self._rows(inner, 1.0)
        if "Index Cond" in node or kind in ("Index Scan", "Index Only Scan"):
            return part * self._found(node)
        if kind == "Seq Scan":
            return part * self._table_rows(node["Relation Name"])
        return sum(self._rows(child, part) for child in below)

    def _given(self, node: Node) -> float:
        """Return how many rows a node gives, scaled from the samples to the real tables."""
        rows = max(1.0, float(node["Plan Rows"]))
        # One row is one row however large the table is: found by its key.
        if not self._sampled or rows <= 1:
            return rows
        return rows * max(1.0, self._scale(node))

    def _scale(self, node: Node) -> float:
        name = node.get("Relation Name")
        if name is not None:
            return self._table_rows(name) / min(self._table_rows(name), TRIAL_ROWS)
        return max((self._scale(child) for child in node.get("Plans", [])), default=1.0)

    def _table_rows(self, name: str) -> float:
        sample = self._samples.get(name)
        return float(max(1, sample.rows)) if sample else 1.0

    def _found(self, node: Node) -> float:
        """Return how many entries of an index one look reads."""
        sample = self._samples.get(node.get("Relation Name", "")) or self._owner(node["Index Name"])
        if sample is None:
            return 1.0
        condition = node.get("Index Cond", "")
        equal = [name for name in _EQUAL.findall(condition) if name in sample.columns]
        ranges = [*_RANGE.findall(condition), *_ROW.findall(condition)]
        found = sample.matching(equal) if equal else float(sample.rows)
        return max(1.0, found * RANGE_SHARE ** len(set(ranges) & set(sample.columns)))

    def _owner(self, index: str) -> Sample | None:
        # A bitmap's index scan does not name its table; the index's conventional name does.
        index = self._names.get(index, index)
        fits = [name for name in self._samples if f"_{name}_" in f"_{index}_"]
        return self._samples[max(fits, key=len)] if fits else None
