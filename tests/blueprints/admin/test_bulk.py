"""Acts on many submissions: exact counts before and after, boxes kept, undo that overwrites nobody."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.blueprints.admin import bulk
from app.clock import utc_now
from app.database.tracking.scope import origin
from app.database.transactions import transaction
from app.extensions import db
from app.models import Act, ActRow, Event, Feedback, acts
from app.security import Actor

BULK = "/admin/api/feedback/bulk"


@pytest.fixture
def post(client, bearer):
    """Send a bulk act as somebody; returns the answer's data."""

    def send(path=BULK, role="agent", status=200, **body):
        answer = client.post(path, json=body, headers=bearer(role))
        assert answer.status_code == status, answer.json
        return answer.json["data"] if status == 200 else answer.json["error"]

    return send


def statuses(client, headers):
    items = client.get("/admin/api/feedback?limit=200&sort=oldest", headers=headers).json["data"]
    return {item["id"]: item["status"] for item in items}


def test_a_selection_is_changed_and_undone_with_exact_counts(app, post, submit, counts):
    ids = [submit("ready" if n == 0 else None, category="bug" if n % 2 else "idea") for n in range(3)]
    other = submit()
    before = counts()
    done = post(ids=ids, set={"status": "resolved", "is_read": True})
    assert (done["count"], done["transactions"]) == (3, 1)
    assert done["summary"] == "3 submissions resolved and marked as read"
    assert counts() == {("resolved", False): (3, 0, 1), ("open", False): (1, 1, 0)}
    undone = post(f"/admin/api/acts/{done['act']}/undo")
    assert (undone["count"], undone["left"]) == (3, 0)
    assert counts() == before
    assert other


def test_an_act_on_one_that_somebody_overtook_is_refused_and_told(client, bearer, post, submit):
    one, other = submit(), submit()
    client.patch(f"/admin/api/feedback/{one}", json={"category": "idea"}, headers=bearer("admin"))
    refused = post(ids=[one], set={"status": "resolved"}, version=1, status=409)
    assert refused["code"] == "conflict"
    assert "made it Idea" in refused["message"]
    assert statuses(client, bearer("agent")) == {one: "open", other: "open"}
    assert post(ids=[one], set={"status": "resolved"}, version=2)["count"] == 1
    assert post(ids=[one], set={"status": "closed"})["count"] == 1


@pytest.mark.parametrize("body", [{"ids": ["a", "b"]}, {"filter": {}}, {"ids": ["a"], "delete": True}])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_version_goes_with_one_id_that_is_set(post, submit, body):
    body = {**body, **({"ids": [submit() for _ in body["ids"]]} if "ids" in body else {})}
    given = body if "delete" in body else body | {"set": {"status": "closed"}}
    assert post(**given, version=1, status=422, role="admin")["details"][0]["field"] == "version"


def test_everything_that_matches_is_counted_before_and_changed_exactly(post, submit, counts):
    for n in range(7):
        submit(category="bug" if n < 5 else "idea")
    where = {"category": "bug", "status": "open"}
    assert post(filter=where, set={"status": "closed"}, dry_run=True)["count"] == 5
    assert counts() == {("open", False): (7, 7, 0)}
    assert post(filter=where, set={"status": "closed"})["count"] == 5
    assert counts() == {("open", False): (2, 2, 0), ("closed", False): (5, 5, 0)}


def test_what_arrived_after_the_page_is_left_out(post, submit):
    submit(created_at=datetime.now(UTC) - timedelta(minutes=1))
    shown = datetime.now(UTC).isoformat()
    submit(created_at=datetime.now(UTC) + timedelta(seconds=30))
    assert post(filter={"status": "open", "to": shown}, set={"status": "closed"})["count"] == 1


def test_an_undo_leaves_what_others_changed_since(client, bearer, post, submit):
    ids = [submit() for _ in range(3)]
    done = post(ids=ids, set={"status": "closed"})
    other = bearer("admin")
    client.patch(f"/admin/api/feedback/{ids[1]}", json={"status": "spam"}, headers=other)
    undone = post(f"/admin/api/acts/{done['act']}/undo")
    assert (undone["count"], undone["left"]) == (2, 1)
    assert undone["summary"] == "2 submissions as before, 1 left: changed since"
    assert statuses(client, other) == {ids[0]: "open", ids[1]: "spam", ids[2]: "open"}


def test_an_act_is_undone_once_and_by_its_maker_only(post, submit):
    done = post(ids=[submit()], set={"is_archived": True})
    path = f"/admin/api/acts/{done['act']}/undo"
    assert post(path, role="admin", status=404)["code"] == "not_found"
    post(path)
    assert post(path, status=409)["code"] == "conflict"


def test_each_undo_brings_back_what_each_submission_was(client, bearer, post, submit):
    headers = bearer("agent")
    ids = [submit(status=status, category=kind) for status, kind in (("open", "bug"), ("spam", "idea"))]
    me = client.get("/admin/api/views", headers=headers)
    assert me.status_code == 200
    for values in ({"status": "trash"}, {"category": "praise"}, {"assignee": "token-agent@example.org"}):
        done = post(ids=ids, set=values)
        assert done["count"] == 2
        post(f"/admin/api/acts/{done['act']}/undo")
    items = client.get("/admin/api/feedback?sort=oldest", headers=headers).json["data"]
    assert [(item["status"], item["category"], item["assignee"]) for item in items] == [
        ("open", "bug", None),
        ("spam", "idea", None),
    ]


