"""A statement's plan as values, the same for SQLite and PostgreSQL: a tree, and what is wrong in it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or could be better: what it costs, and what to do about it.

    `code` is one of full_scan, temp_btree, automatic_index, correlated_subquery, covering_index_missing,
    like_without_index, function_on_index, missing_where, cartesian_join; `level` is `bad` or `note`.
    """

    code: str
    level: str
    cost: str
    cure: str
    table: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """One step of a plan, its steps below it first to last.

    `words` says it for people ("Scan feedback"), `detail` as the database wrote it. `rows` and `cost` are the
    planner's estimates, where it has any.
    """

    words: str
    detail: str
    table: str | None = None
    index: str | None = None
    rows: float | None = None
    cost: float | None = None
    findings: tuple[Finding, ...] = ()
    children: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Plan:
    """A plan: its first steps, and every finding of the tree, worst first."""

    database: str
    nodes: tuple[Node, ...]
    findings: tuple[Finding, ...]

    @property
    def indexes(self) -> frozenset[str]:
        """Names of the indexes that the plan uses."""
        found: set[str] = set()
        waiting = list(self.nodes)
        while waiting:
            node = waiting.pop()
            waiting.extend(node.children)
            if node.index:
                found.add(node.index)
        return frozenset(found)

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return asdict(self)


def plan_of_json(value: dict[str, Any]) -> Plan:
    """Read back what `as_json` wrote."""
    return Plan(
        value["database"],
        tuple(_node(node) for node in value["nodes"]),
        tuple(_finding(finding) for finding in value["findings"]),
    )


def _node(value: dict[str, Any]) -> Node:
    return Node(
        **{
            **value,
            "findings": tuple(_finding(finding) for finding in value["findings"]),
            "children": tuple(_node(child) for child in value["children"]),
        }
    )


def _finding(value: dict[str, Any]) -> Finding:
    return Finding(**{**value, "columns": tuple(value["columns"])})
