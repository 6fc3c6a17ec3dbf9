"""Pictures after the answer: re-encoded once, whatever is killed, lost or run twice."""

import io
import threading
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import select, update

from app import jobs
from app.blueprints.intake import screenshots
from app.blueprints.intake.screenshots import (
    encode_screenshot,
    remove_orphan_blobs,
    remove_orphans,
    take_up_owed_screenshots,
)
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Project, Screenshot
from app.pictures import sandbox
from app.storage import new_key, storage

from .sending import fields_of, picture, send_form

PICTURE = picture(size=(320, 200), color="red")
BROKEN = PICTURE[:-30]


@pytest.fixture
def context(app):
    with app.app_context():
        yield app


@pytest.fixture
def sent(client, project, context):
    """A submission with a picture; returns the row's id."""

    def send(image=PICTURE):
        assert send_form(client, fields_of(project), image).status_code == 201
        found = db.session.scalar(select(Screenshot.id).order_by(Screenshot.id.desc()).limit(1))
        db.session.rollback()
        return found

    return send


def row_of(screenshot_id):
    found = db.session.get(Screenshot, screenshot_id, populate_existing=True)
    db.session.rollback()
    return found


def alter(screenshot_id, **values):
    with transaction() as session:
        session.execute(update(Screenshot).where(Screenshot.id == screenshot_id).values(**values))


def keys():
    return {blob.key for blob in storage().list_keys()}


def stored_bytes():
    found = db.session.scalar(select(Project.stored_bytes))
    db.session.rollback()
    return found


def text_bytes():
    found = len(db.session.scalar(select(Feedback.description)).encode())
    db.session.rollback()
    return found


def test_a_picture_becomes_webp_with_a_thumbnail(sent):
    screenshot_id = sent()
    upload = row_of(screenshot_id).blob_key
    encode_screenshot(screenshot_id)
    row = row_of(screenshot_id)
    assert (row.state, row.media_type, row.width, row.height) == ("ready", "image/webp", 320, 200)
    assert keys() == {row.blob_key, row.thumbnail_key}
    assert upload not in keys()
    data = storage().get(row.blob_key)
    assert (row.size_bytes, row.failure, row.lease_until) == (len(data), None, None)
    assert Image.open(io.BytesIO(data)).size == (320, 200)
    assert Image.open(io.BytesIO(storage().get(row.thumbnail_key))).size == (192, 144)
    assert stored_bytes() == text_bytes() + len(data)


def test_a_broken_picture_is_failed_and_the_text_stays(sent):
    screenshot_id = sent(BROKEN)
    encode_screenshot(screenshot_id)
    row = row_of(screenshot_id)
    assert (row.state, row.failure, row.size_bytes) == ("failed", "broken", 0)
    assert db.session.scalar(select(Feedback.description)) == "The button does nothing"
    assert keys() == set()
    assert stored_bytes() == text_bytes()


def test_a_job_may_come_again_after_it_was_done(sent):
    screenshot_id = sent()
    encode_screenshot(screenshot_id)
    before = row_of(screenshot_id)
    encode_screenshot(screenshot_id)
    after = row_of(screenshot_id)
    assert (after.blob_key, after.attempts) == (before.blob_key, 1)


def test_a_job_for_a_deleted_submission_does_nothing(sent):
    encode_screenshot(sent() + 1000)


def test_two_at_once_encode_once(app, sent):
    screenshot_id = sent()

    def run():
        with app.app_context():
            encode_screenshot(screenshot_id)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = row_of(screenshot_id)
    assert (row.state, row.attempts) == ("ready", 1)
    assert keys() == {row.blob_key, row.thumbnail_key}


def test_a_killed_attempt_is_taken_up_when_its_lease_is_over(app, sent):
    screenshot_id = sent()
    with transaction() as session:
        Screenshot.claim(session, screenshot_id, utc_now())  # and then the worker is killed
    queue = jobs.queue_of(app)
    queue.flush()
    take_up_owed_screenshots()
    assert queue.pending_count() == 0
    alter(screenshot_id, lease_until=utc_now() - timedelta(seconds=1))
    take_up_owed_screenshots()
    assert queue.pending_count() == 1
    queue.execute(queue.dequeue())
    assert (row_of(screenshot_id).state, row_of(screenshot_id).attempts) == ("ready", 2)


