"""How many rows a plan reads, estimated from samples of the tables.

The steps of a plan are a nested loop: each reads its rows once for every row that those before it leave. A
statement with LIMIT stops when it has enough, unless it sorts first. SQLite does not tell its planner's own
estimate, so this reads the lines of EXPLAIN QUERY PLAN (sqlite.org/eqp.html); it is used to compare two plans
of one statement, not to predict a time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.database.advice.predicates import TableRead
from app.database.advice.samples import Sample

RANGE_SHARE = 0.25  # what one bound leaves, as SQLite's planner assumes where it knows nothing better
_ACCESS = re.compile(
    r'^(?P<how>SCAN|SEARCH) (?P<table>"[^"]+"|\S+)'
    r"(?: USING (?P<automatic>AUTOMATIC )?(?:PARTIAL )?(?:COVERING )?"
    r"(?:INDEX(?: (?P<index>[^\s(]+))?|INTEGER PRIMARY KEY|PRIMARY KEY))?"
    r"(?: \((?P<terms>.*?)\))?(?P<left> LEFT-JOIN)?$"
)
_TERM = re.compile(r"(\w+)(=|<|>)\?")
_FULL_SORT = re.compile(r"^USE TEMP B-TREE FOR (?!LAST)")


@dataclass
class Step:
    """One line of EXPLAIN QUERY PLAN with those below it."""

    detail: str
    children: list["Step"] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """What a plan costs: rows read, rows sorted, and the indexes it uses."""

    rows: float
    sorted: float
    indexes: frozenset[str]

    @property
    def work(self) -> float:
        """Rows read and sorted together, what two plans are compared by."""
        return self.rows + self.sorted


def steps_of(lines: Sequence[tuple[int, int, int, str]]) -> list[Step]:
    """Make the tree of a plan from its lines (id, parent, unused, detail)."""
    top = Step("")
    known = {0: top}
    for number, parent, _, detail in lines:
        known[number] = Step(detail)
        known.get(parent, top).children.append(known[number])
    return top.children


class Reader:
    """Estimates one statement's plans."""

    def __init__(
        self,
        reads: Sequence[TableRead],
        samples: Mapping[str, Sample],
        rowids: Mapping[str, str | None],
        rows_returned: float,
    ) -> None:
        """`rows_returned` is an average run's; it stands for the LIMIT, whose value is not known."""
        self._reads = {read.alias: read for read in reads}
        self._limit = max(1.0, rows_returned) if reads and reads[-1].limited else None
        self._samples = samples
        self._rowids = rowids

    def read(self, steps: Sequence[Step]) -> Reading:
        """Estimate a plan."""
        indexes: set[str] = set()
        rows, left, sorted_rows = self._loop(steps, indexes)
        if self._limit is not None and not sorted_rows and left > self._limit:
            rows *= self._limit / left
        return Reading(rows, sorted_rows, frozenset(indexes))

    def _loop(self, steps: Sequence[Step], indexes: set[str]) -> tuple[float, float, float]:
        """Return the rows read, left over and sorted by steps that run inside each other."""
        rows, left, sorted_rows = 0.0, 1.0, 0.0
        later: list[Step] = []
        seen: set[str] = set()
        for step in steps:
            access = _ACCESS.match(step.detail)
            if access is not None:
                read, kept = self._access(access, indexes, seen)
                seen.add(access["table"].strip('"'))
                rows += left * read
                left *= max(1.0, kept) if access["left"] else kept
            elif step.detail == "MULTI-INDEX OR":
                read, kept = self._branches(step, indexes)
                rows += left * read
                left *= kept
            elif _FULL_SORT.match(step.detail):
                sorted_rows += left
            elif step.detail.startswith("CORRELATED"):
                later.append(step)
            else:
                below = self._loop(step.children, indexes)
                rows, sorted_rows = rows + below[0], sorted_rows + below[2]
        for step in later:
            below = self._loop(step.children, indexes)
            rows, sorted_rows = rows + left * below[0], sorted_rows + left * below[2]
        return rows, left, sorted_rows

    def _branches(self, step: Step, indexes: set[str]) -> tuple[float, float]:
        branches = [self._loop(child.children or [child], indexes) for child in step.children]
        return sum(branch[0] for branch in branches), sum(branch[1] for branch in branches)

    def _access(self, access: re.Match[str], indexes: set[str], seen: set[str]) -> tuple[float, float]:
        """Return how many rows one run of a step reads, and how many of them its other conditions leave.

        A join's condition holds for the later one of its tables; `seen` are the aliases that came before.
        """
        if access["index"] and not access["automatic"]:
            indexes.add(access["index"])
        read = self._reads.get(access["table"].strip('"'))
        if read is None:  # a subquery's rows, a table-valued function: nothing to be improved by an index
            return 1.0, 1.0
        sample = self._samples[read.table]
        terms = self._terms(access["terms"] or "", read)
        if access["how"] == "SCAN":
            found = float(sample.rows)
        elif not terms:  # the first or last entry, for min() or max()
            return 1.0, 1.0
        else:
            found = self._found(terms, read, sample)
        kept = found
        joined = {column for column, alias in read.joins.items() if alias in seen}
        for column in {*read.equals, *joined}:
            kept *= 1.0 if (column, "=") in terms else self._share(column, read, sample)
        for column in read.ranges:
            kept *= 1.0 if {(column, "<"), (column, ">")} & terms else RANGE_SHARE
        # An automatic index is built first, from the whole table.
        return (sample.rows + found if access["automatic"] else found), kept

    def _found(self, terms: set[tuple[str, str]], read: TableRead, sample: Sample) -> float:
        equal = [column for column, sign in terms if sign == "="]
        found = float(sample.rows)
        if self._rowids[read.table] in equal:
            found = 1.0
        elif equal:
            found = sample.matching(equal)
        return max(1.0, found * RANGE_SHARE ** (len(terms) - len(equal)))

    def _share(self, column: str, read: TableRead, sample: Sample) -> float:
        if column == self._rowids[read.table]:
            return 1.0 / max(1, sample.rows)
        return sample.share(column)

    def _terms(self, terms: str, read: TableRead) -> set[tuple[str, str]]:
        rowid = self._rowids[read.table]
        return {
            ((rowid if column == "rowid" and rowid else column), sign)
            for column, sign in _TERM.findall(terms)
        }
