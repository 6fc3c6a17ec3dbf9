"""Macros: whose they are, what they say of a submission, and what is set when they are sent."""

import json

import pytest

PATH = "/admin/api/feedback"
MACROS = "/admin/api/macros"
THANKS = {"name": "Thanks", "text": "Hello {first_name}, we have {reference} of {project}. {agent} {else}"}


def test_a_macro_is_kept_changed_and_deleted(api):
    made = api("POST", MACROS, expected=201, **THANKS, status="resolved", tags=["checkout"], assignee="me")
    assert (made["kind"], made["status"], made["tags"], made["is_shared"]) == (
        "reply",
        "resolved",
        ["checkout"],
        False,
    )
    path = f"{MACROS}/{made['id']}"
    assert api("PATCH", path, status=None, tags=[], kind="note")["status"] is None
    assert api("GET", path)["kind"] == "note"
    api("DELETE", path)
    api("GET", path, expected=404)
    assert api("GET", MACROS) == []


def test_a_shared_one_is_used_by_all_and_changed_by_its_maker_or_an_admin(api, make_user, client, bearer):
    own = api("POST", MACROS, role="admin", expected=201, name="Own", text="Mine")
    shared = api("POST", MACROS, role="admin", expected=201, name="All", text="Ours", is_shared=True)
    assert [one["name"] for one in api("GET", MACROS)] == ["All"]
    api("GET", f"{MACROS}/{own['id']}", expected=404)
    assert api("PATCH", f"{MACROS}/{shared['id']}", expected=403, name="Mine")["code"] == "forbidden"
    mine = api("POST", MACROS, expected=201, name="All", text="Mine", is_shared=True)
    assert api("PATCH", f"{MACROS}/{mine['id']}", role="admin", is_shared=False)["is_shared"] is False
    assert client.get(MACROS, headers=bearer("viewer")).status_code == 403


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "", "text": "a"}, "name"),
        ({"name": "a"}, "text"),
        ({"name": "a", "text": "  "}, "text"),
        ({"name": "a", "text": "a", "status": "gone"}, "status"),
        ({"name": "a", "text": "a", "assignee": "nobody"}, "assignee"),
        ({"name": "a", "text": "a", "tags": ["a,b"]}, "tags"),
        ({"name": "a", "text": "a", "kind": "reporter"}, "kind"),
        ({"name": "a", "text": "a", "colour": 1}, "colour"),
        ({"name": "Taken", "text": "a"}, "name"),
    ],
)
def test_what_cannot_be_kept_is_refused(api, values, field):
    api("POST", MACROS, expected=201, name="Taken", text="a")
    error = api("POST", MACROS, expected=422, **values)
    assert [fault["field"] for fault in error["details"]] == [field]


def test_its_text_is_filled_for_the_submission_and_escaped(api, sign_in, submit):
    browser = sign_in("agent")
    api("POST", MACROS, expected=201, is_shared=True, **THANKS, tags=["a", "b"], status="closed")
    named, nameless = submit(reporter_name="Ana <b> Karenina"), submit()
    part = {"HX-Request": "true"}
    text = browser.client.get(f"/admin/feedback/{named}/macros", headers=part).text
    assert f"Hello Ana, we have {named[-6:-3]}-{named[-3:]} of Shop. Agent {{else}}" in text
    assert 'data-macro-said="Closed, tagged a, b"' in text
    assert "Hello there," in browser.client.get(f"/admin/feedback/{nameless}/macros", headers=part).text
    assert browser.get("/admin/feedback/01ARZ3NDEKTSV4RRFFQ69G5FAV/macros").status_code == 404


def test_without_a_script_a_page_offers_them_and_the_composer_has_the_chosen_one(api, sign_in, submit):
    browser, public_id = sign_in("agent"), submit(reporter_name="Ana <b> Karenina")
    note = api("POST", MACROS, expected=201, **THANKS, kind="note", status="closed", is_shared=True)
    other = api("POST", MACROS, role="admin", expected=201, name="Own", text="Mine")
    path = f"/admin/feedback/{public_id}"
    assert f'href="{path}/macros?category=bug"' in browser.get(f"{path}?category=bug").text
    page = browser.get(f"{path}/macros?category=bug").text
    assert f'<option value="{note["id"]}"' in page
    assert '<input type="hidden" name="category" value="bug">' in page
    chosen = browser.get(f"{path}?category=bug&macro={note['id']}").text
    assert "Hello Ana, we have" in chosen
    assert f'<input type="hidden" name="macro" value="{note["id"]}">' in chosen
    assert 'value="note" checked' in chosen
    assert browser.client.get(f"{path}?macro={other['id']}").status_code == 404
    assert sign_in("viewer").get(f"{path}?macro={note['id']}").status_code == 403


