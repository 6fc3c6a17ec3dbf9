"""The detail column and the reporter's page in a browser: two at once, hostile words, redaction."""

import json
from typing import Any

import pytest

from tests.browser.conftest import ADMIN, DESKTOP, PASSWORD, PHONE

HOSTILE = (
    "<script>hit()</script>",
    "</script><script>hit()</script>",
    "</title><script>hit()</script>",
    "</textarea><script>hit()</script>",
    "<img src=x onerror=hit()>",
    '"><img src=x onerror=hit()>',
    "' onmouseover='hit()' x='",
    '" autofocus onfocus="hit()',
    "<svg onload=hit()>",
    "<svg><script>hit()</script></svg>",
    "<svg><animate onbegin=hit() attributeName=x dur=1s>",
    '<math><mi xlink:href="javascript:hit()">x</mi></math>',
    "<iframe srcdoc='<script>parent.hit()</script>'></iframe>",
    "<iframe src=javascript:hit()></iframe>",
    "<a href=javascript:hit() autofocus>x</a>",
    "javascript:hit()",
    "JaVaScRiPt:hit()",
    "data:text/html,<script>hit()</script>",
    "<body onload=hit()>",
    "<details open ontoggle=hit()>",
    "<video><source onerror=hit()></video>",
    "<input onfocus=hit() autofocus>",
    "<style>*{background:url(javascript:hit())}</style>",
    "<link rel=stylesheet href=data:text/css,*{color:red}>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=0;url=javascript:hit()>",
    "<form action=javascript:hit()><button autofocus>x</button></form>",
    "{{7*7}}{% raw %}${7*7}<%= 7*7 %>",
    "<div hx-get=/admin/ hx-trigger=load hx-on:load=hit()>",
    '<template><script>hit()</script></template><noscript><p title="</noscript><img src=x onerror=hit()>">',
)
HIT = "window.hits = 0; window.hit = () => { window.hits += 1; };"


@pytest.fixture(scope="module")
def call(server, token):
    """Ask the API as the admin; with `raw`, as nobody."""

    def go(method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        import urllib.request

        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(server.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
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
        page = watched.page
        page.goto(f"{server.url}/admin/sign-in")
        page.fill("[name=email]", ADMIN)
        page.fill("[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
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


def test_thirty_hostile_texts_in_every_field_run_nowhere(server, sign_in, send, call):
    joined = "\n".join(HOSTILE)
    one = HOSTILE[5]
    submission = send(
        description=joined,
        session_id=one,
        browser=one,
        os=one,
        reporter={"name": one, "id": one, "email": "a@b.example"},
        api_state={text: {text: text} for text in HOSTILE},
        custom={text: text for text in HOSTILE[:20]},
        annotation_coords=[{"kind": "text", "points": [[1, 1]], "text": text[:80]} for text in HOSTILE],
    )
    path = f"/admin/api/feedback/{submission['id']}"
    names = [text.replace(",", " ")[:40] for text in HOSTILE]
    call("PATCH", path, {"tags": names[:20], "admin_notes": joined})
    call("PATCH", path, {"tags": names[20:]})
    for at in range(0, len(HOSTILE), 5):
        for internal in (False, True):
            text = "\n".join(HOSTILE[at : at + 5])
            call("POST", f"{path}/messages", {"text": text, "internal": internal}, status=201)
    watched = sign_in()
    page = watched.page
    page.add_init_script(HIT)
    for address in (
        f"{server.url}/admin/feedback/{submission['id']}?shown=200",
        reporter_page(server, submission),
    ):
        page.goto(address)
        page.locator("text=hit()").first.wait_for()
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate("window.hits") == 0
        assert (
            page.evaluate(
                "document.querySelectorAll('iframe, base, [onerror], [onload], [hx-on\\\\:load]').length"
            )
            == 0
        )
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
    page.get_by_role("link", name="Redact").click(timeout=30_000)
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
    page.get_by_text("blacked out 1 part of the picture for good").wait_for(timeout=30_000)
    watched.assert_quiet()
