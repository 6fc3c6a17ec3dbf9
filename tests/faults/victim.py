"""A live server that is killed: whole, in part, or before it is up."""

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from sqlalchemy import text

from app.config import Settings
from app.extensions import db
from tests.live import STOP_SECONDS, LiveServer


class Victim(LiveServer):
    """`earmark serve` on the instance and database of a test's settings, without limits in the way."""

    def __init__(self, settings: Settings) -> None:
        database = {"database_url": settings.database_url} if settings.database_url else {}
        super().__init__(
            settings.instance_path,
            secret_key=settings.secret_key,
            intake_rate_limit=settings.intake_rate_limit,
            flood_rate_limit=settings.flood_rate_limit,
            project_quota_mb=0,
            min_free_disk_mb=0,
            **database,
        )
        self._waits = True

    def environment(self) -> dict[str, str]:
        """The server's environment, without what measures coverage: a killed process would not report it."""
        given = super().environment()
        return {name: value for name, value in given.items() if not name.startswith("COVERAGE_")}

    def launch(self) -> None:
        """Start and do not wait, so that it can be killed on its way up."""
        self._waits = False
        try:
            self.start()
        finally:
            self._waits = True

    def wait_until_up(self) -> None:
        if self._waits:
            super().wait_until_up()

    def kill(self) -> None:
        """End every process at once. What was killed counts as gone before init has collected it."""
        assert self._process is not None
        os.kill(self.pid, signal.SIGSTOP)  # from here on it starts no further process
        family = self.children()
        os.killpg(self.pid, signal.SIGKILL)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(STOP_SECONDS)
        until(lambda: not any(_command(process) for process in family), "every process gone")

    @property
    def project_key(self) -> str:
        """The key that the latest start has printed; with a new database there is a new one."""
        return re.findall(r'data-project="(pk_[^"]+)"', self.log.read_text())[-1]

    def worker(self) -> psutil.Process | None:
        """The background worker, or None while there is none."""
        found = [child for child in self._direct() if "worker" in _command(child)]
        return found[0] if found else None

    def web_processes(self) -> list[psutil.Process]:
        return [child for child in self._direct() if _command(child)[-1:] == ["serve"]]

    def drafts_of_static_files(self) -> list[Path]:
        """What a publishing of the static files that is not finished has written so far."""
        return list((self.instance / "static").glob(".build-*"))

    def _direct(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children()


def until(holds: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition; fails with `what` when it does not come to hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what}"
        time.sleep(0.005)


def let_sent_statements_end() -> None:
    """Wait until nobody else is at work: PostgreSQL carries out the COMMIT that a killed client had sent."""
    if db.engine.dialect.name != "postgresql":
        return
    others = text(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'"
    )
    # Within one transaction the view would stay what it was at first.
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        until(lambda: not connection.scalar(others), "no statement of a killed client")


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline() if process.status() != psutil.STATUS_ZOMBIE else []
    except psutil.NoSuchProcess:
        return []
