"""What is said about a submission: replies, notes, tags, and the reporter's own page."""

import json
from html import unescape

import pytest
from sqlalchemy import event, select, text

from app.blueprints.admin import answers
from app.database.transactions import transaction
from app.extensions import db
from app.models import Event, Feedback, Message, Tag, User

HTMX = {"HX-Request": "true"}

PATH = "/admin/api/feedback"


@pytest.fixture
def api(client, bearer):
    headers = bearer("admin")

    def call(method, path, **options):
        return client.open(path, method=method, headers=headers, **options)

    return call


@pytest.fixture
def link(app):
    def of(public_id):
        with app.app_context():
            return f"/f/{Feedback.by_public_id(db.session, public_id).status_token}"

    return of


def test_replies_and_notes_stand_in_the_thread_and_the_history(api, submit):
    public_id = submit()
    reply = api("POST", f"{PATH}/{public_id}/messages", json={"text": " Thank you.\r\n"})
    assert reply.status_code == 201
    answers.MessageData.model_validate(reply.json["data"])
    note = {"text": "Discount is null", "internal": True, "status": "in_progress"}
    api("POST", f"{PATH}/{public_id}/messages", json=note)
    whole = api("GET", f"{PATH}/{public_id}").json["data"]
    answers.Whole.model_validate(whole)
    told = [(one["kind"], one["text"], one["author"]) for one in whole["messages"]]
    assert told == [("reply", "Thank you.", "Admin"), ("note", "Discount is null", "Admin")]
    assert [act["kind"] for act in whole["history"]] == ["reply", "note", "status"]
    assert (whole["status"], whole["version"]) == ("in_progress", 2)


