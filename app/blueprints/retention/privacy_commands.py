"""Commands of people's data: export, erase, erasures, verify. Exit code 0 done, 1 failed, 2 wrong usage."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from app.amounts import many
from app.blueprints.retention import privacy_erase, privacy_words
from app.blueprints.retention.privacy_export import export as write_zip
from app.clock import utc_now
from app.database.transactions import current_session
from app.errors import ClientError
from app.models.erasure import Erasure, Person, is_certificate, listing

privacy = AppGroup("privacy", help="What is kept of a person: to hand over, and to erase.")
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def whom(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that name a person; exactly one is given."""
    for option in (
        click.option("--reporter", help="The id that the page gave the reporter."),
        click.option("--session", help="Session of the reporter's browser."),
        click.option("--email", help="E-mail of the reporter."),
    ):
        function = option(function)
    return function


@privacy.command("export")
@whom
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="The zip.")
@as_json_option
def export(output: Path | None, as_json: bool, **given: str | None) -> None:
    """Write what is kept of a person into a zip with a page to read, JSON and pictures.

    Example: earmark privacy export --email jana@example.org --output jana.zip
    """
    person, path = _person(given), output or Path("person.zip")
    try:
        with path.open("xb") as out:
            count = write_zip(person, out, utc_now())
    except FileExistsError:
        raise click.ClickException(f"{path} is there already") from None
    except (ClientError, OSError) as error:
        path.unlink(missing_ok=True)
        raise click.ClickException(getattr(error, "message", None) or str(error)) from None
    shown = {"file": str(path), "submissions": count}
    click.echo(json.dumps(shown) if as_json else f"Wrote {many(count, 'submission')} to {path}.")


@privacy.command("erase")
@whom
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Count what would be erased, and do nothing.")
@as_json_option
def erase(yes: bool, dry_run: bool, as_json: bool, **given: str | None) -> None:
    """Erase a person for good: submissions, replies, pictures, search entries, copies in the archive.

    Prints a certificate. A submission that is held stops it before anything goes.

    Example: earmark privacy erase --email jana@example.org --dry-run
    """
    person = _person(given)
    try:
        found = privacy_erase.preview(person)
        lines = privacy_words.lines(found)
        if dry_run:
            click.echo(json.dumps(privacy_words.as_json(found)) if as_json else "\n".join(lines))
            return
        if not yes:
            click.echo("\n".join(lines), err=as_json)
            click.confirm("Erase all of this? It cannot be undone.", abort=True)
        done = privacy_erase.erase(person, utc_now())
    except ClientError as error:
        raise click.ClickException(error.message) from None
    click.echo(_certificate(done, as_json))


@privacy.command("erasures")
@as_json_option
def erasures(as_json: bool) -> None:
    """List erasures, the newest first; each has a certificate (`privacy certificate ID`).

    Example: earmark privacy erasures
    """
    found = current_session().scalars(listing().order_by(Erasure.created_at.desc(), Erasure.id.desc())).all()
    rows = [privacy_words.erasure(one) for one in found]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        state = "done" if row["finished_at"] else "under way"
        click.echo(f"{row['id']}  {row['created_at'][:19]}  {row['kind']}  {state}  by {row['requested_by']}")
    if not rows:
        click.echo("Nobody was erased.")


@privacy.command("certificate")
@click.argument("erasure_id", metavar="ID")
def certificate(erasure_id: str) -> None:
    """Print the certificate of an erasure as JSON.

    Example: earmark privacy certificate 01KATZ4M1Q8V6R2T0YB5W9XCDE
    """
    try:
        click.echo(_certificate(privacy_erase.load(erasure_id), as_json=True))
    except ClientError as error:
        raise click.ClickException(error.message) from None


@privacy.command("verify")
@click.argument("file", type=click.File("r", encoding="utf-8"))
def verify(file: Any) -> None:
    """Check that this instance wrote a certificate and nothing in it was changed; - reads standard input.

    Example: earmark privacy verify certificate.json
    """
    try:
        said = json.load(file)
        holds = isinstance(said, dict) and is_certificate(said)
    except (ValueError, TypeError):
        raise click.ClickException("this is no certificate") from None
    if not holds:
        raise click.ClickException("this instance did not write this, or it was changed")
    count = many(said["removed"].get("submissions", 0), "submission")
    click.echo(f"Certificate {said['id']} holds: {count} erased, finished {said['finished_at'][:19]}.")


def _person(given: dict[str, str | None]) -> Person:
    try:
        return Person.of(given)
    except ClientError as error:
        (fault,) = error.details
        raise click.UsageError(f"--{fault.field}: {fault.message}") from None


def _certificate(done: Erasure, as_json: bool) -> str:
    if done.certificate is None:
        raise click.ClickException("the erasure is under way; it has no certificate yet")
    said = json.loads(done.certificate)
    if as_json:
        return json.dumps(said, indent=2)
    return "\n".join(privacy_words.certificate_lines(said))
