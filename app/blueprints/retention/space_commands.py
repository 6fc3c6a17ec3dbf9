"""The command that gives space back. Exit code 0 done, 1 failed, 2 wrong usage."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from app.amounts import size
from app.blueprints.retention import space
from app.blueprints.retention.group import retention
from app.blueprints.retention.keeping_commands import (
    as_json_option,
    confirm,
    dry_run_option,
    failing_in_a_line,
    print_,
    yes_option,
)
from app.blueprints.retention.space import SpaceView
from app.clock import rfc3339
from app.database.space import Outcome

STEPS = 1000  # a progress bar's resolution


@retention.command("vacuum")
@click.argument("what", type=click.Choice(["run", "status"]), default="run")
@click.option(
    "--incremental",
    "pages",
    type=click.IntRange(min=1),
    help="Give back so many free pages in short steps, beside readers and writers (SQLite).",
)
@yes_option
@dry_run_option
@as_json_option
def vacuum(what: str, pages: int | None, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Give space back to the disk; `status` says what there is to gain and what it takes.

    Without --incremental a SQLite file is written anew: writers wait while it runs, and it needs room. On
    PostgreSQL this is VACUUM (ANALYZE), beside readers and writers.

    Example: earmark retention vacuum --incremental 10000
    """
    if what == "status" and pages is not None:
        raise click.UsageError("status takes no --incremental")
    with failing_in_a_line():
        view = space.load()
        if what == "status" or dry_run:
            print_(as_json, as_json_of(view), "\n".join(lines_of(view)))
            return
        if pages is not None:
            with _bar("Giving pages back") as move:
                done = space.give_back(pages, move)
        else:
            confirm(_question(view), yes)
            with _bar("Vacuum") as move:
                done = space.vacuum(move, _by_the_clock(view, move))
    print_(as_json, vars(done) | {"freed_bytes": done.freed_bytes}, _sentence(done))


def as_json_of(view: SpaceView) -> dict[str, Any]:
    """Return what `status --json` prints."""
    found = view.space
    return {
        **{name: value for name, value in vars(found).items() if name != "bloat"},
        "bloat": [vars(one) for one in found.bloat],
        "full": {
            "estimated_s": round(view.estimate.duration.total_seconds(), 1),
            "needed_bytes": view.estimate.needed_bytes,
            "measured_here": view.estimate.measured,
            "refusal": view.refusal,
        },
        "runs": [
            {
                "kind": run.kind,
                "started_at": rfc3339(run.started_at),
                "duration_ms": run.duration_ms,
                "before_bytes": run.before_bytes,
                "after_bytes": run.after_bytes,
            }
            for run in view.runs
        ],
    }


def lines_of(view: SpaceView) -> Iterator[str]:
    """Yield what `status` prints."""
    found, estimate = view.space, view.estimate
    yield f"{found.database} {size(found.size_bytes)}, {size(found.gain_bytes)} to gain"
    if found.free_pages is not None:
        steps = "in steps too" if found.incremental else "by a full vacuum only, which changes that"
        yield f"free pages {found.free_pages:,} of {found.page_size:,} bytes, given back {steps}"
    for one in found.bloat[:5]:
        if one.dead_bytes:
            yield f"{one.table} {size(one.size_bytes)}, {one.dead_rows:,} dead rows, {size(one.dead_bytes)}"
    basis = "by the last runs here" if estimate.measured else "none has run here yet"
    room = "" if found.disk_free is None else f", {size(estimate.needed_bytes)} of free disk"
    yield f"a full run takes about {seconds(estimate.duration.total_seconds())}{room} ({basis})"
    if found.disk_free is not None:
        yield f"free on the disk {size(found.disk_free)}"
    if view.refusal:
        yield view.refusal
    for run in view.runs:
        took = seconds(run.duration_ms / 1000)
        yield (
            f"{rfc3339(run.started_at)[:16]} {run.kind}"
            f" {size(run.before_bytes)} → {size(run.after_bytes)} in {took}"
        )


def seconds(count: float) -> str:
    """Write a duration, `0.4 s`, `3 min`."""
    if count < 10:
        return f"{count:.1f} s"
    return f"{count:.0f} s" if count < 120 else f"{count / 60:.0f} min"


def _question(view: SpaceView) -> str:
    if view.space.database == "postgresql":
        return "Run VACUUM (ANALYZE) on every table?"
    took = seconds(view.estimate.duration.total_seconds())
    return f"Write the database anew? Nothing can be written for about {took}."


def _sentence(done: Outcome) -> str:
    took = seconds(done.duration_ms / 1000)
    return f"{size(done.before_bytes)} before, {size(done.after_bytes)} after, in {took}."


@contextmanager
def _bar(label: str) -> Iterator[Callable[[float], None]]:
    """Draw a bar on a terminal, nothing in a pipe; the function given takes the share done, 0 to 1."""
    if not sys.stderr.isatty():
        yield lambda _share: None
        return
    with click.progressbar(length=STEPS, label=label, file=sys.stderr) as drawn:

        def move(share: float) -> None:
            drawn.update(max(round(share * STEPS) - drawn.pos, 0))

        yield move


def _by_the_clock(view: SpaceView, move: Callable[[float], None]) -> Callable[[], None]:
    """Move a bar by the time passed: SQLite does not say how far a full VACUUM is."""
    started, expected = time.monotonic(), max(view.estimate.duration.total_seconds(), 0.1)
    return lambda: move(min((time.monotonic() - started) / expected, 0.99))
