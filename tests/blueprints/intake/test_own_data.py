"""What a reporter may do with what they sent: take a copy, delete it for good, see until when it is kept."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    BlobOutbox,
    DailyCount,
    Feedback,
    RetentionPolicy,
    Screenshot,
    hold,
    message,
)
from app.models.kept_until import kept_until
from app.storage import BlobMissing, storage


@pytest.fixture
def sent(app, client, project):
    """Send a submission with an answer of the team and a note; returns its page's address."""
    body = {
        "project": project.public_key,
        "category": "bug",
        "description": "The total stays the same",
        "reporter": {"name": "Ana", "email": "ana@example.org"},
    }
    answer = client.post("/api/feedback", json=body)
    assert answer.status_code == 201
    with app.app_context(), transaction() as session:
        found = session.scalars(select(Feedback)).one()
        message.add(session, found, message.REPLY, "Thank you", author="Jana Okafor", now=utc_now())
        message.add(
            session, found, message.NOTE, "Nobody else reads this", author="Jana Okafor", now=utc_now()
        )
        message.add(session, found, message.REPORTER, "You are welcome", now=utc_now())
        return f"/f/{found.status_token}"


def test_the_foot_of_the_page_has_both_links(client, sent):
    page = client.get(sent).text
    assert f'href="{sent}/copy"' in page
    assert f'href="{sent}/delete"' in page


def test_a_copy_holds_what_was_sent_and_said_and_no_note(client, sent):
    answer = client.get(f"{sent}/copy")
    assert answer.mimetype == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as file:
        assert file.namelist() == ["submission.json"]
        text = file.read("submission.json").decode()
    found = json.loads(text)
    assert found["description"] == "The total stays the same"
    assert found["reporter"]["email"] == "ana@example.org"
    told = [(one["from"], one["text"]) for one in found["messages"]]
    assert told == [("Jana", "Thank you"), ("reporter", "You are welcome")]
    assert "Nobody else" not in text
    assert "Okafor" not in text


def test_a_copy_has_the_picture(app, client, sent):
    with app.app_context(), transaction() as session:
        found = session.scalars(select(Feedback)).one()
        storage().put("screenshots/one", b"RIFF....WEBP")
        session.add(
            Screenshot(
                feedback_id=found.id,
                blob_key="screenshots/one",
                media_type="image/webp",
                size_bytes=12,
                state="ready",
            )
        )
    with zipfile.ZipFile(io.BytesIO(client.get(f"{sent}/copy").data)) as file:
        assert file.read("picture.webp") == b"RIFF....WEBP"
    assert client.post(f"{sent}/delete").status_code == 200
    with app.app_context():
        with pytest.raises(BlobMissing):
            storage().get("screenshots/one")
        assert db.session.scalars(select(BlobOutbox)).all() == []
        db.session.rollback()


def test_it_asks_and_then_deletes_for_good_and_writes_it_down(app, client, sent):
    asked = client.get(f"{sent}/delete")
    assert "Delete what you sent?" in asked.text
    with app.app_context():
        assert db.session.scalar(select(Feedback.id)) is not None
        db.session.rollback()
    gone = client.post(f"{sent}/delete")
    assert (gone.status_code, gone.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert "It is deleted" in gone.text
    assert client.get(sent).status_code == 404
    assert client.post(f"{sent}/delete").status_code == 404
    with app.app_context():
        assert db.session.scalar(select(Feedback.id)) is None
        assert sum(db.session.scalars(select(DailyCount.submissions))) == 0
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "submission.delete")).one()
        assert entry.details == '{"by":"reporter"}'
        db.session.rollback()


def test_what_is_held_is_refused_with_a_sentence_and_without_the_reason(app, client, sent):
    with app.app_context(), transaction() as session:
        found = session.scalars(select(Feedback)).one()
        hold.place(session, found, hold.Terms(reason="A lawsuit", placed_by="Ana"), utc_now())
    refused = client.post(f"{sent}/delete")
    assert refused.status_code == 409
    assert "has to be kept for now" in refused.text
    assert "lawsuit" not in refused.text
    assert client.get(sent).status_code == 200
    assert "kept until" not in client.get(sent).text


def test_a_wrong_link_shows_asks_and_deletes_nothing(client, sent):
    for path in ("copy", "delete"):
        assert client.get(f"{sent[:-1]}!/{path}").status_code == 404
    assert client.post(f"{sent[:-1]}!/delete").status_code == 404


def test_it_is_kept_until_the_first_policy_deletes_it(app, client, sent, project):
    with app.app_context():
        with transaction() as session:
            for policy in session.scalars(select(RetentionPolicy)):
                session.delete(policy)
        assert "kept until" not in client.get(sent).text
        with transaction() as session:
            session.add(RetentionPolicy(name="all", keep_days=365))
            session.add(RetentionPolicy(name="closed", status="closed", keep_days=30, since="changed"))
            session.add(RetentionPolicy(name="pictures", keep_days=1, action="drop_screenshots"))
        found = db.session.scalars(select(Feedback)).one()
        assert kept_until(db.session(), found, utc_now()) == found.created_at + timedelta(days=365)
        with transaction() as session:
            session.add(RetentionPolicy(name="shop", project_id=project.id, keep_days=60))
        found = db.session.scalars(select(Feedback)).one()
        until = kept_until(db.session(), found, utc_now())
        assert until == found.created_at + timedelta(days=60)
        db.session.rollback()
    page = client.get(sent, headers={"Accept-Language": "de"}).text
    assert f"aufbewahrt bis {until.day}. " in page
