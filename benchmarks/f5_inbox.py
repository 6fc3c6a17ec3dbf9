"""F5: a page of 50 of the inbox with its pictures' state and its tags, at any depth, beside raw sqlite3.

Raw is what a page costs at least: the rows by a row value, and two IN queries for the pictures and the tags,
its values written by hand. Ours is what the list reads: its filter checked, its cursors signed. Both in one
process, taking turns; what the machine's steps are is counted apart.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from app.database.engine import sqlite
from app.database.paging import cursors
from app.database.types import UtcTime
from app.extensions import db
from app.models import tag
from app.models.inbox_filter import InboxFilter
from app.models.search.finding import page_of
from app.models.search.listing import listing_for
from benchmarks import filled
from benchmarks.rounds import heading, medians, timed, verdict

GOAL, DEPTH_GOAL = 2.5, 1.1
LIMIT = 50
WANTED = InboxFilter(status="resolved", is_archived=False)
ROWS = """
select f.id, f.public_id, f.category, f.status, substr(f.description, 1, 200), f.url, f.rating,
  f.reporter_name, f.reporter_email, f.is_read, f.is_archived, f.has_screenshot, f.has_annotation,
  f.created_at, f.updated_at, p.public_key, p.name
from feedback_submissions f join projects p on p.id = f.project_id
where f.status = 'resolved' and f.is_archived = 0 and (f.created_at, f.id) < (?, ?)
order by f.created_at desc, f.id desc limit 51
"""
MARKS = ", ".join("?" * LIMIT)
PICTURES = f"select feedback_id, state from feedback_screenshots where feedback_id in ({MARKS})"
TAGS = (
    "select l.feedback_id, t.name, t.color from feedback_tags l join tags t on t.id = l.tag_id"
    f" where l.feedback_id in ({MARKS}) order by t.key"
)
Place = tuple[Any, int]
Work = Callable[[], object]


def main() -> None:
    """Measure and print."""
    chosen = filled.options(str(__doc__), rounds=1_000)

    def work() -> None:
        heading(f"F5  a page of {LIMIT} of the inbox")
        with filled.instance(chosen) as (folder, app):
            _measure(folder, app, chosen.rounds)

    timed(work)


def _measure(folder: Path, app: Flask, rounds: int) -> None:
    raw = sqlite.connect(str(folder / "earmark.sqlite3"), isolation_level=None)
    with app.test_request_context("/admin/"):
        places = _places(raw)
        begins = {name: _cursor(place) for name, place in places.items()}
        works: dict[str, Work] = {}
        for name, place in places.items():
            works[f"raw, {name}"] = lambda place=place: _raw(raw, place)
            works[f"ours, {name}"] = lambda cursor=begins[name]: _ours(cursor)
        taken = medians(works, rounds)
        for name, milliseconds in taken.items():
            print(f"{name:16}{milliseconds:8.3f} ms")
        print()
        for name in places:
            verdict(
                f"time, ours / raw, {name} page",
                taken[f"ours, {name}"] / taken[f"raw, {name}"],
                GOAL,
                at_least=False,
            )
        depth = taken["ours, last"] / taken["ours, second"]
        verdict("time, last / second page", depth, DEPTH_GOAL, at_least=False)
        steps = {name: _steps(lambda cursor=cursor: _ours(cursor)) for name, cursor in begins.items()}
        print(f"steps of SQLite's machine: {steps}")
        verdict("steps, last / second page", steps["last"] / steps["second"], DEPTH_GOAL, at_least=False)
    raw.close()


def _ours(cursor: str | None) -> object:
    session = db.session()
    page = page_of(session, WANTED, cursor=cursor, limit=LIMIT, scope="bench")
    tags = tag.of_many(session, [row.id for row in page.rows])
    session.rollback()
    return page, tags


def _raw(raw: Any, place: Place) -> object:
    rows = raw.execute(ROWS, place).fetchall()
    ids = [row[0] for row in rows[:LIMIT]]
    return rows, raw.execute(PICTURES, ids).fetchall(), raw.execute(TAGS, ids).fetchall()


def _places(raw: Any) -> dict[str, Place]:
    """Return the rows after which the second, the middle and the last whole page begin."""
    count = raw.execute(
        "select count(*) from feedback_submissions where status = 'resolved' and is_archived = 0"
    ).fetchone()[0]
    query = (
        "select created_at, id from feedback_submissions where status = 'resolved' and is_archived = 0"
        " order by created_at desc, id desc limit 1 offset ?"
    )
    offsets = {"second": LIMIT - 1, "middle": count // 2, "last": count - LIMIT - 2}
    return {name: raw.execute(query, (offset,)).fetchone() for name, offset in offsets.items()}


def _cursor(place: Place) -> str | None:
    """Return our cursor of a place: the one of the page that ends there."""
    named = listing_for(db.session(), WANTED, ())
    moment = UtcTime().process_result_value(place[0], db.engine.dialect)
    return cursors.write(named.context("bench"), (1, moment, place[1]))


def _steps(work: Work) -> int:
    connection: Any = db.session.connection().connection.dbapi_connection
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection.set_progress_handler(count, 1)
    work()
    connection.set_progress_handler(None, 0)
    return counted


if __name__ == "__main__":
    main()
