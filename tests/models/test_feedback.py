from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.database.transactions import transaction
from app.extensions import db
from app.models import DailyCount, Feedback, Screenshot
from app.models.daily_count import counts_by_project, counts_by_status
from app.models.identifiers import LENGTH, new_public_id, reference
from app.models.inbox_filter import InboxFilter
from app.models.intake import Blob, submit
from app.models.status_link import status_token
from tests.models.test_intake import NOW, submission


@pytest.fixture
def context(app):
    with app.app_context():
        yield app


@pytest.fixture
def feedback(context, project):
    receipt = submit(submission(project, Blob("screenshots/x", "image/png", 500)))
    return receipt.public_id


def change(public_id, **values):
    with transaction() as session:
        Feedback.by_public_id(session, public_id).change(session, NOW + timedelta(hours=1), **values)


def rolled_up():
    query = select(DailyCount).where(DailyCount.submissions != 0)
    found = {
        (row.category, row.status, row.is_archived): (row.submissions, row.unread, row.screenshots)
        for row in db.session.scalars(query)
    }
    db.session.rollback()
    return found


def test_every_change_moves_the_submission_in_the_roll_up(feedback):
    assert rolled_up() == {("bug", "open", False): (1, 1, 1)}
    change(feedback, is_read=True)
    assert rolled_up() == {("bug", "open", False): (1, 0, 1)}
    change(feedback, status="resolved", category="idea")
    assert rolled_up() == {("idea", "resolved", False): (1, 0, 1)}
    change(feedback, is_archived=True)
    assert rolled_up() == {("idea", "resolved", True): (1, 0, 1)}
    assert db.session.execute(counts_by_status()).all() == []


def test_counts_are_by_box_and_project(feedback, project):
    assert [tuple(row) for row in db.session.execute(counts_by_status(project.id))] == [("open", 1, 1)]
    assert [tuple(row) for row in db.session.execute(counts_by_project("open"))] == [(project.id, 1)]


def test_a_change_is_dated(feedback):
    change(feedback, admin_notes="seen")
    stored = Feedback.by_public_id(db.session, feedback)
    assert (stored.admin_notes, stored.updated_at) == ("seen", NOW + timedelta(hours=1))


def test_what_may_not_be_changed_is_an_error_of_ours(feedback):
    with pytest.raises(AssertionError, match="project_id"):
        change(feedback, project_id=7)


def test_a_status_link_opens_its_submission_only(feedback):
    token = status_token(feedback)
    assert Feedback.by_status_token(db.session, token).public_id == feedback
    assert Feedback.by_public_id(db.session, feedback).status_token == token
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert Feedback.by_status_token(db.session, changed) is None
    for hostile in ("", feedback, token + "A", token[:-1], "é" * 50, "\0" * 50, token.lower()):
        assert Feedback.by_status_token(db.session, hostile) is None


def test_a_status_link_outlives_the_key_that_signed_it_while_that_is_a_fallback(feedback, make_app, settings):
    old = status_token(feedback)
    db.session.remove()
    another = "another-" + "y" * 40
    rotated = make_app(secret_key=another, secret_key_fallbacks=("older-" + "z" * 40, settings.secret_key))
    with rotated.app_context():
        found = Feedback.by_status_token(db.session, old)
        assert (found.public_id, found.status_token == old) == (feedback, False)
        assert Feedback.by_status_token(db.session, found.status_token) is found
        with transaction():
            found.link_number = -1
        assert Feedback.by_status_token(db.session, old) is None
    with make_app(secret_key=another).app_context():
        assert Feedback.by_status_token(db.session, old) is None


def test_a_signed_link_of_something_gone_opens_nothing(context):
    assert Feedback.by_status_token(db.session, status_token(new_public_id())) is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (InboxFilter(), 4),
        (InboxFilter(category="idea"), 1),
        (InboxFilter(status="resolved"), 1),
        (InboxFilter(is_read=True), 1),
        (InboxFilter(is_archived=True), 1),
        (InboxFilter(has_screenshot=True), 1),
        (InboxFilter(session_id="s1"), 1),
        (InboxFilter(reporter="a@example.org"), 1),
        (InboxFilter(since=NOW + timedelta(hours=1)), 1),
        (InboxFilter(until=NOW + timedelta(hours=1)), 3),
        (InboxFilter(project_id=-1), 0),
    ],
)
def test_filters_of_the_inbox(context, project, wanted, found):
    submit(submission(project, category="idea", is_read=True))
    submit(submission(project, Blob("k", "image/png", 1), status="resolved", session_id="s1"))
    submit(submission(project, is_archived=True, reporter_email="a@example.org"))
    submit(submission(project, created_at=NOW + timedelta(hours=2)))
    rows = db.session.execute(wanted.rows().order_by(*wanted.order())).all()
    assert len(rows) == found


def test_the_list_is_ordered_as_asked(context, project):
    for hours in (1, 3, 2):
        moment = NOW + timedelta(hours=hours)
        submit(
            submission(
                project, description=str(hours), created_at=moment, updated_at=-hours * timedelta(1) + NOW
            )
        )

    def listed(sort):
        wanted = InboxFilter(sort=sort)
        return [row.first_words for row in db.session.execute(wanted.rows().order_by(*wanted.order()))]

    assert listed("newest") == ["3", "2", "1"]
    assert listed("oldest") == ["1", "2", "3"]
    assert listed("updated") == ["1", "2", "3"]


def test_identifiers_are_in_order_of_time_and_readable():
    made = [new_public_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert [public_id[:8] for public_id in made] == sorted(public_id[:8] for public_id in made)
    assert all(len(public_id) == LENGTH for public_id in made)
    assert reference("01ARZ3NDEKTSV4RRFFQ69G5FAV") == "9G5-FAV"


class TestScreenshotLease:
    @pytest.fixture
    def shot(self, context, project):
        return submit(submission(project, Blob("screenshots/x", "image/png", 500))).screenshot_id

    def claim(self, shot, now):
        with transaction() as session:
            found = Screenshot.claim(session, shot, now)
            return None if found is None else found.attempts

    def test_one_worker_gets_it(self, shot):
        assert Screenshot.owed(db.session, NOW) == [shot]
        assert self.claim(shot, NOW) == 1
        assert self.claim(shot, NOW) is None
        assert Screenshot.owed(db.session, NOW) == []

    def test_a_lease_that_ran_out_is_owed_again(self, shot):
        self.claim(shot, NOW)
        later = NOW + timedelta(minutes=2)
        assert Screenshot.owed(db.session, later) == [shot]
        assert self.claim(shot, later) == 2

    def test_what_is_settled_is_owed_no_more(self, shot):
        with transaction() as session:
            Screenshot.claim(session, shot, NOW).make_ready(
                blob_key="b", thumbnail_key="t", size_bytes=9, width=4, height=3
            )
        later = datetime(2030, 1, 1, tzinfo=UTC)
        assert Screenshot.owed(db.session, later) == []
        assert self.claim(shot, later) is None
        stored = db.session.get(Screenshot, shot)
        assert (stored.state, stored.media_type, stored.size_kb) == ("ready", "image/webp", 0.0)

    def test_a_failure_keeps_its_reason(self, shot):
        with transaction() as session:
            Screenshot.claim(session, shot, NOW).fail("broken")
        stored = db.session.get(Screenshot, shot)
        assert (stored.state, stored.failure) == ("failed", "broken")
