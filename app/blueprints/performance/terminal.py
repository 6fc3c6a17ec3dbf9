"""Figures as lines for a terminal: columns that line up, plans as a tree, sizes in words.

On a terminal a line ends where the window does; in a pipe nothing is cut. Control characters become escapes.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence

from app.amounts import size
from app.blueprints.performance.pages_wording import cut_short, figure, percent, until_full
from app.blueprints.performance.views import ResourceView
from app.database.advice.advise import Advice
from app.database.advice.indexes import IndexReport
from app.database.plans.plan import Finding, Node, Plan
from app.database.tracking.figures import ProcessFigures, StatementFigures

LEAST_COLUMNS = 40
INDENT = "  "


def top_lines(found: Iterable[StatementFigures]) -> list[str]:
    """Return statements as a table, their text last."""
    headings = ("share", "count", "avg ms", "p95 ms", "p99 ms", "slow", "fingerprint", "statement")
    rows = [
        (
            percent(one.share),
            f"{one.timing.count:,}",
            *map(figure, (one.timing.avg_ms, one.timing.p95_ms, one.timing.p99_ms)),
            f"{one.slow_count:,}",
            one.fingerprint,
            " ".join(one.text.split()),
        )
        for one in found
    ]
    return table(headings, rows, left=2)


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield a plan as a tree; what is wrong stands under its step, with what to do."""
    shown: set[Finding] = set()
    for node in plan.nodes:
        yield from _node_lines(node, "", shown)
    for finding in plan.findings:
        if finding not in shown:
            yield from _finding_lines(finding, "")


def index_lines(found: Iterable[IndexReport]) -> list[str]:
    """Return indexes as a table: what they take, whether they are used, and why that is said."""
    headings = ("size", "verdict", "index", "on", "because")
    rows = [
        (
            "-" if one.size_bytes is None else size(one.size_bytes),
            one.verdict,
            one.name,
            f"{one.table} ({', '.join(one.columns)})",
            one.because,
        )
        for one in found
    ]
    return table(headings, rows, left=4)


def advice_lines(found: Advice) -> Iterator[str]:
    """Yield the indexes that would help, each with what it brings and costs; first whether all were tried."""
    if found.search.cut_short:
        yield fitted(cut_short(found.search))
    elif not found.offers:
        yield "No index is missing."
    for one in found.offers:
        yield fitted(f"Missing: {one.ddl}")
        yield fitted(
            f"{INDENT}about {one.rows_before:,.0f} rows read before, {one.rows_after:,.0f} after, a run; "
            f"{size(one.size_bytes)} on disk; an insert writes {one.write_percent:.0f} % more"
        )
        yield fitted(f"{INDENT}{one.proof}")
        if one.replaces:
            yield fitted(f"{INDENT}takes the place of {', '.join(one.replaces)}")


def resource_lines(view: ResourceView) -> Iterator[str]:
    """Yield what is not well, then the database, the disks and the processes."""
    for alert in view.alerts:
        yield fitted(f"{alert.level}: {alert.message}")
    database = view.database
    growing = "" if view.growth_bytes_a_day is None else f", {size(view.growth_bytes_a_day)} more a day"
    full = f", disk full in {until_full(view.days_until_full)}" if view.days_until_full else ""
    yield fitted(f"{view.level}: {database.database} {size(database.size_bytes)}{growing}{full}")
    if database.wal_bytes is not None:
        yield fitted(f"{INDENT}log {size(database.wal_bytes)}, free pages {size(database.free_bytes)}")
    for name, disk in view.disks.items():
        if disk is None:
            yield f"{name}: not on this machine"
        else:
            yield fitted(
                f"{disk.level}: disk of the {name} {disk.percent:.0f} % full, {size(disk.free)} free"
            )
    yield from _process_lines(view.processes)


def _process_lines(found: Sequence[ProcessFigures]) -> Iterator[str]:
    rows = []
    for one in found:
        if one.kind == "command":  # such as this one
            continue
        gauges = one.gauges.get("process") or {}
        rows.append(
            (
                f"{one.pid}",
                size(gauges.get("rss_bytes")),
                f"{gauges.get('cpu_percent', 0):.0f} %",
                f"{gauges.get('threads', 0)}",
                percent(one.monitor_share),
                one.kind,
            )
        )
    if not rows:
        yield "No server runs."
        return
    yield from table(("process", "memory", "cpu", "threads", "monitor", "kind"), rows)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Return the lines of a table. The last `left` columns begin at the left, the others end at the right."""
    widths = [max(len(row[place]) for row in [headings, *rows]) for place in range(len(headings))]
    first_left = len(headings) - left
    lines = []
    for row in [headings, *rows]:
        cells = [
            cell.ljust(width) if place >= first_left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(fitted("  ".join(cells).rstrip()))
    return lines


def fitted(line: str) -> str:
    """Return a line that can do nothing to a terminal, cut to its width where standard output is one."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    if not sys.stdout.isatty():
        return line
    width = max(shutil.get_terminal_size().columns, LEAST_COLUMNS)
    return line if len(line) <= width else line[: width - 1] + "…"


def _node_lines(node: Node, indent: str, shown: set[Finding]) -> Iterator[str]:
    rows = "" if node.rows is None else f" (about {node.rows:,.0f} rows)"
    yield fitted(f"{indent}{node.words}{rows}")
    for finding in node.findings:
        shown.add(finding)
        yield from _finding_lines(finding, indent + INDENT)
    for child in node.children:
        yield from _node_lines(child, indent + INDENT, shown)


def _finding_lines(finding: Finding, indent: str) -> Iterator[str]:
    mark = "!" if finding.level == "bad" else "-"
    yield fitted(f"{indent}{mark} {finding.cost}")
    yield fitted(f"{indent}  {finding.cure}")
