"""The indexes there are: what each one takes, what uses it, and whether another does its work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.database.advice.predicates import LONGEST, is_explainable
from app.database.advice.samples import draw, index_bytes
from app.database.advice.trial_postgresql import unprepared
from app.database.plans.catalog import Catalog, IndexShape, TableShape, read_catalog
from app.database.plans.explain import explain
from app.database.tracking.figures import StatementFigures
from app.database.tracking.scope import ignored
from app.errors import ClientError


@dataclass(frozen=True)
class IndexReport:
    """One index. `verdict` is used, unused, duplicate, redundant or unknown; `because` is a sentence.

    `size_bytes` is estimated on SQLite; None where the table is empty. `used_by` holds fingerprints of the
    tracked statements whose plans use it.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    unique: bool
    size_bytes: int | None
    used_by: tuple[str, ...]
    verdict: str
    because: str


@dataclass(frozen=True)
class _Counted:
    """What PostgreSQL has counted of an index."""

    scans: int
    size_bytes: int


def index_report(engine: Engine, statements: Sequence[StatementFigures]) -> list[IndexReport]:
    """Return every index with what uses it, by table and name; plans the statements, runs none."""
    with ignored(), engine.connect() as connection:
        catalog = read_catalog(connection)
        with unprepared(connection):
            uses = _uses(connection, statements)
        counted = _counted(connection)
        sizes = _sizes(connection, catalog, counted)
        judge = _Judge(uses, counted, len(statements))
        return [
            judge.report(index, table, sizes.get(index.name))
            for _, table in sorted(catalog.items())
            for index in table.indexes
            if not (table.keyed and index.origin == "pk")  # that is the table itself
        ]


def _uses(connection: Connection, statements: Sequence[StatementFigures]) -> dict[str, list[str]]:
    """Return the fingerprints of the statements whose plans use an index, by index."""
    uses: dict[str, list[str]] = {}
    for statement in statements:
        if len(statement.text) >= LONGEST or not is_explainable(statement.text):
            continue
        try:
            plan = explain(connection, statement.text)
        except (DBAPIError, ClientError):  # of a table that is gone, or cut short
            connection.rollback()
            continue
        for name in plan.indexes:
            uses.setdefault(name, []).append(statement.fingerprint)
    return uses


def _counted(connection: Connection) -> dict[str, _Counted]:
    if connection.dialect.name == "sqlite":
        return {}
    found = connection.execute(
        text("select indexrelname, idx_scan, pg_relation_size(indexrelid) as bytes from pg_stat_user_indexes")
    )
    return {row.indexrelname: _Counted(row.idx_scan, row.bytes) for row in found.all()}


def _sizes(connection: Connection, catalog: Catalog, counted: Mapping[str, _Counted]) -> dict[str, int]:
    if counted:
        return {name: one.size_bytes for name, one in counted.items()}
    wanted = {
        name: {column for index in table.indexes for column in index.columns if column}
        for name, table in catalog.items()
        if table.indexes
    }
    samples = draw(connection, catalog, wanted)
    return {
        index.name: index_bytes(
            samples[name], index.columns, "sqlite", not_null=_is_not_null(index.where, index.columns[0])
        )
        for name in wanted
        for index in catalog[name].indexes
        if samples[name].rows
    }


class _Judge:
    """Says what to think of an index."""

    def __init__(
        self, uses: Mapping[str, list[str]], counted: Mapping[str, _Counted], statements: int
    ) -> None:
        self._uses = uses
        self._counted = counted
        self._statements = statements

    def report(self, index: IndexShape, table: TableShape, size: int | None) -> IndexReport:
        """Report one index."""
        verdict, because = self._verdict(index, table)
        return IndexReport(
            name=index.name,
            table=table.name,
            columns=index.columns,
            unique=index.unique,
            size_bytes=size,
            used_by=tuple(self._uses.get(index.name, ())),
            verdict=verdict,
            because=because,
        )

    def _verdict(self, index: IndexShape, table: TableShape) -> tuple[str, str]:
        return _covered(index, table) or self._use(index) or self._doubt(index, table) or self._unused()

    def _use(self, index: IndexShape) -> tuple[str, str] | None:
        statements = len(self._uses.get(index.name, ()))
        if statements:
            return "used", f"{_number(statements, 'tracked statement')} found rows by it."
        scans = self._counted[index.name].scans if index.name in self._counted else 0
        if scans:
            return "used", f"PostgreSQL has looked into it {_number(scans, 'time')}."
        if index.unique:
            return "used", "It keeps its values unique."
        return None

    def _doubt(self, index: IndexShape, table: TableShape) -> tuple[str, str] | None:
        if index.columns[0] in table.references:
            return "unknown", "It finds the rows that refer to one that is deleted; no plan shows that."
        if index.where and not _is_not_null(index.where, index.columns[0]) and not self._counted:
            return "unknown", "It holds part of the rows, by values that the tracked statements do not keep."
        if not self._statements:
            return "unknown", "No statement was tracked yet."
        return None

    def _unused(self) -> tuple[str, str]:
        return "unused", f"None of {_number(self._statements, 'tracked statement')} uses it."


def _covered(index: IndexShape, table: TableShape) -> tuple[str, str] | None:
    """Return the verdict on an index whose work another one does; one that keeps values unique stays."""
    if index.unique:
        return None
    mine = _parts(index)
    for other in table.indexes:
        if other.name == index.name or other.where != index.where or "" in index.columns:
            continue
        theirs = _parts(other)
        if theirs == mine and (other.unique or other.name < index.name):
            return "duplicate", f"{other.name} has the same columns."
        if len(theirs) > len(mine) and theirs[: len(mine)] == mine:
            return "redundant", f"{other.name} begins with the same columns."
    return None


def _parts(index: IndexShape) -> tuple[tuple[str, bool], ...]:
    return tuple(zip(index.columns, index.descending, strict=True))


def _is_not_null(where: str | None, column: str) -> bool:
    condition = (where or "").lower().strip("() ")
    return condition in (f"{column} is not null", f'"{column}" is not null')


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
