"""The widget on other people's pages: strict policies, hostile style sheets, frames of another origin."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.hosts import HOSTILE, frame_host, page_host, serving, strict_policy
from tests.browser.test_main_job import api, drag, wait_for_picture

# Somebody who says no when the browser asks to share the tab; without a person there is nobody to ask.
REFUSE = """
navigator.mediaDevices.getDisplayMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'));
"""


def a_picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (640, 400), (240, 240, 230)).save(file, "PNG")
    return file.getvalue()


def mark_up(page, scope):
    """Draw a rectangle and a redaction in the annotation view, then finish."""
    view = scope.get_by_role("dialog", name="Mark up the picture")
    view.wait_for()
    box = view.locator("canvas").first.bounding_box()
    page.keyboard.press("r")
    drag(page, (box["x"] + 40, box["y"] + 60), (box["x"] + 200, box["y"] + 120))
    page.keyboard.press("b")
    drag(page, (box["x"] + 220, box["y"] + 60), (box["x"] + 320, box["y"] + 120))
    view.get_by_role("button", name="Done").click()
    scope.get_by_text("Picture with 1 mark").wait_for()


def send(page, scope):
    with page.expect_response(
        lambda r: r.url.endswith("/api/feedback") and r.request.method == "POST"
    ) as got:
        scope.get_by_role("button", name="Send", exact=True).click()
    assert got.value.status == 201
    scope.get_by_role("link", name="Follow it here").wait_for()
    return got.value.json()["data"]


def write(scope, words):
    scope.get_by_role("button", name="Feedback").click()
    scope.get_by_label("What went wrong?").fill(words)


def check_kept(server, token, receipt, words):
    stored = api(server, token, f"/admin/api/feedback/{receipt['id']}")
    assert stored["description"] == words
    assert [shape["kind"] for shape in stored["annotation_coords"]] == ["rectangle"]
    return wait_for_picture(server, token, receipt["id"])


def test_under_a_strict_policy_nothing_is_reported(server, token, open_page):
    policy = strict_policy(server.url, "'self' data:")
    with serving(page_host(server.url, server.project_key, policy=policy)) as host:
        watched = open_page()
        page = watched.page
        page.goto(host)
        write(page, "Strict, with data: pictures")
        page.get_by_role("button", name="Mark up this page").click()
        mark_up(page, page)
        receipt = send(page, page)
        watched.assert_accessible()
        watched.assert_quiet()
    picture = check_kept(server, token, receipt, "Strict, with data: pictures")
    assert picture.size == (1440, 900)


def test_where_the_page_cannot_be_drawn_a_file_is_asked_for(server, token, open_page):
    """Without `img-src data:` no browser draws the page; the one probe is the only report."""
    policy = strict_policy(server.url, "'self'")
    with serving(page_host(server.url, server.project_key, policy=policy)) as host:
        watched = open_page()
        page = watched.page
        page.add_init_script(REFUSE)
        page.goto(host)
        write(page, "Strict, from a file")
        page.get_by_role("button", name="Mark up this page").click()
        choose = page.get_by_role("button", name="Choose a picture")
        choose.wait_for()
        with page.expect_file_chooser() as chooser:
            choose.click()
        files = {"name": "shot.png", "mimeType": "image/png", "buffer": a_picture()}
        chooser.value.set_files(files)
        mark_up(page, page)
        receipt = send(page, page)
        assert set(page.evaluate("reports")) <= {"img-src data"}
        assert len(page.evaluate("reports")) <= 1
    picture = check_kept(server, token, receipt, "Strict, from a file")
    assert picture.size == (640, 400)


def test_a_hostile_style_sheet_does_not_reach_it(server, token, open_page):
    with serving(page_host(server.url, server.project_key, css=HOSTILE)) as host:
        watched = open_page()
        page = watched.page
        page.goto(host)
        write(page, "Hostile")
        panel = page.get_by_role("dialog").first
        assert 370 <= panel.bounding_box()["width"] <= 390
        send_button = page.get_by_role("button", name="Send", exact=True)
        assert send_button.evaluate("(node) => getComputedStyle(node).fontSize") == "15px"
        assert send_button.evaluate("(node) => getComputedStyle(node).opacity") == "1"
        page.get_by_role("button", name="Mark up this page").click()
        mark_up(page, page)
        receipt = send(page, page)
    check_kept(server, token, receipt, "Hostile")


def test_inside_a_frame_of_another_origin(server, token, open_page):
    with (
        serving(page_host(server.url, server.project_key)) as inner,
        serving(frame_host(inner)) as outer,
    ):
        watched = open_page()
        page = watched.page
        page.goto(outer.replace("127.0.0.1", "localhost"))  # another site, not only another port
        frame = page.frame_locator("iframe")
        write(frame, "From a frame")
        frame.get_by_role("button", name="Mark up this page").click()
        mark_up(page, frame)
        receipt = send(page, frame)
        watched.assert_quiet()
    check_kept(server, token, receipt, "From a frame")


@pytest.fixture
def shop(server, open_page):
    """The demo page in a browser, the panel open."""

    def open_shop(**options):
        watched = open_page(**options)
        watched.page.goto(server.url + "/demo")
        watched.page.get_by_role("button", name="Feedback").click()
        return watched

    return open_shop


def test_what_was_typed_is_there_after_a_reload_and_escape(shop):
    page = shop().page
    page.get_by_label("What went wrong?").fill("Half a sentence")
    page.get_by_role("button", name="Mark up this page").wait_for()  # the part that keeps drafts has arrived
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement?.shadowRoot?.activeElement?.textContent ?? ''").startswith(
        "Feedback"
    )
    page.reload()
    page.get_by_role("button", name="Feedback").click()
    expect(page.get_by_label("What went wrong?")).to_have_value("Half a sentence")


def test_offline_it_is_kept_and_sent_once_later(shop, server, token):
    page = shop().page
    page.get_by_label("What went wrong?").fill("Written in a tunnel")
    page.wait_for_load_state("networkidle")  # the part that keeps what cannot be sent has arrived
    page.context.set_offline(True)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("kept in this browser").first).to_be_visible()
    with page.expect_response(lambda r: r.url.endswith("/api/feedback")) as answered:
        page.context.set_offline(False)
    assert answered.value.status == 201
    listed = api(server, token, "/admin/api/feedback?limit=200")
    assert [row["description"] for row in listed].count("Written in a tunnel") == 1


def test_it_speaks_german(server, open_page):
    with serving(page_host(server.url, server.project_key, language="de")) as host:
        page = open_page(locale="de-DE").page
        page.goto(host)
        page.get_by_role("button", name="Feedback").click()
        expect(page.get_by_label("Was ist schiefgegangen?")).to_be_focused()


def test_the_page_can_open_it_and_hear_of_it(server, open_page):
    page = open_page().page
    page.goto(server.url + "/demo")
    page.get_by_role("button", name="Feedback").wait_for()
    page.evaluate(
        """() => { window.heard = [];
        for (const name of ['open', 'submit', 'sent', 'close'])
          Earmark.on(name, () => window.heard.push(name));
        Earmark.identify({name: 'Marta', email: 'marta@example.org'});
        Earmark.setContext({cart: {items: 2}});
        Earmark.beforeSubmit = (fields) => ({...fields, session_id: 's-42'}); }"""
    )
    page.evaluate("Earmark.open({category: 'idea', description: 'From the page'})")
    expect(page.get_by_label("What would help?")).to_have_value("From the page")
    receipt = send(page, page)
    assert receipt["id"]
    page.evaluate("Earmark.close()")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("heard") == ["open", "submit", "sent", "close"]
