"""Who works on a submission, what happened to it, and edits that come too late."""

import pytest
from sqlalchemy import select

from app.database.transactions import transaction
from app.extensions import db
from app.models import Event, Feedback, User, event

PATH = "/admin/api/feedback"


@pytest.fixture
def api(client, bearer):
    headers = bearer("agent")

    def call(method, path, **options):
        return client.open(path, method=method, headers=headers, **options)

    return call


@pytest.fixture
def happened(app):
    def read(public_id):
        with app.app_context():
            query = (
                select(Event.kind, Event.actor, Event.details)
                .join(Feedback, Feedback.id == Event.feedback_id)
                .where(Feedback.public_id == public_id)
                .order_by(Event.id)
            )
            return [tuple(row) for row in db.session.execute(query)]

    return read


def test_each_change_stands_in_the_timeline_and_makes_a_new_version(api, submit, happened):
    public_id = submit()
    assert api("GET", f"{PATH}/{public_id}").json["data"]["version"] == 1
    changed = api("PATCH", f"{PATH}/{public_id}", json={"status": "resolved", "category": "idea"})
    assert changed.json["data"]["version"] == 2
    assert happened(public_id) == [
        ("status", "Agent", {"from": "open", "to": "resolved"}),
        ("category", "Agent", {"from": "bug", "to": "idea"}),
    ]


def test_reading_is_no_event_and_no_new_version(api, submit, happened):
    public_id = submit()
    assert api("PATCH", f"{PATH}/{public_id}", json={"is_read": True}).json["data"]["version"] == 1
    assert api("PATCH", f"{PATH}/{public_id}", json={"status": "open"}).json["data"]["version"] == 1
    assert happened(public_id) == []


def test_an_edit_that_was_overtaken_is_refused_and_says_by_what(api, submit, happened, client, bearer):
    public_id = submit()
    mine = {"category": "idea", "version": 1}
    other = bearer("admin")
    client.patch(f"{PATH}/{public_id}", headers=other, json={"status": "resolved"})
    refused = api("PATCH", f"{PATH}/{public_id}", json=mine)
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "conflict")
    assert "Admin moved it to Resolved" in refused.json["error"]["message"]
    assert len(happened(public_id)) == 1
    assert api("PATCH", f"{PATH}/{public_id}", json=mine | {"version": 2}).status_code == 200


def test_a_form_from_an_older_page_is_refused(sign_in, api, submit):
    browser, public_id = sign_in("admin"), submit()
    path = f"/admin/feedback/{public_id}"
    assert 'name="version" value="1"' in browser.get(path).text
    api("PATCH", f"{PATH}/{public_id}", json={"is_archived": True})
    refused = browser.post(path, {"status": "closed", "version": "1"})
    assert refused.status_code == 409
    assert "Agent archived it" in refused.text
    browser.get(path)
    assert browser.post(path, {"status": "closed", "version": "two"}).status_code == 422


def test_somebody_is_given_a_submission_and_it_is_found_by_them(api, submit, happened, make_user):
    ana, public_id, _ = make_user("agent", "ana@example.org"), submit(), submit()
    data = api("PATCH", f"{PATH}/{public_id}", json={"assignee": "Ana@example.org"}).json["data"]
    assert data["assignee"] == {"id": ana.public_id, "name": "Agent"}
    for name in (ana.public_id, ana.email):
        rows = api("GET", f"{PATH}?assignee={name}").json["data"]
        assert [row["id"] for row in rows] == [public_id]
    assert api("GET", f"{PATH}?assignee=me").json["data"] == []
    api("PATCH", f"{PATH}/{public_id}", json={"assignee": "me"})
    assert [row["id"] for row in api("GET", f"{PATH}?assignee=me").json["data"]] == [public_id]
    freed = api("PATCH", f"{PATH}/{public_id}", json={"assignee": "none"}).json["data"]
    assert freed["assignee"] is None
    assert [kind for kind, _, _ in happened(public_id)] == ["assignee"] * 3


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_only_who_may_work_on_it_is_given_a_submission(api, submit, make_user):
    viewer, public_id = make_user("viewer"), submit()
    for name in (viewer.email, "nobody@example.org", "01NOBODY"):
        answer = api("PATCH", f"{PATH}/{public_id}", json={"assignee": name})
        assert [detail["field"] for detail in answer.json["error"]["details"]] == ["assignee"]
    assert api("GET", f"{PATH}?assignee=nobody@example.org").status_code == 422


def test_a_user_who_is_gone_leaves_the_submission_and_the_name_in_the_timeline(
    app, api, submit, happened, make_user
):
    ana, public_id = make_user("agent", "ana@example.org"), submit()
    api("PATCH", f"{PATH}/{public_id}", json={"assignee": ana.email})
    with app.app_context(), transaction() as session:
        session.delete(session.get_one(User, ana.id))
    assert api("GET", f"{PATH}/{public_id}").json["data"]["assignee"] is None
    assert happened(public_id)[0][2] == {"from": None, "to": "Agent"}


def test_one_statement_writes_an_event_for_many(app, submit, assert_statements):
    for _ in range(3):
        submit()
    with app.app_context():
        with transaction() as session, assert_statements(1):
            event.add_many(session, select(Feedback.id), "archive", actor="Ana", details={"to": True})
        rows = db.session.execute(select(Event.version, Event.details)).all()
        assert [tuple(row) for row in rows] == [(1, {"to": True})] * 3


def test_ids_of_events_are_never_used_again(app, submit):
    submit()
    with app.app_context():
        with transaction() as session:
            event.add_many(session, select(Feedback.id), "archive", actor="Ana")
        last = db.session.scalar(select(Event.id))
        with transaction() as session:
            session.execute(Event.__table__.delete())
            event.add_many(session, select(Feedback.id), "archive", actor="Ana")
        assert db.session.scalar(select(Event.id)) > last
