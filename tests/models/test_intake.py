"""Taking submissions: what one transaction writes, and what a retry answers."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from app.database.transactions import transaction
from app.errors import ClientError, Unavailable
from app.extensions import db
from app.models import DailyCount, Feedback, Project, Screenshot
from app.models.identifiers import new_public_id
from app.models.intake import Blob, Submission, find_replay, submit

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def submission(project, picture=None, **values):
    columns = {column.key: None for column in Feedback.__table__.columns if column.key != "id"}
    defaults = {
        "public_id": new_public_id(),
        "project_id": project.id,
        "category": "bug",
        "status": "open",
        "description": "Größe falsch",
        "has_screenshot": picture is not None,
        "has_annotation": False,
        "screenshot_scale": 1.0,
        "created_at": NOW,
        "updated_at": NOW,
        "is_read": False,
        "is_archived": False,
        "admin_notes": "",
        "content_digest": "d1",
    }
    return Submission(columns | defaults | values, picture)


@pytest.fixture
def context(app):
    with app.app_context():
        yield app


def counts():
    query = select(
        DailyCount.category,
        DailyCount.status,
        DailyCount.submissions,
        DailyCount.unread,
        DailyCount.screenshots,
    ).order_by(DailyCount.category)
    found = [tuple(row) for row in db.session.execute(query)]
    db.session.rollback()
    return found


def test_a_submission_is_there_when_its_receipt_is(context, project):
    receipt = submit(submission(project))
    stored = Feedback.by_public_id(db.session, receipt.public_id)
    assert (stored.description, stored.created_at, stored.is_read) == ("Größe falsch", NOW, False)
    assert not receipt.duplicate
    assert receipt.screenshot_id is None


def test_a_picture_gets_its_row_in_the_same_transaction(context, project):
    receipt = submit(submission(project, Blob("screenshots/x", "image/png", 1000)))
    shot = db.session.get(Screenshot, receipt.screenshot_id)
    assert (shot.state, shot.blob_key, shot.size_bytes) == ("pending", "screenshots/x", 1000)
    stored = Feedback.by_public_id(db.session, receipt.public_id)
    assert stored.screenshot.id == shot.id
    assert db.session.get(Project, project.id).stored_bytes == 1000 + len("Größe falsch".encode())


def test_many_at_once_are_each_kept_once_and_counted(context, project):
    items = [
        submission(
            project,
            Blob(f"screenshots/{n}", "image/png", 10) if n % 3 == 0 else None,
            category="bug" if n % 2 else "idea",
        )
        for n in range(60)
    ]

    def send(item):
        with context.app_context():
            submit(item)

    threads = [threading.Thread(target=send, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = set(db.session.scalars(select(Feedback.public_id)))
    assert stored == {item.values["public_id"] for item in items}
    assert db.session.scalar(select(func.count(Screenshot.id))) == 20
    assert counts() == [("bug", "open", 30, 30, 10), ("idea", "open", 30, 30, 10)]


def test_the_same_key_and_content_answers_with_the_first(context, project):
    first = submit(submission(project, idempotency_key="k"))
    second = submit(submission(project, idempotency_key="k"))
    assert second.public_id == first.public_id
    assert second.duplicate
    assert counts() == [("bug", "open", 1, 1, 0)]
    replay = find_replay(project.id, "k", "d1")
    assert (replay.public_id, replay.duplicate) == (first.public_id, True)


def test_the_same_key_with_other_content_is_refused(context, project):
    submit(submission(project, idempotency_key="k"))
    for attempt in (
        lambda: submit(submission(project, idempotency_key="k", content_digest="d2")),
        lambda: find_replay(project.id, "k", "d2"),
    ):
        with pytest.raises(ClientError) as caught:
            attempt()
        assert (caught.value.status, caught.value.code) == (422, "idempotency_mismatch")


def test_a_key_is_the_projects_own(context, project):
    with transaction() as session:
        other = Project(name="Other")
        session.add(other)
        session.flush()
        other_id = other.id
    first = submit(submission(project, idempotency_key="k"))
    second = submit(submission(project, idempotency_key="k", project_id=other_id))
    assert first.public_id != second.public_id
    assert find_replay(project.id, "unknown", "d1") is None


def test_retries_that_race_make_one(context, project):
    receipts = []

    def send():
        with context.app_context():
            receipts.append(submit(submission(project, idempotency_key="race")))

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({receipt.public_id for receipt in receipts}) == 1
    assert sum(not receipt.duplicate for receipt in receipts) == 1
    assert db.session.scalar(select(func.count(Feedback.id))) == 1


def test_a_race_in_one_batch_with_other_content_refuses_one(context, project):
    outcomes = []

    def send(digest):
        with context.app_context():
            try:
                outcomes.append(submit(submission(project, idempotency_key="r", content_digest=digest)))
            except ClientError as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=send, args=(f"d{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("idempotency_mismatch") == 5


def test_a_store_that_stays_busy_is_said_and_nothing_is_kept(context, project, monkeypatch):
    monkeypatch.setattr("app.models.intake.WRITE_TIMEOUT_SECONDS", 0.05)
    started, release = threading.Event(), threading.Event()

    def slow(connection, items):
        started.set()
        release.wait(5)
        return [None for _ in items]

    group = context.extensions["earmark_intake"]
    monkeypatch.setattr(group, "_write", slow)
    first = threading.Thread(target=lambda: group.submit(object(), 10))
    first.start()
    started.wait(5)
    with pytest.raises(Unavailable) as caught:
        submit(submission(project))
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (503, "5")
    release.set()
    first.join()
    assert counts() == []
