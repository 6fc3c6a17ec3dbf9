"""Pages of random queries beside a plain reading of their trees, row by row in Python, on both databases."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Project
from app.models.feedback import STATUSES
from app.models.inbox_filter import InboxFilter
from app.models.intake import Blob, submit
from app.models.query import QueryContext, parse
from app.models.query.query import Query
from app.models.query.tree import All, Either, Not, Term
from app.models.search import leads
from app.models.search.finding import page_of
from app.models.tag import FeedbackTag, Tag
from tests.models.test_intake import NOW, submission

ROWS, QUERIES = 60, 150
CATEGORIES = ("bug", "idea", "question", "praise", "other")
TAGS = ("checkout", "mobile", "nowhere")
SETTLED = ("2026-11-20", "2026-11-22", "2027-01-01")
LEAVES = (
    *(Term("category", key) for key in (*CATEGORIES, "none")),
    *(Term("status", status) for status in STATUSES),
    *(Term("is", value) for value in ("read", "unread", "archived", "snoozed")),
    *(Term("tag", name) for name in TAGS),
    *(Term("settled", day) for day in SETTLED),
    *(Term("project", name) for name in ("shop", "Help centre", "nowhere")),
    Term("has", "screenshot"),
    Term("has", "note"),
    Term("rating", ">2"),
)


@pytest.fixture
def rows(app, project):
    """Random submissions of two projects; some kinds are all of a box, some categories are left by all."""
    chance = random.Random(5)
    with app.app_context():
        with transaction() as session:
            other = Project(name="Help centre")
            session.add(other)
            session.flush()
            session.expunge(other)
        for number in range(ROWS):
            picture = Blob(f"k{number}", "image/png", 1) if chance.random() < 0.7 else None
            owner = chance.choice((project, project, other))
            sent = submission(owner, picture, created_at=NOW - timedelta(hours=number))
            submit(replace(sent, values=sent.values | {"rating": chance.choice((None, 1, 5))}))
        with transaction() as session:
            for found in session.scalars(select(Feedback)).unique():
                found.change(session, NOW + timedelta(days=chance.randrange(2)), **_fate(chance))
        yield _facts()


def _fate(chance):
    status = chance.choice((*STATUSES, "open", "resolved"))
    if status == "spam":
        return {"status": "spam", "category": "bug", "is_read": True}
    return {
        "status": status,
        "category": chance.choice(CATEGORIES[:4]),
        "is_read": chance.random() < 0.5,
        "admin_notes": chance.choice(("", "", "seen")),
        "is_archived": status == "closed",
        "tags": [name for name in TAGS[:2] if chance.random() < 0.4],
    }


def _facts():
    tags = {}
    for feedback_id, name in db.session.execute(select(FeedbackTag.feedback_id, Tag.name).join(Tag)):
        tags.setdefault(feedback_id, set()).add(name)
    found = [(row, tags.get(row.id, set())) for row in db.session.scalars(select(Feedback)).unique()]
    db.session.expunge_all()
    db.session.rollback()
    return found


def _holds(node, row, tags):
    if isinstance(node, Not):
        return not _holds(node.item, row, tags)
    if isinstance(node, All | Either):
        met = (_holds(item, row, tags) for item in node.items)
        return all(met) if isinstance(node, All) else any(met)
    value = node.value
    return {
        "category": lambda: row.category == value,
        "status": lambda: row.status == value,
        "project": lambda: row.project.name.lower() == value.lower(),
        "tag": lambda: value in tags,
        "has": lambda: row.has_screenshot if value == "screenshot" else bool(row.admin_notes),
        "rating": lambda: row.rating == 5,
        "settled": lambda: row.settled_at is not None and f"{row.settled_at:%Y-%m-%d}" >= value,
        "is": lambda: {
            "read": row.is_read,
            "unread": not row.is_read,
            "archived": row.is_archived,
            "snoozed": row.snoozed_until is not None,
        }[value],
    }[node.name]()


def _tree(chance, depth):
    kind = chance.random()
    if depth == 0 or kind < 0.3:
        return chance.choice(LEAVES)
    if kind < 0.55:
        item = _tree(chance, depth - 1)
        return item.item if isinstance(item, Not) else Not(item)
    make = All if kind < 0.8 else Either
    items = [_tree(chance, depth - 1) for _ in range(chance.randrange(2, 5))]
    flat = [one for item in items for one in (item.items if isinstance(item, make) else (item,))]
    return make(tuple(flat))


def _pages(wanted):
    found, cursor = [], None
    while True:
        page = page_of(db.session(), wanted, cursor=cursor, limit=7, scope="test")
        found += [row.id for row in page.rows]
        cursor = page.next
        if cursor is None:
            db.session.rollback()
            return found


# A box counts as small with few submissions as well.
@pytest.mark.parametrize("small", [leads.SMALL, 8, 0])
def test_pages_hold_what_a_plain_reading_of_the_query_finds(rows, monkeypatch, small):
    monkeypatch.setattr(leads, "SMALL", small)
    chance = random.Random(small)
    for _ in range(QUERIES):
        query = Query(_tree(chance, 3))
        assert parse(str(query)) == query
        status, archived = chance.choice((None, *STATUSES)), chance.choice((None, False))
        sort = chance.choice(("newest", "oldest", "updated"))
        wanted = InboxFilter(
            status=status, is_archived=archived, query=query, context=QueryContext(NOW), sort=sort
        )
        expected = [
            row.id
            for row, tags in rows
            if status in (None, row.status)
            and archived in (None, row.is_archived)
            and _holds(query.tree, row, tags)
        ]
        assert sorted(_pages(wanted)) == sorted(expected), (str(query), status, archived, sort)


def test_the_form_holds_what_a_plain_reading_finds(rows):
    chance = random.Random(1)
    for _ in range(QUERIES):
        form = {
            "category": chance.choice((None, *CATEGORIES)),
            "status": chance.choice((None, *STATUSES)),
            "is_read": chance.choice((None, True, False)),
            "has_screenshot": chance.choice((None, True, False)),
            "tag": chance.choice((None, *TAGS)),
        }
        expected = [
            row.id
            for row, tags in rows
            if form["tag"] in (None, *tags)
            and all(form[name] in (None, getattr(row, name)) for name in form if name != "tag")
        ]
        assert sorted(_pages(InboxFilter(**form))) == sorted(expected), form
