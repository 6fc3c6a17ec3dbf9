"""Finding by page and by API: text and filter menu are two views of one query; errors stand in place."""

import html
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from app.blueprints.admin.wanted import Wanted
from app.database.transactions import transaction
from app.models import User, search, tag
from app.models.intake import Blob, submit
from tests.models.test_intake import NOW, submission


@pytest.fixture
def admin(sign_in):
    return sign_in("admin")


@pytest.fixture
def sent(app, project):
    with app.app_context():
        submit(submission(project, description="The <b>basket</b> is empty", category="idea"))
        submit(submission(project, Blob("k", "image/png", 1), description="Größe im Basket", is_read=True))
        submit(submission(project, description="voucher basket", status="closed", rating=1))
        submit(submission(project, description="old", created_at=NOW - timedelta(days=500)))
    return project


def listed(client, auth, **query):
    answer = client.get("/admin/api/feedback", query_string=query, headers=auth)
    assert answer.status_code == 200, answer.json
    return [row["description"] for row in answer.json["data"]], answer.json["page"]


def test_the_api_takes_a_query(client, bearer, sent):
    auth = bearer("viewer")
    assert listed(client, auth, q="basket")[0] == [
        "voucher basket",
        "Größe im Basket",
        "The <b>basket</b> is empty",
    ]
    assert listed(client, auth, q="basket", status="closed")[0] == ["voucher basket"]
    assert listed(client, auth, q="größe OR rating:1", sort="oldest")[0] == [
        "Größe im Basket",
        "voucher basket",
    ]
    assert listed(client, auth, q="")[0][-1] == "old"
    assert listed(client, auth, q="-basket")[0] == ["old"]


@pytest.mark.parametrize("sort", ["newest", "relevance"])
def test_pages_of_a_query_follow_each_other(client, bearer, sent, sort):
    auth = bearer("viewer")
    first, page = listed(client, auth, q="basket", sort=sort, limit=2)
    second, last = listed(client, auth, q="basket", sort=sort, limit=2, cursor=page["next"])
    assert (len(first), len(second), last["next"]) == (2, 1, None)
    assert listed(client, auth, q="basket", sort=sort, limit=2, cursor=last["prev"])[0] == first
    other = client.get(
        "/admin/api/feedback",
        query_string={"q": "voucher", "sort": sort, "cursor": page["next"]},
        headers=auth,
    )
    assert (other.status_code, other.json["error"]["code"]) == (400, "cursor_invalid")


def test_pages_by_age_follow_each_other_while_time_passes(client, bearer, sent):
    auth = bearer("viewer")
    _, page = listed(client, auth, q="age:>1h", limit=3)
    assert listed(client, auth, q="age:>1h", limit=3, cursor=page["next"])[0] == ["old"]


def test_a_wrong_query_names_the_place(client, bearer, sent):
    answer = client.get("/admin/api/feedback", query_string={"q": "a staus:open"}, headers=bearer("viewer"))
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "query_invalid")
    assert answer.json["error"]["details"] == [
        {
            "field": "q",
            "message": "At character 3: There is no filter staus:. To look for the words, put them in"
            " quotation marks. Did you mean “a status:open”?",
        }
    ]


def test_relevance_needs_words(client, bearer, sent):
    for query in (
        {"sort": "relevance"},
        {"sort": "relevance", "q": "is:read"},
        {"sort": "relevance", "q": "a", "page": 1},
    ):
        answer = client.get("/admin/api/feedback", query_string=query, headers=bearer("viewer"))
        assert (answer.status_code, answer.json["error"]["details"][0]["field"]) == (422, "sort")


def page(browser, **query):
    answer = browser.get("/admin/?" + urlencode(query))
    return answer.status_code, answer.text


def rows(text):
    return [
        html.unescape(re.sub(r"</?mark>", "|", found))
        for found in re.findall(r'class="row__text" dir="auto">(.*?)</span>', text)
    ]


def test_the_page_finds_marks_and_escapes(admin, sent):
    status, text = page(admin, q="basket")
    assert status == 200
    assert rows(text) == ["Größe im |Basket|", "The <b>|basket|</b> is empty"]
    assert "&lt;b&gt;<mark>basket</mark>&lt;/b&gt;" in text
    assert 'value="basket"' in text


def test_the_text_and_the_filter_menu_say_the_same(admin, sent):
    for query in ({"q": "category:idea basket"}, {"category": "idea", "q": "basket"}):
        _, text = page(admin, **query)
        assert rows(text) == ["The <b>|basket|</b> is empty"]
        assert 'value="category:idea basket"' in text
        assert '<option value="idea" selected>' in text
    _, text = page(admin, is_read="true", has_screenshot="true")
    assert 'value="is:read has:screenshot"' in text
    _, text = page(admin, q="status:closed")
    assert 'data-box="closed" aria-current="page"' in text
    assert rows(text) == ["voucher basket"]


