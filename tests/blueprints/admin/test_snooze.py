"""Snoozing: out of the boxes until a moment, back by itself and unread, with exact counts all the way."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from app.blueprints.admin import snoozing, timetable
from app.clock import rfc3339, utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import Event, Feedback, message, snooze
from app.models.rollup.check import recount

PATH = "/admin/api/feedback"
BULK = f"{PATH}/bulk"


@pytest.fixture
def pass_time(app):
    """Let what is snoozed be due, as if its time had come, and run the timetable."""

    def go():
        with app.app_context():
            with transaction() as session:
                session.execute(
                    update(Feedback)
                    .where(Feedback.snoozed_until.is_not(None))
                    .values(snoozed_until=utc_now() - timedelta(seconds=1))
                )
            timetable.wake_snoozed()

    return go


def later(**length):
    return rfc3339(utc_now() + timedelta(**length or {"days": 1}))


def test_it_leaves_its_box_and_comes_back_unread_by_itself(app, api, submit, counts, pass_time):
    public_id, until = submit(is_read=True), later()
    before = counts()
    data = api("PATCH", f"{PATH}/{public_id}", snoozed_until=until)
    assert (data["snoozed_until"], data["is_archived"], data["version"]) == (until, True, 2)
    assert counts() == {("open", True): (1, 0, 0)}
    with app.app_context():
        timetable.wake_snoozed()
    assert api("GET", f"{PATH}/{public_id}")["snoozed_until"] == until
    pass_time()
    data = api("GET", f"{PATH}/{public_id}")
    assert (data["snoozed_until"], data["is_archived"], data["is_read"]) == (None, False, False)
    assert counts() == {("open", False): (1, 1, 0)}
    assert before == {("open", False): (1, 0, 0)}
    assert [act["kind"] for act in data["history"]] == ["snooze", "wake"]
    assert data["history"][1]["actor"] == "Earmark"
    with app.app_context():
        assert recount().differences == ()


def test_many_are_woken_in_short_transactions(app, submit, api, pass_time, monkeypatch, counts):
    monkeypatch.setattr(snooze, "AT_ONCE", 2)
    ids = [submit() for _ in range(5)]
    assert api("POST", BULK, ids=ids, set={"snoozed_until": later()})["count"] == 5
    assert counts() == {("open", True): (5, 5, 0)}
    pass_time()
    assert counts() == {("open", False): (5, 5, 0)}


def test_bulk_says_what_it_did_and_is_undone(api, submit, counts):
    ids = [submit(), submit(is_archived=True)]
    before = counts()
    done = api("POST", BULK, ids=ids, set={"snoozed_until": later()})
    assert done["summary"] == "2 submissions snoozed"
    assert len(api("GET", f"{PATH}?q=is:snoozed")) == 2
    undone = api("POST", f"/admin/api/acts/{done['act']}/undo")
    assert undone["count"] == 2
    assert counts() == before
    assert api("GET", f"{PATH}?q=is:snoozed") == []
    woken = api("POST", BULK, ids=ids, set={"snoozed_until": None})
    assert (woken["count"], woken["act"]) == (0, None), "what is only archived is not woken"


def test_what_is_settled_is_snoozed_no_longer_and_an_undo_snoozes_it_again(api, submit, counts):
    public_id, until = submit(), later()
    api("PATCH", f"{PATH}/{public_id}", snoozed_until=until)
    done = api("POST", BULK, ids=[public_id], set={"status": "resolved"})
    data = api("GET", f"{PATH}/{public_id}")
    assert (data["snoozed_until"], data["is_archived"]) == (None, False)
    assert counts() == {("resolved", False): (1, 1, 0)}
    api("POST", f"/admin/api/acts/{done['act']}/undo")
    data = api("GET", f"{PATH}/{public_id}")
    assert (data["status"], data["snoozed_until"], data["is_archived"]) == ("open", until, True)
    assert counts() == {("open", True): (1, 1, 0)}
    api("PATCH", f"{PATH}/{public_id}", status="closed")
    assert api("GET", f"{PATH}/{public_id}")["is_archived"] is False


def test_archiving_it_is_for_good_and_undone(api, submit, pass_time):
    public_id, until = submit(), later()
    api("PATCH", f"{PATH}/{public_id}", snoozed_until=until)
    done = api("POST", BULK, ids=[public_id], set={"is_archived": True})
    assert done["count"] == 1
    data = api("GET", f"{PATH}/{public_id}")
    assert (data["is_archived"], data["snoozed_until"]) == (True, None)
    api("POST", f"/admin/api/acts/{done['act']}/undo")
    assert api("GET", f"{PATH}/{public_id}")["snoozed_until"] == until
    api("PATCH", f"{PATH}/{public_id}", is_archived=True)
    pass_time()
    assert api("GET", f"{PATH}/{public_id}")["is_archived"] is True


def test_a_change_meanwhile_is_left_by_the_undo(api, submit):
    public_id = submit()
    done = api("POST", BULK, ids=[public_id], set={"snoozed_until": later()})
    api("PATCH", f"{PATH}/{public_id}", snoozed_until=later(days=3))
    undone = api("POST", f"/admin/api/acts/{done['act']}/undo")
    assert (undone["count"], undone["left"]) == (0, 1)


def test_an_answer_of_the_reporter_wakes_it(app, api, submit, counts):
    public_id = submit(is_read=True)
    api("PATCH", f"{PATH}/{public_id}", snoozed_until=later())
    with app.app_context(), transaction() as session:
        found = Feedback.by_public_id(session, public_id, lock=True)
        message.add(session, found, message.REPORTER, "Still broken", now=utc_now())
    data = api("GET", f"{PATH}/{public_id}")
    assert (data["snoozed_until"], data["is_archived"], data["is_read"]) == (None, False, False)
    assert counts() == {("open", False): (1, 1, 0)}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "values",
    [
        {"snoozed_until": "2020-01-01T00:00:00Z"},
        {"snoozed_until": "3026-01-01T00:00:00Z"},
        {"snoozed_until": "tomorrow"},
        {"snoozed_until": 17},
        {"snoozed_until": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_until_what_is_no_time_to_come_nothing_is_snoozed(api, submit, values):
    public_id = submit()
    for method, path, body in (
        ("PATCH", f"{PATH}/{public_id}", values),
        ("POST", BULK, {"ids": [public_id], "set": values}),
    ):
        error = api(method, path, 422, **body)
        assert error["details"][0]["field"].rpartition(".")[2] == "snoozed_until"
    both = {"snoozed_until": later(), "is_archived": False}
    assert api("PATCH", f"{PATH}/{public_id}", 422, **both)["code"] == "validation_failed"


def test_the_menu_snoozes_and_wakes_and_the_list_says_until_when(sign_in, submit, api):
    browser, public_id = sign_in("agent"), submit()
    path = f"/admin/feedback/{public_id}"
    page = browser.get(path).text
    moments = re.findall(r'name="snoozed_until" value="([^"]+)"', page)
    assert moments, "late on a Sunday only tomorrow is left"
    answer = browser.post(
        path, {"snoozed_until": moments[0]}, {"HX-Request": "true", "HX-Target": "div#detail"}
    )
    assert "1 submission snoozed" in answer.headers["HX-Trigger"]
    assert "Wake it now" in answer.text
    assert public_id not in browser.get("/admin/").text
    listed = browser.get("/admin/?status=any&is_archived=any&q=is:snoozed").text
    assert public_id in listed
    assert "Until " in listed
    browser.get(path)
    assert browser.post(path, {"snoozed_until": ""}).status_code == 303
    assert public_id in browser.get("/admin/").text


def test_a_day_of_the_field_is_nine_o_clock_of_the_viewer(sign_in, submit, api):
    browser, public_id = sign_in("agent"), submit()
    path = f"/admin/feedback/{public_id}"
    browser.client.set_cookie("zone", "Asia/Tokyo", path="/admin")
    day = (utc_now() + timedelta(days=5)).date()
    browser.get(path)
    assert browser.post(path, {"snooze_day": day.isoformat()}).status_code == 303
    until = datetime.fromisoformat(api("GET", f"{PATH}/{public_id}")["snoozed_until"])
    assert until == datetime(day.year, day.month, day.day, tzinfo=UTC)
    for wrong in ("2026-02-31", "soon", "99999-01-01"):
        browser.get(path)
        assert browser.post(path, {"snooze_day": wrong}).status_code == 422


def test_moments_of_the_menu_are_those_of_the_viewer():
    zone = ZoneInfo("Europe/Stockholm")
    sunday = datetime(2026, 11, 29, 9, 40, tzinfo=UTC)
    assert [(choice.label, choice.when) for choice in snoozing.choices(sunday, zone)] == [
        ("Later today", "Sun 29 Nov, 13:00"),
        ("Tomorrow", "Mon 30 Nov, 09:00"),
    ]
    late = datetime(2026, 11, 25, 21, 30, tzinfo=UTC)
    assert [(choice.label, choice.until) for choice in snoozing.choices(late, zone)] == [
        ("Tomorrow", "2026-11-26T08:00:00Z"),
        ("Next week", "2026-11-30T08:00:00Z"),
    ]


def test_the_timeline_says_it_in_words(app, sign_in, submit, api):
    public_id = submit()
    api("PATCH", f"{PATH}/{public_id}", snoozed_until=later())
    api("PATCH", f"{PATH}/{public_id}", snoozed_until=None)
    text = sign_in("viewer").get(f"/admin/feedback/{public_id}").text
    assert "snoozed it until" in text
    assert "woke it" in text
    with app.app_context():
        kinds = db.session.scalars(select(Event.kind)).all()
    assert set(kinds) == {"snooze"}
