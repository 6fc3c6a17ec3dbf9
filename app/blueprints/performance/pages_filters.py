"""Filters of the performance templates: values of the watching layer as the words of its pages."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.amounts import count, many, size
from app.blueprints.performance import pages_wording as wording
from app.blueprints.performance.pages_findings import columns_in_words
from app.blueprints.performance.pages_indexes import read_ddl
from app.blueprints.performance.pages_sql import Piece
from app.blueprints.performance.pages_statements import short_line
from app.blueprints.performance.pages_titles import noun, title
from app.database.advice.advise import IndexAdvice
from app.database.plans.plan import Finding, Node, Plan
from app.database.tracking.figures import Point

# What a finding is, in the words of its margin (codes of app/database/plans/plan.py).
FINDINGS = {
    "full_scan": "Reads the whole table",
    "temp_btree": "Sorts in a table of its own",
    "automatic_index": "Builds an index for this run alone",
    "correlated_subquery": "Asks again for each row",
    "covering_index_missing": "Looks each row up in the table",
    "like_without_index": "LIKE reads every row",
    "function_on_index": "A function hides the column from its index",
    "missing_where": "Has no condition",
    "cartesian_join": "Joins every row with every other",
}


def moment(when: datetime, now: datetime) -> str:
    """Write a run's moment: its clock, with its day where that is not today."""
    clock = f"{when:%H:%M:%S}"
    return clock if when.date() == now.date() else f"{when.day} {when:%b}, {clock}"


def step(start: datetime, series: Sequence[Point]) -> str:
    """Name a step of a series: its clock, with its day in a series of more than one."""
    clock = f"{start:%H:%M}"
    days = series[-1].start - series[0].start
    return clock if days < timedelta(days=1) else f"{start.day} {start:%b} {clock}"


def plain(value: float) -> str:
    """Write a number for a script to read."""
    return f"{value:.4g}" if isinstance(value, float) and value < 1000 else f"{value:.0f}"


def finding(code: str) -> str:
    """Return what a finding is, in words."""
    return FINDINGS.get(code, code.replace("_", " ").capitalize())


def uncapital(text: str) -> str:
    """Write a sentence to stand behind a comma."""
    words = text.strip().rstrip(".")
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def costs(found: Finding) -> str:
    """Write what a finding costs, to stand behind what it is: `about 3,809 rows (231 MB)`."""
    words = uncapital(found.cost)
    first, _, rest = words.partition(" ")
    return rest if rest and finding(found.code).lower().startswith(f"{first} ") else words


def told(plan: Plan) -> set[Finding]:
    """Return the findings that stand in the tree at their step."""
    found: set[Finding] = set()
    waiting: list[Node] = list(plan.nodes)
    while waiting:
        node = waiting.pop()
        found.update(node.findings)
        waiting.extend(node.children)
    return found


def ddl_lines(advice: IndexAdvice) -> list[list[Piece]]:
    """Set the statement that makes an index in lines, a column a line."""
    found = read_ddl(advice.ddl)
    if found is None:
        return [[Piece("", advice.ddl)]]
    lines = [[Piece("keyword", f"{found.head} "), Piece("", found.name)]]
    for number, column in enumerate(found.columns):
        start = [Piece("keyword", "ON "), Piece("", f"{found.table} (")] if number == 0 else []
        indent = "" if number == 0 else " " * (len(found.table) + 5)
        end = ")" if number == len(found.columns) - 1 else ","
        lines.append([*start, Piece("", f"{indent}{column}{end}")])
    if found.rest:
        lines.append([Piece("", found.rest)])
    return lines


def migration(advice: IndexAdvice) -> str:
    """Write the line of an Alembic migration that makes the index; one runs in a transaction."""
    return f"op.execute({re.sub(' concurrently', '', advice.ddl, flags=re.IGNORECASE)!r})"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "ms": wording.figure,
    "milliseconds": wording.milliseconds,
    "size": size,
    "short": wording.short,
    "edge": wording.edge,
    "percent": wording.percent,
    "whole": count,
    "many": many,
    "cut_short": wording.cut_short,
    "times": wording.times,
    "ago": wording.ago,
    "moment": moment,
    "step": step,
    "plain": plain,
    "finding": finding,
    "costs": costs,
    "told": told,
    "line": short_line,
    "noun": noun,
    "columns": columns_in_words,
    "ddl_lines": ddl_lines,
    "migration": migration,
    "title_of": lambda text: title(text).words,
}
