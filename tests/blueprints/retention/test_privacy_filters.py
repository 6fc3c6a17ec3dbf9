"""Saved views, policies and holds that name a person: told before an erasure, nameless after it."""

import json

import pytest
from sqlalchemy import select

from app.blueprints.retention import holds, policies, privacy_erase
from app.blueprints.retention.holds import Filter
from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.models import AuditEntry, Feedback, Hold, RetentionPolicy, SavedView, hold
from app.models.erasure import Person

JANA = Person("email", "jana@example.org")


@pytest.fixture
def policy(context):
    """Make a policy by name and query."""

    def make(name, query, **values):
        return policies.create({"name": name, "query": query, "keep_days": 10, **values})

    return make


def kept(model, name):
    column = model.reason if model is Hold else model.name
    found = db.session.scalars(select(model).where(column == name)).one()
    return found.query, found.is_active


def test_a_policy_loses_the_name_and_one_that_can_find_nothing_then_is_off(people, policy):
    policy("Hers", "email:jana@example.org")
    policy("Not hers", "rating:1 -email:jana@example.org", status="spam")
    policy("Otto's", "email:otto@example.org", status="trash")
    found = privacy_erase.preview(JANA)
    assert [(one.kind, one.name, one.fate) for one in found.named] == [
        ("policy", "Hers", "switched_off"),
        ("policy", "Not hers", "name_taken_out"),
    ]
    assert kept(RetentionPolicy, "Hers") == ("email:jana@example.org", True), "counting changes nothing"
    done = privacy_erase.erase(JANA, utc_now())
    assert done.removed["retention_policies"] == 2
    assert kept(RetentionPolicy, "Hers") == ("email:[erased]", False)
    assert kept(RetentionPolicy, "Not hers") == ("rating:1 -email:[erased]", True)
    assert kept(RetentionPolicy, "Otto's") == ("email:otto@example.org", True)
    assert privacy_erase.preview(JANA).is_empty


def test_a_hold_that_finds_and_keeps_nothing_ends_and_one_that_keeps_something_stays(people, plant):
    now = utc_now()
    holds.place_on(Filter(query="rating:5 email:jana@example.org"), "Nothing of hers", None, now)
    holds.place_on(
        Filter(query="email:otto@example.org OR email:jana@example.org rating:5"), "Both", None, now
    )
    once = holds.place_on(Filter(query="rating:5 reporter:jana@example.org"), "Once", None, now)
    with transaction() as session:
        hold.keep(session, once.id, [people["otto"]])
    done = privacy_erase.erase(JANA, utc_now())
    assert done.removed["holds"] == 3
    assert kept(Hold, "Nothing of hers") == ("rating:5 email:[erased]", False)
    assert kept(Hold, "Both") == ("email:otto@example.org OR email:[erased] rating:5", True)
    assert kept(Hold, "Once") == ("rating:5 reporter:[erased]", True)
    assert db.session.scalar(select(Hold.released_by).where(Hold.reason == "Nothing of hers")) == "an erasure"
    assert db.session.get(Feedback, people["otto"]).held


def test_what_a_filter_holds_is_held_before_anybody_has_marked_it(people, plant):
    holds.place_on(Filter(query="email:jana@example.org category:idea"), "Counsel", None, utc_now())
    plant(0, reporter_email="jana@example.org", category="idea")
    with pytest.raises(ClientError, match="Counsel") as refused:
        privacy_erase.erase(JANA, utc_now())
    assert refused.value.code == "held"
    assert kept(Hold, "Counsel")[0] == "email:jana@example.org category:idea"


@pytest.mark.parametrize(
    ("person", "named"),
    [
        (JANA, {"Her mail", "Her words", "Of jana@example.org"}),
        (Person("session", "s-1"), {"Her visit", "Her visit too"}),
        (Person("reporter", "bug"), {"An id"}),
    ],
    ids=["by e-mail", "by session", "by id"],
)
def test_a_view_that_names_the_person_goes_and_no_other(people, make_user, person, named):
    queries = {
        "Her mail": "reporter=Jana%40example.org",
        "Her words": "q=rating%3A1+OR+jana%40example.org",
        "Of jana@example.org": "category=bug",
        "Her visit": "session_id=s-1",
        "Her visit too": "q=is%3Aread+OR+session%3As-1",
        "An id": "q=is%3Aread+reporter%3Abug",
        "Bugs": "category=bug&q=bug",
        "Another visit": "session_id=s-10",
    }
    user_id = make_user().id
    with transaction() as session:
        for name, query in queries.items():
            session.add(SavedView(user_id=user_id, name=name, query=query))
    assert {one.name for one in privacy_erase.preview(person).named} == named
    assert privacy_erase.erase(person, utc_now()).removed["saved_views"] == len(named)
    assert set(db.session.scalars(select(SavedView.name))) == set(queries) - named


def test_the_audit_log_never_holds_whom_a_filter_names(people, policy):
    made = policy("Hers", "status:open email:jana@example.org")
    policies.change(made.public_id, {"query": "reporter:jana@example.org"})
    holds.place_on(Filter(query="rating:5 email:jana@example.org"), "Counsel", None, utc_now())
    privacy_erase.erase(JANA, utc_now())
    policies.delete("Hers")
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert "jana" not in "".join(f"{one.target}{one.details}" for one in entries).lower()
    said = {one.action: json.loads(one.details) for one in entries}
    assert said["policy.create"]["query"] == "status:open email:[withheld]"
    assert said["hold.add"]["query"] == "rating:5 email:[withheld]"
    assert said["policy.forget"]["fate"] == "switched_off"
    assert said["hold.forget"]["fate"] == "ended"


def test_the_command_tells_which_filters_name_the_person(people, policy, app):
    policy("Hers", "email:jana@example.org")
    run = app.test_cli_runner().invoke
    whom = ["privacy", "erase", "--email", "jana@example.org", "--dry-run"]
    said = run(args=whom).output
    assert "1  Policies whose filter names the person" in said
    assert (
        "Policy “Hers” names the person: it can find nothing without the name, and is switched off." in said
    )
    (found,) = json.loads(run(args=[*whom, "--json"]).output)["filters"]
    assert (found["kind"], found["name"], found["fate"]) == ("policy", "Hers", "switched_off")
