"""F9: submissions over 90 days by category, in a time zone with a change of clocks, beside raw sqlite3.

Both read the same roll-up in one process: raw by days of UTC in one statement, as the goal was set; ours in
the viewer's days, with the watermark and what lies behind it. Without a roll-up the rows are counted.
"""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.clock import utc_now
from app.database.engine import sqlite
from app.database.transactions import snapshot
from app.database.types import EPOCH
from app.extensions import db
from app.models.rollup.periods import periods
from app.models.rollup.reading import Reader
from benchmarks import filled
from benchmarks.rounds import heading, medians, timed, verdict

GOAL = 2.0
DAYS = 90
ROLLED_UP = "select day, category, sum(submissions) from quarter_counts where day >= ? group by day, category"
COUNTED = (
    "select created_at / 86400000000, category, count(*) from feedback_submissions"
    " where created_at >= ? and status not in ('spam', 'trash') group by 1, 2"
)


def main() -> None:
    """Measure and print."""
    chosen = filled.options(str(__doc__), rounds=200)

    def work() -> None:
        heading(f"F9  submissions over {DAYS} days by category")
        with filled.instance(chosen) as (folder, _app):
            _compare(sqlite.connect(folder / "earmark.sqlite3"), chosen.rounds)

    timed(work)


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

    took = medians({"ours": ours, "raw roll-up": rolled_up}, rounds)
    took |= medians({"raw, rows counted": counted}, 5)
    for name, median in took.items():
        print(f"{name:20} {median:8.2f} ms")
    verdict("time, ours / raw roll-up", took["ours"] / took["raw roll-up"], GOAL, at_least=False)
    print(f"rows counted / ours: {took['raw, rows counted'] / took['ours']:.0f}")


if __name__ == "__main__":
    main()
