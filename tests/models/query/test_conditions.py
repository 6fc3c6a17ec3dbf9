"""What each filter finds, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, User, message, search
from app.models.inbox_filter import InboxFilter
from app.models.intake import Blob, submit
from app.models.query import QueryContext, parse
from tests.models.test_intake import NOW, submission

DAY = timedelta(days=1)


@pytest.fixture
def rows(app, project, make_user):
    """Make four submissions, a to d, the oldest first."""
    with app.app_context():
        send(
            project,
            "a",
            category="idea",
            browser="Firefox 145",
            os="macOS",
            rating=1,
            created_at=NOW - 10 * DAY,
        )
        send(project, "b", status="resolved", is_read=True, url="https://shop.example/pricing?x=1", rating=3)
        send(project, "c", Blob("k", "image/png", 1), has_annotation=True, session_id="s1", reporter_id="u1")
        send(
            project,
            "d",
            is_archived=True,
            reporter_email="ana@example.org",
            reporter_name="Ana Ruiz",
            admin_notes="seen",
            created_at=NOW + DAY,
        )
        settle(make_user("agent"))
        yield


def settle(agent):
    """Give a to the agent with a tag, answer b, and write a note on c."""
    with transaction() as session:
        a, b, c = session.scalars(select(Feedback).order_by(Feedback.id).limit(3)).unique()
        a.change(session, NOW, assignee=agent, tags=["Checkout", "two words"])
        message.add(session, b, message.REPLY, "voucher sent", author="Agent", now=NOW)
        message.add(session, c, message.NOTE, "ask Ben", author="Agent", now=NOW)


def send(project, name, picture=None, **values):
    submit(submission(project, picture, description=f"Basket {name}", **values))


def found(text):
    wanted = InboxFilter(query=parse(text), context=QueryContext(now=NOW + DAY))
    query = wanted.rows().order_by(Feedback.id)
    names = "".join(row.first_words[-1] for row in db.session.execute(query))
    db.session.rollback()
    return names


FOUND = {
    "": "abcd",
    "is:unread": "acd",
    "is:read": "b",
    "is:archived": "d",
    "-is:archived": "abc",
    "status:resolved": "b",
    "-status:resolved": "acd",
    "category:idea": "a",
    "category:none_such": "",
    "project:shop": "abcd",
    "project:nowhere": "",
    "has:screenshot": "c",
    "has:annotation": "c",
    "-has:screenshot": "abd",
    "has:note": "cd",
    "has:reply": "b",
    "assignee:none": "bcd",
    "assignee:me": "",
    "assignee:Agent": "a",
    "assignee:agent@example.org": "a",
    "-assignee:agent": "bcd",
    "tag:checkout": "a",
    'tag:"two words"': "a",
    "tag:nothing": "",
    "-tag:checkout": "bcd",
    "rating:1": "a",
    "rating:<3": "a",
    "rating:<=3": "ab",
    "rating:>1": "b",
    "-rating:<3": "bcd",
    "browser:firefox": "a",
    'browser:"Firefox 145"': "a",
    "browser:fire*": "a",
    "browser:chrome": "",
    "-browser:firefox": "bcd",
    "os:macos": "a",
    "url:*pricing*": "b",
    "url:*pricing%": "",
    "email:ANA@example.org": "d",
    "reporter:u1": "c",
    "reporter:ana@example.org": "d",
    "session:s1": "c",
    "after:2026-11-22": "d",
    "before:2026-11-12": "a",
    "before:2026-11-21T09:30Z": "a",
    "age:>7d": "a",
    "age:<7d": "bcd",
    "basket": "abcd",
    '"basket a"': "a",
    "-basket": "",
    "category:idea OR is:read": "ab",
    "(category:idea OR is:read) -rating:1": "b",
    "-(category:idea OR is:read)": "cd",
    "is:unread OR basket": "abcd",
}


def test_what_a_query_finds(rows):
    assert {text: found(text) for text in FOUND} == FOUND


@pytest.mark.parametrize("spelled", ["Ana@Example.org", "JÜRGEN@bücher.example", "jürgen@BÜCHER.example"])
def test_an_address_is_found_whatever_its_case(app, project, spelled):
    with app.app_context():
        send(project, "a", reporter_email=spelled)
        send(project, "b", reporter_email="other@example.org")
        for given in (spelled, spelled.lower(), spelled.upper()):
            assert found(f"email:{given}") == found(f"reporter:{given}") == "a"
            wanted = InboxFilter(reporter=given)
            assert len(db.session.execute(wanted.rows()).all()) == 1
            db.session.rollback()


def test_replies_and_notes_are_found_once_they_are_indexed(rows):
    search.catch_up(20)
    assert [found("voucher"), found('"ask ben"'), found("-ben")] == ["b", "c", "abd"]


def test_mine_is_whose_asks(rows):
    user_id = db.session.scalar(select(User.id).where(User.role == "agent"))
    wanted = InboxFilter(query=parse("assignee:me"), context=QueryContext(NOW, user_id))
    assert len(db.session.execute(wanted.rows()).all()) == 1


def test_a_project_is_named_by_its_key_too(rows, project):
    assert found(f"project:{project.public_key}") == "abcd"
    assert db.session.scalar(select(Feedback.project_id).limit(1)) == project.id
