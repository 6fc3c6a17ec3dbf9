"""Commands of holds and the archive: hold, release, holds, restore, archives.

Exit code 0 done, 1 failed, 2 wrong usage.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import click
from sqlalchemy import select

from app.amounts import many
from app.blueprints.retention import archive, holds, holds_api
from app.blueprints.retention import restore as restoring
from app.blueprints.retention.group import retention
from app.blueprints.retention.holds import Filter
from app.clock import utc_now
from app.config import current_settings
from app.database.transactions import current_session
from app.errors import ClientError
from app.models import Project
from app.models.archive import months
from app.models.feedback import STATUSES

MOST_SHOWN = 200
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


class DayType(click.ParamType[datetime]):
    """A day (its first moment in UTC) or an RFC 3339 time."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment; a wrong one is wrong usage."""
        if isinstance(value, datetime):
            return value
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
                return datetime.combine(date.fromisoformat(str(value)), datetime.min.time(), UTC)
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail(f"{value!r} is no day such as 2026-11-21, and no time with its zone", param, ctx)
        return moment


@retention.command("hold")
@click.argument("submission", required=False)
@click.option("--project", help="Key of a project whose submissions are held.")
@click.option("--status", type=click.Choice(STATUSES), help="Hold what has this status.")
@click.option("--category", help="Hold what has this category.")
@click.option("--query", help="Hold what this query of the inbox finds.")
@click.option("--reason", required=True, help="Why, for those who ask later.")
@click.option("--until", type=DayType(), help="When the hold ends by itself: a day, or an RFC 3339 time.")
@yes_option
@dry_run_option
@as_json_option
def hold_command(
    submission: str | None,
    reason: str,
    until: datetime | None,
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    **parts: str | None,
) -> None:
    """Keep one submission, or all that a filter finds now and later, from every deletion.

    Example: earmark retention hold 01KATZ4M1Q8V6R2T0YB5W9XCDE --reason "Asked for by counsel"
    """
    wanted, now = Filter(**parts), utc_now()
    if (submission is None) != any(parts.values()):
        raise click.UsageError("name one submission by its id, or a filter by its options")
    with failing_in_a_line():
        if submission is None:
            found = holds.count(wanted, now)
            if dry_run:
                print_(
                    as_json, {"submissions": found, "done": False}, f"Would hold {many(found, 'submission')}."
                )
                return
            confirm(f"Hold {many(found, 'submission')}, and what matches later?", yes)
            made = holds.place_on(wanted, reason, until, now)
        elif dry_run:
            print_(as_json, {"submissions": 1, "done": False}, "Would hold 1 submission.")
            return
        else:
            made = holds.place(submission, reason, until, now)
        shown = holds_api.answer(made, holds_api.kept(made))
    print_(as_json, shown, f"Holds {many(shown['submissions'], 'submission')}; the hold is {shown['id']}.")


