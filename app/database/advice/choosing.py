"""Which of the candidate indexes are worth their place: the best first, the others tried again beside it."""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from app.database.advice.candidates import Candidate
from app.database.advice.predicates import TableRead
from app.database.advice.readings import Reading
from app.database.tracking.figures import StatementFigures

# Half the work and a hundred rows: less is within the error of the estimates.
LESS_BY = 2.0
LESS_BY_ROWS = 100.0
# A narrower index is taken when it saves nearly as much and leaves at most this many times the work, and a
# hundred rows.
NEARLY = 0.9
MORE_LEFT = 2.0
# What an entry written to an index may cost, in rows read. Measured on SQLite with a million rows: 10 µs for
# a random entry, 0.04 µs for a short row of a scan; but reads are waited for, and rows are longer.
WRITE_ROWS = 20
# An answer is waited for; what was not tried by then is not offered, and the answer says so.
BUDGET_SECONDS = 5.0


@dataclass(frozen=True)
class Asked:
    """A statement with how it reads its tables."""

    statement: StatementFigures
    reads: tuple[TableRead, ...]

    @property
    def tables(self) -> frozenset[str]:
        """The tables that it reads."""
        return frozenset(read.table for read in self.reads)

    @property
    def runs(self) -> int:
        """How often it ran; one that was never tracked counts as once."""
        return max(1, self.statement.timing.count)


class Tries(Protocol):
    """Where indexes are tried."""

    def reading(self, statement: StatementFigures, reads: Sequence[TableRead]) -> Reading | None:
        """Estimate a statement's plan."""

    def having(self, candidates: Sequence[Candidate]) -> AbstractContextManager[None]:
        """Have indexes in the body."""


@dataclass(frozen=True)
class _Tried:
    """A candidate with the work that it saves and leaves, and what is still sorted, in rows over all runs."""

    candidate: Candidate
    saved: float
    left: float
    sorted: float
    runs: int


@dataclass(frozen=True)
class Search:
    """How many indexes were possible, and how many were tried; `cut_short` where the time was over first."""

    possible: int = 0
    tried: int = 0
    cut_short: bool = False


def clearly_less(new: Reading, old: Reading) -> bool:
    """Return whether a plan does so much less that the estimates' errors do not matter."""
    return new.work * LESS_BY <= old.work and old.work - new.work >= LESS_BY_ROWS


def choose(
    trial: Tries,
    asked: Sequence[tuple[Asked, Sequence[Candidate]]],
    writes: Mapping[str, int],
    limit: int,
) -> tuple[list[Candidate], Search]:
    """Return at most `limit` of the candidates that stand beside their statements, best first.

    Beside them stands how far the search came.

    First each statement chooses for itself; of what they chose, the one that saves most is taken until none
    saves more than its writing costs. `writes` counts the runs that write to each table.
    """
    chooser = _Chooser(trial, [one for one, _ in asked], writes)
    wanted: dict[Candidate, None] = {}
    for one, candidates in asked:
        favourite = chooser.favourite(one, candidates)
        if favourite is not None:
            wanted[favourite] = None
    chosen = _without_prefixes(chooser.taken(list(wanted), limit))
    return chosen, chooser.search


class _Chooser:
    def __init__(self, trial: Tries, asked: Sequence[Asked], writes: Mapping[str, int]) -> None:
        self._trial = trial
        self._asked = asked
        self._writes = writes
        self._ends = time.monotonic() + BUDGET_SECONDS
        self._tried: set[Candidate] = set()
        self._untried: set[Candidate] = set()

    @property
    def search(self) -> Search:
        """How far the search came; what was not tried again beside the others does not count as tried."""
        tried = len(self._tried - self._untried)
        return Search(tried + len(self._untried), tried, bool(self._untried))

    def favourite(self, one: Asked, candidates: Sequence[Candidate]) -> Candidate | None:
        """Return the narrowest of those that save a statement nearly as much as the one that saves most."""
        now = self._reading(one)
        if now is None or now.work < LESS_BY_ROWS:
            return None
        tried = [found for candidate in candidates if (found := self._try([one], [now], [], candidate))]
        if not tried:
            return None
        return min(_alike(tried), key=_width).candidate

    def taken(self, wanted: Sequence[Candidate], limit: int) -> list[Candidate]:
        """Take the one that saves most, then the one that saves most beside it, and so on."""
        chosen: list[Candidate] = []
        while len(chosen) < limit:
            with self._trial.having(chosen):
                now = [self._reading(one) for one in self._asked]
            names = {one.name for one in chosen}
            tried = [
                found
                for candidate in wanted
                if candidate.name not in names and (found := self._try(self._asked, now, chosen, candidate))
            ]
            worth = [
                found
                for found in tried
                if found.saved > WRITE_ROWS * self._writes.get(found.candidate.table, 0)
            ]
            if not worth:
                break
            chosen.append(max(worth, key=lambda found: (found.saved, -found.candidate.width)).candidate)
        return chosen

    def _reading(self, one: Asked) -> Reading | None:
        return self._trial.reading(one.statement, one.reads)

    def _try(
        self,
        asked: Sequence[Asked],
        now: Sequence[Reading | None],
        chosen: Sequence[Candidate],
        candidate: Candidate,
    ) -> _Tried | None:
        """Try a candidate beside those chosen; None when no statement clearly gains by it."""
        saved = left = still_sorted = 0.0
        runs = 0
        if time.monotonic() > self._ends:
            self._untried.add(candidate)
            return None
        self._tried.add(candidate)
        with self._trial.having([*chosen, candidate]):
            for one, old in zip(asked, now, strict=True):
                new = self._reading(one) if old and candidate.table in one.tables else None
                if old is None or new is None:
                    continue
                left += new.work * one.runs
                still_sorted += new.sorted * one.runs
                runs += one.runs
                if candidate.name in new.indexes and clearly_less(new, old):
                    saved += (old.work - new.work) * one.runs
        return _Tried(candidate, saved, left, still_sorted, runs) if saved else None


def _alike(tried: Sequence[_Tried]) -> list[_Tried]:
    """Return those that do nearly as well as the best; a sort that another spares must be a small one."""
    most = max(found.saved for found in tried)
    least = min(found.left for found in tried)
    least_sorted = min(found.sorted for found in tried)
    return [
        found
        for found in tried
        if found.saved >= NEARLY * most
        and found.left <= MORE_LEFT * least + LESS_BY_ROWS * found.runs
        and found.sorted <= least_sorted + LESS_BY_ROWS * found.runs
    ]


def _width(tried: _Tried) -> tuple[int, bool, int, float]:
    # Of two that take the same place, the one that is whole: it holds the order to its end.
    one = tried.candidate
    return one.width, not one.not_null, -len(one.columns), -tried.saved


def _without_prefixes(chosen: Sequence[Candidate]) -> list[Candidate]:
    """Drop an index with whose columns another one begins."""
    return [
        one
        for one in chosen
        if not any(
            other is not one
            and other.table == one.table
            and not other.not_null
            and other.columns[: len(one.columns)] == one.columns
            for other in chosen
        )
    ]
