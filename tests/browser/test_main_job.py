"""The main job, in one go, as people do it: mark up a page, hide something, send; an agent sees it."""

import base64
import io
import json
import time
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import ADMIN, DEADLINE_MS, DESKTOP, PASSWORD, PHONE, fill_in

SECRET = "hunter2-very-secret"
CARD = "4111 1111 1111 1111"
REDACTION = (0x14, 0x1A, 0x26)
DRAWN = (0xD6, 0x3A, 0x0F)

# Keeps what the page hands to the network: each part of each form, files in base 64.
RECORD = """
window.handed = [];
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) {
  if (body instanceof FormData)
    for (const [name, part] of body)
      window.handed.push(Promise.resolve(part instanceof Blob ? part.arrayBuffer() : part).then((data) =>
        [name, typeof data === 'string' ? data : btoa(Array.from(new Uint8Array(data), (b) =>
          String.fromCharCode(b)).join(''))]));
  return send.call(this, body);
};
"""

VARIANTS = [
    pytest.param(viewport, scheme, id=f"{name}-{scheme}")
    for name, viewport in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def box_of(page: Page, selector: str) -> dict[str, float]:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box


def in_view(page: Page, *selectors: str) -> list[dict[str, float]]:
    """Scroll the lowest of the fields to the foot of the window, and say where those in view come to rest.

    Fonts and pictures that arrive late move them.
    """
    page.evaluate("document.fonts.ready.then(() => 0)")
    before: list[dict[str, float]] | None = None
    while (found := _scrolled(page, selectors)) != before:
        before = found
        page.wait_for_timeout(500)
    return found


def _scrolled(page: Page, selectors: tuple[str, ...]) -> list[dict[str, float]]:
    lowest = max(box["y"] + box["height"] for box in (box_of(page, selector) for selector in selectors))
    page.evaluate("(y) => scrollBy({top: y + 40 - innerHeight, behavior: 'instant'})", lowest)
    height = page.evaluate("innerHeight")
    boxes = [box_of(page, selector) for selector in selectors]
    return [box for box in boxes if box["y"] >= 100 and box["y"] + box["height"] <= height]


class Drawn:
    """The picture in the annotation view: where it stands in the window, and at what scale."""

    def __init__(self, page: Page, css_width: float) -> None:
        box = page.get_by_role("dialog", name="Mark up the picture").locator("canvas").first.bounding_box()
        assert box is not None
        self.x, self.y = box["x"], box["y"]
        self.scale = box["width"] / css_width

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.x + x * self.scale, self.y + y * self.scale


def api(server: Any, token: str, path: str) -> Any:
    status, body = server.get(path, {"Authorization": f"Bearer {token}"})
    assert status == 200, body
    return json.loads(body)["data"]


def wait_for_picture(server: Any, token: str, public_id: str) -> Image.Image:
    """Fetch the stored picture; it is there within seconds of the answer."""
    deadline = time.monotonic() + DEADLINE_MS / 1000
    address = f"/admin/api/feedback/{public_id}/screenshot"
    while True:
        status, body = server.get(address, {"Authorization": f"Bearer {token}"})
        if status == 200:
            return Image.open(io.BytesIO(body)).convert("RGB")
        assert time.monotonic() < deadline, body
        time.sleep(0.1)


def near(colour: Any, expected: tuple[int, int, int], most: int = 12) -> bool:
    return all(abs(a - b) <= most for a, b in zip(colour, expected, strict=True))


def assert_solid(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> None:
    """Every pixel of an area (image pixels) has one dark colour, but for what compression adds near edges.

    That came to 18 of 255; a letter, dark on light or the other way round, differs by more than a hundred.
    """
    area = picture.crop((round(left) + 3, round(top) + 3, round(right) - 3, round(bottom) - 3))
    spread = area.getextrema()
    assert all(high - low <= 32 for low, high in spread), spread
    assert all(high <= 80 for _, high in spread), spread


@pytest.mark.parametrize(("viewport", "scheme"), VARIANTS)
def test_a_visitor_marks_up_a_page_and_an_agent_sees_it(server, token, open_page, viewport, scheme):
    visitor = open_page(viewport=viewport, color_scheme=scheme)
    page = visitor.page
    page.add_init_script(RECORD)
    page.goto(server.url + "/demo")

    # The page holds what must never leave it.
    page.locator("input[type=password]").first.fill(SECRET)
    page.locator("input[autocomplete=cc-number]").first.fill(CARD)
    boxes_of_secrets = in_view(page, "input[type=password]", "input[autocomplete=cc-number]")
    assert boxes_of_secrets

    # Words, then the picture.
    page.get_by_role("button", name="Feedback").click()
    page.get_by_role("dialog").wait_for()
    visitor.assert_accessible()
    words = f"The total is wrong ({viewport['width']} {scheme})"
    page.get_by_label("What went wrong?").fill(words)
    page.get_by_role("button", name="Mark up this page").click()
    page.get_by_role("dialog", name="Mark up the picture").wait_for()
    visitor.assert_accessible()

    drawn = Drawn(page, viewport["width"])
    middle, top = viewport["width"] / 2, 120.0
    rectangle = ((40.0, top), (middle - 40, top + 60))
    hidden = ((middle, top + 80), (middle + 150, top + 140))
    page.keyboard.press("r")
    drag(page, drawn.at(*rectangle[0]), drawn.at(*rectangle[1]))
    page.keyboard.press("b")
    drag(page, drawn.at(*hidden[0]), drawn.at(*hidden[1]))
    page.get_by_role("button", name="Done").click()

    # Send, and keep the link.
    page.get_by_text("Picture with 1 mark").wait_for()
    visitor.assert_accessible()
    with page.expect_response("**/api/feedback") as answered:
        page.get_by_role("button", name="Send", exact=True).click()
    assert answered.value.status == 201
    receipt = answered.value.json()["data"]
    link = page.get_by_role("link", name="Follow it here")
    link.wait_for()
    assert link.evaluate("(node) => node.getRootNode().activeElement === node")
    visitor.assert_accessible()

    visitor.assert_quiet()

    # Nothing secret left the browser, as text or as pixels; what was redacted left as one colour.
    handed = dict(page.evaluate("Promise.all(window.handed)"))
    assert words in handed["feedback"]
    assert SECRET not in handed["feedback"]
    assert CARD not in handed["feedback"]
    uploaded = Image.open(io.BytesIO(base64.b64decode(handed["screenshot"]))).convert("RGB")
    stored = api(server, token, f"/admin/api/feedback/{receipt['id']}")
    scale = stored["screenshot_scale"]
    for picture in (uploaded, wait_for_picture(server, token, receipt["id"])):
        assert picture.size == (round(viewport["width"] * scale), round(viewport["height"] * scale))
        (x0, y0), (x1, y1) = hidden
        assert_solid(picture, x0 * scale, y0 * scale, x1 * scale, y1 * scale)
        centre = (round((x0 + x1) / 2 * scale), round((y0 + y1) / 2 * scale))
        assert near(picture.getpixel(centre), REDACTION)
        for box in boxes_of_secrets:
            left, upper = box["x"] * scale, box["y"] * scale
            assert_solid(picture, left, upper, left + box["width"] * scale, upper + box["height"] * scale)
        # The mark is a vector beside the picture, not in it.
        edge = picture.getpixel((round(rectangle[0][0] * scale), round((top + 30) * scale)))
        assert not near(edge, DRAWN, 40)
    [shape] = stored["annotation_coords"]
    assert shape["kind"] == "rectangle"
    for point, wanted in zip(shape["points"], rectangle, strict=True):
        assert point == pytest.approx(wanted, abs=2.5)

    # The reporter's own page says where it stands.
    page.goto(receipt["status_url"])
    page.get_by_text(words).wait_for()
    visitor.assert_accessible()
    visitor.assert_quiet()

    # An agent signs in and sees it, with the mark drawn where it was drawn.
    agent = open_page(viewport=viewport, color_scheme=scheme)
    page = agent.page
    page.goto(server.url + "/admin/")
    agent.assert_accessible()
    fill_in(page, ADMIN, PASSWORD)
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.get_by_text(words).first.wait_for()
    agent.assert_accessible()
    page.get_by_text(words).first.click()
    image = page.locator("[data-picture] img, .picture img").first
    image.wait_for()
    image.evaluate("(node) => node.decode()")
    shown = image.bounding_box()
    assert shown is not None
    factor = shown["width"] / viewport["width"]
    mark = page.locator("svg rect, svg path, svg polygon").filter(visible=True)
    boxes = [b for b in (mark.nth(n).bounding_box() for n in range(mark.count())) if b]
    wanted_left = shown["x"] + rectangle[0][0] * factor
    wanted_width = (rectangle[1][0] - rectangle[0][0]) * factor
    assert any(abs(b["x"] - wanted_left) <= 4 and abs(b["width"] - wanted_width) <= 8 for b in boxes), (
        boxes,
        wanted_left,
        wanted_width,
    )
    agent.assert_accessible()
    agent.assert_quiet()