def test_sending_with_it_sets_everything_at_once_and_the_undo_leaves_the_reply(api, sign_in, submit):
    browser, public_id = sign_in("agent"), submit()
    macro = api(
        "POST", MACROS, expected=201, is_shared=True, **THANKS, tags=["new"], status="closed", assignee="me"
    )
    api("PATCH", f"{PATH}/{public_id}", tags=["kept"])
    browser.get(f"/admin/feedback/{public_id}")
    form = {"kind": "reply", "text": "Hello Ana", "macro": macro["id"]}
    answer = browser.post(f"/admin/feedback/{public_id}/messages", form, {"HX-Request": "true"})
    told = json.loads(answer.headers["HX-Trigger"])["earmark:act"]
    assert told["summary"] == "Reply sent, 1 submission closed and given away and tagged new"
    data = api("GET", f"{PATH}/{public_id}")
    assert (data["status"], data["assignee"]["name"]) == ("closed", "Agent")
    assert [one["name"] for one in data["tags"]] == ["kept", "new"]
    browser.get("/admin/")
    undone = browser.client.post(
        f"/admin/api/acts/{told['id']}/undo", json={}, headers={"X-CSRFToken": browser.token}
    )
    assert undone.json["data"]["summary"] == "1 submission as before; the reply stays"
    data = api("GET", f"{PATH}/{public_id}")
    assert (data["status"], data["assignee"], len(data["messages"])) == ("open", None, 1)
    assert [one["name"] for one in data["tags"]] == ["kept"]


def test_a_script_sets_the_same_with_a_message(api, submit):
    path = f"{PATH}/{submit()}"
    sent = api("POST", f"{path}/messages", expected=201, text="Hi", add_tags=["a"], assignee="me")
    assert sent["act"]
    data = api("GET", path)
    assert ([one["name"] for one in data["tags"]], data["assignee"]["name"]) == (["a"], "Agent")
    refused = api("POST", f"{path}/messages", expected=422, text="Hi", assignee="nobody@example.org")
    assert refused["details"][0]["field"] == "assignee"
    assert len(api("GET", path)["messages"]) == 1, "all or nothing"


def test_a_macro_that_is_gone_or_anothers_is_not_sent(api, sign_in, submit):
    browser, public_id = sign_in("agent"), submit()
    macro = api("POST", MACROS, role="admin", expected=201, name="Own", text="Mine")
    for used in (macro["id"], "nothing"):
        browser.get(f"/admin/feedback/{public_id}")
        form = {"kind": "reply", "text": "Hello", "macro": used}
        assert browser.post(f"/admin/feedback/{public_id}/messages", form).status_code == 404
    assert api("GET", f"{PATH}/{public_id}")["messages"] == []


def test_the_pages_keep_change_and_delete(api, sign_in):
    browser = sign_in("agent")
    assert "No macro yet" in browser.get("/admin/macros").text
    form = {
        "name": "Thanks <b>",
        "kind": "note",
        "text": "Hello\r\nthere",
        "status": "resolved",
        "assignee": "me",
        "tags": "a, b,",
        "is_shared": "true",
    }
    assert browser.post("/admin/macros", form).status_code == 303
    (found,) = api("GET", MACROS)
    assert (found["text"], found["tags"], found["kind"]) == ("Hello\nthere", ["a", "b"], "note")
    text = browser.get("/admin/macros").text
    assert "Thanks &lt;b&gt;" in text
    assert "Resolved, tagged a, b, taken by you" in text
    refused = browser.post("/admin/macros", form | {"text": ""})
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    path = f"/admin/macros/{found['id']}"
    assert 'value="a, b"' in browser.get(path).text
    assert browser.post(path, form | {"status": "", "assignee": "", "tags": ""}).status_code == 303
    assert api("GET", MACROS)[0]["status"] is None
    browser.get(path)
    assert browser.post(path, form | {"status": "gone"}).status_code == 422
    browser.get(path)
    assert browser.post(f"{path}/delete", {}).status_code == 303
    assert api("GET", MACROS) == []
    assert sign_in("viewer").get("/admin/macros").status_code == 403
