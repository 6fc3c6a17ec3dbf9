"""Index advice: what is offered is proven, on a copy, to be used by the planner and to read less.

The tracked statements that cost most are read for candidates (`candidates.py`, `expert.py`); each of them
is tried on a copy (`trial_sqlite.py`, `trial_postgresql.py`), and those worth their place are offered
(`choosing.py`). An index is built by `building.py`.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import Connection, Dialect, Engine

from app.database.advice.building import build_index, building_ddl
from app.database.advice.candidates import Candidate, candidates, is_new
from app.database.advice.choosing import Asked, Search, choose, clearly_less
from app.database.advice.expert import expert_candidates
from app.database.advice.predicates import LONGEST, reads, written_table
from app.database.advice.readings import Reading
from app.database.advice.samples import Sample, draw, index_bytes
from app.database.advice.trial_postgresql import PostgresqlTrial
from app.database.advice.trial_sqlite import SqliteTrial
from app.database.plans.catalog import Catalog, TableShape, read_catalog
from app.database.plans.plan import Plan
from app.database.tracking.figures import StatementFigures
from app.database.tracking.scope import ignored

__all__ = ["Advice", "Gain", "IndexAdvice", "Search", "advise", "build_index", "how_proven"]

# Those that cost most hold nearly all of the time.
MOST_STATEMENTS = 40
MOST_OFFERED = 10
Trial = SqliteTrial | PostgresqlTrial


@dataclass(frozen=True)
class Gain:
    """What one statement gains: rows read and milliseconds a run, now and with the index, and both plans.

    Rows are estimates from samples of the tables. `ms_before` is measured (0 for a statement that was never
    tracked), `left` is the share of the work that the index leaves (0–1).
    """

    fingerprint: str
    text: str
    runs: int
    rows_before: float
    rows_after: float
    ms_before: float
    left: float
    before: Plan
    after: Plan

    @property
    def ms_after(self) -> float:
        """Milliseconds a run with the index."""
        return self.ms_before * self.left


@dataclass(frozen=True)
class IndexAdvice:
    """An index that is missing, with the statements that gain, most first.

    `rows_before` and `rows_after` are an average run's; `size_bytes` is estimated. `write_percent` is what
    an insert into the table then writes more, `writes` how many tracked runs wrote to the table.
    `replaces` names existing indexes that it makes superfluous. `source` is `expert` or `own`; `proof` says
    in one sentence how it was tried.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    ddl: str
    gains: tuple[Gain, ...]
    rows_before: float
    rows_after: float
    size_bytes: int
    write_percent: float
    writes: int
    replaces: tuple[str, ...]
    source: str
    proof: str


@dataclass(frozen=True)
class Advice:
    """The indexes that are offered, the most gain first, and how far the search for them came."""

    offers: tuple[IndexAdvice, ...] = ()
    search: Search = Search()


def advise(engine: Engine, statements: Sequence[StatementFigures], limit: int = MOST_OFFERED) -> Advice:
    """Return the indexes that these statements want, at most `limit`.

    Reads a few thousand rows of each table concerned and plans on a copy; it runs no statement and changes
    nothing. On PostgreSQL it is empty where nothing can be proven (`how_proven`).
    """
    with ignored(), engine.connect() as connection:
        catalog = read_catalog(connection)
        asked = _asked(statements, catalog)
        if not asked:
            return Advice()
        samples = draw(connection, catalog, _wanted(asked, catalog))
        with closing(_trial(connection, catalog, samples)) as trial:
            offers = _Offers(trial, _Known(connection.dialect, catalog, samples, _writes(statements)), asked)
            return offers.made(limit)


def how_proven(engine: Engine) -> str:
    """Say in one sentence how an index is proven on this database, or that it cannot be."""
    if engine.dialect.name == "sqlite":
        return SqliteTrial.proof
    with ignored(), engine.connect() as connection:
        return PostgresqlTrial.possible_proof(connection)


def _asked(statements: Sequence[StatementFigures], catalog: Catalog) -> list[Asked]:
    """Return the statements that cost most, with how they read their tables."""
    found = []
    for statement in sorted(statements, key=lambda one: -one.timing.total_ms)[:MOST_STATEMENTS]:
        if len(statement.text) < LONGEST:  # a longer one was cut
            read = tuple(reads(statement.text, catalog))
            if read:
                found.append(Asked(statement, read))
    return found


def _wanted(asked: Sequence[Asked], catalog: Catalog) -> dict[str, set[str]]:
    """Return the columns whose values matter, by table."""
    wanted: dict[str, set[str]] = {}
    for one in asked:
        for read in one.reads:
            columns = wanted.setdefault(read.table, set())
            columns.update(read.equals, read.joins, read.ranges, (column for column, _ in read.order))
            columns.update(column for index in catalog[read.table].indexes for column in index.columns)
            columns.discard("")
    return wanted


def _writes(statements: Sequence[StatementFigures]) -> dict[str, int]:
    """Count the runs that write to a table, by table."""
    found: dict[str, int] = {}
    for statement in statements:
        table = written_table(statement.text)
        if table is not None:
            found[table] = found.get(table, 0) + statement.timing.count
    return found


