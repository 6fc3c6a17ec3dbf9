"""Plans of SQLite: the rows of EXPLAIN QUERY PLAN as a tree, in words, with what is wrong in it.

The texts are those of `sqlite3WhereExplainOneScan` and its like (src/wherecode.c, src/select.c), since 3.36.
"""

import re
from collections.abc import Mapping, Sequence

from app.database.plans import findings as plan_findings
from app.database.plans.catalog import TableShape
from app.database.plans.findings import Known
from app.database.plans.plan import Finding, Node, Plan

DEEPEST = 60
SCANS = frozenset({"full_scan", "missing_where"})
# How many rows a range keeps: SQLite's own guess for one bound is a quarter (src/where.c, whereRangeAdjust).
RANGE_SHARE = 4
# Rows that share a value of an index where ANALYZE has not run (src/analyze.c, sqlite3DefaultRowEst).
DEFAULT_MATCHING = (10, 9, 8, 7, 6)
_ACCESS = re.compile(
    r"^(?P<kind>SCAN|SEARCH) (?P<name>.*?)(?: EXISTS)?"
    r"(?: USING (?P<automatic>AUTOMATIC )?(?:PARTIAL )?(?P<covering>COVERING )?INDEX ?(?P<index>[^(]*?)"
    r"| USING (?P<key>(?:INTEGER )?PRIMARY KEY)"
    r"| (?P<virtual>VIRTUAL TABLE INDEX .*))?"
    r"(?: \((?P<terms>[^()]*(?:\([^()]*\)[^()]*)*)\))?"
    r"(?: EXISTS)?(?: (?:LEFT|RIGHT|FULL|STRONG)[-A-Z ]*JOIN)?$",
    re.DOTALL,
)
_SORT = re.compile(r"^USE TEMP B-TREE FOR (?:LAST (?:(\d+) TERMS?|TERM) OF )?(.+)$")
_EQUAL = re.compile(r"(\w+)=\?|ANY\((\w+)\)")
_WORDS = (
    (r"CORRELATED .*SUBQUERY.*", "Run a subquery for each row"),
    (r"SCALAR SUBQUERY.*", "Run a subquery once"),
    (r"(?:REUSE )?LIST SUBQUERY.*", "Make a list once"),
    (r"CO-ROUTINE (.+)", r"Read \1 row by row"),
    (r"MATERIALIZE (.+)", r"Make \1 beforehand"),
    (r"MULTI-INDEX OR", "Join what several indexes find"),
    (r"INDEX (\d+)", r"Condition \1"),
    (r"BLOOM FILTER ON (.+?) \(.*", r"Sift \1 beforehand"),
    (r"COMPOUND QUERY", "Several queries together"),
    (r"(UNION|EXCEPT|INTERSECT) USING TEMP B-TREE", r"Hold and compare rows (\1)"),
    (r"MERGE \((.+)\)", r"Merge two ordered results (\1)"),
    (r"SCAN CONSTANT ROW", "One row without a table"),
    (r"SETUP", "Begin"),
    (r"RECURSIVE STEP", "Repeat with each row found"),
)


# A row: its number, that of the row above it, 10·log2 of the planner's cost, its text.
Step = tuple[int, int, int, str]
Below = Mapping[int, Sequence[Step]]


def plan_of_steps(steps: Sequence[Step], known: Known) -> Plan:
    """Make the plan of the rows of EXPLAIN QUERY PLAN."""
    if not steps:
        return plan_findings.plan_of("sqlite", [_write(known)])
    below: dict[int, list[Step]] = {}
    for step in steps:
        below.setdefault(step[1], []).append(step)
    return plan_findings.plan_of("sqlite", _level(below, 0, known, 1.0, 0))


def names_read(steps: Sequence[Step]) -> list[str]:
    """Return the names of what a plan reads: tables by the name the statement gives them, subqueries."""
    found = (_ACCESS.match(detail) for *_, detail in steps)
    return [access["name"] for access in found if access]


def _write(known: Known) -> Node:
    """Return the one step of INSERT … VALUES, and of a DELETE of every row, of which SQLite says nothing."""
    words = next((scope.words for scope in known.reading.scopes if scope.words), ("",))
    name = words[words.index("into") + 1] if "into" in words[:-1] else words[-1]
    table = known.table(name)
    findings = plan_findings.scan(known, name, 1.0, joined=False) if words[0] == "delete" else []
    said = f"{'Empty' if findings else 'Write'} {table.name if table else name}"
    return Node(said, words[0].upper(), table.name if table else None, findings=tuple(findings))


def _level(below: Below, parent: int, known: Known, times: float, depth: int) -> list[Node]:
    """Return the steps under one, which runs `times` often.

    A loop runs for every row of the loops before it; a sort takes the rows of all.
    """
    steps = below.get(parent, ()) if depth < DEEPEST else ()
    loops: dict[int, Node] = {}
    names: list[str] = []
    rows = 1.0
    for step in steps:
        access = _ACCESS.match(step[3])
        if access and access["name"] != "CONSTANT ROW":
            loops[step[0]] = node = _loop(step, access, known, names, rows * times)
            rows *= 1.0 if node.rows is None else node.rows
            names.append(access["name"])
    return [
        loops.get(step[0]) or _sort(step, known, names, rows) or _other(step, below, known, rows, depth)
        for step in steps
    ]


