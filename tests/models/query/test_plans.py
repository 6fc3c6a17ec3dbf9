"""What a page of each filter costs: counted steps of SQLite's machine, and the plan, whatever the box.

The numbers hold for any number of submissions of this kind: a page walks what it shows and what lies between,
never a box. `PROVE_PLANS` names how many there are.
"""

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select, text

from app import create_app
from app.blueprints.operations.seed.planting import places, plant
from app.blueprints.operations.seed.team import load_team
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, User, rollup, search
from app.models.inbox_filter import InboxFilter
from app.models.query import QueryContext, parse
from app.models.search.finding import page_of

ROWS = int(os.environ.get("PROVE_PLANS", "12000"))
UNTIL = datetime(2026, 11, 21, 14, 20, tzinfo=UTC)
# A page of a box by its own index takes some 2,000; a join per row shown is the most of it. Walking all rows
# would take 60,000 with the default, a sort more.
MOST_STEPS = 20_000
# Boxes, words and people in turn, merged: a page of each at most.
MOST_MERGED = 40_000
BOXES = (None, "open", "resolved", "spam")
PLAIN = (
    "",
    "is:read",
    "category:bug",
    "category:praise",
    "status:open",
    "-status:resolved",
    "assignee:me",
    "assignee:none",
    'assignee:"Ana"',
    "-tag:checkout",
    "has:screenshot",
    "-has:screenshot",
    "has:reply",
    "-has:note",
    "after:2026-11-01",
    "before:2026-01-01",
    "age:>30d",
    "age:<2d",
    "answered:2026-11-08",
    "answered:2027-01-01",
    "settled:2026-11-08",
    "category:bug OR rating:<3",
)
MERGED = (
    "is:unread",
    "-is:read",
    "is:archived",
    "has:annotation",
    "status:closed OR status:spam",
    "project:Shop",
    'project:"Partner portal"',
    "project:nowhere",
    "tag:checkout",
    "tag:regression",
    "tag:nowhere",
    "has:note",
    "rating:1",
    "rating:>=4",
    "browser:firefox",
    "os:ios",
    "release:web-2026.40.1",
    "url:*basket*",
    "email:en7@example.com",
    "reporter:u-7",
    "reporter:en7@example.com",
    "session:9e3779b97f4a7c15",
    "basket",
    '"the total"',
    "bask* -total",
    "basket OR tag:checkout",
    "tag:checkout OR email:en7@example.com",
)


PICTURES = (
    "insert into feedback_screenshots"
    " (feedback_id, blob_key, media_type, size_bytes, state, attempts, created_at)"
    " select id, 'screenshots/' || public_id, 'image/webp', 40000, 'ready', 0, created_at"
    " from feedback_submissions where id % 3 > 0",
    "update feedback_submissions set has_screenshot = 1, has_annotation = (id % 999 = 1) where id % 3 > 0",
)


@pytest.fixture(scope="module")
def filled(base_settings, sqlite_template, tmp_path_factory):
    """An instance with a year of submissions, counted, indexed, and known to the planner."""
    folder = tmp_path_factory.mktemp("plans") / "instance"
    shutil.copytree(sqlite_template, folder)
    app = create_app(replace(base_settings, instance_path=folder))
    with app.app_context():
        with transaction() as session:
            session.add(User(email="ana@example.org", name="Ana", role="agent"))
        plant(
            ROWS,
            at=places(()),
            team=load_team(),
            until=UNTIL,
            seed=1,
            screenshots=False,
            planted=lambda _: None,
        )
        with transaction() as session:
            for statement in PICTURES:
                session.execute(text(statement))
        rollup.fold_all(300, 10_000)
        while search.index_some(2_000):
            pass
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
        # The default list of the page leaves archived ones out; the API's does not.
        archived = False if status and "archived" not in query else None
        wanted = InboxFilter(
            status=None if "status" in query else status,
            is_archived=archived,
            query=parse(query) if query else None,
            context=QueryContext(UNTIL, 1),
            sort=sort,
        )
        return _counted(lambda: page_of(db.session(), wanted, cursor=None, limit=50, scope="test"))

    return ask


def _counted(work):
    seen, steps = [], [0]

    def remember(_connection, _cursor, statement, parameters, *_):
        seen.append((statement, parameters))

    def count():
        steps[0] += 1
        return 0

    driver = db.session.connection().connection.dbapi_connection
    event.listen(db.engine, "before_cursor_execute", remember)
    driver.set_progress_handler(count, 1)
    page = work()
    driver.set_progress_handler(None, 0)
    event.remove(db.engine, "before_cursor_execute", remember)
    plans = [
        line[3] for text_, values in seen for line in driver.execute(f"explain query plan {text_}", values)
    ]
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
        wanted = InboxFilter(**form)
        _, steps, _ = _counted(
            lambda wanted=wanted: page_of(db.session(), wanted, cursor=None, limit=50, scope="test")
        )
        if steps > MOST_MERGED:
            costly[repr(form)] = steps
    assert costly == {}


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
            wanted = InboxFilter(query=parse(query), context=QueryContext(UNTIL, 1), sort=sort)
            expected = _all(wanted)
            cursor, found, backward = None, [], []
            while True:
                page = page_of(db.session(), wanted, cursor=cursor, limit=500, scope="test")
                found += [row.id for row in page.rows]
                if page.next is None:
                    break
                backward = [row.id for row in page.rows]
                cursor = page.next
            assert found == expected, (query, sort)
            if page.prev:
                again = page_of(db.session(), wanted, cursor=page.prev, limit=500, scope="test")
                assert [row.id for row in again.rows] == backward
    db.session.rollback()


def _all(wanted):
    rows = db.session.execute(select(Feedback.id, Feedback.created_at).where(*wanted.conditions())).all()
    ids = sorted((row.created_at, row.id) for row in rows)
    return [id_ for _, id_ in (ids if wanted.sort == "oldest" else ids[::-1])]
