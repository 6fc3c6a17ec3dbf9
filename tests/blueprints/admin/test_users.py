"""Users: inviting and resetting by link, roles, deactivating; and that somebody can always manage Earmark."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import AccountLink, AuditEntry, User
from app.models.user import password_matches
from tests.blueprints.admin.conftest import Browser
from tests.conftest import PASSWORD

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NEW = "a horse of another colour"


@pytest.fixture
def admin(client, bearer):
    """Call the API as an admin: `admin("POST", "/users", {...})` answers status and body."""
    headers = bearer("admin")

    def call(method, path="", body=None):
        answer = client.open(f"/admin/api/users{path}", method=method, headers=headers, json=body)
        return answer.status_code, answer.json

    return call


@pytest.fixture
def stranger(app):
    return Browser(app.test_client())


def invited(admin, email="jana@example.org", role="agent"):
    status, body = admin("POST", "", {"email": email, "role": role})
    assert status == 201, body
    return body["data"]


def path_of(link):
    assert link.startswith("http://localhost/admin/welcome/")
    return link.removeprefix("http://localhost")


def actions(app):
    with app.app_context():
        found = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        db.session.rollback()
        return found


def test_an_invitation_sets_name_and_password_once_and_signs_in(admin, stranger, app):
    link = path_of(invited(admin, "Jana@Example.org")["link"])
    page = stranger.get(link)
    assert "jana@example.org" in page.text
    done = stranger.post(link, {"name": "Jana Okafor", "password": NEW})
    assert (done.status_code, done.location) == (303, "/admin/")
    assert "Jana Okafor" in stranger.get("/admin/").text
    other = Browser(app.test_client())
    assert other.get(link).status_code == 404
    assert other.post(link, {"name": "Eve", "password": NEW}).status_code == 404
    assert {"user.invite", "user.accept"} <= set(actions(app))


def test_a_link_is_kept_as_a_hash_only(admin, app):
    token = invited(admin)["link"].rpartition("/")[2]
    with app.app_context():
        (stored,) = db.session.scalars(select(AccountLink.token_hash)).all()
        assert token not in stored
        db.session.rollback()


def test_a_link_that_is_old_replaced_or_of_a_deactivated_user_is_over(admin, stranger, app):
    made = invited(admin)
    first = path_of(made["link"])
    second = path_of(admin("POST", f"/{made['id']}/link")[1]["data"]["link"])
    assert (stranger.get(first).status_code, stranger.get(second).status_code) == (404, 200)
    admin("PATCH", f"/{made['id']}", {"is_active": False})
    assert stranger.get(second).status_code == 404
    admin("PATCH", f"/{made['id']}", {"is_active": True})
    assert stranger.get(second).status_code == 200
    with app.app_context(), transaction() as session:
        session.scalars(select(AccountLink)).one().expires_at = utc_now() - timedelta(seconds=1)
    assert stranger.get(second).status_code == 404


def test_a_reset_sets_a_password_ends_sessions_and_keeps_the_name(admin, sign_in, stranger, app):
    browser = sign_in("agent")
    (found,) = [user for user in admin("GET")[1]["data"] if user["email"] == "agent@example.org"]
    status, body = admin("POST", f"/{found['id']}/link")
    assert (status, body["data"]["purpose"]) == (201, "reset")
    link = path_of(body["data"]["link"])
    assert stranger.get(link).status_code == 200
    assert stranger.post(link, {"name": "Ignored", "password": NEW}).status_code == 303
    assert browser.get("/admin/").status_code == 302
    with app.app_context():
        user = User.by_email(db.session, "agent@example.org")
        assert user.name == "Agent"
        assert password_matches(user, NEW)
        db.session.rollback()


@one_database
@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_a_password_out_of_bounds_leaves_the_link_open(admin, stranger, password):
    link = path_of(invited(admin)["link"])
    stranger.get(link)
    refused = stranger.post(link, {"name": "Jana", "password": password})
    assert refused.status_code == 422
    assert "12 to 256 characters" in refused.text
    assert stranger.get(link).status_code == 200


@one_database
def test_a_forged_link_is_over(stranger):
    assert stranger.get("/admin/welcome/" + "x" * 43).status_code == 404
    assert stranger.get("/admin/welcome/%00").status_code == 404


def test_the_last_admin_keeps_role_and_access(admin, make_user):
    (me,) = admin("GET")[1]["data"]
    for change in ({"role": "agent"}, {"is_active": False}):
        status, body = admin("PATCH", f"/{me['id']}", change)
        assert (status, body["error"]["code"]) == (409, "conflict")
    # Whoever never set a password cannot manage anything yet.
    invited(admin, "soon@example.org", "admin")
    assert admin("PATCH", f"/{me['id']}", {"role": "agent"})[0] == 409
    make_user("admin", "second@example.org")
    assert admin("PATCH", f"/{me['id']}", {"role": "agent"})[0] == 200


def test_a_change_of_role_or_access_ends_sessions_and_is_recorded(admin, sign_in, make_user, app):
    browser = sign_in("agent")
    (found,) = [user for user in admin("GET")[1]["data"] if user["email"] == "agent@example.org"]
    assert found["seen_at"] is not None
    status, body = admin("PATCH", f"/{found['id']}", {"role": "viewer", "name": "Vera"})
    assert (status, body["data"]["role"], body["data"]["name"]) == (200, "viewer", "Vera")
    assert browser.get("/admin/").status_code == 302
    assert admin("PATCH", f"/{found['id']}", {"is_active": False})[1]["data"]["state"] == "deactivated"
    assert {"role.change", "user.deactivate"} <= set(actions(app))


def test_an_invitation_is_withdrawn_but_nobody_else_is_removed(admin, make_user):
    made = invited(admin)
    agent = make_user("agent")
    assert admin("DELETE", f"/{made['id']}") == (200, {"success": True, "data": {"id": made["id"]}})
    assert admin("GET", f"/{made['id']}")[0] == 404
    assert admin("DELETE", f"/{agent.public_id}")[0] == 409


@one_database
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody", "role": "agent"}, "email"),
        ({"email": "a@b@c", "role": "agent"}, "email"),
        ({"email": "a b@c.example", "role": "agent"}, "email"),
        ({"email": "x" * 250 + "@c.example", "role": "agent"}, "email"),
        ({"email": "a@c.example", "role": "owner"}, "role"),
        ({"email": "a@c.example"}, "role"),
        ({"email": "a@c.example", "role": "agent", "name": "a\nb"}, "name"),
        ({"email": "token-admin@example.org", "role": "agent"}, "email"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_named(admin, body, field):
    status, answer = admin("POST", "", body)
    assert status == 422
    assert [fault["field"] for fault in answer["error"]["details"]] == [field]


def test_the_list_takes_one_statement_however_many(admin, app, make_user, assert_statements):
    from app.blueprints.admin import users

    for n in range(5):
        make_user("agent", f"agent{n}@example.org")
    with app.app_context():
        with assert_statements(1):
            found = users.all_users()
        assert len(found) == 6
        db.session.rollback()


def test_the_pages_invite_change_and_show_the_link_once(sign_in, app):
    browser = sign_in()
    browser.get("/admin/users")
    made = browser.post("/admin/users", {"email": "jana@example.org", "role": "agent", "name": "Jana"})
    assert made.status_code == 201
    assert "http://localhost/admin/welcome/" in made.text
    page = browser.get("/admin/users")
    assert "/admin/welcome/" not in page.text
    assert "jana@example.org" in page.text
    with app.app_context():
        public_id = User.by_email(db.session, "jana@example.org").public_id
        db.session.rollback()
    address = f"/admin/users/{public_id}"
    assert "Withdraw the invitation" in browser.get(address).text
    saved = browser.post(address, {"name": "Jana O.", "role": "viewer"})
    assert (saved.status_code, saved.location) == (303, f"{address}?saved=1")
    browser.get(address)
    assert browser.post(address, {"name": "", "role": "viewer"}).status_code == 422
    browser.get(address)
    assert "/admin/welcome/" in browser.post(f"{address}/link", {}).text
    browser.get(address)
    assert browser.post(f"{address}/withdraw", {}).location == "/admin/users"
    assert browser.get(address).status_code == 404


@one_database
def test_the_page_of_the_last_admin_says_why_nothing_was_changed(sign_in, app):
    browser = sign_in()
    with app.app_context():
        public_id = User.by_email(db.session, "admin@example.org").public_id
        db.session.rollback()
    browser.get(f"/admin/users/{public_id}")
    answer = browser.post(f"/admin/users/{public_id}", {"name": "Admin", "role": "viewer"})
    assert answer.status_code == 409
    assert "This is the last admin" in answer.text
    assert PASSWORD not in answer.text
