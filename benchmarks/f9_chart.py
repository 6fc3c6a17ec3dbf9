"""F9: submissions over 90 days by category, in a time zone with a change of clocks, beside raw sqlite3.

Both read the same roll-up in one process: raw by days of UTC in one statement, as the goal was set; ours in
the viewer's days, with the watermark and what lies behind it. Without a roll-up the rows are counted.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app import create_app
from app.blueprints.operations.migrations import migrate_to_head
from app.clock import utc_now
from app.config import load_or_generate
from app.database.engine import sqlite
from app.database.transactions import snapshot
from app.database.types import EPOCH
from app.extensions import db
from app.models.rollup.periods import periods
from app.models.rollup.reading import Reader
from benchmarks.rounds import heading, timed, verdict

GOAL = 2.0
DAYS = 90
ROLLED_UP = "select day, category, sum(submissions) from quarter_counts where day >= ? group by day, category"
COUNTED = (
    "select created_at / 86400000000, category, count(*) from feedback_submissions"
    " where created_at >= ? and status not in ('spam', 'trash') group by 1, 2"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument(
        "--rows", type=int, default=100_000, help="demo submissions, where no instance is given"
    )
    parser.add_argument("--instance", type=Path, help="folder of an instance that is filled already")
    parser.add_argument("--rounds", type=int, default=200, help="readings of each")
    chosen = parser.parse_args()

    def work() -> None:
        heading(f"F9  submissions over {DAYS} days by category")
        with tempfile.TemporaryDirectory() as folder:
            _measure(chosen.instance or Path(folder), chosen.rows, chosen.rounds)

    timed(work)


def _measure(folder: Path, rows: int, rounds: int) -> None:
    app = create_app(replace(load_or_generate(), instance_path=folder))
    with app.app_context():
        migrate_to_head()
        if not _kept(folder):
            app.test_cli_runner().invoke(args=["demo", "seed", "--count", str(rows)])
        print(f"{_kept(folder):,} submissions")
        _compare(sqlite.connect(folder / "earmark.sqlite3"), rounds)


def _kept(folder: Path) -> int:
    with sqlite.connect(folder / "earmark.sqlite3") as raw:
        return int(raw.execute("select count(*) from feedback_submissions").fetchone()[0])


def _compare(raw: Any, rounds: int) -> None:
    over = periods(DAYS, ZoneInfo("Europe/Stockholm"), utc_now(), "day")
    since = (over.now - timedelta(days=DAYS - 1)).date().isoformat()

    def ours() -> object:
        with snapshot(db.engine) as connection:
            return Reader(connection).submissions(over)

    def rolled_up() -> object:
        return raw.execute(ROLLED_UP, (since,)).fetchall()

    def counted() -> object:
        return raw.execute(COUNTED, ((over.since - EPOCH) // timedelta(microseconds=1),)).fetchall()

    took = _interleaved({"ours": ours, "raw roll-up": rolled_up}, rounds)
    took |= _interleaved({"raw, rows counted": counted}, 5)
    for name, median in took.items():
        print(f"{name:20} {median:8.2f} ms")
    verdict("time, ours / raw roll-up", took["ours"] / took["raw roll-up"], GOAL, at_least=False)
    print(f"rows counted / ours: {took['raw, rows counted'] / took['ours']:.0f}")


def _interleaved(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median of each in ms; each has its turn in every round."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            found[name].append((time.perf_counter() - began) * 1_000)
    return {name: statistics.median(times) for name, times in found.items()}


if __name__ == "__main__":
    main()
