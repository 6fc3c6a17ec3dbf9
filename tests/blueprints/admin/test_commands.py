"""Commands for users, projects and tokens: what they print, and their exit codes."""

import json

import pytest

from app.blueprints.admin.commands import GROUPS
from app.extensions import db
from app.models import User
from app.models.user import password_matches
from tests.conftest import PASSWORD

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()

    def go(*arguments, **options):
        found = runner.invoke(args=list(arguments), **options)
        if "--json" in arguments and found.exit_code == 0:
            return json.loads(found.stdout)
        return found

    return go


def test_every_command_has_an_example():
    for group in GROUPS:
        for command in group.commands.values():
            assert f"Example: earmark {group.name} {command.name}" in command.help


def test_a_user_is_made_listed_and_changed(run, app):
    made = run("users", "create", "Jana@Example.org", "--role", "agent", "--name", "Jana", "--json")
    assert (made["email"], made["role"]) == ("jana@example.org", "agent")
    assert run("users", "set-role", "jana@example.org", "admin").exit_code == 0
    listed = run("users", "list", "--json")
    assert [(user["email"], user["role"], user["name"]) for user in listed] == [
        ("jana@example.org", "admin", "Jana")
    ]
    done = run("users", "set-password", "jana@example.org", "--password-stdin", input=PASSWORD + "\n")
    assert done.exit_code == 0
    assert PASSWORD not in done.output
    with app.app_context():
        assert password_matches(User.by_email(db.session, "jana@example.org"), PASSWORD)
        db.session.rollback()


def test_a_project_is_made_listed_and_given_a_new_key(run):
    made = run("projects", "create", "Shop", "--origin", "https://shop.example/", "--json")
    assert made["origins"] == ["https://shop.example"]
    assert run("projects", "rotate-key", made["key"], "--dry-run", "--json")["done"] is False
    rotated = run("projects", "rotate-key", made["key"], "--yes", "--json")
    assert rotated["old_key"] == made["key"]
    assert [row["key"] for row in run("projects", "list", "--json")] == [rotated["key"]]
    assert f"key={rotated['key']}" in run("projects", "list").output


def test_a_token_is_made_listed_and_revoked(run, client):
    run("users", "create", "jana@example.org", "--role", "admin")
    made = run("tokens", "create", "--user", "jana@example.org", "--role", "viewer", "--json")
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert client.get("/admin/api/feedback", headers=headers).status_code == 200
    assert made["token"] not in run("tokens", "list").output
    assert run("tokens", "revoke", made["id"], "--dry-run").exit_code == 0
    assert run("tokens", "revoke", made["id"], input="n\n").exit_code == 1
    assert run("tokens", "revoke", made["id"], input="y\n").exit_code == 0
    assert client.get("/admin/api/feedback", headers=headers).status_code == 401
    assert run("tokens", "list", "--json")[0]["revoked_at"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["users", "create", "jana", "--role", "agent"], 2),
        (["users", "create", "jana@x.example", "--role", "boss"], 2),
        (["users", "create", "jana@x.example"], 2),
        (["users", "create", "admin@example.org", "--role", "agent"], 1),
        (["users", "create", "a@x.example", "--role", "agent", "--password-stdin"], 2),
        (["users", "set-role", "nobody@x.example", "agent"], 1),
        (["users", "set-password", "nobody@x.example"], 1),
        (["projects", "create", ""], 2),
        (["projects", "create", "Shop"], 1),
        (["projects", "create", "Other", "--origin", "shop.example"], 2),
        (["projects", "rotate-key", "pk_unknown", "--yes"], 1),
        (["tokens", "create", "--user", "nobody@x.example", "--role", "viewer"], 1),
        (["tokens", "create", "--role", "viewer"], 2),
        (["tokens", "revoke", "unknown", "--yes"], 1),
    ],
)
@one_database
def test_what_cannot_be_done_is_said_in_one_line(run, make_user, project, arguments, code):
    make_user("admin")
    found = run(*arguments, input="short\n")
    assert found.exit_code == code
    assert "Traceback" not in found.output
    assert [line for line in found.stderr.splitlines() if line.startswith("Error:")]