def test_the_thread_is_paged_newest_first(api, submit):
    public_id = submit()
    for n in range(3):
        api("POST", f"{PATH}/{public_id}/messages", json={"text": f"Number {n}"})
    first = api("GET", f"{PATH}/{public_id}/messages?limit=2").json
    second = api("GET", f"{PATH}/{public_id}/messages?limit=2&cursor={first['page']['next']}").json
    assert [one["text"] for one in first["data"] + second["data"]] == ["Number 2", "Number 1", "Number 0"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_message_that_says_nothing_or_too_much_is_refused(api, submit):
    path = f"{PATH}/{submit()}/messages"
    for body in (
        {},
        {"text": ""},
        {"text": " \n "},
        {"text": "x" * 10_001},
        {"text": 1},
        {"text": "a", "to": "b"},
    ):
        assert api("POST", path, json=body).status_code == 422, body
    assert api("GET", path).json["data"] == []
    assert api("POST", f"{PATH}/01NOTHERE/messages", json={"text": "a"}).status_code == 404


def test_tags_are_made_where_they_are_new_and_found_whatever_their_case(api, submit):
    one, other = submit(), submit()
    data = api("PATCH", f"{PATH}/{one}", json={"tags": ["Checkout", " big  cart "]}).json["data"]
    assert [tag["name"] for tag in data["tags"]] == ["big cart", "Checkout"]
    assert (data["version"], data["history"][0]["details"]["added"]) == (2, ["big cart", "Checkout"])
    api("PATCH", f"{PATH}/{other}", json={"tags": ["checkout"]})
    assert len(api("GET", "/admin/api/tags").json["data"]) == 2
    found = api("GET", f"{PATH}?tag=CHECKOUT").json["data"]
    assert {row["id"] for row in found} == {one, other}
    same = api("PATCH", f"{PATH}/{one}", json={"tags": ["CHECKOUT", "big cart"]}).json["data"]
    assert same["version"] == 2
    bare = api("PATCH", f"{PATH}/{one}", json={"tags": []}).json["data"]
    assert (bare["tags"], bare["version"]) == ([], 3)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_no_tag_is_refused(api, submit):
    public_id = submit()
    for names in (["a,b"], [""], ["x" * 41], ["a\nb\x07"], [str(n) for n in range(21)], "a"):
        answer = api("PATCH", f"{PATH}/{public_id}", json={"tags": names})
        assert answer.status_code == 422, names
        assert answer.json["error"]["details"][0]["field"] == "tags"


def test_a_tag_is_renamed_and_deleted_everywhere(api, submit, app):
    public_id = submit()
    data = api("PATCH", f"{PATH}/{public_id}", json={"tags": ["chekout", "cart"]}).json["data"]
    wrong = next(tag for tag in data["tags"] if tag["name"] == "chekout")
    path = f"/admin/api/tags/{wrong['id']}"
    assert api("PATCH", path, json={"name": "Cart"}).status_code == 409
    assert api("POST", "/admin/api/tags", json={"name": "CART"}).status_code == 409
    assert api("PATCH", path, json={"name": "checkout", "color": 3}).json["data"]["color"] == 3
    names = [tag["name"] for tag in api("GET", f"{PATH}/{public_id}").json["data"]["tags"]]
    assert names == ["cart", "checkout"]
    assert api("DELETE", path).status_code == 200
    assert api("DELETE", path).status_code == 404
    with app.app_context():
        assert db.session.scalars(select(Tag.name)).all() == ["cart"]


def test_the_reporter_reads_replies_and_never_notes(api, submit, link, client):
    public_id = submit(reporter_name="Marta Lindqvist")
    for body in ({"text": "Thank you, Marta."}, {"text": "She is right.", "internal": True}):
        api("POST", f"{PATH}/{public_id}/messages", json=body)
    api("PATCH", f"{PATH}/{public_id}", json={"admin_notes": "Old customer", "tags": ["vip"]})
    answer = client.get(link(public_id))
    assert "Thank you, Marta." in answer.text
    assert "Admin from Shop" in answer.text
    for secret in ("She is right.", "Old customer", "vip"):
        assert secret not in answer.text
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("status", ["resolved", "closed", "in_progress", "rejected"])
def test_an_answer_opens_what_was_settled_again(api, submit, link, client, counts, status):
    public_id = submit(status=status, is_read=True, reporter_name="Marta")
    sent = client.post(link(public_id) + "/messages", data={"text": "It happens again: größer"})
    assert (sent.status_code, sent.location) == (303, link(public_id) + "#latest")
    assert "It happens again: größer" in client.get(link(public_id)).text
    opened = "open" if status in ("resolved", "closed") else status
    data = api("GET", f"{PATH}/{public_id}").json["data"]
    assert (data["status"], data["is_read"]) == (opened, False)
    assert data["messages"][0]["author"] is None
    assert [act["actor"] for act in data["history"]] == ["Marta"] * len(data["history"])
    assert counts() == {(opened, False): (1, 1, 0)}


def test_the_reporter_answers_in_json_too(submit, link, client):
    sent = client.post(link(submit()) + "/messages", json={"text": "Thanks"})
    assert (sent.status_code, set(sent.json["data"])) == (201, {"id", "text", "created_at"})


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        (b"", "application/x-www-form-urlencoded", 422),
        (b"text=", "application/x-www-form-urlencoded", 422),
        (b"text=+%0A", "application/x-www-form-urlencoded", 422),
        (b"text=a&text=b", "application/x-www-form-urlencoded", 400),
        (b"text=%ff", "application/x-www-form-urlencoded", 400),
        (b"text=%00", "application/x-www-form-urlencoded", 422),
        (b"text=a&other=b", "application/x-www-form-urlencoded", 422),
        (b"text=" + b"a" * 10_001, "application/x-www-form-urlencoded", 422),
        (b"text=" + b"a" * 200_000, "application/x-www-form-urlencoded", 413),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 422),
        (b'{"text": 1}', "application/json", 422),
        (b'{"text": "a", "text": "b"}', "application/json", 400),
        (b'{"text": "\\ud800"}', "application/json", 400),
        (b"text", "text/plain", 415),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_loose_answer_is_refused_and_nothing_is_kept(app, submit, link, client, data, media_type, status):
    path = link(submit())
    sent = client.post(path + "/messages", data=data, content_type=media_type)
    assert sent.status_code == status, sent.text
    with app.app_context():
        assert db.session.scalars(select(Message)).all() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_was_typed_stays_when_an_answer_is_refused(submit, link, client):
    path = link(submit())
    sent = client.post(path + "/messages", data={"text": "x" * 10_001})
    assert (sent.status_code, sent.text.count("x" * 10_001)) == (422, 1)
    assert "at most 10,000 characters" in sent.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_page_takes_twenty_answers_an_hour(submit, link, client):
    path = link(submit()) + "/messages"
    codes = [client.post(path, json={"text": str(n)}).status_code for n in range(21)]
    assert codes == [201] * 20 + [429]
    refused = client.post(path, data={"text": "once more"})
    assert (refused.status_code, "once more" in refused.text) == (429, True)
    assert int(refused.headers["Retry-After"]) > 0