def test_a_lost_job_is_taken_up(app, sent):
    screenshot_id = sent()
    queue = jobs.queue_of(app)
    queue.flush()
    take_up_owed_screenshots()
    queue.execute(queue.dequeue())
    assert row_of(screenshot_id).state == "ready"


def test_a_picture_whose_decoder_is_lost_three_times_is_given_up(sent, monkeypatch):
    def lost(upload):
        raise sandbox.DecoderLost("killed")

    screenshot_id = sent()
    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "decode", lost)
        for _ in range(3):
            encode_screenshot(screenshot_id)
            assert row_of(screenshot_id).state == "pending"
            alter(screenshot_id, lease_until=None)
    encode_screenshot(screenshot_id)
    row = row_of(screenshot_id)
    assert (row.state, row.failure, row.size_bytes) == ("failed", "gave_up", 0)
    assert keys() == {row.blob_key}
    assert stored_bytes() == text_bytes()


def test_an_upload_that_is_gone_is_failed(sent):
    screenshot_id = sent()
    storage().delete(row_of(screenshot_id).blob_key)
    encode_screenshot(screenshot_id)
    assert (row_of(screenshot_id).state, row_of(screenshot_id).failure) == ("failed", "missing")


@pytest.mark.parametrize("outcome", ["ready", "failed"])
def test_an_attempt_that_was_overtaken_changes_nothing(sent, monkeypatch, outcome):
    screenshot_id = sent()
    honest = sandbox.decode

    def overtaken(upload):
        # While this attempt decodes, its lease runs out and another one finishes.
        monkeypatch.setattr(sandbox, "decode", honest)
        alter(screenshot_id, lease_until=utc_now() - timedelta(seconds=1))
        encode_screenshot(screenshot_id)
        if outcome == "failed":
            raise sandbox.DecodeFailed("too_slow")
        return honest(upload)

    monkeypatch.setattr(sandbox, "decode", overtaken)
    encode_screenshot(screenshot_id)
    row = row_of(screenshot_id)
    assert (row.state, row.attempts) == ("ready", 2)
    assert keys() == {row.blob_key, row.thumbnail_key}
    assert stored_bytes() == text_bytes() + row.size_bytes


def test_the_janitor_removes_what_no_row_names(sent):
    ready, pending = sent(), sent()
    encode_screenshot(ready)
    kept = keys()
    for key in (new_key("screenshots"), new_key("screenshots") + screenshots.THUMBNAIL_SUFFIX):
        storage().put(key, b"orphan")
    assert remove_orphans(utc_now() - timedelta(hours=1)) == 0  # too young: a request may be under way
    assert remove_orphans(utc_now() + timedelta(hours=1)) == 2
    assert keys() == kept
    assert row_of(pending).blob_key in kept


def test_the_janitor_works_through_more_than_one_batch(context, monkeypatch):
    monkeypatch.setattr(screenshots, "JANITOR_BATCH", 2)
    for _ in range(5):
        storage().put(new_key("screenshots"), b"orphan")
    monkeypatch.setattr(screenshots, "ORPHAN_AGE", timedelta(hours=-1))
    remove_orphan_blobs()
    assert keys() == set()


def test_a_blob_that_cannot_be_removed_is_left_to_the_janitor(sent, monkeypatch):
    screenshot_id = sent()
    upload = row_of(screenshot_id).blob_key
    (storage().folder / upload).chmod(0o400)
    honest = screenshots.storage

    class Reluctant:
        def __getattr__(self, name):
            return getattr(honest(), name)

        def delete(self, key):
            raise OSError("read-only")

    monkeypatch.setattr(screenshots, "storage", Reluctant)
    encode_screenshot(screenshot_id)
    monkeypatch.undo()
    assert row_of(screenshot_id).state == "ready"
    assert remove_orphans(utc_now() + timedelta(hours=1)) == 1
    assert upload not in keys()
