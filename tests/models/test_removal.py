"""Removal: nothing of a submission stays, counts and bytes are exact, blobs go after the commit."""

import pytest
from sqlalchemy import select

from app.blueprints.retention.timetable import delete_owed_blobs
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import BlobOutbox, Feedback, Project, Screenshot, blob_outbox, rollup
from app.models.intake import Blob, submit
from app.models.removal import Removed, foresee, remove
from app.models.rollup.check import recount
from app.storage import new_key, storage
from tests.faults import audit
from tests.models.test_intake import submission


@pytest.fixture(autouse=True)
def context(app):
    with app.app_context():
        yield app


def stored(size=500):
    key = new_key("screenshots")
    storage().put(key, b"x" * size)
    return Blob(key, "image/png", size)


def ids():
    found = list(db.session.scalars(select(Feedback.id).order_by(Feedback.id)))
    db.session.rollback()
    return found


def blobs():
    return sorted(blob.key for blob in storage().list_keys())


def test_nothing_stays_of_what_is_removed_and_all_of_the_rest(project):
    for number in range(6):
        submit(submission(project, stored() if number % 2 else None, description=f"Zahl ü {number}"))
    kept_blob = db.session.scalars(select(Screenshot.blob_key).order_by(Screenshot.id.desc())).first()
    with transaction() as session:
        gone = remove(session, ids()[:4])
    assert gone == Removed(submissions=4, screenshots=2, bytes=2 * 500 + 4 * len("Zahl ü 0".encode()))
    assert len(ids()) == 2
    assert audit.wrong_counts(audit.rows()) == {"daily_counts": {}, "stored_bytes": {}}
    assert len(blobs()) == 3, "blobs stay until the commit is worked off"
    assert blob_outbox.work_off(storage()) == 2
    assert blobs() == [kept_blob]
    assert blob_outbox.waiting() == 0


def test_ids_that_are_gone_are_no_error(project):
    submit(submission(project))
    there = ids()
    with transaction() as session:
        assert remove(session, [*there, 10**12]).submissions == 1
        assert remove(session, there) == Removed()
        assert remove(session, []) == Removed()
    assert db.session.get(Project, project.id).stored_bytes == 0


def test_a_removal_that_is_rolled_back_removes_nothing(project):
    submit(submission(project, stored()))
    there = ids()
    with pytest.raises(RuntimeError), transaction() as session:
        remove(session, there)
        raise RuntimeError
    assert len(ids()) == 1
    assert blob_outbox.work_off(storage()) == 0
    assert len(blobs()) == 1
    assert audit.wrong_counts(audit.rows()) == {"daily_counts": {}, "stored_bytes": {}}


def test_the_timetable_works_off_what_a_killed_process_left(project):
    submit(submission(project, stored()))
    there = ids()
    with transaction() as session:
        remove(session, there)
    delete_owed_blobs()
    assert blobs() == []
    assert db.session.scalars(select(BlobOutbox)).all() == []


def test_a_store_that_is_away_leaves_the_blobs_written_down():
    class Away:
        def delete_all(self, _keys):
            raise OSError("away")

    with transaction() as session:
        blob_outbox.put(session, ["screenshots/a", "screenshots/b"])
    with pytest.raises(OSError, match="away"):
        blob_outbox.work_off(Away())
    assert blob_outbox.waiting() == 2
    with transaction() as session:
        blob_outbox.put(session, ["screenshots/c"])
    assert blob_outbox.work_off(storage(), 1) == 1, "the last change first"
    assert blob_outbox.work_off(storage()) == 2, "a blob that is gone already is worked off"


def test_removal_takes_few_statements_whatever_the_number(project, assert_statements):
    for _ in range(30):
        submit(submission(project, stored(10)))
    wanted = ids()
    with (
        transaction() as session,
        assert_statements(13),
    ):  # rows, four children, delete, roll-up, watermarks twice each, words, outbox, bytes
        remove(session, wanted)


def test_what_was_foreseen_is_read_once_more_and_not_worked_out_again(project, assert_statements):
    for _ in range(3):
        submit(submission(project, stored(10)))
    wanted = ids()
    foreseen = foresee(db.session(), wanted)
    with transaction() as session, assert_statements(13):
        gone = remove(session, wanted, foreseen=foreseen)
    assert gone.submissions == 3
    assert not ids()
    assert audit.wrong_counts(audit.rows()) == {"daily_counts": {}, "stored_bytes": {}}


def test_what_was_changed_since_it_was_foreseen_is_removed_as_it_is_now(project):
    for number in range(4):
        submit(submission(project, stored(10), description=f"Zahl {number}"))
    rollup.fold_all()
    wanted = ids()
    foreseen = foresee(db.session(), wanted)
    with transaction() as session:
        session.get_one(Feedback, wanted[1]).change(session, utc_now(), status="spam", is_read=True)
        remove(session, wanted[:1])
    with transaction() as session:
        gone = remove(session, wanted, foreseen=foreseen)
    assert gone == Removed(submissions=3, screenshots=3, bytes=3 * (10 + len("Zahl 0")))
    assert not ids()
    assert audit.wrong_counts(audit.rows()) == {"daily_counts": {}, "stored_bytes": {}}
    assert recount().differences == ()


def test_what_was_foreseen_and_is_not_due_any_longer_stays(project):
    for _ in range(3):
        submit(submission(project, stored(10)))
    wanted = ids()
    foreseen = foresee(db.session(), wanted)
    with transaction() as session:
        session.get_one(Feedback, wanted[2]).change(session, utc_now(), status="resolved")
    with transaction() as session:
        gone = remove(session, wanted, only=[Feedback.status == "open"], foreseen=foreseen)
    assert (gone.submissions, ids()) == (2, wanted[2:])
    assert audit.wrong_counts(audit.rows()) == {"daily_counts": {}, "stored_bytes": {}}


def test_what_came_behind_the_watermark_is_foreseen_and_leaves_no_count(project):
    for number in range(4):
        submit(submission(project, description=f"Zahl {number}"))
        if number == 1:
            rollup.fold_all()
    wanted = ids()
    foreseen = foresee(db.session(), wanted)
    with transaction() as session:
        remove(session, wanted, foreseen=foreseen)
    assert recount().differences == ()
