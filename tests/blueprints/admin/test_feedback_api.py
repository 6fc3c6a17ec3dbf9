"""The JSON API of submissions: every filter, every error, and the roll-up after each change."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from pydantic.json_schema import GenerateJsonSchema
from sqlalchemy import text

from app.blueprints.admin import answers
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Project, hold
from app.storage import storage
from tests.faults.victim import until

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)
PATH = "/admin/api/feedback"
WAITING_FOR_US = text(
    "select count(*) from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))"
)


@pytest.fixture
def api(client, bearer):
    headers = bearer("admin")

    def call(method, path, **options):
        return client.open(path, method=method, headers=headers, **options)

    return call


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json["data"]]


def test_a_list_has_the_shape_that_openapi_describes(api, submit):
    submit(url="https://shop.example/basket", reporter_name="Ana", rating=4)
    body = api("GET", PATH).json
    answers.ItemList.model_validate(body)
    assert set(body["data"][0]) == set(answers.Item.model_fields)
    assert body["page"] == {"limit": 50, "next": None, "prev": None}


def test_an_answer_is_utf8_and_its_moments_are_rfc_3339_in_utc(api, submit):
    submit(description="Größe 大きさ", created_at=T0)
    answer = api("GET", PATH)
    assert "Größe 大きさ" in answer.data.decode()
    assert answer.json["data"][0]["created_at"] == "2026-11-01T12:00:00Z"


def test_reading_a_query_makes_no_schema(api, submit, monkeypatch):
    submit()
    api("GET", PATH)
    made = []
    monkeypatch.setattr(GenerateJsonSchema, "generate", lambda *told, **more: made.append((told, more)))
    assert len(ids(api("GET", PATH + "?limit=10&status=open"))) == 1
    assert made == []


def test_pages_go_both_ways_and_miss_nothing(api, submit):
    made = [submit(created_at=T0 + timedelta(seconds=n // 2)) for n in range(7)]
    first = api("GET", PATH + "?limit=3").json
    second = api("GET", f"{PATH}?limit=3&cursor={first['page']['next']}").json
    third = api("GET", f"{PATH}?limit=3&cursor={second['page']['next']}").json
    seen = [row["id"] for page in (first, second, third) for row in page["data"]]
    assert seen == made[::-1]
    assert third["page"]["next"] is None
    again = api("GET", f"{PATH}?limit=3&cursor={third['page']['prev']}").json
    assert again["data"] == second["data"]


def test_pages_have_numbers_where_they_are_asked_for(api, submit):
    made = [submit(created_at=T0 + timedelta(seconds=n)) for n in range(5)]
    second = api("GET", PATH + "?limit=2&page=2").json
    answers.ItemList.model_validate(second)
    assert [row["id"] for row in second["data"]] == made[::-1][2:4]
    numbers = {"number": 2, "pages": 3, "total": 5, "capped": False}
    assert second["page"] == {"limit": 2, "next": None, "prev": None, **numbers}
    assert ids(api("GET", PATH + "?limit=2&page=9")) == []
    beyond = api("GET", PATH + "?limit=200&page=51")
    assert (beyond.status_code, beyond.json["error"]["code"]) == (400, "page_invalid")
    for wrong in ("page=0", "page=x", "page=1&cursor=abc"):
        assert api("GET", f"{PATH}?{wrong}").json["error"]["details"][0]["field"] == "page"


def test_each_filter_finds_its_own(api, submit, app):
    with app.app_context(), transaction() as session:
        other = Project(name="Other", public_key="pk_other")
        session.add(other)
        session.flush()
        other_id = other.id
    rest = submit(created_at=T0 - timedelta(days=9))
    found = {
        "project=pk_other": submit(project_id=other_id, created_at=T0 - timedelta(days=8)),
        "category=idea": submit(category="idea", created_at=T0 - timedelta(days=7)),
        "status=spam": submit(status="spam", created_at=T0 - timedelta(days=6)),
        "is_read=true": submit(is_read=True, created_at=T0 - timedelta(days=5)),
        "is_archived=true": submit(is_archived=True, created_at=T0 - timedelta(days=4)),
        "has_screenshot=true": submit("ready", created_at=T0 - timedelta(days=3)),
        "session_id=abc": submit(session_id="abc", created_at=T0 - timedelta(days=2)),
        "reporter=a@b.example": submit(reporter_email="a@b.example", created_at=T0 - timedelta(days=1)),
        "from=2026-11-01T12:00:00Z": submit(created_at=T0),
    }
    for query, public_id in found.items():
        assert ids(api("GET", f"{PATH}?{query}")) == [public_id], query
    assert ids(api("GET", PATH + "?to=2026-10-24")) == [rest]
    for query in ("is_read=false", "is_archived=false", "has_screenshot=false"):
        assert len(ids(api("GET", f"{PATH}?{query}"))) == len(found)


def test_the_orders(api, submit):
    a, b, c = (
        submit(created_at=T0 + timedelta(hours=n), updated_at=T0 - timedelta(hours=n)) for n in range(3)
    )
    assert ids(api("GET", PATH)) == [c, b, a]
    assert ids(api("GET", PATH + "?sort=oldest")) == [a, b, c]
    assert ids(api("GET", PATH + "?sort=updated")) == [a, b, c]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("color=red", "color"),
        ("status=gone", "status"),
        ("is_read=1", "is_read"),
        ("is_archived=", "is_archived"),
        ("has_screenshot=yes", "has_screenshot"),
        ("sort=best", "sort"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-11-01T12:00:00", "from"),
        ("project=pk_unknown", "project"),
        ("status=open&status=spam", "status"),
        ("category=" + "x" * 65, "category"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_wrong_parameter_is_named(api, query, field):
    answer = api("GET", f"{PATH}?{query}")
    assert answer.status_code == 422, answer.text
    assert answer.json["error"]["code"] == "validation_failed"
    assert [detail["field"] for detail in answer.json["error"]["details"]] == [field]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_cursor_of_another_list_is_refused(api, submit):
    for _ in range(3):
        submit()
    cursor = api("GET", PATH + "?limit=1").json["page"]["next"]
    for query in (f"limit=1&sort=oldest&cursor={cursor}", f"status=open&cursor={cursor}", "cursor=x"):
        answer = api("GET", f"{PATH}?{query}")
        assert (answer.status_code, answer.json["error"]["code"]) == (400, "cursor_invalid")


def test_one_submission_has_everything(api, submit):
    marks = [{"kind": "text", "points": [[1, 2]], "text": "here"}]
    public_id = submit("ready", annotation_coords=marks, api_state={"a": [1]}, custom={"release": "1"})
    data = api("GET", f"{PATH}/{public_id}").json["data"]
    answers.Whole.model_validate(data)
    assert (data["annotation_coords"], data["api_state"], data["custom"]) == (
        marks,
        {"a": [1]},
        {"release": "1"},
    )
    assert data["screenshot"]["state"] == "ready"
    assert data["screenshot"]["url"] == f"{PATH}/{public_id}/screenshot"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_not_there_is_404(api, method):
    answer = api(method, f"{PATH}/01NOTHERE", json={"is_read": True})
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "not_found")


def test_changes_keep_the_roll_up_exact(api, submit, counts):
    public_id = submit("ready")
    submit()
    assert counts() == {("open", False): (2, 2, 1)}
    change = {"status": "resolved", "is_read": True, "category": "idea", "admin_notes": "Done ✓"}
    data = api("PATCH", f"{PATH}/{public_id}", json=change).json["data"]
    assert {name: data[name] for name in change} == change
    assert data["updated_at"] > data["created_at"]
    assert counts() == {("open", False): (1, 1, 0), ("resolved", False): (1, 0, 1)}
    api("PATCH", f"{PATH}/{public_id}", json={"is_archived": True})
    assert counts() == {("open", False): (1, 1, 0), ("resolved", True): (1, 0, 1)}
    api("PATCH", f"{PATH}/{public_id}", json={"is_archived": True})
    assert api("DELETE", f"{PATH}/{public_id}").json["data"] == {"id": public_id}
    assert counts() == {("open", False): (1, 1, 0)}


def test_two_changes_at_one_time_move_the_counts_once_each(api, submit, counts, app, database):
    public_id = submit()
    answers = []

    def close():
        answers.append(api("PATCH", f"{PATH}/{public_id}", json={"status": "closed"}).status_code)

    other = threading.Thread(target=close)
    with app.app_context(), transaction() as session:
        found = Feedback.by_public_id(session, public_id, lock=True)
        found.change(session, utc_now(), status="resolved")
        other.start()
        if database == "postgresql":  # SQLite's other writer waits for its turn in any case
            until(lambda: session.scalar(WAITING_FOR_US), "the other change to wait")
    other.join()
    assert answers == [200]
    assert counts() == {("closed", False): (1, 1, 0)}


def test_deleting_removes_the_picture_from_the_store(api, submit, app):
    public_id = submit("ready")
    with app.app_context():
        assert len(list(storage().list_keys())) == 2
    api("DELETE", f"{PATH}/{public_id}")
    with app.app_context():
        assert list(storage().list_keys()) == []
        db.session.rollback()


def test_a_held_submission_is_not_deleted_and_the_refusal_says_why(api, submit, app, counts):
    public_id = submit("ready")
    with app.app_context(), transaction() as session:
        terms = hold.Terms(reason="Asked for by counsel", placed_by="Jana Okafor")
        hold.place(session, Feedback.by_public_id(session, public_id), terms, T0)
    before = counts()
    answer = api("DELETE", f"{PATH}/{public_id}")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "held")
    assert "counsel" in answer.json["error"]["message"]
    assert api("GET", f"{PATH}/{public_id}/screenshot").status_code == 200
    assert counts() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "gone"}, "status"),
        ({"status": None}, "status"),
        ({"is_read": "true"}, "is_read"),
        ({"is_read": 1}, "is_read"),
        ({"is_archived": None}, "is_archived"),
        ({"category": "unknown"}, "category"),
        ({"category": 3}, "category"),
        ({"admin_notes": "x" * 10_001}, "admin_notes"),
        ({"admin_notes": None}, "admin_notes"),
        ({"description": "mine"}, "description"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_wrong_change_changes_nothing(api, submit, body, field):
    public_id = submit()
    before = api("GET", f"{PATH}/{public_id}").json
    answer = api("PATCH", f"{PATH}/{public_id}", json={"is_read": True} | body)
    assert answer.status_code == 422
    assert field in [detail["field"] for detail in answer.json["error"]["details"]]
    assert api("GET", f"{PATH}/{public_id}").json == before


@pytest.mark.parametrize(
    ("data", "media_type", "status", "code"),
    [
        (b"", "application/json", 400, "malformed_body"),
        (b"[]", "application/json", 400, "malformed_body"),
        (b'{"is_read": true, "is_read": false}', "application/json", 400, "malformed_body"),
        (b'{"is_read": NaN}', "application/json", 400, "malformed_body"),
        (b'{"admin_notes": "\\u0000"}', "application/json", 400, "malformed_body"),
        (b'{"admin_notes": "\\ud800"}', "application/json", 400, "malformed_body"),
        (b'{"admin_notes": ["\\ud800"]}', "application/json", 400, "malformed_body"),
        (b'{"admin_notes": "\xff"}', "application/json", 400, "malformed_body"),
        (b"[" * 100_000, "application/json", 400, "malformed_body"),
        (b"{}", "application/json", 422, "validation_failed"),
        (b'{"admin_notes": "' + b"x" * 1_100_000 + b'"}', "application/json", 413, "payload_too_large"),
        (b"is_read=true", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_loose_body_is_refused(api, submit, data, media_type, status, code):
    answer = api("PATCH", f"{PATH}/{submit()}", data=data, content_type=media_type)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)


def test_the_picture_is_served_as_a_picture_and_nothing_else(api, submit):
    path = f"{PATH}/{submit('ready')}/screenshot"
    for query in ("", "?size=thumb", "?size=full"):
        answer = api("GET", path + query)
        assert (answer.status_code, answer.mimetype) == (200, "image/webp")
        assert answer.headers["Content-Security-Policy"].endswith("sandbox")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["ETag"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_picture_that_is_known_is_not_sent_again(client, bearer, submit):
    path, headers = f"{PATH}/{submit('ready')}/screenshot", bearer("viewer")
    etag = client.get(path, headers=headers).headers["ETag"]
    assert client.get(path, headers=headers | {"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [(None, 404, "not_found"), ("pending", 409, "screenshot_pending"), ("failed", 404, "screenshot_failed")],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_picture_that_is_not_ready_says_why(api, submit, state, status, code):
    answer = api("GET", f"{PATH}/{submit(state)}/screenshot")
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert answer.headers.get("Retry-After") == ("1" if state == "pending" else None)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_picture_whose_blob_is_gone_is_404_and_a_store_that_is_away_503(api, submit, app, settings):
    path = f"{PATH}/{submit('ready')}/screenshot"
    with app.app_context():
        for blob in list(storage().list_keys()):
            storage().delete(blob.key)
    assert api("GET", path).status_code == 404
    assert api("GET", path + "?size=huge").status_code == 422


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_openapi_describes_the_endpoints(client):
    paths = client.get("/openapi.json").json["paths"]
    operation = paths["/admin/api/feedback"]["get"]
    assert {p["name"] for p in operation["parameters"]} >= {"from", "to", "status", "cursor", "limit"}
    assert operation["security"] == [{"token": []}, {"session": []}]
    assert set(paths["/admin/api/feedback/{public_id}"]) == {"get", "patch", "delete"}
    assert "409" in paths["/admin/api/feedback/{public_id}/screenshot"]["get"]["responses"]
