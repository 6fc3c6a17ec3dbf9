"""Commands of policies: list, set, remove, and apply a file. Exit code 0 done, 1 failed, 2 wrong usage."""

import json
from pathlib import Path
from typing import Any, get_args

import click
from flask.cli import AppGroup

from app.blueprints.retention import policies
from app.blueprints.retention.commands import DaysType
from app.blueprints.retention.group import retention
from app.blueprints.retention.keeping_commands import (
    as_json_option,
    confirm,
    dry_run_option,
    failing_in_a_line,
    yes_option,
)
from app.blueprints.retention.policies import Action, Kind, Lost, Since
from app.errors import ClientError
from app.models.feedback import STATUSES

group = AppGroup("policies", help="How long each kind of data stays.")
retention.add_command(group)


@group.command("list")
@as_json_option
def list_command(as_json: bool) -> None:
    """List all policies as sentences.

    Example: earmark retention policies list
    """
    found = [policies.as_json(policy) for policy in policies.all_policies()]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    width = max((len(one["name"]) for one in found), default=0)
    for one in found:
        off = "" if one["is_active"] else "  (off)"
        click.echo(f"{one['name']:{width}}  {one['sentence']}{off}")


@group.command("set")
@click.argument("name")
@click.option("--kind", type=click.Choice(get_args(Kind)), help="What it is about; default submissions.")
@click.option("--project", help="Key of a project.")
@click.option("--category", help="Category.")
@click.option("--status", type=click.Choice(STATUSES), help="Status.")
@click.option("--query", help="Query of the inbox.")
@click.option("--keep-days", type=DaysType(), help="Keep for so many days.")
@click.option("--keep-submissions", type=click.IntRange(min=1), help="Keep at most so many submissions.")
@click.option("--keep-bytes", type=click.IntRange(min=1), help="Keep at most so many bytes.")
@click.option("--since", type=click.Choice(get_args(Since)), help="From what the age counts.")
@click.option("--action", type=click.Choice(get_args(Action)), help="What is done; default delete.")
@click.option(
    "--field",
    "fields",
    type=click.Choice(get_args(Lost)),
    multiple=True,
    help="What anonymise takes; repeatable.",
)
@click.option("--archive/--no-archive", default=None, help="Archive before deleting.")
@click.option("--on/--off", "is_active", default=None, help="Whether it is in force.")
@as_json_option
def set_command(name: str, as_json: bool, **values: Any) -> None:
    """Make a policy, or change the one of that name; what is left out stays.

    Example: earmark retention policies set "Old pictures" --action drop_screenshots --keep-days 60
    """
    given = {key: value for key, value in values.items() if value is not None and value != ()}
    if "fields" in given:
        given["fields"] = list(given["fields"])
    with failing_in_a_line():
        known = {policy.name: policy.public_id for policy in policies.all_policies()}
        if name in known:
            saved = policies.change(known[name], given)
        else:
            saved = policies.create(_checked({"name": name, **given}))
        shown = policies.as_json(saved)
    click.echo(json.dumps(shown, indent=2) if as_json else f"{shown['name']}: {shown['sentence']}")


@group.command("remove")
@click.argument("policy")
@yes_option
@dry_run_option
@as_json_option
def remove_command(policy: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Remove a policy (its name or id); what it governed falls to the next less specific one.

    Example: earmark retention policies remove Spam --yes
    """
    with failing_in_a_line():
        found = policies.load(policy)
        if not dry_run:
            confirm(f"Remove the policy {found.name}?", yes)
            policies.delete(found.public_id)
    done = {"id": found.public_id, "name": found.name, "done": not dry_run}
    click.echo(json.dumps(done) if as_json else f"{'Would remove' if dry_run else 'Removed'} {found.name}.")


@retention.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--prune", is_flag=True, help="Remove the policies that the file does not name.")
@yes_option
@dry_run_option
@as_json_option
def apply_command(file: Path, prune: bool, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Make policies as a TOML file says, by name, all or none; a second time changes nothing.

    Example: earmark retention apply retention.toml --dry-run
    """
    with failing_in_a_line():
        wanted = policies.read_file(file)
        if prune and not dry_run:
            confirm("Remove the policies that the file does not name?", yes)
        done = policies.apply(wanted, prune=prune, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps({**vars(done), "done": not dry_run}, indent=2))
        return
    for word, names in vars(done).items():
        if names:
            click.echo(f"{'would be ' if dry_run and word != 'unchanged' else ''}{word}: {', '.join(names)}")


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    text = values["name"].strip()
    if not 1 <= len(text) <= 100 or not text.isprintable():
        raise ClientError(422, "validation_failed", "A name has 1 to 100 characters on one line.")
    return values | {"name": text}
