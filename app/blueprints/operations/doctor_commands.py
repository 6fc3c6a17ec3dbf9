"""`earmark doctor`: one line a finding with its cure, and a recount of the roll-ups."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click
from flask.cli import with_appcontext
from sqlalchemy import func, select
from tqdm import tqdm

from app.blueprints.operations.doctor_checks import Finding, examine
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, audit
from app.models.rollup import check
from app.models.rollup.check import Check

MARKS = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}
MOST_SHOWN = 20


@click.command("doctor")
@click.option("--rollups", is_flag=True, help="Count all submissions again, beside the roll-ups.")
@click.option("--repair", is_flag=True, help="With --rollups: put right what differs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def doctor(rollups: bool, repair: bool, as_json: bool) -> None:
    """Say what is wrong and what to do about it; exit code 1 for a problem, or for roll-ups that differ.

    Example: earmark doctor --rollups --repair
    """
    if repair and not rollups:
        raise click.UsageError("--repair goes with --rollups")
    if rollups:
        _recount(repair, as_json)
        return
    findings = list(examine())
    if as_json:
        click.echo(json.dumps({"findings": [asdict(one) for one in findings]}, indent=2))
    else:
        for finding in findings:
            click.echo(_line(finding))
    if any(finding.level == "problem" for finding in findings):
        raise click.exceptions.Exit(1)


def _line(finding: Finding) -> str:
    cure = f" → {finding.cure}" if finding.cure else ""
    return f"{MARKS[finding.level]}  {finding.check}: {finding.message}{cure}"


def _recount(repair: bool, as_json: bool) -> None:
    total = db.session.scalar(select(func.count(Feedback.id)))
    db.session.rollback()
    with tqdm(total=total, unit=" submissions", disable=True if as_json else None) as bar:
        found = check.recount(bar.update)
    repaired = repair and bool(found.differences)
    if repaired:
        check.repair(found.differences)
        with transaction() as session:
            audit.record(session, "rollups.repair", details={"differences": len(found.differences)})
    click.echo(json.dumps(_state(found, repaired)) if as_json else "\n".join(_words(found, repaired)))
    if found.differences and not repaired:
        raise click.exceptions.Exit(1)


def _state(found: Check, repaired: bool) -> dict[str, object]:
    return {
        "submissions": found.submissions,
        "figures": found.figures,
        "exact": not found.differences,
        "repaired": repaired,
        "differences": [asdict(one) | {"key": [str(part) for part in one.key]} for one in found.differences],
    }


def _words(found: Check, repaired: bool) -> Sequence[str]:
    whole = f"{found.figures:,} figures of {found.submissions:,} submissions"
    if not found.differences:
        return [f"Exact: {whole} are what a count gives."]
    number = len(found.differences)
    lines = [
        f"{one.table} {', '.join(map(str, one.key))}: {one.rolled_up:,}, a count gives {one.counted:,}"
        for one in found.differences[:MOST_SHOWN]
    ]
    if number > MOST_SHOWN:
        lines.append(f"… and {number - MOST_SHOWN:,} more")
    done = "put right" if repaired else "differ; `earmark doctor --rollups --repair` puts them right"
    return [*lines, f"{number:,} of {whole} {done}."]
