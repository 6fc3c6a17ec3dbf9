"""A real server's statistics: of two web processes, the worker and commands, merged, kept over a restart."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from app import create_app
from app.clock import utc_now
from app.database.tracking.watch import current_watcher
from app.extensions import db
from tests.live import LiveServer

REQUESTS = 60
ROUTE = "GET /health/db"


def figures(settings):
    """Read what the processes wrote, as another process of the same instance."""
    app = create_app(replace(settings, query_tracking=False))
    with app.app_context():
        statistics = current_watcher().statistics
        hour_ago = utc_now() - timedelta(hours=1)
        routes = {one.route: one.timing.count for one in statistics.requests(hour_ago)}
        callers = {
            caller.origin for one in statistics.statements(hour_ago) for caller in one.callers if one.callers
        }
        processes = {(one.kind, one.pid) for one in statistics.processes(utc_now())}
        db.engine.dispose()
    app.extensions["earmark_intake"].close()
    return routes, callers, processes


def wait_for_the_worker(settings):
    """Wait until the background worker has written for the first time, ten seconds after its start."""
    deadline = time.monotonic() + 60
    while "worker" not in {kind for kind, _ in figures(settings)[2]}:
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_what_two_workers_saw_is_added_and_survives_a_restart(settings, database):
    options = {"database_url": settings.database_url} if database == "postgresql" else {}
    server = LiveServer(settings.instance_path, workers=2, secret_key=settings.secret_key, **options)
    for round_number in (1, 2):
        with server, ThreadPoolExecutor(8) as pool:
            before = figures(settings)[0].get(ROUTE, 0)
            statuses = list(pool.map(lambda _: server.get("/health/db")[0], range(REQUESTS)))
            assert statuses == [200] * REQUESTS
            if round_number == 1:
                wait_for_the_worker(settings)
        routes, _, processes = figures(settings)  # the server has ended: what was left was written then
        asked_while_starting = routes[ROUTE] - before - REQUESTS
        assert asked_while_starting >= 0
        assert routes[ROUTE] >= round_number * REQUESTS
    assert len([kind for kind, _ in processes if kind == "web"]) >= 2
    subprocess.run(
        [sys.executable, "-m", "app.cli", "projects", "list"],
        env=server.environment(),
        check=True,
        capture_output=True,
    )
    _, callers, _ = figures(settings)
    assert "command projects list" in callers
