"""Plans of PostgreSQL: the JSON of EXPLAIN as a tree, in words, with what is wrong in it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Union

from app.database.plans import findings as plan_findings
from app.database.plans.findings import Known
from app.database.plans.plan import Finding, Node, Plan

DEEPEST = 60
Json = Union[str, int, float, bool, None, Sequence["Json"], Mapping[str, "Json"]]  # noqa: UP007  refers to itself
Explained = Mapping[str, Json]


def names_read(explained: Explained) -> list[str]:
    """Return the names of the tables that a plan reads, as the statement gives them."""
    steps = [step for step in walk(explained) if text_of(step, "Relation Name")]
    return [text_of(step, name) for step in steps for name in ("Alias", "Relation Name")]


def plan_of(explained: Explained, known: Known) -> Plan:
    """Make a plan of EXPLAIN's JSON."""
    return plan_findings.plan_of("postgresql", [_node(explained, known, [], 1.0, 0)])


def _node(step: Explained, known: Known, before: Sequence[str], times: float, depth: int) -> Node:
    """Return a step, which runs `times` often, in a join with the names in `before`."""
    children = _children(step, known, before, times, depth)
    findings = [
        *_findings_of_read(step, known, before, times),
        *_findings_of_sort(step, known),
        *_findings_of_subplan(step, children, times),
    ]
    return Node(
        words=_words(step),
        detail=_detail(step),
        table=text_of(step, "Relation Name") or None,
        index=text_of(step, "Index Name") or None,
        rows=_number(step, "Plan Rows"),
        cost=_number(step, "Total Cost"),
        findings=tuple(findings),
        children=tuple(children),
    )


def _children(step: Explained, known: Known, before: Sequence[str], times: float, depth: int) -> list[Node]:
    """Return the steps below: the inner side of a nested loop runs for each row of the outer one."""
    found: list[Node] = []
    loops = text_of(step, "Node Type") == "Nested Loop"
    outer, often = list(before), times
    for child in _below(step) if depth < DEEPEST else ():
        inner = text_of(child, "Parent Relationship") == "Inner"
        if text_of(child, "Parent Relationship") == "SubPlan":
            rows = 1.0 if _is_hashed(step, child) else _number(step, "Plan Rows") or 1.0
            found.append(_node(child, known, [], rows * times, depth + 1))
            continue
        found.append(_node(child, known, outer if inner else before, often if inner else times, depth + 1))
        if not inner:
            outer += _names_joined(child, known)
            often = times * (_number(child, "Plan Rows") or 1.0) if loops else times
    return found


def _findings_of_read(step: Explained, known: Known, before: Sequence[str], times: float) -> list[Finding]:
    name, kind = _name(step, known), text_of(step, "Node Type")
    if not text_of(step, "Relation Name"):
        return []
    if kind.endswith("Seq Scan"):
        if before and not known.reading.joins(name, before):
            return [plan_findings.cartesian(known, name, times)]
        return plan_findings.scan(known, name, times, joined=bool(before))
    # A bitmap of one index is the same lookups, in the table's order.
    by = _below(step)[0] if kind == "Bitmap Heap Scan" and _below(step) else step
    if text_of(by, "Index Cond") and kind in ("Index Scan", "Bitmap Heap Scan"):
        rows = (_number(step, "Plan Rows") or 1.0) * times
        return plan_findings.covering(known, name, text_of(by, "Index Name"), rows)
    return []


def _name(step: Explained, known: Known) -> str:
    # A name that is given twice is numbered by EXPLAIN (t_1), and then the table's own has to do.
    alias = text_of(step, "Alias")
    return alias if known.reading.scope_of(alias) else text_of(step, "Relation Name")


def _findings_of_sort(step: Explained, known: Known) -> list[Finding]:
    if text_of(step, "Node Type") not in ("Sort", "Incremental Sort"):
        return []
    below = _below(step)
    rows = _number(below[0], "Plan Rows") if below else None
    return [plan_findings.sort(known, "ORDER BY", _names_joined(step, known), rows)]


def _findings_of_subplan(step: Explained, children: Sequence[Node], times: float) -> list[Finding]:
    if text_of(step, "Parent Relationship") != "SubPlan" or times <= 1:
        return []
    waiting, scans = list(children), text_of(step, "Node Type").endswith("Seq Scan")
    while waiting:
        node = waiting.pop()
        waiting.extend(node.children)
        scans = scans or any(found.code == "full_scan" and found.level == "bad" for found in node.findings)
    return [plan_findings.correlated(times, scans=scans)]


def _names_joined(step: Explained, known: Known) -> list[str]:
    return [_name(below, known) for below in walk(step) if text_of(below, "Relation Name")]


def _is_hashed(parent: Explained, child: Explained) -> bool:
    # "hashed SubPlan 1": its rows are read once and looked up; the parent's conditions or outputs say so.
    return f"hashed {text_of(child, 'Subplan Name')}" in " ".join(str(value) for value in parent.values())


_SAID = {
    "Seq Scan": "Scan {table}",
    "Index Scan": "Look up {table} by {index}",
    "Index Only Scan": "Look up {table} in {index} alone",
    "Bitmap Heap Scan": "Read the rows of {table} that were marked",
    "Bitmap Index Scan": "Mark rows by {index}",
    "Nested Loop": "Join row by row",
    "Hash Join": "Join by hash",
    "Merge Join": "Join two ordered results",
    "Incremental Sort": "Sort within groups",
    "Limit": "Keep the first rows",
    "Unique": "Drop duplicates",
    "ModifyTable": "Write {table}",
    "Result": "One row without a table",
    "Append": "Results one after the other",
}


def _words(step: Explained) -> str:
    kind = text_of(step, "Node Type")
    words = _SAID.get(kind, kind).format(
        table=text_of(step, "Relation Name"), index=text_of(step, "Index Name")
    )
    return f"{words}, several at once" if step.get("Parallel Aware") is True else words


def _detail(step: Explained) -> str:
    """Return the step as EXPLAIN's text form has it, with its conditions."""
    table, alias, index = (text_of(step, name) for name in ("Relation Name", "Alias", "Index Name"))
    said = text_of(step, "Node Type") + (f" using {index}" if index else "")
    if table:
        said += f" on {table}" + (f" {alias}" if alias != table else "")
    keys = step.get("Sort Key") or step.get("Group Key")
    listed = [f"key: {', '.join(map(str, keys))}"] if isinstance(keys, Sequence) else []
    for name in ("Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter"):
        if text_of(step, name):
            listed.append(f"{name.lower()}: {text_of(step, name)}")
    return "; ".join([said, *listed])


def walk(step: Explained, depth: int = 0) -> Iterator[Explained]:
    """Yield a step and all below it."""
    yield step
    for child in _below(step) if depth < DEEPEST else ():
        yield from walk(child, depth + 1)


def _below(step: Explained) -> list[Explained]:
    plans = step.get("Plans")
    return [plan for plan in plans if isinstance(plan, Mapping)] if isinstance(plans, Sequence) else []


def text_of(step: Explained, name: str) -> str:
    """Return a text of a step, "" where it has none by that name."""
    value = step.get(name)
    return value if isinstance(value, str) else ""


def _number(step: Explained, name: str) -> float | None:
    value = step.get(name)
    return float(value) if isinstance(value, (int, float)) else None
