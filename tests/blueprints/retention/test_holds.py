"""Holds by API and command: the same rules, refusals in a line, acts in the audit log and the timeline."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.blueprints.retention import holds_api
from app.clock import rfc3339, utc_now
from app.extensions import db
from app.models import Feedback, Hold
from app.models.audit import AuditEntry
from app.models.event import Event
from tests.blueprints.admin import conftest as admin

PATH = "/admin/api/holds"
PAST = "2020-01-01T00:00:00Z"
OPEN = {"status": "open"}
submit = admin.submit


@pytest.fixture
def api(client, bearer):
    headers = bearer("admin")

    def call(method, path=PATH, **options):
        return client.open(path, method=method, headers=headers, **options)

    return call


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()

    def go(*arguments, **options):
        found = runner.invoke(args=["retention", *arguments], **options)
        if "--json" not in arguments:
            return found
        assert found.exit_code == 0, found.output
        return json.loads(found.stdout)

    return go


def is_held(app, public_id):
    with app.app_context():
        return db.session.scalar(select(Feedback.held).where(Feedback.public_id == public_id))


def test_a_hold_on_one_submission_is_placed_read_listed_and_ended(api, app, submit):
    public_id = submit()
    until = rfc3339(utc_now() + timedelta(days=9))
    made = api("POST", json={"submission": public_id, "reason": "Asked for by counsel", "until": until})
    assert made.status_code == 201
    holds_api.OneHold.model_validate(made.json)
    hold = made.json["data"]
    assert (hold["submission"], hold["submissions"], hold["until"]) == (public_id, 1, until)
    assert is_held(app, public_id)
    assert api("DELETE", f"/admin/api/feedback/{public_id}").json["error"]["code"] == "held"
    listed = api("GET").json
    holds_api.HoldPage.model_validate(listed)
    assert listed["data"] == [hold]
    ended = api("DELETE", f"{PATH}/{hold['id']}").json["data"]
    assert (ended["submissions"], ended["released_by"]) == (0, "Admin")
    assert api("DELETE", f"{PATH}/{hold['id']}").json["data"] == ended, "twice is as once"
    assert not is_held(app, public_id)
    assert api("GET").json["data"] == []
    assert [one["id"] for one in api("GET", PATH + "?state=ended").json["data"]] == [hold["id"]]
    with app.app_context():
        acts = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert [act for act in acts if act.startswith("hold.")] == ["hold.add", "hold.release"]
        events = db.session.scalars(select(Event).where(Event.kind == "hold").order_by(Event.id)).all()
        assert [(one.actor, one.details["what"]) for one in events] == [
            ("Admin", "placed"),
            ("Admin", "ended"),
        ]


def test_a_hold_on_a_filter_says_what_it_is_on(api, app, submit, project):
    submit(), submit(category="idea", status="resolved")
    given = {"project": project.public_key, "status": "resolved", "q": "category:idea"}
    hold = api("POST", json={"filter": given, "reason": "Inquiry"}).json["data"]
    assert (hold["filter"], hold["submissions"], hold["submission"]) == (given, 1, None)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"submission": "01NONE", "reason": "x"}, 404, "not_found", None),
        ({"reason": "x"}, 422, "validation_failed", "submission"),
        ({"submission": "x", "filter": OPEN, "reason": "x"}, 422, "validation_failed", "submission"),
        ({"filter": {}, "reason": "x"}, 422, "validation_failed", "filter"),
        ({"filter": {"status": "gone"}, "reason": "x"}, 422, "validation_failed", "filter.status"),
        ({"filter": {"project": "pk_none"}, "reason": "x"}, 422, "validation_failed", "project"),
        ({"filter": {"q": "rating:many"}, "reason": "x"}, 422, "query_invalid", "q"),
        ({"filter": OPEN}, 422, "validation_failed", "reason"),
        ({"filter": OPEN, "reason": "x", "until": PAST}, 422, "validation_failed", "until"),
        ({"filter": OPEN, "reason": "x", "until": "tomorrow"}, 422, "validation_failed", "until"),
    ],
)
def test_what_cannot_be_held_is_refused_with_the_field_at_fault(api, body, status, code, field):
    answer = api("POST", json=body)
    error = answer.json["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert [fault["field"] for fault in error["details"]] == ([field] if field else [])
    assert api("GET").json["data"] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_hold_that_is_not_there_is_not_found(api):
    for method in ("GET", "DELETE"):
        assert api(method, f"{PATH}/01NONE").status_code == 404


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", ["viewer", "agent"])
def test_holds_are_the_admins(client, bearer, role):
    assert client.get(PATH, headers=bearer(role)).status_code == 403


def test_the_commands_hold_list_and_release(run, app, submit):
    public_id = submit()
    found = run("hold", public_id, "--reason", "Asked for by counsel", "--dry-run")
    assert (found.exit_code, is_held(app, public_id)) == (0, False)
    made = run("hold", public_id, "--reason", "Asked for by counsel", "--json")
    assert made["submissions"] == 1
    assert "Asked for by counsel" in run("holds").stdout
    assert run("release", made["id"], input="n\n").exit_code == 1
    assert is_held(app, public_id)
    assert run("release", public_id, "--yes", "--json") == {"id": public_id, "freed": 1}
    assert not is_held(app, public_id)
    assert run("release", public_id, "--yes").exit_code == 1
    made = run("hold", "--status", "open", "--reason", "Inquiry", "--until", "2999-01-01", "--yes", "--json")
    assert made["filter"] == {"status": "open"}
    assert run("release", made["id"], "--yes").exit_code == 0
    assert len(run("holds", "--ended", "--json")) == 2


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("hold", "--reason", "x"), 2),
        (("hold", "01NONE", "--status", "open", "--reason", "x"), 2),
        (("hold", "01NONE"), 2),
        (("hold", "01NONE", "--reason", "x", "--until", "tomorrow"), 2),
        (("hold", "--status", "gone", "--reason", "x"), 2),
        (("hold", "01NONE", "--reason", "x"), 1),
        (("hold", "--query", "rating:many", "--reason", "x", "--yes"), 1),
        (("release", "01NONE", "--yes"), 1),
        (("restore",), 2),
        (("restore", "--project", "pk_none"), 1),
        (("restore", "--from", "2026-13-01"), 2),
        (("vacuum", "--incremental", "0"), 2),
        (("vacuum", "--incremental", "1.5"), 2),
        (("vacuum", "status", "--incremental", "5"), 2),
    ],
)
def test_a_wrong_word_is_refused_in_a_line(run, app, arguments, exit_code):
    found = run(*arguments)
    assert found.exit_code == exit_code, found.output
    assert "Traceback" not in found.output
    with app.app_context():
        assert db.session.scalars(select(Hold)).all() == []


@pytest.mark.parametrize("name", ["hold", "release", "holds", "restore", "archives", "vacuum"])
def test_every_command_has_an_example(name):
    from app.blueprints.retention.group import retention

    assert f"Example: earmark retention {name}" in retention.commands[name].help
