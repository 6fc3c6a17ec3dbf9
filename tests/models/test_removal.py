"""Removal: nothing of a submission stays, counts and bytes are exact, blobs go after the commit."""

import pytest
from sqlalchemy import select

from app.blueprints.retention.timetable import delete_owed_blobs
from app.database.transactions import transaction
from app.extensions import db
from app.models import BlobOutbox, Feedback, Project, Screenshot, blob_outbox
from app.models.intake import Blob, submit
from app.models.removal import Removed, remove
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
        assert_statements(10),
    ):  # rows, pictures, delete, roll-up, watermarks twice each, words, outbox, bytes
        remove(session, wanted)