def test_a_change_of_one_submission_is_undone_as_well(client, bearer, app, sign_in, submit):
    browser, public_id = sign_in("agent"), submit()
    browser.get(f"/admin/feedback/{public_id}")
    answer = browser.post(f"/admin/feedback/{public_id}", {"status": "resolved"}, {"HX-Request": "true"})
    told = answer.headers["HX-Trigger"]
    assert "1 submission resolved" in told
    with app.app_context():
        act = db.session.scalar(select(Act.public_id))
    assert act in told
    browser.get("/admin/")
    undone = browser.client.post(
        f"/admin/api/acts/{act}/undo", json={}, headers={"X-CSRFToken": browser.token}
    )
    assert undone.json["data"]["count"] == 1


def test_opening_a_submission_is_told_as_no_act(sign_in, submit):
    browser, public_id = sign_in("agent"), submit()
    browser.get(f"/admin/feedback/{public_id}")
    form = {"is_read": "true", "opened": "true"}
    answer = browser.post(f"/admin/feedback/{public_id}", form, {"HX-Request": "true"})
    assert "HX-Trigger" not in answer.headers


def test_the_timeline_says_of_each_submission_what_it_was(app, post, submit):
    ids = [submit(status="open"), submit(status="spam"), submit(status="closed")]
    done = post(ids=ids, set={"status": "closed"})
    assert done["count"] == 2
    post(f"/admin/api/acts/{done['act']}/undo")
    with app.app_context():
        query = select(Feedback.public_id, Event.details, Event.version, Event.actor).join(Event)
        found = [tuple(row) for row in db.session.execute(query.order_by(Event.id))]
    by_id = {
        public_id: [(d["from"], d["to"], v) for i, d, v, _ in found if i == public_id] for public_id in ids
    }
    assert by_id == {
        ids[0]: [("open", "closed", 2), ("closed", "open", 3)],
        ids[1]: [("spam", "closed", 2), ("closed", "spam", 3)],
        ids[2]: [],
    }
    assert {actor for *_, actor in found} == {"Agent"}


def test_more_than_one_transaction_holds_is_split_and_said(app, post, submit, monkeypatch, counts):
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    for _ in range(5):
        submit()
    done = post(filter={"status": "open"}, set={"status": "closed"})
    assert (done["count"], done["transactions"]) == (5, 3)
    assert counts() == {("closed", False): (5, 5, 0)}
    assert post(f"/admin/api/acts/{done['act']}/undo")["count"] == 5
    assert counts() == {("open", False): (5, 5, 0)}


def test_statements_do_not_grow_with_the_submissions(app, make_user, submit):
    user = make_user("agent")
    someone = Actor(user.id, user.public_id, user.name, user.email, user.role, None)
    ids = [submit() for _ in range(20)]
    seen = []
    for chosen in (ids[:2], ids[2:]):
        with app.app_context(), origin("test") as scope:
            bulk.change([Feedback.public_id.in_(chosen)], {"status": "closed"}, someone, utc_now())
        seen.append(scope.statements)
    assert seen[0] == seen[1] < 25


def test_deleting_for_good_needs_an_admin_and_leaves_what_is_held(app, post, submit, counts):
    ids = [submit(status="trash") for _ in range(3)]
    assert post(ids=ids, delete=True, status=403)["code"] == "forbidden"
    done = post(ids=ids[:2], delete=True, role="admin")
    assert (done["count"], done["act"], done["summary"]) == (2, None, "2 submissions deleted")
    assert counts() == {("trash", False): (1, 1, 0)}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ids"),
        ({"ids": ["x"], "filter": {}, "set": {"status": "open"}}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": ["x"]}, "set"),
        ({"ids": ["x"], "set": {}}, "set"),
        ({"ids": ["x"], "set": {"status": "open"}, "delete": True}, "set"),
        ({"ids": ["x"], "set": {"status": None}}, "status"),
        ({"ids": ["x"], "set": {"status": "gone"}}, "set.status"),
        ({"ids": ["x"], "set": {"assignee": "nobody@example.org"}}, "assignee"),
        ({"filter": {"project": "pk_none"}, "set": {"status": "open"}}, "project"),
        ({"filter": {"colour": "red"}, "set": {"status": "open"}}, "filter.colour"),
    ],
)
def test_what_means_nothing_is_refused(post, body, field):
    error = post(status=422, **body)
    assert [detail["field"] for detail in error["details"]] == [field]


def test_a_category_must_be_one_of_every_project(post, submit):
    public_id = submit()
    assert (
        post(ids=[public_id], set={"category": "nonsense"}, status=422)["details"][0]["field"] == "category"
    )
    assert post(ids=[public_id], set={"category": "idea"})["count"] == 1


def test_acts_are_forgotten_after_their_time(app, post, submit):
    done = post(ids=[submit()], set={"is_read": True})
    with app.app_context():
        with transaction() as session:
            acts.prune(session, utc_now())
        assert db.session.scalar(select(func.count()).select_from(ActRow)) == 1
        with transaction() as session:
            assert acts.prune(session, utc_now() + acts.KEPT) == 1
        assert db.session.scalar(select(func.count()).select_from(ActRow)) == 0
    assert post(f"/admin/api/acts/{done['act']}/undo", status=404)["code"] == "not_found"