@retention.command("release")
@click.argument("which", metavar="ID")
@yes_option
@dry_run_option
@as_json_option
def release_command(which: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """End a hold by its id, or the holds on one submission by the submission's.

    Example: earmark retention release 01KATZ4M1Q8V6R2T0YB5W9XCDE --yes
    """
    with failing_in_a_line():
        found = holds.find(which)
        kept = "the holds on this submission" if found is None else f"the hold “{found.reason}”"
        if dry_run:
            print_(as_json, {"id": which, "done": False}, f"Would end {kept}.")
            return
        confirm(f"End {kept}? The next sweep may remove what it kept.", yes)
        now = utc_now()
        freed = holds.release_submission(which, now) if found is None else holds.release(which, now)
    print_(
        as_json,
        {"id": which, "freed": freed},
        f"Ended; {many(freed, 'submission')} {'is' if freed == 1 else 'are'} not held any longer.",
    )


@retention.command("holds")
@click.option("--ended", is_flag=True, help="List those that have ended.")
@as_json_option
def holds_command(ended: bool, as_json: bool) -> None:
    """List the holds, the newest first.

    Example: earmark retention holds --json
    """
    page = holds.page(active=not ended, cursor=None, limit=MOST_SHOWN)
    shown = [holds_api.answer(row, row.submissions) for row in page.rows]
    if as_json:
        click.echo(json.dumps(shown, indent=2))
        return
    for one in shown:
        until = (one["until"] or "released")[:10]
        kept = f"{many(one['submissions'], 'submission')} until {until}"
        click.echo(f"{one['id']}  {kept}  {one['reason']} ({one['placed_by']})")
    if not shown:
        click.echo("Nothing is held." if not ended else "No hold has ended.")


@retention.command("restore")
@click.argument("submission", required=False)
@click.option("--project", help="Key of the project whose submissions come back.")
@click.option("--from", "since", type=DayType(), help="Bring back what was made at or after.")
@click.option("--to", "until", type=DayType(), help="Bring back what was made before.")
@click.option(
    "--hold-days",
    type=click.IntRange(0, 3650),
    default=restoring.HOLD_DAYS,
    show_default=True,
    help="Days for which what comes back is held, so that the next sweep leaves it; 0 holds nothing.",
)
@yes_option
@dry_run_option
@as_json_option
def restore_command(
    submission: str | None,
    project: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    hold_days: int,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring submissions back from the archive, with their ids; what is there already is left as it is.

    Example: earmark retention restore --from 2026-10-01 --to 2026-11-01
    """
    if not (submission or project or since or until):
        raise click.UsageError("name a submission, a project, or a period by --from and --to")
    with failing_in_a_line():
        asked = restoring.Asked(public_id=submission, project_id=_project(project), since=since, until=until)
        found = restoring.count(asked)
        if dry_run:
            print_(
                as_json,
                {"submissions": found, "done": False},
                f"Would bring back up to {many(found, 'submission')}.",
            )
            return
        confirm(f"Bring back up to {many(found, 'submission')}?", yes)
        done = restoring.restore(asked, holds.who(), hold_days=hold_days)
    print_(as_json, vars(done) | {"damaged": list(done.damaged)}, restoring.sentence(done))
    if done.damaged:
        raise click.ClickException("; ".join(done.damaged))


@retention.command("archives")
@click.option(
    "--verify", is_flag=True, help="Check every part against its hashes; exit code 1 for a wrong one."
)
@as_json_option
def archives_command(verify: bool, as_json: bool) -> None:
    """List the archive by month, or check that it is what was written.

    Example: earmark retention archives --verify
    """
    if verify:
        with failing_in_a_line():
            checked = [(part.key, fault) for part, fault in archive.verify()]
        faults = [fault for _, fault in checked if fault]
        print_(
            as_json,
            {"parts": len(checked), "faults": faults},
            f"{many(len(checked), 'part')}, {many(len(faults), 'fault')}.",
        )
        if faults:
            raise click.ClickException("; ".join(faults))
        return
    found = months(current_session())
    if as_json:
        click.echo(json.dumps([vars(month) for month in found], indent=2))
        return
    days = current_settings().archive_days
    click.echo(
        f"Kept for {days} days." if found else f"Nothing is archived. Archives are kept for {days} days."
    )
    for month in found:
        click.echo(
            f"{month.month}  {many(month.submissions, 'submission')},"
            f" {many(month.screenshots, 'screenshot')},"
            f" {many(month.size_bytes, 'byte')} in {many(month.parts, 'part')}"
        )


def _project(key: str | None) -> int | None:
    if key is None:
        return None
    found = current_session().scalar(select(Project.id).where(Project.public_key == key))
    if found is None:
        raise click.ClickException(f"there is no project {key}")
    return found


@contextmanager
def failing_in_a_line() -> Iterator[None]:
    """Turn a refusal into one line and exit code 1."""
    try:
        yield
    except ClientError as error:
        words = "; ".join(f"{fault.field} {fault.message}" for fault in error.details)
        raise click.ClickException(f"{error.message} {words}".strip()) from None


def confirm(question: str, yes: bool) -> None:
    """Ask, unless the answer was given."""
    if not yes:
        click.confirm(question, abort=True)


def print_(as_json: bool, values: Any, sentence: str) -> None:
    """Print JSON or a sentence."""
    click.echo(json.dumps(values) if as_json else sentence)
