"""F8: a page of 50 of full text, from rare to very common words, beside FTS5 alone, in one process.

Raw asks the same index by its own order and joins what a list shows; ours also searches what is not indexed
yet, leads on to the next page, and signs. By relevance the newest 2,000 matches are ranked.
"""

import statistics
import time
from typing import Any

from app.clock import utc_now
from app.database.engine import sqlite
from app.extensions import db
from app.models.inbox_filter import InboxFilter
from app.models.query import QueryContext, parse
from app.models.search.finding import page_of
from benchmarks import filled
from benchmarks.rounds import heading, medians, timed, verdict

GOAL, RELEVANCE_GOAL_MS = 3.0, 30.0
WORDS = ("skillet", "norway", "basket", "order", "the")
RAW = """
select f.id, f.public_id, f.category, f.status, substr(f.description, 1, 200), f.url, f.created_at
from feedback_fts join feedback_submissions f on f.id = feedback_fts.rowid
where feedback_fts match ? order by feedback_fts.rowid desc limit 51
"""


def main() -> None:
    """Measure and print."""
    chosen = filled.options(str(__doc__), rounds=100)

    def work() -> None:
        heading("F8  a page of 50 of full text")
        with filled.instance(chosen) as (folder, app), app.test_request_context("/admin/"):
            _measure(sqlite.connect(str(folder / "earmark.sqlite3"), isolation_level=None), chosen.rounds)

    timed(work)


def _measure(raw: Any, rounds: int) -> None:
    ratios, slow = [], []
    for word in WORDS:
        count = raw.execute(
            "select count(*) from feedback_fts where feedback_fts match ?", (word,)
        ).fetchone()
        works = {
            "raw": lambda word=word: raw.execute(RAW, (f'"{word}"',)).fetchall(),
            "ours": lambda word=word: _ours(word, "newest"),
        }
        taken = medians(works, rounds)
        ratios.append(taken["ours"] / taken["raw"])
        ranked = _times(word, rounds)
        slow.append(ranked)
        print(
            f"{word:10}{count[0]:10,} matches   raw {taken['raw']:7.3f}   ours {taken['ours']:7.3f} ms"
            f"   by relevance p95 {ranked:7.2f} ms"
        )
    print()
    verdict("newest first, ours / raw, the worst word", max(ratios), GOAL, at_least=False)
    verdict("by relevance, p95 of the worst word, ms", max(slow), RELEVANCE_GOAL_MS, at_least=False)


def _ours(word: str, sort: str) -> object:
    wanted = InboxFilter(query=parse(word), context=QueryContext(utc_now()), sort=sort)
    page = page_of(db.session(), wanted, cursor=None, limit=50, scope="bench")
    db.session.rollback()
    return page


def _times(word: str, rounds: int) -> float:
    """Return the 95th percentile of a page by relevance in milliseconds."""
    taken = []
    for _ in range(max(rounds, 20)):
        began = time.perf_counter()
        _ours(word, "relevance")
        taken.append((time.perf_counter() - began) * 1_000)
    return statistics.quantiles(taken, n=20)[-1]


if __name__ == "__main__":
    main()
