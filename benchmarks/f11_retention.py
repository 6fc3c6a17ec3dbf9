"""F11: a sweep deletes half of all submissions beside a steady reader and writer; a raw script does the same.

Both begin with copies of one SQLite file: a year of demo submissions, each with a screenshot's row and an
event, all indexes, roll-ups and the search index. The reference is what one writes by hand: batches of 1,000
by key, foreign keys cascading, a full-text index kept by a trigger. Reader (the inbox's first page) and
writer (one submission) ask every 20 ms, in a process of their own, and are measured idle before each. A lock
is timed from when it is taken to after the commit, of both alike; the time of a run is that of the run alone,
without starting the application or making the script's index.
"""

import argparse
import multiprocessing
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import text

from app import create_app
from app.blueprints.operations.migrations import migrate_to_head
from app.blueprints.operations.seed.planting import places, plant
from app.blueprints.operations.seed.team import load_team
from app.blueprints.retention import sweep
from app.blueprints.retention.wanted import How, Wanted
from app.clock import utc_now
from app.config import Settings
from app.database.engine import sqlite
from app.database.paging.keyset import paginate
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, RetentionRun, rollup, search
from app.models.inbox_filter import InboxFilter
from benchmarks.rounds import heading, timed, verdict

ROWS = 100_000
IDLE_SECONDS = 8.0
EVERY_SECONDS = 0.02
RAW_BATCH = 1_000
CHILDREN = (
    "insert into feedback_screenshots"
    " (feedback_id, blob_key, media_type, size_bytes, state, attempts, created_at)"
    " select id, 'screenshots/' || public_id, 'image/webp', 40000, 'ready', 0, created_at"
    " from feedback_submissions",
    "insert into submission_events (feedback_id, kind, actor, version, created_at)"
    " select id, 'status', 'Jana', 1, created_at from feedback_submissions",
    "update feedback_submissions set has_screenshot = 1",
)
TRIGGER = """
create virtual table raw_search using fts5 (description, content='feedback_submissions', content_rowid='id');
insert into raw_search (raw_search) values ('rebuild');
create trigger raw_forget after delete on feedback_submissions begin
  insert into raw_search (raw_search, rowid, description) values ('delete', old.id, old.description);
end;
"""


@dataclass(frozen=True)
class Waits:
    """Milliseconds that reads and writes took."""

    reads: list[float]
    writes: list[float]

    @staticmethod
    def p99(values: list[float]) -> float:
        """Return the 99th percentile."""
        return statistics.quantiles(values, n=100)[98] if len(values) > 1 else float("nan")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS, help="submissions, of which half go")
    rows = parser.parse_args().rows
    timed(lambda: _work(rows))


def _work(rows: int) -> None:
    heading(f"F11  delete half of {rows:,} submissions beside a reader and a writer")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = _settings(folder / "ours")
        _fill(settings, rows)
        shutil.copytree(folder / "ours", folder / "raw")
        days = _half(folder / "ours" / "earmark.sqlite3")
        ours = _beside(settings, lambda: _sweep(settings, days))
        raw = _beside(_settings(folder / "raw"), lambda: _raw(folder / "raw" / "earmark.sqlite3", days))
    _print(ours, raw)


@dataclass(frozen=True)
class Measured:
    """One way of deleting: rows, seconds, locks in ms, and what others waited idle and meanwhile."""

    rows: int
    seconds: float
    processor_seconds: float
    locks: list[float]
    idle: Waits
    busy: Waits

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds

    @property
    def processor_us(self) -> float:
        """Processor time a row in microseconds: it hangs less on what else runs than the rate does."""
        return self.processor_seconds / self.rows * 1e6


def _settings(instance: Path) -> Settings:
    return Settings(
        instance_path=instance, secret_key="benchmark-" + "x" * 32, min_free_disk_mb=0, log_level="ERROR",
        query_tracking=False,
    )  # fmt: skip


def _fill(settings: Settings, rows: int) -> None:
    app = create_app(settings)
    with app.app_context():
        migrate_to_head()
        plant(
            rows,
            at=places(()),
            team=load_team(),
            until=utc_now(),
            seed=1,
            screenshots=False,
            planted=lambda _: None,
        )
        with transaction() as session:
            for statement in CHILDREN:
                session.execute(text(statement))
        rollup.fold_all(600)
        search.catch_up(600)
        with db.engine.connect() as connection:
            connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    _close(app)


def _close(app: Flask) -> None:
    app.extensions["earmark_intake"].close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _half(file: Path) -> int:
    """Return the age in days that about half of all submissions have."""
    with closing(sqlite.connect(str(file))) as connection:
        ((created,),) = connection.execute(
            "select created_at from feedback_submissions order by created_at limit 1"
            " offset (select count(*) / 2 from feedback_submissions)"
        ).fetchall()
    return int((time.time() - created / 1_000_000) / 86_400)


@dataclass(frozen=True)
class Deleted:
    """What a way of deleting did: rows, seconds, its thread's processor seconds, and each lock in ms."""

    rows: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    locks: tuple[float, ...] = ()


def _beside(settings: Settings, delete: Callable[[], Deleted]) -> Measured:
    """Measure the load alone, then while something deletes."""

    def rest() -> Deleted:
        time.sleep(IDLE_SECONDS)
        return Deleted()

    idle, _ = _under_load(settings, rest)
    busy, done = _under_load(settings, delete)
    return Measured(done.rows, done.seconds, done.processor_seconds, list(done.locks), idle, busy)


