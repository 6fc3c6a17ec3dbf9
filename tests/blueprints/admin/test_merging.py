"""Merging duplicates: the merged one is closed and points to the other, and all of it can be taken back."""

import pytest
from sqlalchemy import event, select

from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Project, message
from app.models.rollup.check import recount

PATH = "/admin/api/feedback"
MERGE = f"{PATH}/merge"


@pytest.fixture
def link(app):
    def of(public_id):
        with app.app_context():
            return f"/f/{Feedback.by_public_id(db.session, public_id).status_token}"

    return of


@pytest.fixture
def answered(app):
    def write(public_id, text="Still broken"):
        with app.app_context(), transaction() as session:
            found = Feedback.by_public_id(session, public_id, lock=True)
            message.add(session, found, message.REPORTER, text, now=utc_now())

    return write


def test_the_oldest_stays_and_the_others_are_closed_and_point_to_it(app, api, submit, counts):
    first, second, third = submit(), submit(status="in_progress"), submit()
    done = api("POST", MERGE, ids=[third, first, second])
    assert (done["count"], done["into"], done["summary"]) == (2, first, "2 submissions merged")
    main = api("GET", f"{PATH}/{first}")
    assert [one["id"] for one in main["merged"]] == [second, third]
    merged = api("GET", f"{PATH}/{second}")
    assert (merged["status"], merged["merged_into"]["id"]) == ("closed", first)
    assert counts() == {("open", False): (1, 1, 0), ("closed", False): (2, 2, 0)}
    with app.app_context():
        assert recount().differences == ()


def test_it_is_taken_back_with_the_status_that_it_had(api, submit, counts):
    first, second = submit(), submit(status="in_progress")
    before = counts()
    api("POST", MERGE, ids=[second], into=first)
    api("POST", f"{PATH}/{second}/unmerge")
    assert counts() == before
    data = api("GET", f"{PATH}/{second}")
    assert (data["status"], data["merged_into"]) == ("in_progress", None)
    assert [act["kind"] for act in data["history"]] == ["status", "merge", "status", "unmerge"]
    assert [act["kind"] for act in api("GET", f"{PATH}/{first}")["history"]] == ["merged", "unmerged"]
    assert api("POST", f"{PATH}/{second}/unmerge", 409)["code"] == "conflict"


def test_a_status_that_somebody_set_since_stays(api, submit):
    first, second = submit(), submit()
    api("POST", MERGE, ids=[second], into=first)
    api("PATCH", f"{PATH}/{second}", status="spam")
    assert api("POST", f"{PATH}/{second}/unmerge")["status"] == "spam"


def test_there_are_no_chains_and_all_or_none_is_merged(app, api, submit):
    first, second, third = submit(), submit(), submit()
    with app.app_context(), transaction() as session:
        other = Project(name="Other")
        session.add(other)
        session.flush()
        other_id = other.id
    foreign = submit(project_id=other_id)
    api("POST", MERGE, ids=[second], into=first)
    for ids, into in (
        ([third], second),
        ([first], third),
        ([second], third),
        ([third, foreign], first),
        ([first], first),
        ([first], None),
    ):
        error = api("POST", MERGE, 422, ids=ids, **({"into": into} if into else {}))
        assert [fault["field"] for fault in error["details"]] == ["ids"]
    assert api("GET", f"{PATH}/{third}")["merged_into"] is None
    api("POST", MERGE, 404, ids=[first, "01ARZ3NDEKTSV4RRFFQ69G5FAV"])


def test_the_reporter_of_the_merged_one_sees_how_far_the_other_is(client, api, submit, link):
    first, second = submit(), submit()
    api("POST", MERGE, ids=[second], into=first)
    page = client.get(link(second)).text
    assert "We have it" in page
    assert "Others told us the same" in page
    api("PATCH", f"{PATH}/{first}", status="resolved")
    assert "It is settled" in client.get(link(second)).text
    api("POST", f"{PATH}/{second}/unmerge")
    assert "Others told us the same" not in client.get(link(second)).text


def test_an_answer_on_the_merged_one_is_seen_on_the_other(api, submit, answered, counts):
    first, second = submit(is_read=True), submit(is_read=True)
    api("POST", MERGE, ids=[second], into=first)
    api("PATCH", f"{PATH}/{first}", status="resolved")
    answered(second)
    main = api("GET", f"{PATH}/{first}")
    assert (main["status"], main["is_read"]) == ("open", False)
    assert main["history"][-2]["kind"] == "merged_answer"
    merged = api("GET", f"{PATH}/{second}")
    assert (merged["status"], [one["text"] for one in merged["messages"]]) == ("closed", ["Still broken"])
    assert counts() == {("open", False): (1, 1, 0), ("closed", False): (1, 0, 0)}


def test_the_other_one_may_go_and_the_merged_one_stays(client, bearer, api, submit, sign_in):
    first, second = submit(), submit()
    api("POST", MERGE, ids=[second], into=first)
    assert client.delete(f"{PATH}/{first}", headers=bearer("admin")).status_code == 200
    assert api("GET", f"{PATH}/{second}")["merged_into"] is None
    page = sign_in("agent").get(f"/admin/feedback/{second}").text
    assert "one that is gone" in page
    assert api("POST", f"{PATH}/{second}/unmerge")["status"] == "open"


def test_the_pages_show_and_undo_it(sign_in, api, submit):
    browser = sign_in("agent")
    first, second = submit(description="The total is wrong"), submit(description="The sum is <wrong>")
    path = f"/admin/feedback/{second}"
    browser.get(path)
    merged = browser.post(f"{path}/merge", {"into": f"http://localhost/admin/feedback/{first}?status=open"})
    assert merged.status_code == 303
    main = browser.get(f"/admin/feedback/{first}").text
    assert "1 merged" in main
    assert "The sum is &lt;wrong&gt;" in main
    assert f"merged {second[-6:-3]}-{second[-3:]} into it" in main
    assert "Take it out" in browser.get(path).text
    assert browser.post(f"{path}/unmerge", {}).status_code == 303
    assert "1 merged" not in browser.get(f"/admin/feedback/{first}").text
    for wrong in ("", "nothing", "01ARZ3NDEKTSV4RRFFQ69G5FAV"):
        browser.get(path)
        assert browser.post(f"{path}/merge", {"into": wrong}).status_code in (404, 422)


def test_a_detail_with_merged_ones_takes_six_statements(app, sign_in, submit, api):
    first = submit()
    api("POST", MERGE, ids=[submit() for _ in range(5)], into=first)
    browser, seen = sign_in(), []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    browser.client.get(f"/admin/feedback/{first}", headers={"HX-Request": "true"})
    statements = [text for text in seen if text.lstrip().upper().startswith("SELECT")]
    assert len(statements) <= 6, statements


def test_what_is_merged_is_archived_and_deleted_with_its_pointer(app, client, bearer, api, submit):
    first, second = submit(), submit()
    api("POST", MERGE, ids=[second], into=first)
    assert client.delete(f"{PATH}/{second}", headers=bearer("admin")).status_code == 200
    assert api("GET", f"{PATH}/{first}")["merged"] == []
    with app.app_context():
        assert db.session.scalars(select(Feedback.public_id)).all() == [first]
        db.session.rollback()
