"""Holds: what is held stays, `held` follows the rows, and many are marked in short steps."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from app.database.plans.explain import explain
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.models import Feedback, HeldSubmission, Hold, hold
from app.models.hold import Scope, Terms
from app.models.intake import submit
from tests.models.test_intake import submission

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TERMS = Terms(reason="Asked for by counsel", placed_by="Jana Okafor")


@pytest.fixture
def context(app):
    with app.app_context():
        yield app


@pytest.fixture
def make(context, project):
    """Add submissions of the project and return their ids, in order."""

    def add(count=1, **values):
        public_ids = []
        for _ in range(count):
            one = submission(project)
            one.values.update(values)
            public_ids.append(submit(one).public_id)
        rows = db.session.execute(select(Feedback.id).where(Feedback.public_id.in_(public_ids)))
        found = sorted(row.id for row in rows)
        db.session.rollback()
        return found

    return add


def place(feedback_id, terms=TERMS):
    with transaction() as session:
        return hold.place(session, session.get(Feedback, feedback_id), terms, NOW).id


def place_on(scope, terms=TERMS):
    with transaction() as session:
        return hold.place_on(session, scope, terms, NOW).id


def release(hold_id, now=NOW):
    with transaction() as session:
        hold.release(session, session.get(Hold, hold_id), "Jana Okafor", now)
    return hold.clear(hold_id)


def held():
    found = set(db.session.scalars(select(Feedback.id).where(Feedback.held)))
    named = set(db.session.scalars(select(HeldSubmission.feedback_id)))
    assert found == named, "the column and the rows say the same"
    db.session.rollback()
    return found


def test_a_submission_is_held_until_the_last_of_its_holds_is_released(make):
    one, other = make(2)
    first, second = place(one), place(one)
    assert held() == {one}
    assert release(first) == 0
    assert held() == {one}
    assert release(second) == 1
    assert held() == set()
    place(other)
    assert held() == {other}


def test_no_statement_deletes_a_held_submission(make):
    one, other = make(2)
    place(one)
    for which in ([one], [one, other]):
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(delete(Feedback).where(Feedback.id.in_(which)))
    assert db.session.scalar(select(func.count()).select_from(Feedback)) == 2


def test_a_refusal_says_why_who_and_until_when(make):
    one, other, free = make(3)
    place(one, Terms(reason="Asked for by counsel", placed_by="Jana Okafor", until=NOW + timedelta(days=9)))
    place(other)
    hold.refuse_held(db.session(), [free])
    with pytest.raises(ClientError) as caught:
        hold.refuse_held(db.session(), [one])
    assert (caught.value.status, caught.value.code) == (409, "held")
    for word in ("counsel", "Jana Okafor", "30 Nov 2026"):
        assert word in caught.value.message
    with pytest.raises(ClientError, match="2 of these are held"):
        hold.refuse_held(db.session(), [one, other, free])


def test_a_hold_on_a_filter_keeps_what_matches_now_and_later(make):
    matching = make(3, status="resolved")
    make(2, status="open")
    on_filter = place_on(Scope(status="resolved"))
    assert hold.spread(on_filter, NOW) == 3
    assert hold.spread(on_filter, NOW) == 0
    assert held() == set(matching)
    later = make(2, status="resolved")
    hold.settle(NOW)
    assert held() == {*matching, *later}
    assert release(on_filter) == 5
    hold.settle(NOW)
    assert held() == set()


def test_what_left_the_filter_stays_held(make):
    (one,) = make(status="resolved")
    hold.spread(place_on(Scope(status="resolved")), NOW)
    with transaction() as session:
        session.get(Feedback, one).change(session, NOW, status="trash")
    hold.settle(NOW)
    assert held() == {one}


def test_many_are_marked_and_freed_in_batches(make, monkeypatch):
    monkeypatch.setattr(hold, "BATCH", 2)
    matching = make(5, category="idea")
    on_filter = place_on(Scope(category="idea"))
    assert hold.spread(on_filter, NOW) == 5
    assert held() == set(matching)
    assert release(on_filter) == 5


def test_what_a_kill_left_undone_is_done_by_the_timetable(make):
    one, other = make(2)
    place_on(Scope(category="bug"))  # killed before any was marked
    hold.settle(NOW)
    assert held() == {one, other}
    with transaction() as session:  # killed before any was freed
        hold.release(session, session.scalar(select(Hold)), "Jana Okafor", NOW)
    assert held() == {one, other}
    hold.settle(NOW)
    assert held() == set()


def test_a_hold_ends_by_its_date_and_not_before(make):
    (one,) = make()
    until = NOW + timedelta(days=1)
    place(one, Terms(reason="Inquiry", placed_by="Jana", until=until))
    hold.settle(until - timedelta(seconds=1))
    assert held() == {one}
    hold.settle(until)
    assert held() == set()
    ended = db.session.scalar(select(Hold))
    assert (ended.released_at, ended.released_by) == (until, hold.BY_ITS_DATE)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms(reason="  ", placed_by="x"), "reason"),
        (Terms(reason="a" * 501, placed_by="x"), "reason"),
        (Terms(reason="x", placed_by="x", until=NOW), "until"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused(make, terms, field):
    (one,) = make()
    with pytest.raises(ClientError) as caught:
        place(one, terms)
    assert [fault.field for fault in caught.value.details] == [field]
    assert held() == set()


def test_a_hold_on_a_query_keeps_what_the_query_finds(make):
    (rated,) = make(rating=1)
    make(rating=5)
    on_query = place_on(Scope(query="rating:<=2"))
    assert hold.spread(on_query, NOW) == 1
    assert held() == {rated}
    with pytest.raises(ClientError) as caught:
        place_on(Scope(query="rating:many"))
    assert caught.value.code == "query_invalid"


def test_a_filter_without_any_part_is_refused(context):
    with pytest.raises(ClientError) as caught:
        place_on(Scope())
    assert [fault.field for fault in caught.value.details] == ["filter"]


def test_held_submissions_are_counted_by_their_own_index(make, database):
    place(make()[0])
    assert hold.count_held(db.session()) == 1
    if database == "sqlite":  # PostgreSQL reads a table of one page whole
        plan = explain(db.session.connection(), "select count(*) from feedback_submissions where held")
        assert "ix_feedback_submissions_held" in str(plan)
