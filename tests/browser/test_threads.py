"""The detail column and the reporter's page in a browser: two at once, hostile words, redaction."""

import json
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser import conftest
from tests.browser.conftest import DEADLINE_MS, DESKTOP, PHONE


@pytest.fixture(scope="module")
def call(server, token):
    """Ask the API as the admin; with `raw`, as nobody."""

    def go(method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        import urllib.request

        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(server.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE_MS / 1000) as answer:
            assert answer.status == status
            return json.load(answer)["data"]

    return go


@pytest.fixture(scope="module")
def send(call):
    """Send a submission and return it as the API shows it."""
    key = call("GET", "/admin/api/projects")[0]["key"]

    def go(**fields: Any) -> Any:
        made = call("POST", "/api/feedback", {"project": key, "category": "bug"} | fields, status=201)
        return call("GET", f"/admin/api/feedback/{made['id']}")

    return go


@pytest.fixture
def sign_in(server, open_page):
    def go(**options: Any) -> Any:
        watched = open_page(**options)
        conftest.sign_in(watched, server)
        return watched

    return go


def reporter_page(server, submission):
    return server.url + "/f/" + submission["status_url"].rpartition("/")[2]


def test_an_agent_answers_notes_tags_and_takes_without_a_page_load(server, sign_in, send, call):
    submission = send(description="The total stays the same.", reporter={"name": "Marta Lindqvist"})
    watched = sign_in()
    page = watched.page
    page.goto(f"{server.url}/admin/feedback/{submission['id']}")
    page.evaluate("window.stayed = true")
    page.fill("#text", "Thank you, Marta.")
    page.click("#send")
    page.locator(".said--reply", has_text="Thank you, Marta.").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.locator("#text:focus").wait_for()
    assert page.locator("[name=kind][value=note]").is_checked()
    page.fill("#text", "Discount is null.")
    page.click("#send")
    page.locator(".said--note", has_text="Discount is null.").wait_for()
    page.fill("#text", "A draft")
    page.click("#tags")
    page.locator("#new_tags:focus").fill("checkout, discount")
    page.keyboard.press("Enter")
    page.locator(".toolbar__names", has_text="discount").wait_for()
    page.click("#assignee")
    page.get_by_role("button", name="Take it").click()
    page.locator(".toolbar__name", has_text="You").wait_for()
    assert page.input_value("#text") == "A draft"
    assert page.evaluate("window.stayed")
    now = call("GET", f"/admin/api/feedback/{submission['id']}")
    assert [one["kind"] for one in now["messages"]] == ["reply", "note"]
    assert [tag["name"] for tag in now["tags"]] == ["checkout", "discount"]
    watched.assert_quiet()


def test_an_edit_that_somebody_overtook_is_told_and_the_page_shows_what_is(server, sign_in, send, call):
    submission = send(description="Two at once.")
    page = sign_in().page
    page.goto(f"{server.url}/admin/feedback/{submission['id']}")
    page.fill("#text", "half a sentence")
    call("PATCH", f"/admin/api/feedback/{submission['id']}", {"category": "idea"})
    page.click("#resolve")
    dialog = page.locator("dialog[data-trouble][open]")
    dialog.get_by_text("made it Idea").wait_for()
    assert call("GET", f"/admin/api/feedback/{submission['id']}")["status"] == "open"
    dialog.get_by_role("button", name="Close").click()
    page.locator("#category", has_text="Idea").wait_for()
    assert page.input_value("#text") == "half a sentence"
    page.click("#resolve")
    page.get_by_role("button", name="Open again").wait_for()


def test_a_reporter_answers_without_a_script_and_it_is_open_again(server, sign_in, send, call, open_page):
    submission = send(description="It is broken.")
    call("PATCH", f"/admin/api/feedback/{submission['id']}", {"status": "resolved"})
    watched = open_page(java_script_enabled=False)
    page = watched.page
    page.goto(reporter_page(server, submission))
    page.get_by_role("heading", name="It is settled").wait_for()
    page.fill("#text", "It happens again.")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="We have it").wait_for()
    page.get_by_text("It happens again.").wait_for()
    assert call("GET", f"/admin/api/feedback/{submission['id']}")["status"] == "open"


def test_a_reporter_reads_times_of_their_own_zone(server, send, open_page):
    submission = send(description="It is broken.")
    sent = datetime.fromisoformat(submission["created_at"]).astimezone(ZoneInfo("Asia/Kathmandu"))
    page = open_page(timezone_id="Asia/Kathmandu").page
    page.goto(reporter_page(server, submission))
    for time in (page.locator(".step--current time"), page.locator(".wrote__when time")):
        expect(time).to_have_text(re.compile(f"(today|yesterday), {sent:%H:%M}"))


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")]
)
def test_detail_menus_and_the_reporters_page_are_accessible(server, sign_in, send, call, viewport, scheme):
    submission = send(description="A long word: " + "x" * 300 + " and עברית 🎉", reporter={"name": "Marta"})
    path = f"/admin/api/feedback/{submission['id']}"
    call("PATCH", path, {"tags": ["checkout", "y" * 40], "assignee": "me"})
    for text, internal in (("Thank you.", False), ("A note " + "z" * 200, True)):
        call("POST", f"{path}/messages", {"text": text, "internal": internal}, status=201)
    watched = sign_in(viewport=viewport, color_scheme=scheme)
    page = watched.page
    page.goto(f"{server.url}/admin/feedback/{submission['id']}")
    watched.assert_accessible()
    page.click("#tags")
    page.locator("#new_tags").wait_for()
    watched.assert_accessible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(reporter_page(server, submission))
    watched.assert_accessible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    watched.assert_quiet()


def test_a_part_of_the_picture_is_drawn_over_and_gone(server, sign_in, send, call):
    import base64
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (600, 400), "white").save(buffer, "PNG")
    picture = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    submission = send(description="With a picture.", screenshot=picture)
    watched = sign_in()
    page = watched.page
    page.goto(f"{server.url}/admin/feedback/{submission['id']}")
    page.get_by_role("link", name="Redact").click()
    frame = page.locator("dialog[open] [data-redact-frame]")
    frame.wait_for()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 80, steps=3)
    page.mouse.up()
    assert page.locator("dialog[open] [data-redact-boxes] rect").count() == 1
    watched.assert_accessible()
    page.get_by_role("button", name="Black out for good").click()
    page.get_by_text("blacked out 1 part of the picture for good").wait_for()
    watched.assert_quiet()
