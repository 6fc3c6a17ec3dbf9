"""What a page says where there is nothing, not yet, not for you, or not now."""

import base64
import io
import re
import sqlite3

import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from tests.browser.conftest import DESKTOP, PHONE, TOO_WIDE, make_user, sign_in
from tests.browser.team import ask, statuses, until

# A desk of 1440 px at 200 %.
ZOOMED = {"width": 720, "height": 450}
# In microseconds since 1970, as the database has it: in 2099, so that no worker takes the picture up.
LATER = 4_070_908_800_000_000


@pytest.fixture(scope="module")
def viewer(server) -> str:
    """Somebody who only reads; returns the e-mail address."""
    return make_user(server, "vera@example.org", "viewer")


@pytest.fixture
def pictured(server, token, project):
    """A submission whose picture is ready: its id and the path of its reporter's page."""
    buffer = io.BytesIO()
    Image.new("RGB", (600, 400), "white").save(buffer, "PNG")
    picture = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    body = {"project": project, "category": "bug", "description": "With a picture.", "screenshot": picture}
    public_id = ask(server, token, "/api/feedback", body)["id"]
    path = f"/admin/api/feedback/{public_id}"
    until(lambda: ask(server, token, path)["screenshot_state"], "ready")
    return public_id, "/f/" + ask(server, token, path)["status_url"].rpartition("/")[2]


@pytest.fixture
def set_picture(server):
    """Put the row of a picture into a state, as a worker that is slow or met a broken one leaves it."""

    def put(public_id: str, state: str, failure: str | None = None) -> None:
        with sqlite3.connect(server.instance / "earmark.sqlite3", timeout=60) as connection:
            changed = connection.execute(
                "update feedback_screenshots set state = ?, failure = ?, lease_until = ? where feedback_id ="
                " (select id from feedback_submissions where public_id = ?)",
                (state, failure, LATER if state == "pending" else None, public_id),
            )
            assert changed.rowcount == 1
        connection.close()

    return put


def test_who_may_not_is_told_who_may(server, viewer, open_page):
    watched = open_page()
    page = sign_in(watched, server, "/admin/projects", viewer)
    expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
    expect(page.get_by_text("Only admins may do this; your role is viewer.")).to_be_visible()
    expect(page.get_by_text(re.compile("Ask .+ if you need it"))).to_be_visible()
    watched.assert_accessible_in_every_look()
    page.get_by_role("link", name="Back to the inbox").click()
    expect(page.locator("#box")).to_be_visible()


def test_a_viewer_reads_and_has_nothing_to_press(server, token, viewer, project, submit, open_page):
    (public_id,) = submit(1)
    watched = open_page()
    page = sign_in(watched, server, f"/admin/feedback/{public_id}?project={project}", viewer)
    expect(page.locator("#words")).to_have_text("Number 0.")
    expect(page.get_by_role("button", name="Resolve")).to_have_count(0)
    expect(page.locator("[data-composer], [data-select-start], [data-pick]")).to_have_count(0)
    for key in ("e", "x", "#", "s", "t", "i"):
        page.keyboard.press(key)
    page.keyboard.press("?")
    expect(page.locator("[data-keys]")).to_be_visible()
    watched.assert_accessible()
    assert set(statuses(server, token, project).values()) == {"open"}
    watched.assert_quiet()


def test_a_picture_on_its_way_says_so_everywhere_and_comes_by_itself(
    server, pictured, set_picture, enter, open_page
):
    public_id, reporter_path = pictured
    row = f"#row-{public_id}"
    set_picture(public_id, "pending")
    watched, reporter = enter(), open_page()
    page = watched.page
    expect(page.locator(f"{row} .row__thumb")).to_have_text("Picture on its way")
    page.locator(f'[data-row="{public_id}"]').click()
    expect(page.locator("#picture")).to_contain_text("It stands here as soon as it is ready.")
    watched.assert_accessible()
    reporter.page.goto(server.url + reporter_path)
    expect(reporter.page.get_by_text("Your picture is being prepared.")).to_be_visible()
    reporter.assert_accessible()
    set_picture(public_id, "ready")
    expect(page.locator("#picture img").first).to_be_visible()
    expect(page.locator(f"{row} img")).to_be_visible()
    expect(reporter.page.locator(".wrote__picture img")).to_be_visible()
    watched.assert_quiet()


def test_a_broken_picture_leaves_the_words(server, pictured, set_picture, enter, open_page):
    public_id, reporter_path = pictured
    set_picture(public_id, "failed", "it ends too early")
    watched, reporter = enter(), open_page()
    page = watched.page
    expect(page.locator(f"#row-{public_id} .row__thumb")).to_have_text("Picture broken")
    page.locator(f'[data-row="{public_id}"]').click()
    said = "The picture could not be read: it ends too early. The words are kept."
    expect(page.locator("#picture")).to_have_text(said)
    watched.assert_accessible()
    reporter.page.goto(server.url + reporter_path)
    expect(reporter.page.get_by_text("With a picture.")).to_be_visible()
    expect(reporter.page.locator(".wrote__picture img")).to_have_count(0)
    expect(reporter.page.locator(".wrote__caption--boxed")).to_contain_text("picture")
    reporter.assert_accessible()
    watched.assert_quiet()


@pytest.mark.parametrize(
    ("box", "title"),
    [("in_progress", "Nothing is in progress"), ("spam", "No spam"), ("trash", "The trash is empty")],
)
def test_an_empty_box_says_what_stands_there(server, project, submit, enter, box, title):
    submit(1)
    watched = enter()
    page = watched.page
    page.locator(f'[data-box="{box}"]').click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("#list .blank")).to_contain_text("until you move something here")
    expect(page.locator("[data-bulk]")).to_have_count(0)
    watched.assert_accessible()
    watched.assert_quiet()


