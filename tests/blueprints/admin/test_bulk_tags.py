"""Tags on many at once: what is put on and taken off is counted, told and undone exactly."""

import pytest
from sqlalchemy import select

from app.blueprints.admin import bulk
from app.clock import utc_now
from app.database.tracking.scope import origin
from app.extensions import db
from app.models import Event, Feedback, FeedbackTag, Tag
from app.security import Actor

BULK = "/admin/api/feedback/bulk"
PATH = "/admin/api/feedback"


@pytest.fixture
def api(client, bearer):
    headers = bearer("agent")

    def call(path, status=200, method="POST", **body):
        answer = client.open(path, method=method, headers=headers, json=None if method == "GET" else body)
        assert answer.status_code == status, answer.json
        return answer.json["data"] if status < 300 else answer.json["error"]

    return call


@pytest.fixture
def tagged(app):
    """Read the tags of submissions by public id."""

    def read():
        query = (
            select(Feedback.public_id, Tag.name)
            .join(FeedbackTag, FeedbackTag.feedback_id == Feedback.id)
            .join(Tag, Tag.id == FeedbackTag.tag_id)
        )
        with app.app_context():
            found: dict[str, set[str]] = {}
            for public_id, name in db.session.execute(query):
                found.setdefault(public_id, set()).add(name)
            return found

    return read


def test_tags_are_put_on_and_taken_off_and_the_undo_puts_back_only_that(api, submit, tagged, counts):
    ids = [submit() for _ in range(3)]
    api(f"{PATH}/{ids[0]}", method="PATCH", tags=["checkout", "old"])
    api(f"{PATH}/{ids[1]}", method="PATCH", tags=["other"])
    before, counted = tagged(), counts()
    done = api(BULK, ids=ids, set={"add_tags": ["Checkout", "new"], "remove_tags": ["old"]})
    assert (done["count"], done["transactions"]) == (3, 1)
    assert done["summary"] == "3 submissions tagged Checkout, new and no longer tagged old"
    assert tagged() == {
        ids[0]: {"checkout", "new"},
        ids[1]: {"other", "checkout", "new"},
        ids[2]: {"checkout", "new"},
    }
    undone = _undo(api, done)
    assert (undone["count"], undone["left"]) == (3, 0)
    assert tagged() == before
    assert counts() == counted


def _undo(api, done, status=200):
    return api(f"/admin/api/acts/{done['act']}/undo", status)


def test_what_has_the_tag_already_is_not_counted(api, submit):
    ids = [submit(), submit()]
    api(f"{PATH}/{ids[0]}", method="PATCH", tags=["checkout"])
    assert api(BULK, ids=ids, set={"add_tags": ["checkout"]})["count"] == 1
    again = api(BULK, ids=ids, set={"add_tags": ["checkout"]})
    assert (again["count"], again["act"]) == (0, None)


def test_everything_that_matches_is_tagged_and_found_by_it(api, submit):
    for kind in ("bug", "bug", "idea"):
        submit(category=kind)
    assert api(BULK, filter={"category": "bug"}, set={"add_tags": ["checkout"]})["count"] == 2
    assert len(api(f"{PATH}?tag=checkout", method="GET")) == 2


def test_the_timeline_tells_each_tag_and_makes_a_version(app, api, submit):
    public_id = submit()
    done = api(BULK, ids=[public_id], set={"add_tags": ["a", "b"]})
    _undo(api, done)
    with app.app_context():
        query = select(Event.kind, Event.details, Event.version).order_by(Event.id)
        found = [tuple(row) for row in db.session.execute(query)]
    assert found == [
        ("tags", {"added": ["a"], "removed": []}, 2),
        ("tags", {"added": ["b"], "removed": []}, 2),
        ("tags", {"added": [], "removed": ["a"]}, 3),
        ("tags", {"added": [], "removed": ["b"]}, 3),
    ]


