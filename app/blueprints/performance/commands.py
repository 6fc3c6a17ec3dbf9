"""Commands of the watching: top, plan, indexes, resources. Exit code 0 done, 1 failed, 2 wrong usage."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import get_args

import click
from flask.cli import AppGroup

from app.blueprints.performance import answers, terminal, views
from app.blueprints.performance.schemas import LONGEST_SQL, StatementSort
from app.blueprints.performance.spans import DEFAULT_SINCE, parse_since
from app.clock import utc_now
from app.database.tracking.watch import current_watcher
from app.errors import ClientError

performance = AppGroup("performance", help="How fast Earmark is, and why.")


class SinceType(click.ParamType[datetime]):
    """A length such as 24h, or an RFC 3339 time."""

    name = "since"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment; a wrong one is wrong usage."""
        try:
            return value if isinstance(value, datetime) else parse_since(str(value), utc_now())
        except ValueError as error:
            self.fail(f"{value!r}: it {error}", param, ctx)


as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
since_option = click.option(
    "--since",
    type=SinceType(),
    default=DEFAULT_SINCE,
    show_default=True,
    help="How far back: 1h, 24h, 7d, or a time such as 2026-11-21T09:30:00Z.",
)


@performance.command("top")
@since_option
@click.option(
    "--sort", type=click.Choice(get_args(StatementSort)), default="total", show_default=True, help="Order."
)
@click.option(
    "--limit", type=click.IntRange(1, 200), default=10, show_default=True, help="How many statements."
)
@as_json_option
def top(since: datetime, sort: str, limit: int, as_json: bool) -> None:
    """List the statements that cost most, of all processes together.

    Example: earmark performance top --since 1h --sort p95
    """
    found = current_watcher().statistics.statements(since, sort=sort, limit=limit)
    if as_json:
        _print_json([answers.statement(figures) for figures in found])
    elif found:
        _print(terminal.top_lines(found))
    else:
        click.echo("No statement ran in that span.")


@performance.command("plan")
@click.argument("sql")
@as_json_option
def plan(sql: str, as_json: bool) -> None:
    """Show how the database would run a reading statement, what is wrong with that, and what would help.

    The statement is planned and never run; - reads it from standard input.

    Example: earmark performance plan "select * from feedback_submissions where session_id = 'a'"
    """
    if sql == "-":
        sql = sys.stdin.read(LONGEST_SQL + 1)
    if not 1 <= len(sql) <= LONGEST_SQL:
        raise click.BadParameter(f"a statement has 1 to {LONGEST_SQL:,} characters", param_hint="SQL")
    with _failing_in_a_line():
        found = views.plan(sql)
    if as_json:
        _print_json(answers.plan_view(found))
    else:
        _print(terminal.plan_lines(found.plan))
        _print(terminal.advice_lines(found.advice))


@performance.command("indexes")
@since_option
@as_json_option
def indexes(since: datetime, as_json: bool) -> None:
    """List the indexes with their use, and those that are missing.

    Example: earmark performance indexes --since 7d
    """
    with _failing_in_a_line():
        found = views.index_view(since)
    if as_json:
        _print_json(answers.index_view(found))
    else:
        _print(terminal.index_lines(found.reports))
        _print(terminal.advice_lines(found.advice))


@performance.command("resources")
@as_json_option
def resources(as_json: bool) -> None:
    """Show memory, disks and the database's files, each with its level.

    Example: earmark performance resources --json
    """
    found = views.resources(utc_now())
    if as_json:
        _print_json(answers.resources(found))
    else:
        _print(terminal.resource_lines(found))


@contextmanager
def _failing_in_a_line() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise click.ClickException(error.message) from None


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2))
