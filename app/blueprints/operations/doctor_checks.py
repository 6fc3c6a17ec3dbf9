"""What is wrong with this installation, a sentence and its cure each; nothing is changed but a probe blob.

Knows each check by name; one that cannot be made says so itself, and stops no other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.blueprints.operations.migrations import at_head
from app.clock import utc_now
from app.config import current_settings
from app.database.engine import sqlite
from app.database.tracking.watch import current_watcher
from app.database.transactions import snapshot
from app.extensions import db
from app.models.rollup.keeping import counted_to, submissions
from app.observability.resources import disk_gauges
from app.storage import new_key, storage

Level = Literal["ok", "warning", "problem"]
MIB = 1024 * 1024
# Versions that may corrupt a WAL database when two connections write or checkpoint at once (decision 1).
WAL_RESET_BUG = ((3, 7, 0), (3, 51, 3))
# A worker reports as soon as it stands; on a machine that is busy with the start itself that takes seconds.
FIRST_REPORT = timedelta(seconds=30)
# So many submissions are more than an hour of intake at a steady ten a second: nobody folds them.
MUCH_BEHIND = 36_000


@dataclass(frozen=True)
class Finding:
    """What one check found; `cure` is empty where nothing is wrong."""

    check: str
    level: Level
    message: str
    cure: str = ""


def examine() -> Iterator[Finding]:
    """Make every check, one after the other."""
    for check, look in CHECKS.items():
        try:
            yield look(check)
        except (SQLAlchemyError, OSError) as error:
            yield Finding(check, "problem", f"could not be looked at: {type(error).__name__}", CURES[check])


def _sqlite(check: str) -> Finding:
    if db.engine.dialect.name != "sqlite":
        return Finding(check, "ok", "not in use: the data is in PostgreSQL")
    version = sqlite.sqlite_version
    first, fixed = WAL_RESET_BUG
    if not first <= sqlite.sqlite_version_info < fixed:
        return Finding(check, "ok", f"SQLite {version}")
    message = f"SQLite {version} has the WAL-reset bug; Earmark's writers take turns, other programs do not"
    return Finding(check, "warning", message, CURES[check])


def _database(check: str) -> Finding:
    with db.engine.connect() as connection:
        connection.execute(select(1))
    return Finding(check, "ok", "answers")


def _migrations(check: str) -> Finding:
    if at_head():
        return Finding(check, "ok", "at head")
    return Finding(check, "problem", "the database is not migrated", CURES[check])


def _disk(check: str) -> Finding:
    settings = current_settings()
    disk = disk_gauges({"instance": settings.instance_path})["instance"]
    if disk is None:
        return Finding(check, "warning", "the instance folder's disk cannot be measured", CURES[check])
    message = f"{disk.free // MIB:,} MiB free, {disk.percent:.0f} % in use"
    if disk.free < settings.min_free_disk_mb * MIB or disk.level == "critical":
        return Finding(check, "problem", f"{message}: submissions are refused below a floor", CURES[check])
    return Finding(
        check, "ok" if disk.level == "ok" else "warning", message, CURES[check] * (disk.level != "ok")
    )


def _settings(check: str) -> Finding:
    settings = current_settings()
    if settings.demo and settings.secure_cookies:
        return Finding(check, "warning", "EARMARK_DEMO is on at a public address", CURES[check])
    return Finding(check, "ok", "all known and right")


def _processes(check: str) -> Finding:
    if not current_settings().query_tracking:
        return Finding(check, "ok", "not looked at: without EARMARK_QUERY_TRACKING processes do not report")
    now = utc_now()
    found = current_watcher().statistics.processes(now)
    kinds = [one.kind for one in found]
    if "worker" in kinds:
        return Finding(check, "ok", f"alive, with {len(kinds) - kinds.count('worker')} server processes")
    if found and now - min(one.started_at for one in found) < FIRST_REPORT:
        return Finding(check, "ok", "the server has just been started; its worker is still to report")
    level: Level = "problem" if kinds else "warning"
    who = "the server runs without it" if kinds else "Earmark does not run"
    return Finding(check, level, f"no background worker was seen in the last 30 seconds: {who}", CURES[check])


def _blobs(check: str) -> Finding:
    key = new_key("doctor")
    storage().put(key, b"probe")
    storage().delete(key)
    return Finding(check, "ok", "can be written and deleted")


def _rollups(check: str) -> Finding:
    with snapshot(db.engine) as connection:
        reached = counted_to(connection)
        behind = connection.scalar(select(func.count()).where(submissions.c.id > reached)) or 0
    if behind > MUCH_BEHIND:
        return Finding(check, "warning", f"{behind:,} submissions wait to be counted", CURES[check])
    return Finding(check, "ok", f"{behind:,} submissions behind the watermark, counted when read")


CHECKS: dict[str, Callable[[str], Finding]] = {
    "database": _database,
    "migrations": _migrations,
    "sqlite": _sqlite,
    "settings": _settings,
    "disk": _disk,
    "blobs": _blobs,
    "worker": _processes,
    "rollups": _rollups,
}
CURES = {
    "database": "see that EARMARK_DATABASE_URL is right and the database is running",
    "migrations": "stop Earmark and run `earmark db upgrade`, or start `earmark serve`, which migrates",
    "sqlite": "install pysqlite3, which bundles a newer SQLite, and let no other program write to the file",
    "settings": "unset EARMARK_DEMO, or keep it if the demo page is meant to be seen",
    "disk": "make room: `earmark retention plan`, `earmark retention vacuum`, or a larger disk",
    "blobs": "see that EARMARK_STORAGE_URL is right, or that instance/blobs belongs to Earmark's user",
    "worker": "start `earmark serve`, which runs one, or `earmark worker` beside your own server",
    "rollups": "see that the background worker runs; until then the dashboard is slow, not wrong",
}
