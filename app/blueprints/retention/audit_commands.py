"""Commands of the audit log: list, verify, export. Exit code 0 done, 1 failed or broken, 2 wrong usage."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import click
from flask.cli import AppGroup

from app.blueprints.retention import audit_log
from app.blueprints.retention.audit_api import entry, state
from app.clock import utc_now
from app.models import audit_chain
from app.models.audit_chain import Place, Verdict
from app.validation import moment_of

# A name may come from a request: nothing of it reaches a terminal as a control sequence or turns its line.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
audit = AppGroup("audit", help="Who did what, and the proof that nobody changed the record.")


class Moment(click.ParamType[datetime]):
    """An RFC 3339 time or a day."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment; a wrong one is wrong usage."""
        try:
            return value if isinstance(value, datetime) else moment_of(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)


class NotedPlace(click.ParamType[Place]):
    """A place of the chain, `NUMBER:HASH`, as `verify` prints it."""

    name = "place"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """Return the place; a wrong one is wrong usage."""
        if isinstance(value, Place):
            return value
        found = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", str(value))
        if found is None:
            self.fail(f"{value!r} is no place such as 120:9f86d0…", param, ctx)
        return Place(int(found[1]), found[2])


as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@audit.command("list")
@click.option("--actor", help="Only what this one did: an e-mail, command:USER, job:NAME.")
@click.option("--action", help="Only this action, such as token.create.")
@click.option("--target", help="Only what was done to this, such as user:jana@example.org.")
@click.option("--since", type=Moment(), help="At or after this time or day.")
@click.option("--until", type=Moment(), help="Before this time or day.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="How many.")
@as_json_option
def list_entries(limit: int, as_json: bool, **filters: Any) -> None:
    """List entries, the newest first.

    Example: earmark audit list --action token.create --since 2026-11-01
    """
    rows = audit_log.page(audit_log.Wanted(**filters), cursor=None, limit=limit).rows
    entries = [entry(row) for row in rows]
    if as_json:
        click.echo(json.dumps(entries, indent=2))
        return
    for said in entries:
        click.echo(_words(said))
    if not entries:
        click.echo("No entry matches.")


@audit.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--expect", type=NotedPlace(), help="A place that an earlier run printed, NUMBER:HASH.")
@as_json_option
def verify(file: Path | None, expect: Place | None, as_json: bool) -> None:
    """Check that every entry is as it was written, of the database or of an exported file.

    The place that is printed, noted elsewhere, proves later (--expect) that the log was not cut short.

    Example: earmark audit verify audit.jsonl
    """
    ours = None
    if file is None:
        verdict = audit_chain.verify(expect)
    else:
        try:
            with file.open(encoding="utf-8") as lines:
                found = audit_chain.verify_file(lines, expect)
        except ValueError:
            raise click.ClickException(f"{file.name} is no exported audit log") from None
        verdict, ours = found.verdict, found.is_ours
    if as_json:
        click.echo(json.dumps(state(verdict) | ({} if ours is None else {"signed_here": ours})))
    else:
        click.echo(_sentence(verdict, ours))
    if not verdict.is_intact:
        raise click.exceptions.Exit(1)


@audit.command("export")
@click.option("--output", type=click.File("w", encoding="utf-8", lazy=False), default="-", help="File.")
def export(output: IO[str]) -> None:
    """Write the whole log as JSON lines that `audit verify FILE` checks; to standard output by default.

    Example: earmark audit export --output audit.jsonl
    """
    for line in audit_chain.export(utc_now()):
        output.write(line)


def _words(said: dict[str, Any]) -> str:
    moment = said["created_at"][:19].replace("T", " ")
    parts = [str(said["id"]).rjust(6), moment, said["actor"], said["action"], said["target"] or "-"]
    details = ", ".join(_details(said["details"]))
    outcome = [] if said["outcome"] == "done" else [said["outcome"]]
    return CONTROLS.sub("\ufffd", "  ".join([*parts, *outcome, details]).rstrip())


def _details(details: dict[str, Any]) -> Iterator[str]:
    for name, value in details.items():
        yield f"{name}={value if isinstance(value, str) else json.dumps(value)}"


def _sentence(verdict: Verdict, ours: bool | None) -> str:
    if not verdict.is_intact:
        return f"Broken at entry {verdict.broken_at}: {verdict.reason}. {verdict.entries:,} before it hold."
    signed = {
        None: "",
        True: " Signed by this instance.",
        False: " The signature at its end is not of this instance.",
    }[ours]
    place = f"{verdict.last.id}:{verdict.last.hash}"
    return f"{verdict.entries:,} entries, every link holds.{signed}\nThe log stands at {place}"