def test_nothing_found_says_so_and_offers_all_boxes(admin, sent):
    _, text = page(admin, q="voucher")
    assert "No submission matches this" in text
    href = html.unescape(re.search(r'href="([^"]+)">Look in all boxes', text).group(1))
    assert rows(admin.get(href).text) == ["|voucher| basket"]


def test_a_wrong_query_is_marked_on_the_page(admin, sent):
    status, text = page(admin, q='basket staus:"<i>"')
    assert status == 422
    assert "<mark>staus:&#34;&lt;i&gt;&#34;</mark>" in text
    assert 'aria-invalid="true"' in text
    assert "This query cannot be read" in text
    assert 'class="row__text"' not in text


def test_relevance_is_offered_with_words_only(admin, sent):
    assert "sort=relevance" not in page(admin)[1]
    status, text = page(admin, q="basket", sort="relevance")
    assert status == 200
    assert "Ranked among the newest 2,000 matches" in text
    assert page(admin, q="is:unread", sort="relevance")[0] == 200


def test_the_list_takes_three_statements_with_words_too(app, admin, sent, assert_statements):
    from app.blueprints.admin.lists import load_list
    from app.blueprints.admin.rail import load_rail

    with app.app_context():
        search.catch_up(20)
    for query in ({}, {"q": "basket"}, {"q": "basket", "sort": "relevance"}, {"q": "rating:<3 OR basket"}):
        with app.test_request_context("/admin/"):
            wanted = Wanted.of(query)
            rail = load_rail(wanted, "inbox")
            with assert_statements(1):
                load_list(wanted, rail, None, NOW)


def test_names_are_completed(app, admin, make_user, sent):
    make_user("viewer", "vera@example.org")
    with app.app_context(), transaction() as session:
        for name in ("Checkout", "check_in", "Größe"):
            tag.make(session, name)
        session.add(User(email="jana@example.org", name="Jana Okafor", role="agent"))

    def names(**query):
        answer = admin.get("/admin/names?" + urlencode(query))
        return answer.status_code, answer.json

    assert names(of="tag", begins="CHECK") == (200, ["check_in", "Checkout"])
    assert names(of="tag", begins="check_") == (200, ["check_in"])
    assert names(of="tag", begins="größ") == (200, ["Größe"])
    assert names(of="assignee", begins="oka") == (200, ["Jana Okafor"])
    assert "Viewer" not in names(of="assignee")[1]
    for wrong in ({"of": "session"}, {"of": "tag", "begins": "x" * 41}, {"of": "tag", "begins": "\0"}):
        assert names(**wrong)[0] == 422


def test_the_page_says_when_the_index_is_far_behind(app, admin, sent, monkeypatch):
    monkeypatch.setattr("app.models.search.finding.MOST_DIRECT", 2)
    assert "Search is catching up: 4 to go" in page(admin, q="basket")[1]
    assert "Search is catching up: 4 to go" in page(admin, q="nowhere")[1]
    with app.app_context():
        search.catch_up(20)
    assert "catching up" not in page(admin, q="basket")[1]


SAID = [
    ({"q": "a OR b"}, "a OR b", "open"),
    ({"q": "a OR b", "is_read": "false"}, "is:unread (a OR b)", "open"),
    ({"q": "status:closed OR status:spam"}, "status:closed OR status:spam", "any"),
    ({"q": "-status:open"}, "-status:open", "any"),
    ({"q": "-has:screenshot session:s1"}, "-has:screenshot session:s1", "open"),
    ({"reporter": "ana@example.org"}, "email:ana@example.org", "open"),
]


def test_addresses_and_texts_are_one_filter(app):
    with app.test_request_context("/"):
        for given, text, status in SAID:
            wanted = Wanted.of(given)
            assert (wanted.text, wanted.status) == (text, status)
            again = Wanted.of({"q": wanted.text, "status": wanted.status})
            assert again.text == wanted.text


def test_an_act_on_everything_keeps_to_the_query(client, bearer, admin, sent):
    body = {"filter": {"q": "voucher OR old"}, "set": {"status": "resolved"}}
    answer = client.post("/admin/api/feedback/bulk", json=body, headers=bearer("agent"))
    assert (answer.status_code, answer.json["data"]["count"]) == (200, 2)
    _, text = page(admin, q="is:unread basket")
    assert '"q": "basket"' in html.unescape(text)
