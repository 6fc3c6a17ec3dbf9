"""F12: exporting every submission as CSV, beside raw `sqlite3` and `csv.writer` on the same rows.

The reference reads the same columns in the same order and writes them as the driver gives them: no times, no
truths, no guard against formulas. Both are read to the end in turns; memory is the most that the process
grew by.
"""

import argparse
import csv
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from app import create_app
from app.blueprints.admin.export import DEFAULT_COLUMNS, Export, statement, stream
from app.blueprints.operations.migrations import migrate_to_head
from app.config import load_or_generate
from app.database.engine import sqlite
from app.extensions import db
from app.models.inbox_filter import InboxFilter
from benchmarks.rounds import heading, timed, verdict

GOAL = 0.4
ROWS_A_READ = 1_000
# A batch of rows, its bytes and what Python keeps of both; nothing of the file.
MEMORY_GOAL_MB = 32


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="exports of each")
    rounds = parser.parse_args().rounds
    app = create_app(load_or_generate())  # EARMARK_INSTANCE_PATH names what `earmark demo seed` filled

    def work() -> None:
        with app.app_context():
            migrate_to_head()
            wanted = Export(format="csv", columns=DEFAULT_COLUMNS, chosen=InboxFilter())
            text = str(statement(wanted).compile(db.engine, compile_kwargs={"literal_binds": True}))
            file = Path(str(db.engine.url.database))
            count = db.session.connection().exec_driver_sql("select count(*) from feedback_submissions")
            heading(
                f"F12  export {count.scalar_one():,} submissions of {len(DEFAULT_COLUMNS)} columns as CSV"
            )
            db.session.rollback()
            _compare(lambda: _raw(file, text), lambda: _ours(wanted), rounds)

    timed(work)


def _compare(raw: Callable[[], int], ours: Callable[[], int], rounds: int) -> None:
    works = {"raw": raw, "Earmark": ours}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    grown: dict[str, float] = {}
    sizes: dict[str, int] = {}
    process = psutil.Process()
    for _ in range(rounds):
        for name, work in works.items():
            before = process.memory_info().rss
            began = time.perf_counter()
            sizes[name] = work()
            seconds[name].append(time.perf_counter() - began)
            grown[name] = max(grown.get(name, 0.0), (process.memory_info().rss - before) / 1e6)
    for name, taken in seconds.items():
        mb = sizes[name] / 1e6
        print(f"{name:10}{statistics.median(taken):8.1f} s{mb:9,.0f} MB, grew by {grown[name]:.0f} MB")
    print()
    ratios = [mine / theirs for mine, theirs in zip(seconds["raw"], seconds["Earmark"], strict=True)]
    verdict("rate, Earmark / raw", statistics.median(ratios), GOAL)
    verdict("memory grown by, MB", grown["Earmark"], MEMORY_GOAL_MB, at_least=False)


def _raw(file: Path, text: str) -> int:
    connection = sqlite.connect(str(file))
    cursor = connection.execute(text)
    size = 0
    while rows := cursor.fetchmany(ROWS_A_READ):
        written = io.StringIO()
        csv.writer(written).writerows(rows)
        size += len(written.getvalue().encode())
    connection.close()
    return size


def _ours(wanted: Export) -> int:
    return sum(len(batch.data) for batch in stream(wanted))


if __name__ == "__main__":
    main()
