"""What people do in the admin's part stands in the audit log: who, what, to what, and what was refused."""

import json

import pytest
from sqlalchemy import select

from app import refusals
from app.database.transactions import transaction
from app.extensions import db
from app.limits_storage import rate_limiter
from app.models import AuditEntry, Feedback, audit_chain
from tests.conftest import PASSWORD


@pytest.fixture
def recorded(app):
    """Return the entries of an action: actor, target, outcome, details."""

    def of(action):
        with app.app_context():
            query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
            found = [(e.actor, e.target, e.outcome, json.loads(e.details)) for e in db.session.scalars(query)]
            db.session.remove()
            return found

    return of


def sign_in(client, email, password):
    token = client.get("/admin/sign-in").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"email": email, "password": password, "csrf_token": token}
    return client.post("/admin/sign-in", data=form)


def test_signing_in_out_and_refused_sign_ins_are_recorded(client, make_user, recorded):
    user = make_user("agent")
    assert sign_in(client, user.email, "not the password").status_code == 401
    assert sign_in(client, "correct horse battery!", PASSWORD).status_code == 401
    assert sign_in(client, user.email, PASSWORD).status_code == 303
    page = client.get("/admin/").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert client.post("/admin/sign-out", data={"csrf_token": token}).status_code == 303
    target = f"user:{user.email}"
    assert recorded("session.start") == [
        ("anonymous", target, "refused", {}),
        ("anonymous", None, "refused", {}),  # what was typed may be a password
        (user.email, target, "done", {}),
    ]
    assert recorded("session.end") == [(user.email, target, "done", {})]


def test_a_forbidden_act_of_a_signed_in_person_is_recorded(client, bearer, recorded):
    assert client.get("/admin/api/projects", headers=bearer("agent")).status_code == 403
    assert client.get("/admin/api/projects").status_code == 401
    expected = ("token-agent@example.org", "GET admin_api.list_projects", "refused", {"code": "forbidden"})
    assert recorded("access.refuse") == [expected]


def test_a_refusal_that_is_asked_for_again_and_again_is_written_at_powers_of_ten(
    app, client, bearer, recorded
):
    def refused(path, headers, times=1):
        for _ in range(times):
            assert client.get(path, headers=headers).status_code == 403

    agent, viewer = bearer("agent"), bearer("viewer")
    refused("/admin/api/projects", agent, 25)
    refused("/admin/api/projects", viewer)
    refused("/admin/api/tokens", agent)
    with app.app_context():
        storage = rate_limiter().storage
        now, storage.now = storage.now, lambda: now() + refusals.WINDOW_SECONDS + 1
    refused("/admin/api/projects", agent)
    found = [(entry[0], entry[1], entry[3].get("number", 1)) for entry in recorded("access.refuse")]
    again = ("token-agent@example.org", "GET admin_api.list_projects")
    assert found == [
        (*again, 1),
        (*again, 10),
        ("token-viewer@example.org", "GET admin_api.list_projects", 1),
        ("token-agent@example.org", "GET admin_api.list_tokens", 1),
        (*again, 1),
    ]
    with app.app_context():
        assert audit_chain.verify().is_intact


def test_a_refusal_that_cannot_be_counted_is_written(app, client, bearer, recorded, monkeypatch):
    def away(*_):
        raise OSError

    headers = bearer("agent")
    with app.app_context():
        monkeypatch.setattr(rate_limiter().storage, "incr", away)
    for _ in range(2):
        assert client.get("/admin/api/projects", headers=headers).status_code == 403
    assert len(recorded("access.refuse")) == 2


def test_an_entry_carries_the_id_of_its_request(app, client, bearer):
    headers = bearer() | {"X-Request-ID": "made-by-jana"}
    client.post("/admin/api/projects", json={"name": "Kiosk"}, headers=headers)
    with app.app_context():
        assert db.session.scalars(select(AuditEntry.request_id)).all() == ["made-by-jana"]


def test_changes_of_projects_and_tokens_are_recorded(client, bearer, recorded):
    headers, me = bearer(), "token-admin@example.org"
    key = client.post("/admin/api/projects", json={"name": "Kiosk"}, headers=headers).json["data"]["key"]
    address = f"/admin/api/projects/{key}"
    client.patch(address, json={"name": "Till", "screenshots": True}, headers=headers)
    client.delete(address, headers=headers)
    target = f"project:{key}"
    assert recorded("project.create") == [(me, target, "done", {"name": "Kiosk"})]
    assert recorded("project.change") == [(me, target, "done", {"name": {"from": "Kiosk", "to": "Till"}})]
    assert recorded("project.delete") == [(me, target, "done", {"name": "Till"})]
    made = client.post("/admin/api/tokens", json={"name": "nightly", "role": "viewer"}, headers=headers)
    address = f"/admin/api/tokens/{made.json['data']['id']}"
    client.patch(address, json={"role": "agent"}, headers=headers)
    client.delete(address, headers=headers)
    client.delete(address, headers=headers)
    assert recorded("token.create")[0][3] == {"name": "nightly", "role": "viewer", "user": me}
    assert recorded("token.change")[0][3] == {"role": {"from": "viewer", "to": "agent"}}
    assert len(recorded("token.revoke")) == 1, "revoked once"
    assert made.json["data"]["token"] not in str(recorded("token.create"))


def test_a_deleted_submission_is_recorded(app, client, bearer, project, recorded):
    with app.app_context(), transaction() as session:
        found = Feedback(project_id=project.id, category="bug", description="x")
        session.add(found)
        session.flush()
        public_id = found.public_id
    client.delete(f"/admin/api/feedback/{public_id}", headers=bearer())
    expected = ("token-admin@example.org", f"submission:{public_id}", "done", {})
    assert recorded("submission.delete") == [expected]


def test_requests_for_plans_are_recorded_without_their_values(client, bearer, recorded):
    headers, address = bearer(), "/api/performance/query-plan"
    wanted = {"sql": "select id from users where email = 'jana@example.org'"}
    assert client.post(address, json=wanted, headers=headers).status_code == 200
    assert client.post(address, json={"sql": "drop table users"}, headers=headers).status_code == 422
    (_, _, outcome, details), refused = recorded("plan.request")
    assert outcome == "done"
    assert "from users" in details["sql"]
    assert "jana" not in details["sql"]
    assert refused[2:] == ("refused", {"code": "query_refused"})


def test_commands_are_recorded_with_who_ran_them(app, recorded):
    run = app.test_cli_runner().invoke
    run(args=["users", "create", "jana@example.org", "--role", "agent"])
    run(args=["users", "set-role", "jana@example.org", "admin"])
    run(args=["users", "set-password", "jana@example.org"])
    entries = recorded("user.create") + recorded("role.change") + recorded("user.password")
    assert [entry[3] for entry in entries] == [{"role": "agent"}, {"from": "agent", "to": "admin"}, {}]
    assert {entry[1] for entry in entries} == {"user:jana@example.org"}
    assert all(entry[0].startswith("command:") for entry in entries)


def test_a_refused_act_leaves_no_entry_of_it(client, bearer, project, recorded):
    taken = client.post("/admin/api/projects", json={"name": project.name}, headers=bearer())
    assert taken.status_code == 422
    assert recorded("project.create") == []
