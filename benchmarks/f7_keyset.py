"""F7: a page of 50 of the inbox at 1,000,000 rows, beside sqlakeyset and raw sqlite3, in one process.

All three read the same rows, with the same columns, from the same place in the middle; the select is built
anew for each page, outside the time. Ours also checks and signs its cursors.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlakeyset
from sqlalchemy import Select, literal_column, tuple_

from app import create_app
from app.blueprints.operations.migrations import migrate_to_head
from app.config import Settings
from app.database.paging import cursors
from app.database.paging.keyset import paginate
from app.database.paging.listing import listing_of
from app.database.transactions import transaction
from app.database.types import EPOCH, UtcTime
from app.extensions import db
from app.models import Feedback, Project
from app.models.inbox_filter import InboxFilter
from benchmarks.rounds import heading, timed, verdict

GOAL = 3.0
ROWS = 1_000_000
LIMIT = 50
FIRST_US = 1_767_225_600_000_000  # 2026-01-01
WANTED = InboxFilter(status="open")
FILL = """
with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < :rows)
insert into feedback_submissions (id, public_id, project_id, category, status, description, url,
  has_screenshot, has_annotation, screenshot_scale, created_at, updated_at, is_read, is_archived, admin_notes)
select i, printf('%020d', i), :project, 'bug', case when i % 4 then 'open' else 'closed' end,
  'The total is wrong when a voucher is used twice. ' || i, 'https://shop.example/cart', 0, 0, 1.0,
  1767225600000000 + i / 3 * 1000000, 1767225600000000 + i * 1000000, i % 2, 0, ''
from numbers
"""
Work = Callable[[Select[Any]], object]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS, help="rows in the table")
    parser.add_argument("--pages", type=int, default=2_000, help="pages of each")
    chosen = parser.parse_args()

    def work() -> None:
        heading(f"F7  a page of {LIMIT} of the inbox at {chosen.rows:,} rows")
        with tempfile.TemporaryDirectory() as folder:
            _with_rows(Path(folder), chosen.rows, chosen.pages)

    timed(work)


def _with_rows(folder: Path, rows: int, pages: int) -> None:
    app = create_app(Settings(instance_path=folder, secret_key="x" * 40, log_level="ERROR"))
    with app.app_context():
        migrate_to_head()
        with transaction() as session:
            project = Project(name="Shop")
            session.add(project)
            session.flush()
            session.connection().exec_driver_sql(FILL, {"rows": rows, "project": project.id})
        with transaction() as session:
            session.connection().exec_driver_sql("analyze")
        _compare(rows, pages)
    app.extensions["earmark_intake"].close()


def _compare(rows: int, pages: int) -> None:
    cursor, place = _middle(rows)
    works: dict[str, Work] = {
        "raw sqlite3": _raw(place),
        "sqlakeyset": lambda select: _peer(select, place),
        "Earmark": lambda select: _ours(select, cursor),
    }
    found = _measure(works, pages)
    for name, taken in found.items():
        print(f"{name:14}{taken * 1e6:10,.0f} µs a page{taken / found['raw sqlite3']:8.1f} × raw")
    print()
    verdict("pages a second, Earmark / sqlakeyset", found["sqlakeyset"] / found["Earmark"], GOAL)


def _measure(works: dict[str, Work], pages: int) -> dict[str, float]:
    """Return the median seconds a page, the works taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(pages):
        for name, work in works.items():
            select = WANTED.rows()
            if name == "sqlakeyset":
                select = select.order_by(*WANTED.order())
            began = time.perf_counter()
            work(select)
            taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(times[pages // 10 :]) for name, times in taken.items()}


def _middle(rows: int) -> tuple[str, tuple[Any, ...]]:
    """Return our cursor and sqlakeyset's place of one page in the middle of the list."""
    before = EPOCH + timedelta(microseconds=FIRST_US + rows // 6 * 1_000_000)
    page = _ours(WANTED.rows().where(Feedback.created_at < before), None)
    place = (page.rows[-1].created_at, page.rows[-1].id)
    named = listing_of(db.session(), WANTED.rows(), WANTED.order())
    cursor = cursors.write(named.context(""), (1, *place))
    assert cursor is not None
    return cursor, place


def _ours(select: Select[Any], cursor: str | None) -> Any:
    return paginate(select, order=WANTED.order(), cursor=cursor, limit=LIMIT)


def _peer(select: Select[Any], place: Sequence[Any]) -> object:
    marker = sqlakeyset.Marker(tuple(place), False)
    return sqlakeyset.select_page(db.session(), select, per_page=LIMIT, page=marker).paging.bookmark_next


def _raw(place: Sequence[Any]) -> Work:
    """Return the same page by the driver alone, the place written into the statement."""
    moment = UtcTime().process_bind_param(place[0], db.engine.dialect)
    row, values = tuple_(Feedback.created_at, Feedback.id), (moment, place[1])
    query = WANTED.rows().where(row < tuple_(*(literal_column(str(value)) for value in values)))
    compiled = query.order_by(*WANTED.order()).limit(LIMIT + 1).compile(dialect=db.engine.dialect)
    text, parameters = str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]
    driver = db.session.connection().connection.cursor()
    return lambda _select: driver.execute(text, parameters).fetchall()


if __name__ == "__main__":
    main()
