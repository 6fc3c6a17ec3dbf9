"""`POST /api/feedback` from request to row: answers, limits, keys, origins, room."""

import base64
import threading

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from app.blueprints.intake import projects, reception
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Project
from app.models.identifiers import reference
from app.storage import storage

from .sending import error_of, fields_of, picture, send, send_fields, send_form

PICTURE = picture()
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def change(app, project):
    """Change the project's row, as an admin would, and let intake see it at once."""

    def apply(**values):
        with app.app_context():
            with transaction() as session:
                row = session.get(Project, project.id)
                for name, value in values.items():
                    setattr(row, name, value)
            projects.cache().forget()

    return apply


@pytest.fixture
def limited(make_app, project):
    """A client of an application that takes five submissions an hour from each address."""
    return make_app(intake_rate_limit="5 per hour").test_client()


def rows(app):
    with app.app_context():
        found = db.session.scalars(select(Feedback).order_by(Feedback.id)).unique().all()
        db.session.expunge_all()
        db.session.rollback()
        return found


def blobs(app):
    with app.app_context():
        return [blob.key for blob in storage().list_keys("screenshots")]


def test_a_submission_is_kept_with_every_field(app, client, project):
    fields = fields_of(
        project,
        category="bug",
        description="  The button does nothing\n",
        url="https://shop.example.org/basket",
        session_id="s-1",
        timestamp="2026-11-21T10:30:00+01:00",
        screen_resolution="2560x1440",
        viewport_size="1280x720",
        device_pixel_ratio=2,
        annotation_coords=[{"kind": "rectangle", "points": [[1, 2], [3, 4]], "color": "#d4351c"}],
        screenshot_scale=1.5,
        api_state={"cart": [1, {"x": None}]},
        reporter={"id": "42", "name": "Änn", "email": "ann@example.org"},
        rating=4,
        custom={"release": "1.2"},
        idempotency_key="k-1",
        elapsed_ms=1234,
    )
    answer = send_form(client, fields, PICTURE, headers={"User-Agent": FIREFOX})
    assert answer.status_code == 201
    data = answer.json["data"]
    assert data | {"id": 0, "created_at": 0, "status_url": 0} == {
        "id": 0, "created_at": 0, "status_url": 0,
        "reference": reference(data["id"]), "screenshot": "pending", "duplicate": False,
    }  # fmt: skip
    (row,) = rows(app)
    assert (row.public_id, row.description, row.category, row.status) == (
        data["id"], "The button does nothing", "bug", "open",
    )  # fmt: skip
    assert row.timestamp.isoformat() == "2026-11-21T09:30:00+00:00"
    assert (row.browser, row.os, row.user_agent) == ("Firefox 140", "Linux", FIREFOX)
    assert (row.reporter_id, row.reporter_name, row.reporter_email) == ("42", "Änn", "ann@example.org")
    assert (row.api_state, row.custom, row.rating) == ({"cart": [1, {"x": None}]}, {"release": "1.2"}, 4)
    assert row.annotation_coords == fields["annotation_coords"]
    assert (row.has_screenshot, row.has_annotation, row.screenshot_scale) == (True, True, 1.5)
    assert row.address_hash
    assert "127.0.0.1" not in row.address_hash
    assert data["status_url"] == f"http://localhost/f/{_token(app, row)}"
    assert blobs(app) == [row.screenshot.blob_key]


def _token(app, row):
    with app.app_context():
        return row.status_token


