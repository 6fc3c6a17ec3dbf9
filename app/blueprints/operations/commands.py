"""Commands that run Earmark: serve, worker, config."""

import json

import click
from flask import current_app
from flask.cli import with_appcontext

from app.blueprints.operations import first_start, indexing, server
from app.config import current_settings, shown
from app.database.tracking.watch import current_watcher
from app.extensions import db
from app.jobs import queue_of


@click.command("serve")
@click.option("--host", help="Address to listen on; default EARMARK_HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port; default EARMARK_PORT.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; default EARMARK_WORKERS.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Threads a process.")
@with_appcontext
def serve(host: str | None, port: int | None, workers: int | None, threads: int | None) -> None:
    """Migrate the database, then run the web server and the background worker.

    Example: earmark serve --port 8080
    """
    chosen = server.chosen(current_settings(), host, port, workers, threads)
    try:
        server.wait_for_port(chosen)
    except OSError as error:
        raise click.ClickException(f"{chosen.host}:{chosen.port}: {error.strerror}") from None
    for line in first_start.prepare(chosen):
        click.echo(line)
    # A SQLite connection must not cross a fork (sqlite.org/howtocorrupt.html, section 2.6), and a read left
    # open here would keep the WAL from ever being reset.
    db.session.remove()
    db.engine.dispose()
    server.run(chosen)


@click.command("worker")
@click.option("--server", "server_pid", type=int, hidden=True, help="End with this process.")
@with_appcontext
def worker(server_pid: int | None) -> None:
    """Run the background worker alone (`earmark serve` runs one already).

    Example: earmark worker
    """
    watcher = current_watcher()
    watcher.start("worker")
    if watcher.tracking:
        watcher.flush()  # so that it is seen from its first moment on, and not after ten seconds
    indexing.start(current_app._get_current_object())  # type: ignore[attr-defined]
    server.consume(queue_of(current_app), server_pid)


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def show_config(as_json: bool) -> None:
    """Print every setting in force, secrets masked.

    Example: earmark config --json
    """
    values = shown(current_settings())
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    width = max(map(len, values))
    for name, value in values.items():
        click.echo(f"{name:{width}}  {value}")
