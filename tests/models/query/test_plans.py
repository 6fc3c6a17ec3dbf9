"""What a page of each filter costs: counted steps of SQLite's machine, and the plan, whatever the box.

The numbers hold for any number of submissions of this kind: a page walks what it shows and what lies between,
never a box. `PROVE_PLANS` names how many there are.
"""

import os
import shutil
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from app import create_app
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, tag
from app.models.daily_count import DailyCount
from app.models.inbox_filter import InboxFilter
from app.models.query import QueryContext, parse
from app.models.search import leads
from app.models.search.finding import page_of
from tests.models.query.filters import (
    BOXES,
    MERGED,
    OF_NOTHING,
    PLAIN,
    UNTIL,
    add_pictures,
    fill,
    first_page,
    remembered,
    wanted,
)

ROWS = int(os.environ.get("PROVE_PLANS", "12000"))
# A page of a box by its own index takes some 2,000; a join per row shown is the most of it. Walking all rows
# would take 60,000 with the default, a sort more.
MOST_STEPS = 20_000
# Boxes, words and people in turn, merged: a page of each at most.
MOST_MERGED = 50_000
# The indexes of words and people know no boxes: where few of what they lead to are in this one, all of it is
# looked through, some steps for each submission that there is.
KNOWS_NO_BOX = {
    'assignee:"Ana"', "browser:firefox", "os:ios", "url:*basket*",
    "basket", "bask* -total", "basket OR tag:checkout",
}  # fmt: skip
MOST_A_SUBMISSION = 3
# The roll-up has some 70 rows a day, however many submissions: a row takes 23 steps where five categories are
# left out.
MOST_A_COUNT = 25


@pytest.fixture(scope="module")
def filled(base_settings, sqlite_template, tmp_path_factory):
    """An instance with a year of submissions, counted, indexed, and known to the planner."""
    folder = tmp_path_factory.mktemp("plans") / "instance"
    shutil.copytree(sqlite_template, folder)
    app = create_app(replace(base_settings, instance_path=folder))
    with app.app_context():
        fill(ROWS)
        add_pictures()
        with transaction() as session:
            session.execute(text("analyze"))
        yield app
        db.session.remove()
        db.engine.dispose()
    app.extensions["earmark_intake"].close()
    app.extensions["earmark_live"].close()


@pytest.fixture
def asked(filled):
    """Ask for the first page of a filter; give its statements, their steps, and its rows."""

    def ask(query, status, sort="newest"):
        return _counted(wanted(query, status, sort))

    return ask


def _counted(chosen):
    steps = [0]

    def count():
        steps[0] += 1
        return 0

    driver = db.session.connection().connection.dbapi_connection
    with remembered() as seen:
        driver.set_progress_handler(count, 1)
        page = first_page(chosen)
        driver.set_progress_handler(None, 0)
    explained = [driver.execute(f"explain query plan {said}", values) for said, values in seen]
    plans = [line[3] for lines in explained for line in lines]
    db.session.rollback()
    return page.rows, steps[0], plans


@pytest.fixture(params=["known", "unknown"])
def statistics(request, filled):
    """The planner with ANALYZE's averages, and without, as in an instance that never ran it."""
    for statement in ("analyze",) if request.param == "known" else ("delete from sqlite_stat1",):
        with transaction() as session:
            session.execute(text(statement))
    db.engine.dispose()  # a connection reads them once


@pytest.mark.parametrize("status", BOXES)
def test_a_page_walks_what_it_shows_whatever_the_filter(statistics, asked, status):
    costly = {}
    for query in (*PLAIN, *MERGED):
        rows, steps, plans = asked(query, status)
        scans = [
            line for line in plans if line.startswith("SCAN feedback_submissions") and "USING" not in line
        ]
        # Of the list itself; a name is looked up among users, an oldest match among a few.
        sorts = "TEMP B-TREE" in plans[-1]
        most = MOST_MERGED if query in MERGED else MOST_STEPS
        if query in KNOWS_NO_BOX:
            most = max(most, MOST_A_SUBMISSION * ROWS)
        if steps > most or scans or (sorts and query in PLAIN):
            costly[query] = (len(rows), steps, plans)
    assert costly == {}