def test_json_with_a_data_url_is_the_same_submission(app, client, project):
    fields = fields_of(project, idempotency_key="k")
    encoded = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
    first = send_fields(client, fields | {"screenshot": encoded})
    again = send_form(client, fields, PICTURE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["data"] | {"duplicate": True} == again.json["data"]
    assert len(blobs(app)) == 1


def test_what_is_left_out_has_a_default(app, client, project):
    assert send_fields(client, fields_of(project)).json["data"]["screenshot"] is None
    (row,) = rows(app)
    assert (row.category, row.browser, row.annotation_coords, row.custom) == ("other", None, None, None)
    assert (row.has_screenshot, row.has_annotation, row.is_read, row.is_archived) == (False,) * 4


def test_what_fills_the_field_that_nobody_sees_is_spam(app, client, project):
    assert send_fields(client, fields_of(project, website="http://pills.example")).status_code == 201
    assert rows(app)[0].status == "spam"


@pytest.mark.parametrize(
    ("changes", "wanted", "field"),
    [
        ({"category": "nonsense"}, {}, "category"),
        ({}, {"ask_email": "required"}, "reporter.email"),
        ({"reporter": {"email": "a@b.c"}}, {"ask_name": "required"}, "reporter.name"),
        ({"screenshot": "nonsense"}, {}, "screenshot"),
        (
            {"screenshot": "data:image/png;base64," + base64.b64encode(PICTURE).decode()},
            {"screenshots": False},
            "screenshot",
        ),
    ],
)
def test_the_project_has_a_say_in_what_is_valid(app, client, project, change, changes, wanted, field):
    change(**wanted)
    assert error_of(send_fields(client, fields_of(project, **changes))) == (422, "validation_failed", [field])
    assert rows(app) == []


def test_a_form_carries_its_picture_once(client, project):
    encoded = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
    answer = send_form(client, fields_of(project, screenshot=encoded), PICTURE)
    assert error_of(answer) == (422, "validation_failed", ["screenshot"])


def test_faults_of_picture_and_fields_are_told_together(client, project):
    answer = send_form(client, fields_of(project, category="nonsense"), b"\x89PNG\r\n\x1a\n")
    assert error_of(answer) == (422, "validation_failed", ["category", "screenshot"])


def test_a_file_that_is_no_picture_is_415(app, client, project):
    answer = send_form(client, fields_of(project), b"GIF89a")
    assert error_of(answer) == (415, "unsupported_media_type", [])
    assert rows(app) == []
    assert blobs(app) == []


def test_an_unknown_project_is_404(client, project):
    for key in ("pk_unknown", "%00", "x" * 64, "%ff", "%F0%9F%98%80"):
        assert error_of(send_fields(client, fields_of(project, project=key)))[:2] == (404, "unknown_project")
        assert error_of(client.get(f"/api/projects/{key}/widget"))[:2] == (404, "unknown_project")


def test_a_project_that_was_switched_off_takes_nothing(client, project, change):
    change(is_active=False)
    assert error_of(send_fields(client, fields_of(project)))[:2] == (404, "unknown_project")


def test_a_request_that_cannot_be_read_keeps_nothing(app, client, project):
    expected = [
        ({"CONTENT_LENGTH": ""}, (411, "length_required", [])),
        ({"CONTENT_LENGTH": "99999999"}, (413, "payload_too_large", [])),
        ({"CONTENT_LENGTH": "9999"}, (400, "malformed_body", [])),
        ({"HTTP_CONTENT_ENCODING": "gzip"}, (415, "unsupported_media_type", [])),
    ]
    for environ, refusal in expected:
        assert error_of(send_fields(client, fields_of(project), **environ)) == refusal
    assert rows(app) == []


def test_only_post_is_taken(client):
    for method in ("get", "put", "delete", "patch"):
        assert error_of(getattr(client, method)("/api/feedback"))[:2] == (405, "method_not_allowed")


# Keys


def test_a_retry_answers_with_the_first_receipt(app, client, project):
    fields = fields_of(project, idempotency_key="k")
    first = send_fields(client, fields)
    retry = send_fields(client, fields | {"timestamp": "2026-11-21T09:30:00Z", "elapsed_ms": 5})
    assert (first.status_code, retry.status_code) == (201, 200)
    assert retry.json["data"] == first.json["data"] | {"duplicate": True}
    assert len(rows(app)) == 1


def test_header_and_field_are_the_same_key(client, project):
    for key, in_header, in_field in (("a", True, False), ("b", False, True), ("c", True, True)):
        headers = {"Idempotency-Key": key} if in_header else None
        # With the key in the header only, the fields of the retry are the same too.
        fields = fields_of(project, idempotency_key=key if in_field else None)
        assert [send_fields(client, fields, headers=headers).status_code for _ in range(2)] == [201, 200]
    assert [send_fields(client, fields_of(project)).status_code for _ in range(2)] == [201, 201]


def test_a_key_that_contradicts_itself_is_refused(client, project):
    for header, field in (("a", "b"), ("a b", None), ("", None), ("x" * 129, None)):
        fields = fields_of(project, idempotency_key=field)
        answer = send_fields(client, fields, headers={"Idempotency-Key": header})
        assert error_of(answer) == (422, "validation_failed", ["idempotency_key"])


def test_a_key_with_other_content_is_a_mismatch(app, client, project):
    fields = fields_of(project, idempotency_key="k")
    send_fields(client, fields)
    for changed in (fields | {"description": "other"}, fields | {"rating": 1}):
        assert error_of(send_fields(client, changed))[:2] == (422, "idempotency_mismatch")
    assert error_of(send_form(client, fields, PICTURE))[:2] == (422, "idempotency_mismatch")
    assert len(rows(app)) == 1
    assert blobs(app) == []


def test_a_key_belongs_to_its_project(app, client, project):
    with app.app_context(), transaction() as session:
        other = Project(name="Other")
        session.add(other)
        session.flush()
        key = other.public_key
    fields = fields_of(project, idempotency_key="k")
    assert send_fields(client, fields).status_code == 201
    assert send_fields(client, fields | {"project": key}).status_code == 201


def test_many_retries_at_once_make_one_submission(app, project):
    fields = fields_of(project, idempotency_key="k")
    statuses = []

    def run():
        statuses.append(send_form(app.test_client(), fields, PICTURE).status_code)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 7 + [201]
    (row,) = rows(app)
    assert blobs(app) == [row.screenshot.blob_key]


# Limits


def test_five_an_hour_are_taken_and_a_sixth_waits(limited, app, project):
    statuses = [send_fields(limited, fields_of(project)).status_code for _ in range(5)]
    refused = send_fields(limited, fields_of(project))
    assert statuses == [201] * 5
    assert error_of(refused)[:2] == (429, "rate_limited")
    wait = int(refused.headers["Retry-After"])
    assert 0 < wait <= 3600 + 720
    assert refused.headers["RateLimit-Limit"] == "5"
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert refused.headers["RateLimit-Reset"] == str(wait)
    assert len(rows(app)) == 5


def test_what_is_refused_or_repeated_is_not_counted(limited, project):
    kept = fields_of(project, idempotency_key="kept")
    for _ in range(4):
        assert send_fields(limited, kept).status_code in (200, 201)
        assert send_fields(limited, kept | {"description": "other"}).status_code == 422
        assert send_fields(limited, fields_of(project, rating=9)).status_code == 422
        assert send_form(limited, fields_of(project), b"GIF").status_code == 415
        assert send(limited, b"{").status_code == 400
    statuses = [send_fields(limited, fields_of(project)).status_code for _ in range(5)]
    assert statuses == [201] * 4 + [429]


def test_a_retry_is_answered_when_the_limit_is_reached(limited, project):
    kept = fields_of(project, idempotency_key="kept")
    send_fields(limited, kept)
    for _ in range(4):
        send_fields(limited, fields_of(project))
    assert send_fields(limited, fields_of(project)).status_code == 429
    assert send_fields(limited, kept).status_code == 200
    assert error_of(send_fields(limited, kept | {"rating": 1}))[:2] == (422, "idempotency_mismatch")


def test_each_address_and_each_project_has_its_own_count(limited, app, project):
    def status(address):
        return send_fields(limited, fields_of(project), REMOTE_ADDR=address).status_code

    assert [status("192.0.2.1") for _ in range(6)] == [201] * 5 + [429]
    assert status("192.0.2.2") == 201
    assert [status(f"2001:db8::{n}") for n in range(6)] == [201] * 5 + [429]
    assert status("2001:db8:0:1::1") == 201
    assert status("::ffff:192.0.2.1") == 429


def test_a_header_does_not_make_another_client(limited, project):
    for _ in range(5):
        send_fields(limited, fields_of(project))
    names = ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP")
    tricks = [{name: "203.0.113.9"} for name in names]
    tricks += [{"X-Forwarded-For": "203.0.113.9, 10.0.0.1"}, {"Forwarded": "for=203.0.113.9"}]
    for headers in tricks:
        assert send_fields(limited, fields_of(project), headers=headers).status_code == 429, headers


def test_a_trusted_proxy_names_the_client(make_app, project):
    proxied = make_app(intake_rate_limit="1 per hour", trusted_proxies=1).test_client()

    def status(chain):
        return send_fields(proxied, fields_of(project), headers={"X-Forwarded-For": chain}).status_code

    assert status("192.0.2.1") == 201
    assert status("192.0.2.2") == 201
    assert status("203.0.113.7, 192.0.2.1") == 429
    assert status("nonsense") == 201  # refused as an address: all of them share one count
    assert status("other nonsense") == 429


def test_the_limit_survives_a_restart(make_app, project):
    settings = {"intake_rate_limit": "5 per hour"}
    first, second = (make_app(**settings).test_client() for _ in range(2))
    statuses = [send_fields(client, fields_of(project)).status_code for client in (first, second) * 3]
    assert statuses == [201] * 5 + [429]


def test_limits_are_kept_in_redis_where_it_is_configured(make_app, project, redis_url):
    settings = {"intake_rate_limit": "5 per hour", "redis_url": redis_url}
    first, second = (make_app(**settings).test_client() for _ in range(2))
    kept = fields_of(project, idempotency_key="kept")
    assert send_fields(first, kept).status_code == 201
    assert send_fields(second, kept).status_code == 200
    assert send_fields(first, kept | {"rating": 1}).status_code == 422
    statuses = [send_fields(client, fields_of(project)).status_code for client in (first, second) * 3]
    assert statuses == [201] * 4 + [429] * 2
    assert 0 < int(send_fields(first, fields_of(project)).headers["Retry-After"]) <= 2 * 3600


def test_a_project_may_have_its_own_limits(limited, project, change):
    change(rate_limit="2 per hour; 3 per day")
    assert [send_fields(limited, fields_of(project)).status_code for _ in range(3)] == [201, 201, 429]


def test_what_one_limit_refuses_counts_in_none(client, project, change):
    change(rate_limit="4 per hour; 2 per day")
    assert [send_fields(client, fields_of(project)).status_code for _ in range(5)] == [201] * 2 + [429] * 3
    change(rate_limit="4 per hour")
    assert [send_fields(client, fields_of(project)).status_code for _ in range(3)] == [201] * 2 + [429]


def test_refused_requests_have_a_limit_of_their_own(make_app, app, project):
    flooded = make_app(flood_rate_limit="10 per minute").test_client()
    statuses = [send(flooded, b"{").status_code for _ in range(10)]
    refused = send_fields(flooded, fields_of(project))
    assert statuses == [400] * 10
    assert error_of(refused)[:2] == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1
    assert rows(app) == []


def test_a_limits_store_that_is_away_does_not_stop_intake(make_app, settings, project):
    app = make_app(intake_rate_limit="1 per hour")
    folder = settings.instance_path / "limits.sqlite3"
    folder.unlink(missing_ok=True)
    folder.mkdir()
    client = app.test_client()
    assert [send_fields(client, fields_of(project)).status_code for _ in range(2)] == [201, 201]


# Room


def test_a_project_over_its_quota_takes_nothing_more(app, client, project, change):
    change(byte_quota=1000, stored_bytes=990)
    refused = send_fields(client, fields_of(project))
    assert error_of(refused)[:2] == (429, "quota_exceeded")
    assert "Retry-After" in refused.headers
    assert send_fields(client, fields_of(project, description="short")).status_code == 201
    assert [row.description for row in rows(app)] == ["short"]


def test_the_bytes_of_text_and_picture_are_counted(app, client, project):
    send_form(client, fields_of(project, description="äö"), PICTURE)
    with app.app_context():
        assert db.session.get(Project, project.id).stored_bytes == 4 + len(PICTURE)


def test_the_default_quota_is_a_setting(make_app, project, change):
    change(stored_bytes=1024 * 1024)
    assert send_fields(make_app(project_quota_mb=1).test_client(), fields_of(project)).status_code == 429
    assert send_fields(make_app(project_quota_mb=0).test_client(), fields_of(project)).status_code == 201


def test_a_disk_that_is_nearly_full_answers_503(make_app, app, project):
    full = make_app(min_free_disk_mb=10**9, intake_rate_limit="1 per hour")
    for _ in range(2):
        refused = send_form(full.test_client(), fields_of(project), PICTURE)
        assert error_of(refused)[:2] == (503, "storage_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
    assert rows(app) == []
    assert blobs(app) == []
    allowed = make_app(intake_rate_limit="1 per hour").test_client()
    assert send_fields(allowed, fields_of(project)).status_code == 201  # nothing was counted above


def test_a_blob_store_that_is_away_answers_503_and_counts_nothing(make_app, settings, app, project):
    broken = make_app(intake_rate_limit="1 per hour").test_client()
    place = settings.instance_path / "blobs" / "screenshots"
    place.parent.mkdir(exist_ok=True)
    place.write_text("in the way of the folder")
    refused = send_form(broken, fields_of(project), PICTURE)
    assert error_of(refused)[:2] == (503, "storage_unavailable")
    assert rows(app) == []
    place.unlink()
    assert send_form(broken, fields_of(project), PICTURE).status_code == 201


def test_a_job_queue_that_is_away_does_not_lose_the_picture(app, client, project, settings):
    for file in settings.instance_path.glob("jobs.sqlite3*"):
        file.unlink()
    (settings.instance_path / "jobs.sqlite3").mkdir()
    assert send_form(client, fields_of(project), PICTURE).status_code == 201
    assert rows(app)[0].screenshot.state == "pending"


# Origins

ALLOWED = "https://shop.example.org"


@pytest.fixture
def restricted(project, change):
    change(origins=[ALLOWED, "http://localhost:3000"])
    return project


def test_an_allowed_page_may_send_and_read(client, restricted):
    for origin in (ALLOWED, "http://localhost:3000", "http://localhost", None):
        headers = {"Origin": origin} if origin else {}
        answer = send_fields(client, fields_of(restricted), headers=headers)
        assert answer.status_code == 201
        assert answer.headers.get("Access-Control-Allow-Origin") == origin
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" in answer.headers["Vary"]
        settings = client.get(f"/api/projects/{restricted.public_key}/widget", headers=headers)
        assert settings.status_code == 200
        assert settings.headers.get("Access-Control-Allow-Origin") == origin


LOOK_ALIKES = [
    "",
    "null",
    "http://shop.example.org",
    "https://shop.example.org:8443",
    "https://shop.example.org:443",
    "https://shop.example.org/",
    "https://shop.example.org.evil.example",
    "https://evil.example/https://shop.example.org",
    "https://evilshop.example.org",
    "https://evil-shop.example.org",
    "https://shop-example.org",
    "https://shopxexample.org",
    "https://sub.shop.example.org",
    "https://example.org",
    "https://SHOP.example.org",
    "https://shop.example.org@evil.example",
    "https://evil.example?https://shop.example.org",
    "https://shop.example.org%00.evil.example",
    "https://shop.example.org, https://evil.example",
    "https://shop.example.org https://evil.example",
    "file://shop.example.org",
    "//shop.example.org",
    "shop.example.org",
    "*",
    "https://shop.example.org\t",
    "http://localhost:30000",
    "http://localhost:8000",
    "https://xn--shp-hoa.example.org",
]


def test_a_page_that_only_looks_allowed_is_refused(app, client, restricted):
    for origin in LOOK_ALIKES:
        headers = {"Origin": origin}
        answers = [
            send_fields(client, fields_of(restricted), headers=headers),
            client.get(f"/api/projects/{restricted.public_key}/widget", headers=headers),
        ]
        for answer in answers:
            assert error_of(answer)[:2] == (403, "origin_not_allowed"), origin
            assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Access-Control-Allow-Origin" not in client.options("/api/feedback", headers=headers).headers
    assert rows(app) == []


def test_a_project_without_origins_takes_any_page(client, project):
    for origin in ("https://anything.example", "null"):
        answer = send_fields(client, fields_of(project), headers={"Origin": origin})
        assert answer.status_code == 201
        assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_a_preflight_is_answered_for_an_allowed_page(client, restricted):
    headers = {"Origin": ALLOWED, "Access-Control-Request-Method": "POST"}
    for path in ("/api/feedback", f"/api/projects/{restricted.public_key}/widget"):
        answer = client.options(path, headers=headers)
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_page_may_read_why_it_was_refused(client, restricted):
    headers = {"Origin": ALLOWED}
    for answer in (
        send(client, b"{", headers=headers),
        send_fields(client, fields_of(restricted, rating=9), headers=headers),
    ):
        assert answer.status_code in (400, 422)
        assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


# The widget's settings


def test_the_widget_asks_for_what_the_project_wants(app, client, project, change):
    change(ask_name="required", theme="dark", categories=[{"key": "bug", "label": "Broken"}])
    answer = client.get(f"/api/projects/{project.public_key}/widget")
    data = answer.json["data"]
    assert data["project"] == {"key": project.public_key, "name": "Shop"}
    assert data["ask"] == {"name": "required", "email": "optional", "rating": False}
    assert data["categories"] == [{"key": "bug", "label": "Broken"}]
    assert (data["theme"], data["screenshot"], data["max_description"]) == ("dark", True, 10_000)
    assert 9_000_000 < data["max_screenshot_bytes"] < 10 * 1024 * 1024
    etag = answer.headers["ETag"]
    assert (
        client.get(f"/api/projects/{project.public_key}/widget", headers={"If-None-Match": etag}).status_code
        == 304
    )


def test_a_tag_is_noted_at_most_hourly(app, client, project):
    def seen():
        with app.app_context():
            return db.session.get(Project, project.id).tag_seen_at

    assert seen() is None
    client.get(f"/api/projects/{project.public_key}/widget")
    first = seen()
    client.get(f"/api/projects/{project.public_key}/widget")
    assert first is not None
    assert seen() == first


# When the store fails under the write


def test_a_write_that_fails_uncounts_and_leaves_no_blob(make_app, app, project, monkeypatch):
    failing = make_app(intake_rate_limit="1 per hour")
    unavailable = reception.Unavailable("busy")

    def refuse(item):
        raise unavailable

    with monkeypatch.context() as patch:
        patch.setattr(reception.intake, "submit", refuse)
        assert send_form(failing.test_client(), fields_of(project), PICTURE).status_code == 503
    assert blobs(app) == []
    assert send_form(failing.test_client(), fields_of(project), PICTURE).status_code == 201


def test_a_key_that_another_process_took_first_is_answered_from_its_row(app, client, project, monkeypatch):
    fields = fields_of(project, idempotency_key="k")
    first = send_fields(client, fields)
    honest = reception.intake.find_replay
    lookups = []

    def too_early(*arguments):
        # PostgreSQL shows this process the other one's row only after its commit.
        lookups.append(arguments)
        return honest(*arguments) if len(lookups) > 1 else None

    def taken(item):
        raise IntegrityError("insert", None, Exception("unique"))

    monkeypatch.setattr(reception.intake, "find_replay", too_early)
    monkeypatch.setattr(reception.intake, "submit", taken)
    lookups.append("without a picture there is none before the write")
    assert send_fields(client, fields).json["data"] == first.json["data"] | {"duplicate": True}
    assert error_of(send_form(client, fields_of(project, idempotency_key="new"), PICTURE))[:2] == (
        409, "conflict",
    )  # fmt: skip


def test_settings_are_answered_when_the_tag_cannot_be_noted(app, client, project, monkeypatch):
    def busy():
        raise OperationalError("BEGIN IMMEDIATE", None, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(projects, "transaction", busy)
        assert client.get(f"/api/projects/{project.public_key}/widget").status_code == 200
    client.get(f"/api/projects/{project.public_key}/widget")
    with app.app_context():
        assert db.session.get(Project, project.id).tag_seen_at is not None


def test_the_cache_of_projects_is_bounded(app, project, monkeypatch):
    monkeypatch.setattr(projects, "MOST_CACHED", 1)
    with app.test_request_context():
        with transaction() as session:
            other = Project(name="Other")
            session.add(other)
            session.flush()
            key = other.public_key
        projects.find(project.public_key)
        projects.find(key)
        assert set(projects.cache().projects) == {key}


def test_the_openapi_description_names_both_forms(client):
    described = client.get("/openapi.json").json
    post = described["paths"]["/api/feedback"]["post"]
    assert set(post["requestBody"]["content"]) == {"application/json", "multipart/form-data"}
    assert {"201", "200", "400", "411", "413", "415", "422", "429", "503"} <= set(post["responses"])
    assert set(described["components"]["schemas"]["Submission"]["required"]) == {"project", "description"}
