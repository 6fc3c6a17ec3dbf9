"""The console script `earmark`: the same commands as `flask --app wsgi …`."""

import secrets
import sys
from typing import Any

import click
from flask.cli import FlaskGroup, ScriptInfo

from app import create_app
from app.config import ConfigError
from app.database.tracking.scope import origin
from app.database.tracking.watch import EXTENSION
from app.models.audit import acting, current_acting
from app.version import VERSION

# They start processes of their own, which watch themselves.
OWN_PROCESSES = ("serve", "worker")


class EarmarkGroup(FlaskGroup):
    """Flask's group without its own `run`, `shell` and `routes`; `earmark serve` is the server."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            create_app=create_app, add_default_commands=False, add_version_option=False, **options
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, named in what is tracked of its statements."""
        words = [*ctx._protected_args, *ctx.args]
        app = ctx.ensure_object(ScriptInfo).load_app()
        if words[0] not in OWN_PROCESSES:
            app.extensions[EXTENSION].start("command")
        group = isinstance(app.cli.commands.get(words[0]), click.Group)
        name = " ".join(words[: 1 + group])
        # What one run of a command does is found together in the audit log by its id.
        with origin(f"command {name}"), acting(current_acting().actor, secrets.token_hex(8)):
            return super().invoke(ctx)


@click.group(cls=EarmarkGroup)
@click.version_option(VERSION, prog_name="earmark")
def commands() -> None:
    """Earmark: feedback with marked-up, redacted screenshots."""


def main() -> None:
    """Run a command; a wrong setting ends it with one line and exit code 2."""
    try:
        commands()
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
