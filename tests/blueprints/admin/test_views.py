"""Saved views: kept under a name, seen by those they are for, counted in the rail."""

from html import unescape

import pytest


def make(client, headers, **values):
    given = {"name": "Unread bugs", "query": "is_read=false&category=bug&status=open"} | values
    return client.post("/admin/api/views", json=given, headers=headers)


def test_a_view_is_kept_renamed_and_deleted(client, bearer):
    headers = bearer("agent")
    made = make(client, headers)
    assert made.status_code == 201
    view = made.json["data"]
    assert view["query"] == "category=bug&is_read=false"
    assert view["url"] == "/admin/?category=bug&is_read=false"
    path = f"/admin/api/views/{view['id']}"
    assert client.patch(path, json={"name": "Mine"}, headers=headers).json["data"]["name"] == "Mine"
    assert [found["name"] for found in client.get("/admin/api/views", headers=headers).json["data"]] == [
        "Mine"
    ]
    assert client.delete(path, headers=headers).json["data"] == {"id": view["id"]}
    assert client.get(path, headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"query": "status=nowhere"}, "status"),
        ({"query": "colour=red"}, "query"),
        ({"query": "status"}, "query"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
    ],
)
def test_a_view_that_shows_no_list_is_refused(client, bearer, values, field):
    answer = make(client, bearer("agent"), **values)
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json["error"]["details"]] == [field]


def test_a_name_stands_once_for_each_user(client, bearer):
    assert make(client, bearer("agent")).status_code == 201
    assert make(client, bearer("agent")).status_code == 422
    assert make(client, bearer("viewer")).status_code == 201


def test_others_see_a_view_only_when_it_is_shared_and_only_an_admin_changes_it(client, bearer):
    agent, viewer, admin = bearer("agent"), bearer("viewer"), bearer("admin")
    path = f"/admin/api/views/{make(client, agent).json['data']['id']}"
    assert client.get(path, headers=viewer).status_code == 404
    client.patch(path, json={"is_shared": True}, headers=agent)
    assert client.get(path, headers=viewer).json["data"]["is_mine"] is False
    assert client.patch(path, json={"name": "Ours"}, headers=viewer).status_code == 403
    assert client.patch(path, json={"name": "Ours"}, headers=admin).status_code == 200
    assert client.patch(path, json={"is_shared": False}, headers=admin).json["data"]["owner"] == "Agent"
    assert client.get(path, headers=admin).status_code == 404


def test_a_viewer_keeps_views_but_does_not_share_them(client, bearer):
    headers = bearer("viewer")
    assert make(client, headers, is_shared=True).status_code == 403
    assert make(client, headers).status_code == 201


def test_the_rail_names_the_open_view_and_counts_each(sign_in, submit):
    browser = sign_in("agent")
    for category in ("bug", "bug", "idea"):
        submit(category=category)
    browser.get("/admin/?category=bug")
    answer = browser.post("/admin/views", {"name": "Bugs <b>", "query": "category=bug&status=open"})
    assert (answer.status_code, answer.location) == (303, "/admin/?category=bug")
    page = browser.get(answer.location).text
    assert '<h1 id="box">Bugs &lt;b&gt;</h1>' in page
    assert page.count('aria-current="page"') == 2  # in the rail, and the section in the dock
    counted = unescape(browser.get("/admin/views/counts").text)
    assert 'hx-swap="innerHTML">2</hx-partial>' in counted
    public_id = counted.split("#view-")[1].split('"')[0]
    assert browser.post(f"/admin/views/{public_id}/delete", {}).location == "/admin/?category=bug"
    assert "Bugs" not in browser.get("/admin/").text


def test_a_view_of_a_project_that_is_gone_is_left_uncounted(client, sign_in, submit):
    submit()
    browser = sign_in("agent")
    browser.get("/admin/")
    browser.post("/admin/views", {"name": "Gone", "query": "project=pk_gone"})
    answer = browser.get("/admin/views/counts")
    assert answer.status_code == 200
    assert "hx-partial" not in answer.text
