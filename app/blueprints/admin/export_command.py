"""`earmark export`: to a file that can be gone on with after an interruption, or to standard output."""

import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
from flask.cli import with_appcontext
from tqdm import tqdm

from app.blueprints.admin.export import Export, Place, columns_of, stream
from app.blueprints.admin.export_formats import FORMATS
from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError
from app.models import audit
from app.models.inbox_filter import InboxFilter
from app.models.query import QueryContext, parse, people

# What an interruption may cost at most is written again: the state is kept after so many batches.
BATCHES_BETWEEN_STATES = 20


@dataclass(frozen=True)
class State:
    """How far a file has come, and what it was asked to hold; kept beside it as JSON."""

    format: str
    columns: list[str]
    query: str
    bytes: int
    rows: int
    created_at: str
    id: int

    @property
    def place(self) -> Place | None:
        """The place of the last row that is in the file."""
        return Place(datetime.fromisoformat(self.created_at), self.id) if self.created_at else None


@click.command("export")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="csv",
    show_default=True,
    help="How it is written.",
)
@click.option("--query", "text", default="", help="Which submissions, in the words of the search field.")
@click.option("--columns", default="", help="Names, separated by commas.")
@click.option("--bom", is_flag=True, help="Begin CSV with a byte order mark.")
@click.option("--output", type=click.Path(path_type=Path), help="File to write; default standard output.")
@click.option("--resume", is_flag=True, help="Go on with a file whose export was interrupted.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object about what was written.")
@with_appcontext
def export_command(
    *, form: str, text: str, columns: str, bom: bool, output: Path | None, resume: bool, as_json: bool
) -> None:
    """Write submissions, the oldest first. While it runs, the file is named FILE.part.

    Example: earmark export --format jsonl --query "status:open age:>7d" --output open.jsonl
    """
    if output is None and (resume or as_json):
        raise click.UsageError("--resume and --json need --output")
    try:
        names = columns_of([name.strip() for name in columns.split(",") if name.strip()])
        chosen = InboxFilter(query=parse(text), context=QueryContext(utc_now())) if text else InboxFilter()
    except ClientError as error:
        raise click.UsageError("; ".join(fault.message for fault in error.details)) from None
    wanted = Export(format=form, columns=names, chosen=chosen, bom=bom)
    _record(wanted, text)
    if output is None:
        for batch in stream(wanted):
            sys.stdout.buffer.write(batch.data)
        return
    state = _begin(output, State(form, list(names), text, 0, 0, "", 0), resume)
    done = _write(output, wanted, state)
    sentence = f"Wrote {done.rows:,} submissions to {output}, {done.bytes:,} bytes."
    shown = {"file": str(output), "rows": done.rows, "bytes": done.bytes, "resumed": state.rows > 0}
    click.echo(json.dumps(shown) if as_json else sentence)


def _record(wanted: Export, text: str) -> None:
    # The log never forgets, so it is not told whom a query names.
    query = people.withheld(text)
    details = {"format": wanted.format, "columns": list(wanted.columns), "query": query}
    with transaction() as session:
        audit.record(session, "export.run", details=details)


def _begin(output: Path, fresh: State, resume: bool) -> State:
    """Return where to begin. Refuses to write over a file, and to go on with another export."""
    part, kept = _part(output), _kept(output)
    if output.exists():
        raise click.ClickException(f"{output} is there already")
    if not resume:
        if part.exists():
            raise click.ClickException(f"{part} is there: go on with --resume, or remove it")
        return fresh
    try:
        state = State(**json.loads(kept.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        raise click.ClickException(f"there is nothing to go on with: {kept} cannot be read") from None
    if (state.format, state.columns, state.query) != (fresh.format, fresh.columns, fresh.query):
        raise click.ClickException(f"{part} was begun with other options; give the same ones")
    if not part.exists() or part.stat().st_size < state.bytes:
        raise click.ClickException(f"{part} is shorter than it was; remove it and begin again")
    return state


def _write(output: Path, wanted: Export, state: State) -> State:
    with _part(output).open("r+b" if state.bytes else "wb") as file:
        # What was written after the last state is written again.
        file.truncate(state.bytes)
        file.seek(state.bytes)
        state = _written(file, output, replace(wanted, after=state.place), state)
    _part(output).replace(output)
    _kept(output).unlink(missing_ok=True)
    return state


def _written(file: BinaryIO, output: Path, wanted: Export, state: State) -> State:
    with tqdm(unit=" submissions", initial=state.rows, disable=None) as bar:
        try:
            for number, batch in enumerate(stream(wanted), start=1):
                file.write(batch.data)
                state = _moved(state, batch.rows, len(batch.data), batch.place)
                bar.update(batch.rows)
                if number % BATCHES_BETWEEN_STATES == 0:
                    _keep(file, output, state)
        finally:
            _keep(file, output, state)
    return state


def _moved(state: State, rows: int, size: int, place: Place | None) -> State:
    changes: dict[str, Any] = {"bytes": state.bytes + size, "rows": state.rows + rows}
    if place is not None:
        changes |= {"created_at": place.created_at.isoformat(), "id": place.id}
    return replace(state, **changes)


def _keep(file: BinaryIO, output: Path, state: State) -> None:
    """Keep the state once what it speaks of is on the disk."""
    file.flush()
    os.fsync(file.fileno())
    draft = _kept(output).with_suffix(".draft")
    draft.write_text(json.dumps(asdict(state)), "utf-8")
    draft.replace(_kept(output))


def _part(output: Path) -> Path:
    return output.with_name(output.name + ".part")


def _kept(output: Path) -> Path:
    return output.with_name(output.name + ".part.json")