def _trial(connection: Connection, catalog: Catalog, samples: dict[str, Sample]) -> Trial:
    if connection.dialect.name == "sqlite":
        return SqliteTrial(connection, catalog, samples)
    return PostgresqlTrial(connection, catalog, samples)


@dataclass(frozen=True)
class _Known:
    """What is known of the database."""

    dialect: Dialect
    catalog: Catalog
    samples: Mapping[str, Sample]
    writes: Mapping[str, int]


class _Offers:
    """Makes offers from what was chosen."""

    def __init__(self, trial: Trial, known: _Known, asked: Sequence[Asked]) -> None:
        self._trial = trial
        self._known = known
        self._asked = asked

    def made(self, limit: int) -> Advice:
        """Choose, and keep what a plan of a statement that gains uses."""
        chosen, search = choose(self._trial, self._candidates(), self._known.writes, limit)
        while True:
            gains = self._gains(chosen)
            used = [one for one in chosen if gains[one.name]]
            if used == chosen:
                break
            chosen = used
        offers = [self._offer(one, gains[one.name]) for one in chosen]
        return Advice(tuple(sorted(offers, key=_saved, reverse=True)), search)

    def _candidates(self) -> list[tuple[Asked, list[Candidate]]]:
        """Return each statement with what could help it."""
        foreign = self._expert_candidates()
        found = []
        for one in self._asked:
            made = candidates(one.reads, self._known.catalog, self._known.samples)
            known = {(mine.table, mine.columns) for mine in made}
            made += [
                other
                for other in foreign
                if other.table in one.tables and (other.table, other.columns) not in known
            ]
            found.append((one, made))
        return found

    def _expert_candidates(self) -> list[Candidate]:
        if not isinstance(self._trial, SqliteTrial):
            return []
        texts = [one.statement.text for one in self._asked]
        found = expert_candidates(self._trial.copy, texts, self._known.catalog)
        return [
            one
            for one in found
            if one.table in self._known.samples and is_new(one, self._known.catalog[one.table])
        ]

    def _gains(self, chosen: Sequence[Candidate]) -> dict[str, list[Gain]]:
        gains: dict[str, list[Gain]] = {one.name: [] for one in chosen}
        if not chosen:
            return gains
        before = [self._reading(one) for one in self._asked]
        with self._trial.having(chosen):
            after = [self._less(one, old) for one, old in zip(self._asked, before, strict=True)]
        for one, old, new in zip(self._asked, before, after, strict=True):
            if old is None or new is None:
                continue
            for name in new[0].indexes & gains.keys():
                gains[name].append(_gain(one.statement, (old, self._trial.plan(one.statement)), new))
        return gains

    def _less(self, one: Asked, old: Reading | None) -> tuple[Reading, Plan] | None:
        """Return what a statement reads now, and its plan, if that is clearly less than before."""
        new = None if old is None else self._reading(one)
        if old is None or new is None or not clearly_less(new, old):
            return None
        return new, self._trial.plan(one.statement)

    def _reading(self, one: Asked) -> Reading | None:
        return self._trial.reading(one.statement, one.reads)

    def _offer(self, one: Candidate, gains: list[Gain]) -> IndexAdvice:
        table, dialect = self._known.catalog[one.table], self._known.dialect
        sample = self._known.samples[one.table]
        runs = sum(max(1, gain.runs) for gain in gains)
        return IndexAdvice(
            name=one.name,
            table=one.table,
            columns=one.names,
            ddl=building_ddl(one, dialect),
            gains=tuple(sorted(gains, key=lambda gain: gain.runs * gain.rows_before, reverse=True)),
            rows_before=sum(gain.rows_before * max(1, gain.runs) for gain in gains) / runs,
            rows_after=sum(gain.rows_after * max(1, gain.runs) for gain in gains) / runs,
            size_bytes=index_bytes(sample, one.names, dialect.name, not_null=one.not_null),
            # The table and each index take one entry a row.
            write_percent=100 / (1 + len(table.indexes)),
            writes=self._known.writes.get(one.table, 0),
            replaces=_replaced(one, table),
            source=one.source,
            proof=self._trial.proof,
        )


def _gain(statement: StatementFigures, old: tuple[Reading, Plan], new: tuple[Reading, Plan]) -> Gain:
    return Gain(
        fingerprint=statement.fingerprint,
        text=statement.text,
        runs=statement.timing.count,
        rows_before=old[0].rows,
        rows_after=new[0].rows,
        ms_before=statement.timing.avg_ms,
        left=new[0].work / old[0].work,
        before=old[1],
        after=new[1],
    )


def _saved(advice: IndexAdvice) -> float:
    return sum(max(1, gain.runs) * (gain.rows_before - gain.rows_after) for gain in advice.gains)


def _replaced(one: Candidate, table: TableShape) -> tuple[str, ...]:
    """Return the indexes that the new one begins with."""
    return tuple(
        index.name
        for index in table.indexes
        if index.origin == "c"
        and not index.unique
        and index.where is None
        and not one.not_null
        and tuple(zip(index.columns, index.descending, strict=True)) == one.columns[: len(index.columns)]
    )
