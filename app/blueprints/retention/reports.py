"""Plan, run and standing as JSON and as lines for a terminal; API and commands answer the same."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from app.amounts import many, size
from app.blueprints.retention import forecast
from app.blueprints.retention.plan import Line, Plan
from app.clock import rfc3339
from app.database.transactions import current_session
from app.models import RetentionRun, blob_outbox, hold


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as the API answers it."""
    return {
        "at": rfc3339(plan.moment),
        "submissions": plan.submissions,
        "changed": plan.changed,
        "others": plan.others,
        "screenshots": plan.screenshots,
        "bytes": plan.bytes,
        "held": plan.held,
        "policies": [_line_json(line) for line in plan.lines],
        "projects": [
            {"name": one.name, "submissions": one.rows, "of": one.total, "percent": round(one.percent, 1)}
            for one in plan.shares
        ],
    }


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "id": line.rule.public_id or None,
        "name": line.rule.name,
        "kind": line.rule.kind,
        "action": line.rule.action,
        "rows": line.rows,
        "screenshots": line.screenshots,
        "bytes": line.bytes,
        "oldest": _time(line.oldest),
        "newest": _time(line.newest),
        "held": line.held,
    }


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield a plan as a table with its sum."""
    headings = ("rows", "pictures", "size", "held", "oldest", "newest", "action", "policy")
    rows = [
        (
            f"{line.rows:,}",
            f"{line.screenshots:,}",
            size(line.bytes),
            f"{line.held:,}",
            _day(line.oldest),
            _day(line.newest),
            line.rule.action.replace("_", " "),
            line.rule.name,
        )
        for line in plan.lines
    ]
    yield from table(headings, rows, left=2)
    yield summary(plan)


def summary(plan: Plan) -> str:
    """Write what a plan comes to in one or two sentences."""
    words = f"{many(plan.submissions, 'submission')} {_go(plan.submissions)}"
    if plan.changed:
        words += f", {plan.changed:,} {'is' if plan.changed == 1 else 'are'} changed"
    if plan.others:
        words += f", {many(plan.others, 'other row')} {_go(plan.others)}"
    words += f"; that frees {size(plan.bytes)}."
    return words + (f" Holds keep {plan.held:,} back." if plan.held else "")


def _go(count: int) -> str:
    return "goes" if count == 1 else "go"


def run_json(run: RetentionRun) -> dict[str, Any]:
    """Return a run as the API answers it."""
    return {
        "id": run.public_id,
        "trigger": run.trigger,
        "actor": run.actor,
        "outcome": run.outcome,
        "message": run.message,
        "started_at": rfc3339(run.started_at),
        "finished_at": _time(run.finished_at),
        "submissions_deleted": run.submissions,
        "screenshots_deleted": run.screenshots,
        "submissions_changed": run.changed,
        "others_deleted": run.others,
        "bytes_freed": run.freed_bytes,
        "duration_ms": run.duration_ms,
        "rows_per_s": run.rows_per_second,
        "batches": run.batches,
        "longest_lock_ms": run.longest_lock_ms,
        "policies": run.lines,
    }


def run_lines(run: RetentionRun) -> Iterator[str]:
    """Yield what a run did."""
    yield from table(
        ("rows", "pictures", "size", "action", "policy"),
        [
            (f"{one['rows']:,}", f"{one['screenshots']:,}", size(one["bytes"]),
             one["action"].replace("_", " "), one["name"])
            for one in run.lines
        ],
        left=2,
    )  # fmt: skip
    rows = f"{many(run.submissions, 'submission')} deleted, {run.changed:,} changed"
    others = many(run.others, "other row")
    freed = f"{many(run.screenshots, 'picture')}, {size(run.freed_bytes)} freed"
    yield f"{run.outcome.capitalize()}: {rows}, {others}; {freed}."
    yield (
        f"{run.duration_ms / 1000:.1f} s, {run.rows_per_second:,.0f} rows a second, "
        f"{run.batches:,} batch{'' if run.batches == 1 else 'es'}, longest lock {run.longest_lock_ms} ms."
    )
    if run.message:
        yield run.message


def standing(now: datetime) -> dict[str, Any]:
    """Return how it stands with the sweep: last and next run, holds, blobs that wait."""
    session = current_session()
    found = forecast.status(session, now)
    values = {
        "next_run": rfc3339(found.next_run),
        "running": found.running,
        "last_failed": found.has_failed,
        "last": None if found.last is None else run_json(found.last),
        "last_daily": None if found.last_daily is None else run_json(found.last_daily),
        "held": hold.count_held(session),
        "blobs_to_delete": blob_outbox.waiting(),
    }
    session.rollback()
    return values


def standing_lines(values: dict[str, Any]) -> Iterator[str]:
    """Yield the standing as lines."""
    last, daily = values["last"], values["last_daily"]
    if last is None:
        yield "No sweep ran yet."
    else:
        words = (
            f"{many(last['submissions_deleted'], 'submission')} deleted, {size(last['bytes_freed'])} freed"
        )
        yield f"Last run   {last['started_at']}  {last['outcome']} ({last['trigger']}): {words}"
        if last["message"]:
            yield f"           {last['message']}"
    if values["last_failed"]:
        yield f"The last daily run failed: {daily['message']}"
    yield f"Next run   {values['next_run']}"
    yield f"Held       {many(values['held'], 'submission')}"
    if values["blobs_to_delete"]:
        count = values["blobs_to_delete"]
        yield f"Blobs      {count:,} {'waits' if count == 1 else 'wait'} to be deleted"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int) -> Iterator[str]:
    """Yield a table; its last `left` columns begin at the left."""
    if not rows:
        return
    widths = [max(len(row[place]) for row in [headings, *rows]) for place in range(len(headings))]
    first_left = len(headings) - left
    for row in [headings, *rows]:
        cells = [
            cell.ljust(width) if place >= first_left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _day(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d}"
