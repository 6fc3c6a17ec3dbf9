"""Redacting later: boxes are burned in, the old bytes are gone, and the act is told."""

import io

import pytest
from PIL import Image
from sqlalchemy import select

from app.database.transactions import transaction
from app.extensions import db
from app.models import AuditEntry, Feedback, Project
from app.models.removal import remove
from app.storage import storage

PATH = "/admin/api/feedback"
BLACK = (20, 26, 38)


@pytest.fixture
def api(client, bearer):
    headers = bearer("agent")

    def call(method, path, **options):
        return client.open(path, method=method, headers=headers, **options)

    return call


@pytest.fixture
def pictured(app, submit):
    """A submission with a white picture of 400 × 300 pixels, two for each CSS pixel."""

    def make():
        public_id = submit("ready", screenshot_scale=2.0)
        buffer = io.BytesIO()
        Image.new("RGB", (400, 300), "white").save(buffer, "WEBP")
        with app.app_context(), transaction() as session:
            stored = Feedback.by_public_id(session, public_id).screenshot
            storage().delete(stored.blob_key)
            storage().put(stored.blob_key, buffer.getvalue())
            stored.width, stored.height, stored.size_bytes = 400, 300, len(buffer.getvalue())
            session.get_one(Project, 1).stored_bytes = len(buffer.getvalue()) + len(b"It is broken")
        return public_id

    return make


def color(data, x, y):
    return Image.open(io.BytesIO(data)).convert("RGB").getpixel((x, y))


def near(one, other):
    return all(abs(a - b) <= 12 for a, b in zip(one, other, strict=True))


def test_boxes_are_burned_in_and_the_old_bytes_are_destroyed(app, api, pictured):
    public_id = pictured()
    with app.app_context():
        before = {blob.key for blob in storage().list_keys()}
    body = {
        "boxes": [
            {"x": 10, "y": 10, "width": 50, "height": 30},
            {"x": 150, "y": 100, "width": 999, "height": 999},
        ]
    }
    answer = api("POST", f"{PATH}/{public_id}/redactions", json=body)
    assert answer.status_code == 200, answer.text
    data = answer.json["data"]
    assert (data["version"], data["history"][-1]["kind"], data["history"][-1]["details"]) == (
        2,
        "redact",
        {"boxes": 2},
    )
    picture = api("GET", f"{PATH}/{public_id}/screenshot").data
    assert near(color(picture, 60, 50), BLACK)
    assert near(color(picture, 399, 299), BLACK)
    assert near(color(picture, 200, 150), (255, 255, 255))
    assert api("GET", f"{PATH}/{public_id}/screenshot?size=thumb").status_code == 200
    with app.app_context():
        after = {blob.key for blob in storage().list_keys()}
        assert not before & after
        assert len(after) == 2
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "submission.redact")).one()
        assert public_id in entry.target
        with transaction() as session:
            remove(session, [Feedback.by_public_id(session, public_id).id])
        assert db.session.scalar(select(Project.stored_bytes)) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_cannot_be_redacted_is_refused(api, submit, pictured):
    box = {"x": 0, "y": 0, "width": 10, "height": 10}
    for state in (None, "pending", "failed"):
        assert api("POST", f"{PATH}/{submit(state)}/redactions", json={"boxes": [box]}).status_code == 409
    path = f"{PATH}/{pictured()}/redactions"
    wrong = (
        [],
        [box | {"x": 500}],
        [box | {"width": 0}],
        [box | {"y": -20}],
        [box] * 51,
        [{"x": 0}],
        [box | {"x": "0"}],
    )
    for boxes in wrong:
        assert api("POST", path, json={"boxes": boxes}).status_code == 422, boxes


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_picture_whose_bytes_cannot_be_read_stays_as_it_is(app, api, pictured):
    public_id = pictured()
    with app.app_context():
        for blob in list(storage().list_keys()):
            storage().delete(blob.key)
            storage().put(blob.key, b"no picture")
    answer = api(
        "POST", f"{PATH}/{public_id}/redactions", json={"boxes": [{"x": 0, "y": 0, "width": 9, "height": 9}]}
    )
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "storage_unavailable")
    assert api("GET", f"{PATH}/{public_id}").json["data"]["version"] == 1


def test_an_agent_redacts_by_form_without_a_script(sign_in, pictured):
    browser, public_id = sign_in("agent"), pictured()
    path = f"/admin/feedback/{public_id}"
    assert f"{path}/redact" in browser.get(path).text
    assert "Black out for good" in browser.get(f"{path}/redact").text
    rows = {"x": ["0", ""], "y": ["0", ""], "width": ["10.5", ""], "height": ["20", ""]}
    assert browser.post(f"{path}/redact", rows).location == path
    assert "blacked out 1 part of the picture for good" in browser.get(path).text
    for wrong in (rows | {"x": ["a", ""]}, rows | {"x": ["0"]}, {}):
        browser.get(path)
        assert browser.post(f"{path}/redact", wrong).status_code == 422, wrong


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_viewers_cannot_redact(sign_in, submit):
    public_id = submit("ready")
    browser = sign_in("viewer")
    assert "/redact" not in browser.get(f"/admin/feedback/{public_id}").text
    assert browser.get(f"/admin/feedback/{public_id}/redact").status_code == 403