def _loop(step: Step, access: re.Match[str], known: Known, before: Sequence[str], times: float) -> Node:
    """Return a step that reads a table or a subquery, `times` often, for the rows of those in `before`."""
    table = known.table(access["name"])
    return Node(
        words=_words_of_loop(access, table.name if table else access["name"]),
        detail=step[3],
        table=table.name if table else None,
        index=access["index"] or None if not access["automatic"] else None,
        rows=_rows(access, known),
        cost=_cost(step),
        findings=tuple(_findings(access, known, before, times)) if table else (),
    )


def _findings(access: re.Match[str], known: Known, before: Sequence[str], times: float) -> list[Finding]:
    name = access["name"]
    if access["virtual"]:
        return []
    if access["automatic"]:
        return [plan_findings.automatic_index(known, name, _equal(access))]
    if access["terms"] is None and not (access["kind"] == "SEARCH" and (access["index"] or access["key"])):
        if before and not known.reading.joins(name, before):
            return [plan_findings.cartesian(known, name, times)]
        return plan_findings.scan(known, name, times, joined=bool(before), along=access["index"] or None)
    if access["index"] and not access["covering"]:
        rows = _rows(access, known)
        return plan_findings.covering(known, name, access["index"], None if rows is None else rows * times)
    return []


def _rows(access: re.Match[str], known: Known) -> float | None:
    """Estimate the rows of one pass as the planner does: by the statistics, else by its guesses."""
    size, table = known.size(access["name"]), known.table(access["name"])
    if table is None or access["virtual"]:
        return None
    if access["terms"] is None:
        return None if size.rows is None else float(size.rows)
    equal, ranges = len(_equal(access)), len(re.findall(r"[<>]", access["terms"]))
    keys = size.keys.get(access["index"] or table.name, ()) if not access["automatic"] else ()
    if equal < len(keys):
        rows = float(keys[equal])
    elif equal == 0:
        rows = float("inf") if size.rows is None else float(size.rows)
    elif access["key"] == "INTEGER PRIMARY KEY" or _is_unique(table, access["index"], equal):
        return 1.0
    else:
        rows = float(min(DEFAULT_MATCHING[min(equal, 5) - 1], size.rows if size.rows is not None else 10))
    rows /= RANGE_SHARE**ranges
    return None if rows == float("inf") else max(1.0, rows)


def _is_unique(table: TableShape, name: str | None, equal: int) -> bool:
    index = next((index for index in table.indexes if index.name == name), None)
    return index is not None and index.unique and equal >= len(index.columns)


def _equal(access: re.Match[str]) -> list[str]:
    return [first or second for first, second in _EQUAL.findall(access["terms"] or "")]


def _words_of_loop(access: re.Match[str], name: str) -> str:
    index = access["index"]
    if access["automatic"]:
        return f"Look up {name} in an index made for this run"
    if access["virtual"]:
        return f"Search {name}"
    if access["kind"] == "SEARCH" and access["key"]:
        return f"Look up {name} by its key"
    if not index:
        return f"Scan {name}"
    if access["covering"]:
        return f"Look up {name} in {index} alone" if access["terms"] else f"Scan {index} of {name} alone"
    return f"Look up {name} by {index}" if access["terms"] else f"Read {name} along {index}"


def _sort(step: Step, known: Known, names: Sequence[str], rows: float) -> Node | None:
    ordering = _SORT.match(step[3])
    if ordering is None:
        return None
    last, purpose = ordering.groups()
    words = {"ORDER BY": "Sort", "GROUP BY": "Sort into groups"}.get(purpose, "Drop duplicates")
    if last is not None or "LAST" in step[3]:
        words += f" by the last {last or 1}"
    total = rows if names and all(known.table(name) for name in names) else None
    finding = plan_findings.sort(known, purpose, names, total)
    return Node(words, step[3], rows=total, cost=_cost(step), findings=(finding,))


def _other(step: Step, below: Below, known: Known, rows: float, depth: int) -> Node:
    """Return a step that reads nothing itself; one that is correlated runs once for each row beside it."""
    correlated = step[3].startswith("CORRELATED")
    children = _level(below, step[0], known, rows if correlated else 1.0, depth + 1)
    findings: tuple[Finding, ...] = ()
    if correlated:
        scans = any(
            found.level == "bad" and found.code in SCANS for node in children for found in node.findings
        )
        findings = (plan_findings.correlated(rows if rows > 1 else None, scans=scans),)
    return Node(_words(step[3]), step[3], cost=_cost(step), findings=findings, children=tuple(children))


def _words(detail: str) -> str:
    for pattern, words in _WORDS:
        found = re.fullmatch(pattern, detail, re.DOTALL)
        if found:
            return found.expand(words)
    return detail.capitalize()


def _cost(step: Step) -> float | None:
    """Return the planner's cost: SQLite keeps it as 10·log2 (LogEst); 0 says it has none."""
    return round(2 ** (step[2] / 10), 1) if step[2] > 0 else None