def test_a_tag_that_is_not_there_is_said_and_the_like_offered(server, token, project, submit, enter):
    (public_id,) = submit(1)
    path = f"/admin/api/feedback/{public_id}"
    ask(server, token, path, {"tags": ["wrapping paper"]}, "PATCH")
    watched = enter()
    page = watched.page
    page.keyboard.press("/")
    page.keyboard.type('tag:"wraping paper"')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No submission matches this")).to_be_visible()
    said = "There is no tag named wraping paper. Did you mean wrapping paper?"
    expect(page.locator("#list .blank")).to_contain_text(said)
    watched.assert_accessible()
    page.get_by_role("link", name='Search for tag:"wrapping paper"').click()
    expect(page.locator(f"#row-{public_id}")).to_be_visible()
    watched.assert_quiet()


def test_a_query_that_cannot_be_read_is_marked_and_mended(submit, enter):
    submit(1)
    watched = enter()
    page = watched.page
    page.keyboard.press("/")
    page.keyboard.type("status:opne")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="This query cannot be read")).to_be_visible()
    expect(page.locator("#q-error mark")).to_have_text("status:opne")
    expect(page.get_by_role("combobox", name="Search")).to_have_attribute("aria-describedby", "q-error")
    watched.assert_accessible()
    page.locator("#q-error").get_by_role("link").click()
    expect(page.locator("[data-row]").first).to_be_visible()


def test_a_submission_that_does_not_come_says_so_and_the_list_stays(submit, enter):
    (public_id,) = submit(1)
    watched = enter()
    page = watched.page
    page.route(f"**/admin/feedback/{public_id}*", lambda route: route.abort())
    page.locator("body").press("j")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[data-trouble][open]")
    expect(dialog).to_contain_text("The server did not answer. What you see is as it was.")
    watched.assert_accessible()
    page.keyboard.press("Enter")
    expect(page.locator(f'[data-row="{public_id}"]')).to_be_focused()

    def refuse(route: Route) -> None:
        body = '<p data-message="">The store is busy. Nothing was kept; try again in a moment.</p>'
        route.fulfill(status=503, content_type="text/html", body=body)

    page.unroute(f"**/admin/feedback/{public_id}*")
    page.route(f"**/admin/feedback/{public_id}*", refuse)
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("The store is busy.")
    page.keyboard.press("Enter")
    page.unroute(f"**/admin/feedback/{public_id}*")
    page.keyboard.press("Enter")
    expect(page.locator(f'[data-submission="{public_id}"]')).to_be_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, ZOOMED, PHONE], ids=["desktop", "zoomed", "phone"])
def test_long_words_right_to_left_and_emoji_stay_within_the_page(server, token, project, open_page, viewport):
    words = {
        "long": "Donaudampfschifffahrtsgesellschaftskapitän" * 6,
        "rtl": "لا يتغير المجموع بعد تطبيق رمز الخصم",
        "emoji": "👩‍👩‍👧‍👦🏳️‍🌈" * 40,
    }
    names = {"long": "Wolfeschlegelsteinhausenbergerdorff" * 3, "rtl": "ليلى حداد", "emoji": "🎉 🎈"}
    watched = open_page(viewport=viewport)
    page = sign_in(watched, server, "/admin/")
    for key, text in words.items():
        body = {"project": project, "category": "bug", "description": text, "reporter": {"name": names[key]}}
        public_id = ask(server, token, "/api/feedback", body)["id"]
        tags = {"tags": ["y" * 40, "ا" * 40]}
        ask(server, token, f"/admin/api/feedback/{public_id}", tags, "PATCH")
        page.goto(f"{server.url}/admin/feedback/{public_id}?project={project}")
        expect(page.locator("#words")).to_have_text(text)
        assert page.evaluate(TOO_WIDE) <= 0, key
    page.goto(f"{server.url}/admin/?project={project}")
    expect(page.locator("[data-row]")).to_have_count(3)
    assert page.evaluate(TOO_WIDE) <= 0
    assert page.locator("[data-row]").evaluate_all("rows => new Set(rows.map(r => r.offsetHeight)).size") == 1
    watched.assert_accessible()
    watched.assert_quiet()


@pytest.mark.parametrize("path", ["/admin/dashboard", "/admin/retention", "/admin/feedback/{id}"])
def test_on_paper_a_page_is_whole_and_light(server, submit, open_page, path):
    (public_id,) = submit(1, "A line of its own.\n" * 200)
    watched = open_page(color_scheme="dark")
    page = sign_in(watched, server, path.format(id=public_id))
    page.emulate_media(media="print")
    expect(page.locator("nav#rail")).to_be_hidden()
    expect(page.locator("#main")).to_be_visible()
    assert page.locator("#main").evaluate("main => main.scrollHeight - main.clientHeight") <= 1
    assert page.evaluate("document.documentElement.scrollHeight - main.offsetHeight") >= 0
    assert (
        page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--surface')").strip()
        == "#ffffff"
    )
    watched.assert_quiet()


def test_on_a_phone_what_is_below_a_picture_stands_in_one_row(pictured, enter):
    public_id, _ = pictured
    page = enter(viewport={"width": 360, "height": 740}).page
    page.locator(f'[data-row="{public_id}"]').click()
    shown = page.locator(".picture__bar > :visible")
    expect(shown).to_have_count(3)
    places = shown.evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert len(set(places)) == 1