def test_an_undo_leaves_what_somebody_retagged_since(api, submit, tagged):
    ids = [submit(), submit()]
    done = api(BULK, ids=ids, set={"add_tags": ["checkout"]})
    api(f"{PATH}/{ids[0]}", method="PATCH", tags=["kept"])
    undone = _undo(api, done)
    assert (undone["count"], undone["left"]) == (1, 1)
    assert tagged() == {ids[0]: {"kept"}}


def test_a_tag_that_is_gone_since_is_nothing_to_undo(app, client, bearer, api, submit, tagged):
    public_id = submit()
    done = api(BULK, ids=[public_id], set={"add_tags": ["checkout"], "status": "resolved"})
    (only,) = api("/admin/api/tags", method="GET")
    client.delete(f"/admin/api/tags/{only['id']}", headers=bearer("admin"))
    assert _undo(api, done)["count"] == 1
    assert tagged() == {}
    assert api(f"{PATH}/{public_id}", method="GET")["status"] == "open"


def test_tags_of_one_submission_are_undone_as_well(sign_in, submit, tagged, app):
    browser, public_id = sign_in("agent"), submit()
    browser.get(f"/admin/feedback/{public_id}")
    answer = browser.post(
        f"/admin/feedback/{public_id}", {"tags": "", "new_tags": "checkout, new"}, {"HX-Request": "true"}
    )
    assert "1 submission tagged checkout, new" in answer.headers["HX-Trigger"]
    act = answer.headers["HX-Trigger"].split('"id": "')[1].split('"')[0]
    browser.get("/admin/")
    undone = browser.client.post(
        f"/admin/api/acts/{act}/undo", json={}, headers={"X-CSRFToken": browser.token}
    )
    assert undone.json["data"]["count"] == 1
    assert tagged() == {}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"add_tags": []}, "set.add_tags"),
        ({"add_tags": ["a,b"]}, "add_tags"),
        ({"add_tags": [" "]}, "add_tags"),
        ({"add_tags": ["x" * 41]}, "add_tags"),
        ({"add_tags": ["a"] * 21}, "set.add_tags"),
        ({"add_tags": None}, "add_tags"),
        ({"remove_tags": ["nobody has it"]}, "remove_tags"),
        ({"add_tags": ["a"], "remove_tags": ["A"]}, "remove_tags"),
    ],
)
def test_what_is_no_tag_is_refused(api, submit, values, field):
    error = api(BULK, 422, ids=[submit()], set=values)
    assert [detail["field"] for detail in error["details"]] == [field]


def test_no_submission_gets_more_tags_than_one_may_have(api, submit, tagged):
    full, free = submit(), submit()
    api(f"{PATH}/{full}", method="PATCH", tags=[f"tag {n}" for n in range(19)])
    error = api(BULK, 422, ids=[full, free], set={"add_tags": ["a", "b"]})
    assert "more than 20 on 1 submission" in error["details"][0]["message"]
    assert free not in tagged()
    assert api(BULK, ids=[full, free], set={"add_tags": ["a", "b"], "remove_tags": ["tag 3"]})["count"] == 2


def test_statements_do_not_grow_with_the_submissions(app, make_user, submit):
    user = make_user("agent")
    someone = Actor(user.id, user.public_id, user.name, user.email, user.role, None)
    ids = [submit() for _ in range(20)]
    seen = []
    for chosen in (ids[:2], ids[2:]):
        with app.app_context(), origin("test") as scope:
            where = [Feedback.public_id.in_(chosen)]
            bulk.change(where, {"add_tags": ["checkout"]}, someone, utc_now())
        seen.append(scope.statements)
    assert seen[1] <= seen[0] < 30  # the first one makes the tag


def test_the_menu_of_a_selection_offers_the_tags(sign_in, api, submit):
    api(f"{PATH}/{submit()}", method="PATCH", tags=["it's <b>"])
    text = sign_in("agent").get("/admin/bulk/choices").text
    assert "it&#39;s &lt;b&gt;" in text
    assert "add_tags" in text
    assert "remove_tags" in text