def test_a_filter_of_the_form_costs_no_more(statistics, filled):
    """Fields of the address and of the API, which are no text."""
    forms = (
        {"project_id": 3},
        {"project_id": 3, "status": "resolved"},
        {"is_read": False},
        {"is_read": False, "status": "resolved"},
        {"is_archived": True, "status": "closed"},
        {"tag": "regression", "status": "resolved"},
        {"reporter": "en7@example.com"},
        {"session_id": "9e3779b97f4a7c15", "status": "open"},
        {"assignee_id": 1, "status": "resolved", "is_archived": False},
        {"category": "nowhere", "status": "resolved"},
    )
    costly = {}
    for form in forms:
        _, steps, _ = _counted(InboxFilter(**form))
        if steps > (_most_of_counts() if form.get("category") else MOST_MERGED):
            costly[repr(form)] = steps
    assert costly == {}


@pytest.mark.parametrize("status", BOXES)
def test_what_nothing_is_of_is_found_nowhere_without_walking(statistics, asked, status):
    most = _most_of_counts()
    costly = {query: steps for query in OF_NOTHING if (steps := asked(query, status)[1]) > most}
    assert costly == {}


def _most_of_counts():
    rows = db.session.scalar(select(func.count()).select_from(DailyCount))
    return MOST_STEPS + MOST_A_COUNT * rows


def test_nothing_unsettled_is_looked_through_for_when_it_was_settled(statistics, asked):
    for query in ("settled:2026-11-08", "settled:2020-01-01"):
        for status in ("open", "in_progress"):
            rows, steps, _ = asked(query, status)
            assert (len(rows), steps < 200) == (0, True), (query, status, steps)


def test_boxes_that_cannot_be_are_not_walked(statistics, asked):
    for query in ("status:resolved status:closed", "status:open -status:open"):
        rows, steps, _ = asked(query, None)
        assert (len(rows), steps < 200) == (0, True), (query, steps)


def test_a_tag_of_many_in_a_small_box_is_led_by_the_box(statistics, asked, monkeypatch):
    """Where 870,000 steps were walked of a tag's own 68,000 at 1,000,000 submissions."""
    rows, steps, _ = asked("tag:checkout", "spam")
    assert (len(rows), steps < MOST_MERGED) == (0, True)
    tagged, spam = tag.submissions("checkout"), select(Feedback.id).where(Feedback.status == "spam")
    many, few = (
        db.session.scalar(select(func.count()).select_from(one.subquery())) for one in (tagged, spam)
    )
    assert few < many // 4
    monkeypatch.setattr(leads, "SMALL", few)
    assert asked("tag:checkout", "spam")[1] < min(steps, 40 * few)


def test_where_nothing_has_a_picture_nothing_is_walked(asked):
    for query in ("has:screenshot", "has:annotation"):
        for status in BOXES:
            # Rolled back with the page's own transaction.
            db.session.execute(text("delete from feedback_screenshots"))
            db.session.execute(text("update feedback_submissions set has_screenshot = 0, has_annotation = 0"))
            rows, steps, _ = asked(query, status)
            assert (len(rows), steps < 1_000) == (0, True), (query, status, steps)


def test_pages_that_are_merged_hold_every_row_once_in_order(filled):
    for query in ("project:Shop", "is:unread", "rating:5", "tag:checkout OR has:note", "reporter:u-7"):
        for sort in ("newest", "oldest"):
            chosen = InboxFilter(query=parse(query), context=QueryContext(UNTIL, 1), sort=sort)
            expected = _all(chosen)
            cursor, found, backward = None, [], []
            while True:
                page = page_of(db.session(), chosen, cursor=cursor, limit=500, scope="test")
                found += [row.id for row in page.rows]
                if page.next is None:
                    break
                backward = [row.id for row in page.rows]
                cursor = page.next
            assert found == expected, (query, sort)
            if page.prev:
                again = page_of(db.session(), chosen, cursor=page.prev, limit=500, scope="test")
                assert [row.id for row in again.rows] == backward
    db.session.rollback()


def _all(chosen):
    rows = db.session.execute(select(Feedback.id, Feedback.created_at).where(*chosen.conditions())).all()
    ids = sorted((row.created_at, row.id) for row in rows)
    return [id_ for _, id_ in (ids if chosen.sort == "oldest" else ids[::-1])]