def test_a_revoked_link_is_gone_for_good_and_a_new_one_works(api, submit, link, client):
    public_id = submit("ready")
    first = link(public_id)
    revoked = api("PATCH", f"{PATH}/{public_id}/link", json={"revoked": True}).json["data"]
    assert revoked["status_url"] is None
    for path in (first, first + "/picture", first[:-1] + "A"):
        assert client.get(path).status_code == 404
    assert client.post(first + "/messages", json={"text": "a"}).status_code == 404
    renewed = api("PATCH", f"{PATH}/{public_id}/link", json={"revoked": False}).json["data"]
    second = renewed["status_url"].removeprefix("http://localhost")
    assert (second != first, client.get(second).status_code, client.get(first).status_code) == (
        True,
        200,
        404,
    )
    api("PATCH", f"{PATH}/{public_id}/link", json={"revoked": False})
    assert client.get(second).status_code == 404
    assert [act["kind"] for act in renewed["history"]] == ["link", "link"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_viewers_read_the_thread_and_change_nothing(client, bearer, submit):
    headers, path = bearer("viewer"), f"{PATH}/{submit()}"
    assert client.get(path + "/messages", headers=headers).status_code == 200
    assert client.get("/admin/api/tags", headers=headers).status_code == 200
    for call, where, body in (
        (client.post, path + "/messages", {"text": "a"}),
        (client.patch, path + "/link", {"revoked": True}),
        (client.patch, path, {"tags": []}),
        (client.post, "/admin/api/tags", {"name": "a"}),
    ):
        assert call(where, json=body, headers=headers).status_code == 403


def test_the_page_shows_the_thread_and_what_happened_in_one_stream(sign_in, submit, api):
    browser, public_id = sign_in("agent"), submit(reporter_name="Marta Lindqvist")
    path = f"/admin/feedback/{public_id}"
    browser.get(path)
    sent = browser.post(path + "/messages", {"kind": "reply", "text": "Thank you, Marta."})
    assert (sent.status_code, sent.location) == (303, path)
    browser.get(path)
    note = {"kind": "note", "text": "Discount is null", "status": "resolved"}
    part = browser.post(path + "/messages", note, HTMX | {"HX-Target": "div#detail"}).text
    assert "<html" not in part
    assert f'hx-target="#row-{public_id}"' in part
    api("PATCH", f"{PATH}/{public_id}", json={"assignee": "me", "tags": ["checkout"]})
    page = unescape(browser.get(path).text)
    order = ["Thank you, Marta.", "Discount is null", "moved it to Resolved", "took it, tagged it checkout"]
    places = [page.index(words) for words in order]
    assert places == sorted(places)
    assert page.count("said--note") == 1
    assert "Open again" in page


def test_earlier_entries_are_shown_on_demand(sign_in, submit, api):
    browser, public_id = sign_in(), submit()
    for n in range(32):
        api("POST", f"{PATH}/{public_id}/messages", json={"text": f"Number {n}."})
    page = unescape(browser.get(f"/admin/feedback/{public_id}").text)
    assert ("Number 31." in page, "Number 1." in page) == (True, False)
    earlier = page.split('id="earlier" href="')[1].split('"')[0]
    whole = browser.get(earlier).text
    assert "Number 0." in whole
    assert 'id="earlier"' not in whole
    assert browser.get(f"/admin/feedback/{public_id}?shown=0").status_code == 422


def test_a_form_gives_tags_and_people(sign_in, submit, api, make_user):
    ana = make_user("agent", "ana@example.org")
    browser, public_id = sign_in("admin"), submit()
    path = f"/admin/feedback/{public_id}"
    browser.get(path)
    browser.post(path, {"tags": ["", "old"], "new_tags": "new one, Other ,"})
    data = api("GET", f"{PATH}/{public_id}").json["data"]
    assert [tag["name"] for tag in data["tags"]] == ["new one", "old", "Other"]
    browser.get(path)
    browser.post(path, {"assignee": ana.public_id})
    assert api("GET", f"{PATH}/{public_id}").json["data"]["assignee"]["id"] == ana.public_id
    browser.get(path)
    browser.post(path, {"tags": ""})
    assert api("GET", f"{PATH}/{public_id}").json["data"]["tags"] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_wrong_message_form_is_refused(sign_in, submit):
    browser, public_id = sign_in("agent"), submit()
    path = f"/admin/feedback/{public_id}"
    wrong = (
        {"kind": "shout", "text": "a"},
        {"kind": "note", "text": " "},
        {"kind": "note", "text": "a", "status": "x"},
    )
    for form in wrong:
        browser.get(path)
        assert browser.post(path + "/messages", form).status_code == 422, form
    browser.get(path)
    assert browser.post(path + "/link", {"revoked": "perhaps"}).status_code == 422


def test_the_link_is_revoked_from_the_page(sign_in, submit, link, client):
    browser, public_id = sign_in("agent"), submit()
    path, first = f"/admin/feedback/{public_id}", link(public_id)
    assert first in browser.get(path).text
    browser.post(path + "/link", {"revoked": "true"})
    assert client.get(first).status_code == 404
    page = browser.get(path).text
    assert first not in page
    assert "The link is revoked" in page
    assert "revoked the reporter" in page


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_viewers_see_the_thread_without_controls(sign_in, submit, api):
    public_id = submit()
    api("POST", f"{PATH}/{public_id}/messages", json={"text": "A note", "internal": True})
    api("PATCH", f"{PATH}/{public_id}", json={"tags": ["checkout"], "assignee": "me"})
    page = sign_in("viewer").get(f"/admin/feedback/{public_id}").text
    for words in ("A note", "checkout", "Assignee:"):
        assert words in page
    for control in ("data-composer", 'name="tags"', 'name="assignee"', "/f/", "Revoke"):
        assert control not in page


def test_a_detail_with_its_thread_takes_five_statements(app, sign_in, submit, api):
    public_id = submit("ready")
    submit()
    for n in range(40):
        api("POST", f"{PATH}/{public_id}/messages", json={"text": f"Number {n}", "internal": n % 2 == 0})
    api("PATCH", f"{PATH}/{public_id}", json={"tags": ["a", "b", "c"], "assignee": "me"})
    browser, seen = sign_in(), []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    browser.client.get(f"/admin/feedback/{public_id}", headers=HTMX)
    statements = [text for text in seen if text.lstrip().upper().startswith("SELECT")]
    assert len(statements) <= 5, statements


def test_the_stream_is_read_by_its_index(app, submit):
    with app.app_context():
        query = (
            select(Event, Message)
            .outerjoin(Message, Message.event_id == Event.id)
            .where(Event.feedback_id == 1)
            .order_by(Event.id.desc())
            .limit(31)
        )
        compiled = query.compile(db.engine, compile_kwargs={"literal_binds": True})
        if db.engine.dialect.name == "sqlite":
            rows = db.session.execute(text(f"explain query plan {compiled}")).all()
            plan = " ".join(row.detail for row in rows)
            assert "ix_submission_events_feedback" in plan
            assert "TEMP B-TREE" not in plan
            assert "SCAN" not in plan


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_hostile_words_of_a_thread_are_only_words(sign_in, submit, link, client, make_user, app):
    hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
    browser, public_id = sign_in(), submit(reporter_name=hostile)
    path = f"/admin/feedback/{public_id}"
    with app.app_context(), transaction() as session:
        for user in session.scalars(select(User)):
            user.name = hostile
    client.post(link(public_id) + "/messages", json={"text": hostile})
    for form in ({"kind": "reply", "text": hostile}, {"kind": "note", "text": hostile}):
        browser.get(path)
        browser.post(path + "/messages", form)
    browser.get(path)
    browser.post(path, {"tags": "", "new_tags": hostile[:40], "assignee": "me"})
    for page in (browser.get(path).text, client.get(link(public_id)).text):
        assert "<script>alert" not in page
        assert "<img src=x" not in page


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_reporter_sees_the_newest_of_a_long_talk_and_earlier_on_demand(api, submit, link, client):
    public_id = submit()
    for n in range(31):
        api("POST", f"{PATH}/{public_id}/messages", json={"text": f"Number {n}."})
    page = client.get(link(public_id)).text
    assert ("Number 30." in page, "Number 0." in page) == (True, False)
    assert "?all=1" in page
    whole = client.get(link(public_id) + "?all=1").text
    assert "Number 0." in whole
    assert "?all=1" not in whole


def test_an_undo_after_send_and_resolve_brings_the_status_back_and_keeps_the_reply(sign_in, submit, api):
    browser, public_id = sign_in("agent"), submit()
    browser.get(f"/admin/feedback/{public_id}")
    form = {"kind": "reply", "text": "It is fixed.", "status": "resolved"}
    answer = browser.post(f"/admin/feedback/{public_id}/messages", form, HTMX)
    told = json.loads(answer.headers["HX-Trigger"])["earmark:act"]
    assert told["summary"] == "Reply sent, 1 submission resolved"
    browser.get("/admin/")
    undone = browser.client.post(
        f"/admin/api/acts/{told['id']}/undo", json={}, headers={"X-CSRFToken": browser.token}
    )
    assert undone.json["data"]["summary"] == "1 submission as before; the reply stays"
    whole = api("GET", f"{PATH}/{public_id}").json["data"]
    assert (whole["status"], [one["text"] for one in whole["messages"]]) == ("open", ["It is fixed."])


def test_the_answer_to_a_message_names_the_act_that_undoes_its_settling(api, submit):
    path = f"{PATH}/{submit()}/messages"
    plain = api("POST", path, json={"text": "Thank you."}).json["data"]
    assert plain["act"] is None
    settled = api("POST", path, json={"text": "Done.", "internal": True, "status": "closed"}).json
    answers.OneMessage.model_validate(settled)
    undone = api("POST", f"/admin/api/acts/{settled['data']['act']}/undo", json={})
    assert undone.json["data"]["summary"] == "1 submission as before; the note stays"
