"""Policies, cleanup and purge by the API: what they do, refuse, and who may."""

import pytest

from app.clock import utc_now
from tests.blueprints.retention.conftest import NOW, there

POLICIES = "/admin/api/policies"


@pytest.fixture
def api(client, bearer):
    headers = bearer("admin")

    def call(method, path, **options):
        return client.open(path, method=method, headers=headers, **options)

    return call


@pytest.fixture
def aged(plant):
    """Plant by the server's clock."""
    shift = (NOW - utc_now()).total_seconds() / (24 * 3600)

    def add(days, **values):
        return plant(days + shift, **values)

    return add


def test_cleanup_deletes_what_is_older(api, aged):
    young, old = aged(10), aged(100, picture=40)
    dry = api("POST", "/admin/api/cleanup?retention_days=90&dry_run=true").json["data"]
    assert (dry["submissions_deleted"], dry["dry_run"], there()) == (1, True, {young, old})
    done = api("POST", "/admin/api/cleanup?retention_days=90").json["data"]
    assert (done["submissions_deleted"], done["screenshots_deleted"]) == (1, 1)
    assert done["bytes_freed"] == dry["bytes_freed"] > 40
    assert (done["retention_days"], done["finished"]) == (90, True)
    assert done["cutoff_date"].endswith("Z")
    assert there() == {young}


def test_cleanup_of_a_large_share_is_refused_unless_forced(api, aged):
    for _ in range(21):
        aged(100)
    refused = api("POST", "/admin/api/cleanup?retention_days=90")
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "retention_refused")
    assert len(there()) == 21
    assert api("POST", "/admin/api/cleanup?retention_days=90&force=true").status_code == 200
    assert there() == set()


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "x", "", "36501", "1e3"])
def test_an_age_that_is_none_is_422_and_deletes_nothing(api, aged, days):
    aged(100)
    for method, path in (("POST", "cleanup?retention_days="), ("DELETE", "purge?days_old=")):
        answer = api(method, f"/admin/api/{path}{days}")
        assert answer.status_code == 422
        assert answer.json["error"]["details"][0]["field"] in ("retention_days", "days_old")
    assert api("POST", "/admin/api/cleanup").status_code == 422
    assert len(there()) == 1


def test_purge_goes_by_status_age_and_policies(api, aged):
    kept = {aged(80, status="resolved"), aged(200), aged(3, status="spam")}
    aged(100, status="resolved"), aged(40, status="closed"), aged(8, status="rejected")
    assert (
        api("DELETE", "/admin/api/purge?status=rejected&days_old=30").json["data"]["submissions_deleted"] == 0
    )
    assert api("DELETE", "/admin/api/purge?status=rejected").json["data"]["submissions_deleted"] == 1
    assert api("DELETE", "/admin/api/purge").json["data"]["submissions_deleted"] == 2
    assert there() == kept
    assert api("DELETE", "/admin/api/purge?days_old=2").json["data"]["submissions_deleted"] == 2
    assert api("DELETE", "/admin/api/purge?status=gone").status_code == 422


def test_a_policy_is_made_changed_and_deleted(api, project):
    body = {"name": "Shop", "project": project.public_key, "keep_days": 30, "archive": True}
    made = api("POST", POLICIES, json=body)
    assert made.status_code == 201
    policy = made.json["data"]
    assert policy["sentence"] == "Submissions of Shop are archived and deleted 30 days after they arrive."
    path = f"{POLICIES}/{policy['id']}"
    changed = api("PATCH", path, json={"keep_bytes": 5000, "category": "bug"}).json["data"]
    assert (changed["keep_days"], changed["keep_bytes"], changed["category"]) == (None, 5000, "bug")
    assert api("GET", path).json["data"] == changed
    assert api("DELETE", path).json["data"] == {"id": policy["id"]}
    assert api("GET", path).status_code == 404
    assert len(api("GET", POLICIES).json["data"]) == 12


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "A"}, 422, "validation_failed"),
        ({"name": "A", "keep_days": 1, "keep_bytes": 1}, 422, "validation_failed"),
        ({"name": "A", "keep_days": True}, 422, "validation_failed"),
        ({"name": "A", "keep_days": 3, "kind": "audit", "status": "spam"}, 422, "validation_failed"),
        (
            {"name": "A", "keep_days": 3, "action": "drop_screenshots", "archive": True},
            422,
            "validation_failed",
        ),
        ({"name": "A", "keep_days": 3, "action": None}, 422, "validation_failed"),
        ({"name": "A", "keep_days": 3, "project": "pk_x"}, 422, "validation_failed"),
        ({"name": "A", "keep_days": 3, "query": "("}, 422, "query_invalid"),
        ({"name": "Spam", "keep_days": 3, "category": "bug"}, 409, "conflict"),
        ({"name": "A", "keep_days": 3, "status": "spam"}, 409, "policy_tie"),
        ({"name": "A", "keep_days": 3, "kind": "sessions"}, 409, "policy_tie"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(api, body, status, code):
    answer = api("POST", POLICIES, json=body)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert len(api("GET", POLICIES).json["data"]) == 12


def test_plan_runs_and_standing(api, aged):
    for _ in range(5):
        aged(0)
    aged(40, status="spam")
    plan = api("GET", "/admin/api/retention/plan?status=spam").json["data"]
    assert plan["submissions"] == 1
    run = api("POST", "/admin/api/retention/runs", json={"policy": "Spam"}).json["data"]
    assert (run["outcome"], run["submissions_deleted"]) == ("done", 1)
    assert api("GET", "/admin/api/retention/runs").json["data"][0]["id"] == run["id"]
    assert api("GET", "/admin/api/retention").json["data"]["last"]["id"] == run["id"]
    assert api("POST", "/admin/api/retention/runs", json={"older_than": 0}).status_code == 422
    assert api("POST", "/admin/api/retention/runs", json={"policy": "Nope"}).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "agent"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_but_an_admin_may(client, bearer, role, database):
    headers = bearer(role)
    for method, path in (
        ("POST", "/admin/api/cleanup?retention_days=1"),
        ("DELETE", "/admin/api/purge"),
        ("GET", POLICIES),
        ("GET", "/admin/api/retention/plan"),
    ):
        assert client.open(path, method=method, headers=headers).status_code == 403
        assert client.open(path, method=method).status_code == 401