def _under_load(settings: Settings, act: Callable[[], Deleted]) -> tuple[Waits, Deleted]:
    context = multiprocessing.get_context("spawn")
    ready, stop, answers = context.Event(), context.Event(), context.Queue()
    process = context.Process(target=_load, args=(settings, ready, stop, answers))
    process.start()
    ready.wait(60)
    done = act()
    stop.set()
    reads, writes = answers.get(timeout=60)
    process.join(60)
    return Waits(reads, writes), done


def _load(settings: Settings, ready: Event, stop: Event, answers: "Queue[Any]") -> None:
    """Read and write every 20 ms until told to stop; in a process of its own."""
    app = create_app(settings)
    waits: dict[str, list[float]] = {"read": [], "write": []}

    def repeat(name: str, work: Callable[[], None]) -> None:
        with app.app_context():
            work()
            while not stop.is_set():
                began = time.monotonic()
                work()
                waits[name].append((time.monotonic() - began) * 1000)
                time.sleep(EVERY_SECONDS)

    threads = [
        threading.Thread(target=repeat, args=("read", _read)),
        threading.Thread(target=repeat, args=("write", _write)),
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    ready.set()
    for thread in threads:
        thread.join()
    answers.put((waits["read"], waits["write"]))
    _close(app)


def _read() -> None:
    wanted = InboxFilter(status="open")
    paginate(wanted.rows(), order=wanted.order(), cursor=None, limit=50)
    db.session.rollback()


def _write() -> None:
    with transaction() as session:
        session.add(Feedback(project_id=1, category="bug", description="The total is wrong."))


def _sweep(settings: Settings, days: int) -> Deleted:
    app = create_app(settings)
    locks: list[float] = []
    keep = sweep.transaction

    @contextmanager
    def timed_transaction() -> Iterator[Any]:
        began = 0.0
        with keep() as session:
            began = time.monotonic()
            yield session
        locks.append((time.monotonic() - began) * 1000)

    with app.app_context():
        sweep.transaction = timed_transaction  # type: ignore[attr-defined]
        how = How(trigger="command", force=True)
        began, worked = time.monotonic(), time.thread_time()
        done: RetentionRun = sweep.run(Wanted(older_than=days), how, utc_now())
        seconds, worked = time.monotonic() - began, time.thread_time() - worked
        sweep.transaction = keep  # type: ignore[attr-defined]
    _close(app)
    return Deleted(done.submissions, seconds, worked, tuple(locks))


def _raw(file: Path, days: int) -> Deleted:
    connection = sqlite.connect(str(file), isolation_level=None, timeout=10)
    for pragma in ("foreign_keys = on", "synchronous = full", "journal_mode = wal", "temp_store = memory"):
        connection.execute(f"pragma {pragma}")
    connection.executescript(TRIGGER)
    before = int((time.time() - days * 86_400) * 1_000_000)
    began, worked = time.monotonic(), time.thread_time()
    ids = connection.execute(
        "select id from feedback_submissions where created_at < ? order by created_at, id", (before,)
    ).fetchall()
    locks: list[float] = []
    for first in range(0, len(ids), RAW_BATCH):
        some = ids[first : first + RAW_BATCH]
        connection.execute("begin immediate")
        lock = time.monotonic()
        connection.executemany("delete from feedback_submissions where id = ?", some)
        connection.execute("commit")
        locks.append((time.monotonic() - lock) * 1000)
    seconds, worked = time.monotonic() - began, time.thread_time() - worked
    connection.close()
    return Deleted(len(ids), seconds, worked, tuple(locks))


def _print(ours: Measured, raw: Measured) -> None:
    print(f"{'':10}{'rows':>9}{'rows/s':>9}{'CPU µs':>8}{'lock p50':>10}{'p99':>8}"
          f"{'reads p99 idle':>16}{'busy':>8}{'writes p99 idle':>17}{'busy':>8}")  # fmt: skip
    for name, one in (("Earmark", ours), ("raw", raw)):
        cells = (
            f"{one.rows:9,}{one.rate:9,.0f}{one.processor_us:8.0f}{statistics.median(one.locks):8.1f}ms{Waits.p99(one.locks):6.1f}ms"
            f"{Waits.p99(one.idle.reads):14.1f}ms{Waits.p99(one.busy.reads):6.1f}ms"
            f"{Waits.p99(one.idle.writes):15.1f}ms{Waits.p99(one.busy.writes):6.1f}ms"
        )
        print(f"{name:10}{cells}")
    print()
    verdict("rows a second, Earmark / raw", ours.rate / raw.rate, 2.0)
    verdict("write lock p99, ms", Waits.p99(ours.locks), 50, at_least=False)
    for name, goal in (("writes", 1.25), ("reads", 1.2)):
        busy, idle = (Waits.p99(getattr(waits, name)) for waits in (ours.busy, ours.idle))
        verdict(f"{name} p99, busy / idle", busy / idle, goal, at_least=False)
        busy, idle = (Waits.p99(getattr(waits, name)) for waits in (raw.busy, raw.idle))
        print(f"  (the raw script's: {busy / idle:.2f})")


if __name__ == "__main__":
    main()
