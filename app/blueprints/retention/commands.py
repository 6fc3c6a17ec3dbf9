"""Commands of the sweep: status, plan, run. Exit code 0 done, 1 failed or refused, 2 wrong usage."""

import json
from typing import Any

import click
from sqlalchemy import select
from tqdm import tqdm

from app.blueprints.retention import plan as plans
from app.blueprints.retention import reports, space, sweep
from app.blueprints.retention.group import retention
from app.blueprints.retention.keeping_commands import (
    as_json_option,
    confirm,
    dry_run_option,
    failing_in_a_line,
    yes_option,
)
from app.blueprints.retention.wanted import MOST_DAYS, How, Wanted
from app.clock import utc_now
from app.database.transactions import current_session
from app.models import Project, hold
from app.models.feedback import STATUSES

MOST_SECONDS = 7 * 24 * 3600


class DaysType(click.ParamType[int]):
    """A whole number of days, from one to a century."""

    name = "days"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the days; anything else is wrong usage, said in one line."""
        text = str(value)
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_DAYS and len(text) <= 9):
            self.fail(f"{text!r} is no age: write whole days, from 1 to {MOST_DAYS:,}", param, ctx)
        return int(text)


policy_option = click.option("--policy", help="Only this policy: its name or id.")
project_option = click.option("--project", help="Only submissions of this project: its key or name.")
status_option = click.option(
    "--status", "statuses", type=click.Choice(STATUSES), multiple=True, help="Only this status; repeatable."
)
older_than_option = click.option(
    "--older-than",
    type=DaysType(),
    help="Instead of the policies: whatever was made longer ago than so many days.",
)


@retention.command("status")
@as_json_option
def status_command(as_json: bool) -> None:
    """Show the last and the next daily sweep, what is held and what waits to be deleted.

    Example: earmark retention status
    """
    found = reports.standing(utc_now())
    _print(as_json, found, "\n".join(reports.standing_lines(found)))


@retention.command("plan")
@policy_option
@project_option
@status_option
@older_than_option
@as_json_option
def plan_command(
    policy: str | None, project: str | None, statuses: tuple[str, ...], older_than: int | None, as_json: bool
) -> None:
    """Show what the next run removes, by policy: rows, pictures, bytes, and what a hold keeps back.

    Example: earmark retention plan --project "Halden Kitchen"
    """
    with failing_in_a_line():
        drawn = _draw(_wanted(policy, project, statuses, older_than))
    _print(as_json, reports.plan_json(drawn), "\n".join(reports.plan_lines(drawn)))


@retention.command("run")
@policy_option
@project_option
@status_option
@older_than_option
@click.option(
    "--max-seconds", type=click.IntRange(1, MOST_SECONDS), help="Stop after so long; the next run goes on."
)
@click.option("--archive", is_flag=True, help="Archive what is deleted, whatever the policies say.")
@click.option("--vacuum", is_flag=True, help="Give space back to the disk afterwards.")
@click.option("--force", is_flag=True, help="Also beyond 20 % of a project, and with a clock that jumped.")
@yes_option
@dry_run_option
@as_json_option
def run_command(
    policy: str | None,
    project: str | None,
    *,
    statuses: tuple[str, ...],
    older_than: int | None,
    max_seconds: int | None,
    archive: bool,
    vacuum: bool,
    force: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Carry out the policies now, or delete whatever is of an age.

    It works in short batches beside everybody else. Interrupted, stopped or killed, the next run goes on.

    Example: earmark retention run --status spam --older-than 7 --yes
    """
    with failing_in_a_line():
        wanted = _wanted(policy, project, statuses, older_than, archive=archive)
        drawn = _draw(wanted)
        if dry_run:
            _print(as_json, reports.plan_json(drawn), "\n".join(reports.plan_lines(drawn)))
            return
        confirm(f"{reports.summary(drawn)} Go on?", yes)
        how = How(trigger="command", force=force, max_seconds=max_seconds)
        with tqdm(total=drawn.rows, unit=" rows", disable=None) as bar:
            done = sweep.run(wanted, how, utc_now(), bar.update)
        given_back = space.vacuum() if vacuum else None
    result = reports.run_json(done) | ({} if given_back is None else {"space": vars(given_back)})
    _print(as_json, result, "\n".join(reports.run_lines(done)))


def _draw(wanted: Wanted) -> plans.Plan:
    now = utc_now()
    hold.settle(now)
    session = current_session()
    try:
        return plans.draw(session, wanted, now)
    finally:
        session.rollback()


def _wanted(
    policy: str | None,
    project: str | None,
    statuses: tuple[str, ...],
    older_than: int | None,
    *,
    archive: bool = False,
) -> Wanted:
    if policy is not None and older_than is not None:
        raise click.UsageError("--older-than is instead of the policies: leave --policy out")
    return Wanted(
        policy=policy,
        project_id=None if project is None else _project(project),
        statuses=statuses,
        older_than=older_than,
        archive=archive,
    )


def _project(text: str) -> int:
    query = select(Project.id).where((Project.public_key == text) | (Project.name == text))
    found = current_session().scalars(query).all()
    if len(found) != 1:
        why = "there is no project" if not found else "there are several projects"
        raise click.BadParameter(f"{why} of the key or name {text!r}", param_hint="--project")
    return found[0]


def _print(as_json: bool, value: Any, text: str) -> None:
    click.echo(json.dumps(value, indent=2) if as_json else text)
