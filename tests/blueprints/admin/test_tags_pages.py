"""The pages of tags: counts, renaming, colours, merging and deleting, by role."""

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import AuditEntry, FeedbackTag, Tag

PATH = "/admin/api/feedback"


@pytest.fixture
def api(client, bearer):
    def call(method, path, role="agent", **body):
        return client.open(path, method=method, headers=bearer(role), json=None if method == "GET" else body)

    return call


@pytest.fixture
def tags(api, submit):
    """Three submissions with checkout, of which one has basket as well; returns the tags' ids by name."""
    for names in (["checkout"], ["checkout"], ["checkout", "basket"]):
        assert api("PATCH", f"{PATH}/{submit()}", tags=names).status_code == 200
    return {row["name"]: row["id"] for row in api("GET", "/admin/api/tags").json["data"]}


def test_the_list_counts_and_leads_to_what_it_counts(sign_in, tags):
    browser = sign_in("viewer")
    text = browser.get("/admin/tags").text
    assert "status=any" in text
    assert "q=tag:checkout" in text
    assert "Make the tag" not in text
    assert browser.post("/admin/tags", {"name": "more"}).status_code == 403
    counted = browser.client.get("/admin/api/tags").json["data"]
    assert {row["name"]: row["submissions"] for row in counted} == {"basket": 1, "checkout": 3}
    assert "on <a" in browser.get(f"/admin/tags/{tags['checkout']}").text


def test_a_tag_is_made_renamed_and_coloured(app, sign_in, tags):
    browser = sign_in("agent")
    browser.get("/admin/tags")
    assert browser.post("/admin/tags", {"name": "urgent"}).status_code == 303
    browser.get("/admin/tags")
    taken = browser.post("/admin/tags", {"name": "Urgent"})
    assert taken.status_code == 409
    assert "Is the name of another tag." in taken.text
    path = f"/admin/tags/{tags['basket']}"
    browser.get(path)
    assert browser.post(path, {"name": "cart", "color": "7"}).status_code == 303
    with app.app_context():
        found = db.session.scalars(select(Tag).where(Tag.key == "cart")).one()
        assert found.color == 7
        db.session.rollback()


def test_what_a_tag_cannot_be_is_said_at_its_field(sign_in, tags):
    browser, path = sign_in("agent"), f"/admin/tags/{tags['basket']}"
    for form, status in (
        ({"name": "checkout", "color": "1"}, 409),
        ({"name": "a,b", "color": "1"}, 422),
        ({"name": "cart", "color": "9"}, 422),
        ({"name": "cart", "color": "red"}, 422),
        ({}, 422),
    ):
        browser.get(path)
        answer = browser.post(path, form)
        assert answer.status_code == status
        assert "field__error" in answer.text


def test_merging_gives_the_other_tag_once_and_is_written_down(app, sign_in, tags):
    browser, path = sign_in("admin"), f"/admin/tags/{tags['basket']}"
    assert "1 submission gets the other tag" in browser.get(path).text
    merged = browser.post(f"{path}/merge", {"into": tags["checkout"]})
    assert merged.status_code == 303
    assert browser.get(path).status_code == 404
    with app.app_context():
        assert db.session.scalars(select(Tag.name)).all() == ["checkout"]
        assert len(db.session.scalars(select(FeedbackTag.feedback_id)).all()) == 3
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "tag.merge")).one()
        assert entry.details == '{"into":"checkout","submissions":1}'
        db.session.rollback()


def test_merging_needs_an_admin_and_another_tag(api, tags, sign_in):
    path = f"/admin/api/tags/{tags['basket']}/merge"
    assert api("POST", path, into=tags["checkout"]).status_code == 403
    for into in (tags["basket"], "01NOTHING"):
        refused = api("POST", path, "admin", into=into)
        assert [fault["field"] for fault in refused.json["error"]["details"]] == ["into"]
    answer = api("POST", path, "admin", into=tags["checkout"])
    assert answer.json["data"]["submissions"] == 3
    browser = sign_in("admin")
    browser.get(f"/admin/tags/{tags['checkout']}")
    assert browser.post(f"/admin/tags/{tags['checkout']}/merge", {}).status_code in (404, 422)


def test_deleting_says_what_it_touches_and_leaves_the_submissions(api, sign_in, tags):
    browser, path = sign_in("admin"), f"/admin/tags/{tags['checkout']}"
    assert "taken off 3 submissions" in browser.get(path).text
    assert browser.post(f"{path}/delete", {}).status_code == 303
    assert len(api("GET", PATH).json["data"]) == 3
    assert [row["name"] for row in api("GET", "/admin/api/tags").json["data"]] == ["basket"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_list_takes_one_statement_for_any_number_of_tags(app, sign_in, tags, assert_statements):
    from app.blueprints.admin import tags as rules

    with app.app_context(), assert_statements(1):
        assert len(rules.all_tags()) == 2
