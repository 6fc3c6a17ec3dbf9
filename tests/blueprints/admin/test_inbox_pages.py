"""The inbox's pages: what stands there, what a form changes, and hostile submissions."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import event

from app.database.transactions import transaction
from app.extensions import db
from app.models import Project

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
HTMX = {"HX-Request": "true"}


def test_the_first_start_shows_the_tag_until_something_is_sent(sign_in, submit, project):
    browser = sign_in()
    page = browser.get("/admin/").text
    assert "Nothing has been sent yet" in page
    assert project.public_key in page
    assert "The tag has not been seen" in browser.get("/admin/listening").text
    submit()
    assert browser.get("/admin/listening").headers["HX-Redirect"] == "/admin/"
    assert "It is broken" in browser.get("/admin/").text


def test_the_listening_line_says_when_the_tag_was_seen(app, sign_in, project):
    with app.app_context(), transaction() as session:
        session.get_one(Project, project.id).tag_seen_at = datetime.now(UTC) - timedelta(minutes=3)
    assert "The tag was seen on a page" in sign_in().get("/admin/listening").text


def test_a_submission_is_shown_with_its_facts(sign_in, submit):
    public_id = submit(
        "ready",
        description="The code says applied",
        url="https://shop.example/basket?x=1",
        reporter_name="Marta Lindqvist",
        reporter_email="marta@example.org",
        browser="Firefox 145",
        os="macOS",
        viewport_size="1280x800",
        device_pixel_ratio=2.0,
        session_id="9f3c41aaaaaaae07",
        rating=2,
        custom={"release": "web-1", "plan": "gold"},
        api_state={"cart": {"items": [1, 2], "discount": None}},
        annotation_coords=[{"kind": "rectangle", "points": [[1, 2], [3, 4]], "color": "#d63a0f"}],
    )
    page = unescape(sign_in().get(f"/admin/feedback/{public_id}").text)
    for words in (
        "Marta Lindqvist",
        'href="https://shop.example/basket?x=1"',
        "Firefox 145, macOS",
        "1280 × 800 at 2×",
        "web-1",
        "9f3c41…e07",
        "Weak, 2 of 5",
        "marta@example.org",
        "M1 2H3V4H1Z",
        "cart",
        '"gold"',
        f"/admin/api/feedback/{public_id}/screenshot",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    ("state", "words"), [("pending", "Picture on its way"), ("failed", "it is no image")]
)
def test_a_picture_that_is_not_there_says_so(sign_in, submit, state, words):
    browser, public_id = sign_in(), submit(state)
    assert words in browser.get(f"/admin/feedback/{public_id}").text
    polled = browser.get(f"/admin/feedback/{public_id}/picture", **HTMX)
    assert polled.status_code == (204 if state == "pending" else 200)


def test_hostile_words_are_only_words(sign_in, submit):
    public_id = submit(
        description=HOSTILE,
        url="javascript:alert(1)",
        reporter_name=HOSTILE,
        reporter_id=HOSTILE,
        session_id=HOSTILE,
        browser=HOSTILE,
        api_state={HOSTILE: {HOSTILE: HOSTILE}},
        custom={HOSTILE: HOSTILE, "release": HOSTILE},
        admin_notes="</textarea>" + HOSTILE,
        annotation_coords=[{"kind": "text", "points": [[0, 0]], "text": HOSTILE, "color": HOSTILE}],
    )
    browser = sign_in()
    for path in ("/admin/", f"/admin/feedback/{public_id}", f"/admin/?session_id={HOSTILE}&status=any"):
        page = browser.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="javascript:' not in page


def test_a_form_changes_and_goes_back_to_the_submission(sign_in, submit, counts):
    browser, public_id = sign_in("agent"), submit()
    path = f"/admin/feedback/{public_id}?category=bug"
    browser.get(path)
    answer = browser.post(path, {"status": "in_progress"})
    assert (answer.status_code, answer.location) == (303, path)
    assert counts() == {("in_progress", False): (1, 1, 0)}


def test_htmx_gets_the_parts_that_change(sign_in, submit):
    browser, public_id = sign_in("agent"), submit()
    path = f"/admin/feedback/{public_id}"
    assert "<html" not in browser.get(path, **HTMX).text
    part = browser.post(path, {"admin_notes": "a\r\nb"}, HTMX | {"HX-Target": "div#detail"}).text
    assert "a\nb</textarea>" in part
    assert "Saved" in part
    assert f'hx-target="#row-{public_id}"' in part
    browser.get("/admin/projects")
    browser.get(path)
    only_row = browser.post(path, {"status": "resolved"}, HTMX).text
    assert "Notes" not in only_row
    assert "row--settled" in only_row
    assert "<html" in browser.get(path, **HTMX, **{"HX-History-Restore-Request": "true"}).text


def test_opening_marks_as_read_by_a_form_that_viewers_do_not_get(sign_in, submit):
    public_id = submit()
    assert 'hx-trigger="load"' in sign_in("agent").get(f"/admin/feedback/{public_id}").text
    viewed = sign_in("viewer").get(f"/admin/feedback/{public_id}").text
    assert 'hx-trigger="load"' not in viewed
    assert "Resolve</button>" not in viewed
    assert "Mark as" not in viewed


@pytest.mark.parametrize(
    "form",
    [{}, {"status": "gone"}, {"is_read": "maybe"}, {"category": "none"}, {"admin_notes": "x" * 10_001}],
)
def test_a_wrong_form_is_refused(sign_in, submit, form):
    browser, public_id = sign_in(), submit()
    browser.get(f"/admin/feedback/{public_id}")
    assert browser.post(f"/admin/feedback/{public_id}", form).status_code == 422


def test_deleting_for_good_asks_and_only_in_the_trash(sign_in, submit, counts):
    browser, public_id = sign_in(), submit()
    assert browser.get(f"/admin/feedback/{public_id}/delete").status_code == 409
    browser.get(f"/admin/feedback/{public_id}")
    browser.post(f"/admin/feedback/{public_id}", {"status": "trash"})
    assert "This cannot be undone" in browser.get(f"/admin/feedback/{public_id}/delete?status=trash").text
    answer = browser.post(f"/admin/feedback/{public_id}/delete?status=trash", {})
    assert answer.location == "/admin/?status=trash"
    assert counts() == {}
    assert browser.get(f"/admin/feedback/{public_id}").status_code == 404


def test_previous_and_next_stay_inside_the_filter(sign_in, submit):
    t = datetime(2026, 11, 1, tzinfo=UTC)
    a, other, b = (
        submit(category=kind, created_at=t + timedelta(hours=n))
        for n, kind in enumerate(("bug", "idea", "bug"))
    )
    browser = sign_in()
    for sort, first, second in (("", b, a), ("&sort=oldest", a, b)):
        page = unescape(browser.get(f"/admin/feedback/{first}?category=bug{sort}").text)
        after = page.split('data-step="next"')[1][:300]
        assert f"/admin/feedback/{second}?category=bug{sort}" in after
        assert "aria-disabled" in page.split('data-step="prev"')[1][:200]
    assert other


def test_pages_of_the_list_go_both_ways(sign_in, submit):
    t = datetime(2026, 11, 1, tzinfo=UTC)
    for n in range(51):
        submit(description=f"Number {n}.", created_at=t + timedelta(minutes=n))
    browser = sign_in()
    first = unescape(browser.get("/admin/").text)
    assert "Number 50." in first
    assert "Number 0." not in first
    older = first.split('rel="next" href="')[1].split('"')[0]
    second = unescape(browser.get(older).text)
    assert "Number 0." in second
    assert second.split('rel="prev" href="')[1].startswith("/admin/?cursor=")
    assert browser.get("/admin/?cursor=wrong").location == "/admin/"


def test_the_list_says_when_nothing_matches(sign_in, submit):
    submit()
    browser = sign_in()
    assert "No submission matches this" in browser.get("/admin/?category=idea").text
    assert "The trash is empty" in browser.get("/admin/?status=trash").text
    assert "Nothing is resolved" in browser.get("/admin/?status=resolved").text
    assert browser.get("/admin/?status=nowhere").status_code == 422
    assert browser.get("/admin/?project=pk_unknown").status_code == 404


def test_filters_stand_as_chips_that_take_them_away(sign_in, submit, project):
    submit(is_read=True, is_archived=True, session_id="abcdefghij", reporter_email="a@b.example")
    page = (
        sign_in()
        .get(
            f"/admin/?project={project.public_key}&category=bug&is_read=true&is_archived=any&has_screenshot=false"
            "&session_id=abcdefghij&reporter=a@b.example&status=any"
        )
        .text
    )
    for words in ("Bug", "Read", "With archived", "Without picture", "Session abcdefgh", "a@b.example"):
        assert words in page
    assert page.count('class="chip" ') == 8


def test_arrivals_are_counted_from_the_first_row_on(sign_in, submit):
    browser = sign_in()
    since = "2026-11-01T00:00:00%2B00:00"
    assert browser.get(f"/admin/arrivals?since={since}").status_code == 204
    submit()
    submit(status="spam")
    assert "Show 1 new" in browser.get(f"/admin/arrivals?since={since}").text
    for wrong in ("", "soon", "2026-11-01T00:00:00"):
        assert browser.get(f"/admin/arrivals?since={wrong}").status_code == 422


def test_a_page_of_the_inbox_takes_three_statements_beside_the_session(app, sign_in, submit):
    for _ in range(3):
        submit("ready")
    browser, seen = sign_in(), []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    browser.client.get("/admin/")
    statements = [text for text in seen if text.startswith("SELECT") and "FROM sessions" not in text]
    assert len(statements) == 3, statements
