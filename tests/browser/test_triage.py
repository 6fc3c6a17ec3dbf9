"""A team at work in the inbox: by keyboard alone, many at once, together, and when the server fails."""

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.probe import run, static_base
from tests.browser.team import statuses, toast, until

UNREAD = re.compile(r"row--unread")
SETTLED = re.compile(r"row--settled")


def test_twenty_are_settled_by_the_keyboard_alone(server, token, project, submit, enter):
    ids = submit(22)
    watched = enter()
    page = watched.page
    expect(page.locator("[data-row]")).to_have_count(22)
    page.locator("body").press("j")
    for _ in range(20):
        page.keyboard.press("e")
        page.keyboard.press("j")
    newest = ids[:1:-1]
    until(lambda: [statuses(server, token, project)[i] for i in newest], ["resolved"] * 20)
    expect(page.locator("li.row--settled")).to_have_count(20)
    expect(page.locator("#count")).to_have_text("2")
    page.keyboard.press("z")
    until(lambda: statuses(server, token, project)[newest[-1]], "open")
    page.keyboard.press("Enter")
    page.locator("[data-submission]").wait_for()
    watched.assert_quiet()


def test_keys_that_are_quicker_than_the_server_act_in_their_order_on_their_rows(
    server, token, project, submit, enter
):
    *_, third, second, first = submit(4)
    page = enter().page
    page.locator("[data-row]").first.click()
    page.locator(f'[data-submission="{first}"]').wait_for()
    held: list[Route] = []
    page.route("**/admin/api/feedback/bulk", lambda route: held.append(route))  # noqa: PLW0108  # a builtin takes no wrapper of playwright
    page.keyboard.press("e")  # the open one
    page.keyboard.press("e")  # and open again
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    page.locator(f'[data-submission="{second}"]').wait_for()
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.press("z")  # takes back the third, which the server has not heard of
    expect(page.locator(f"#row-{second}")).to_have_class(SETTLED)
    expect(page.locator(f"#row-{first}")).not_to_have_class(SETTLED)
    assert len(held) == 1
    page.unroute("**/admin/api/feedback/bulk")  # and the one that is held goes on
    wanted = {first: "open", second: "resolved", third: "open"}
    until(lambda: {i: statuses(server, token, project)[i] for i in wanted}, wanted)
    expect(toast(page)).to_contain_text("1 submission as before")
    expect(page.locator("#count")).to_have_text("3")
    expect(page.locator(f'[data-row="{third}"]')).to_be_focused()
    expect(page.locator("#detail").get_by_role("button", name="Open again")).to_be_visible()


def test_words_typed_while_the_list_is_loaded_again_stay(submit, enter):
    submit(3)
    page = enter().page
    held: list[Route] = []
    page.locator("body").press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.route("**/admin/?*", lambda route: held.append(route))  # noqa: PLW0108  # a builtin takes no wrapper of playwright
    page.keyboard.press("e")
    expect(toast(page)).to_contain_text("2 submissions resolved")
    page.keyboard.press("/")
    page.keyboard.type("basket")
    until(lambda: len(held), 1)
    held[0].continue_()
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.get_by_role("combobox", name="Search")).to_have_value("basket")
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()


def test_a_selection_and_all_that_match_are_closed_and_undone(server, token, project, submit, enter):
    ids = submit(53)
    page = enter().page
    page.locator("body").press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("X")
    expect(page.locator("[data-bulk-said]")).to_have_text("3 selected")
    page.keyboard.press("e")
    expect(toast(page)).to_contain_text("3 submissions resolved")
    until(lambda: list(statuses(server, token, project).values()).count("resolved"), 3)
    expect(page.locator("#count")).to_have_text("50")
    page.keyboard.press("z")
    expect(toast(page)).to_contain_text("3 submissions as before")
    expect(page.locator("#count")).to_have_text("53")
    expect(page.locator(f"#row-{ids[-1]}")).to_be_visible()

    page.locator("[data-row]").first.focus()
    page.keyboard.press("*")
    page.get_by_role("button", name="All 53").click()
    expect(page.locator("[data-bulk-said]")).to_have_text("All 53 selected")
    page.locator("[data-bulk-menu] > summary").click()
    page.get_by_role("button", name="Closed").click()
    expect(toast(page)).to_contain_text("53 submissions closed")
    assert set(statuses(server, token, project).values()) == {"closed"}
    page.get_by_role("button", name="Undo").click()
    until(lambda: set(statuses(server, token, project).values()), {"open"})
    expect(page.locator("[data-row]").first).to_be_focused()


class Seen:
    """How long it took until an act of one browser was seen in another; printed, not judged."""

    def __init__(self) -> None:
        self._acted = 0.0
        self.ms: dict[str, int] = {}

    def act(self, press: Any) -> None:
        press()
        self._acted = time.monotonic()

    def note(self, what: str) -> None:
        self.ms[what] = round((time.monotonic() - self._acted) * 1000)


def test_two_agents_and_a_reporter_see_each_others_acts(server, token, project, submit, enter, open_page):
    submit(3)
    seen = Seen()
    ana, ben = enter("ana@example.org").page, enter("ben@example.org").page
    first = ana.locator("[data-row]").first
    place = first.bounding_box()

    reporter = open_page().page
    reporter.goto(f"{server.url}/report/{project}")
    reporter.get_by_label("What").first.fill("The total is wrong.")
    seen.act(reporter.get_by_role("button", name="Send").click)

    # The new one waits; nothing that is read moves.
    for page in (ana, ben):
        expect(page.get_by_role("link", name="Show 1 new")).to_be_visible()
    seen.note("new one, by both agents")
    assert first.bounding_box() == place
    for page in (ana, ben):
        page.get_by_role("link", name="Show 1 new").click()
        page.get_by_text("The total is wrong.").first.click()
        page.locator("[data-submission]").wait_for()
    reporter.locator('a[href*="/f/"]').first.click()
    expect(reporter.get_by_role("heading", name="We have it")).to_be_visible()

    # Ben writes; what Ana does meanwhile is told, and his words stay.
    ben.locator("#detail textarea").first.fill("I look into it")
    seen.act(ana.locator("#resolve").click)
    row = ben.locator("li.row", has_text="The total is wrong.")
    expect(row).to_have_class(SETTLED)
    seen.note("status, by the other agent")
    expect(reporter.get_by_role("heading", name="It is settled")).to_be_visible()
    seen.note("status, by the reporter")
    expect(ben.locator("[data-changed]")).to_contain_text("ana has changed this")
    expect(ben.locator("#detail textarea").first).to_have_value("I look into it")

    # An edit made from the older state is refused, and says why.
    ben.locator("#status").click()
    ben.locator("#detail").get_by_role("button", name="Spam").click()
    expect(ben.locator("[data-trouble]")).to_contain_text("moved it to Resolved")
    ben.locator("[data-trouble]").get_by_role("button", name="Close").click()
    assert "resolved" in statuses(server, token, project).values()

    # What one says is heard by the others; what the reporter was writing meanwhile stays.
    reporter.locator("#text").fill("Still")
    seen.act(ben.locator("#send").click)
    expect(reporter.get_by_text("I look into it")).to_be_visible()
    seen.note("reply, by the reporter")
    expect(ana.locator("#detail").get_by_text("I look into it")).to_be_visible()
    expect(reporter.locator("#text")).to_have_value("Still")
    reporter.locator("#text").fill("Still wrong.")
    seen.act(reporter.get_by_role("button", name="Send").click)
    for page in (ana, ben):
        expect(page.locator("#detail").get_by_text("Still wrong.")).to_be_visible()
    seen.note("answer, by both agents")
    expect(row).not_to_have_class(SETTLED)
    print("seen by others after, ms:", json.dumps(seen.ms))


def test_an_act_that_is_refused_is_taken_back_and_said(server, submit, enter):
    submit(2)
    page = enter().page
    error = {
        "code": "storage_unavailable",
        "message": "The store is busy.",
        "details": [],
        "request_id": "abc123",
    }

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"success": False, "error": error})

    page.route("**/admin/api/feedback/bulk", refuse)
    page.locator("body").press("j")
    page.keyboard.press("e")
    expect(toast(page)).to_contain_text("Nothing was changed. The store is busy.")
    expect(toast(page)).to_contain_text("abc123")
    expect(page.locator("li.row").first).not_to_have_class(SETTLED)
    expect(page.locator("li.row").first).to_have_class(UNREAD)


def test_a_list_that_does_not_come_says_so_and_comes_when_asked_again(submit, enter):
    submit(2)
    page = enter().page
    held: list[Route] = []
    page.route("**/admin/?status=resolved*", lambda route: held.append(route))  # noqa: PLW0108  # a builtin takes no wrapper of playwright
    page.locator('[data-box="resolved"]').click()
    expect(page.locator("#list")).to_have_attribute("aria-busy", "true")
    expect(page.locator(".list__waiting")).to_be_visible()
    held[0].fulfill(status=503, headers={"X-Request-ID": "abc123"}, body="")
    expect(page.get_by_role("heading", name="The list could not be loaded")).to_be_visible()
    expect(page.locator("[data-list-trouble]")).to_contain_text("abc123")
    expect(page.get_by_role("button", name="Try again")).to_be_focused()
    page.unroute("**/admin/?status=resolved*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Nothing is resolved")).to_be_visible()


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [(DESKTOP, "light"), (PHONE, "dark")],
    ids=["desktop-light", "phone-dark"],
)
def test_selection_undo_and_dialogs_are_accessible(server, submit, enter, viewport, scheme):
    submit(3)
    watched = enter(viewport=viewport, color_scheme=scheme)
    page = watched.page
    page.locator("[data-row]").first.focus()
    page.keyboard.press("x")
    expect(page.locator("[data-bulk]")).to_be_visible()
    watched.assert_accessible()
    page.locator("[data-bulk-menu] > summary").click()
    page.get_by_text("Assign to").wait_for()
    watched.assert_accessible()
    page.keyboard.press("Escape")
    page.locator("[data-bulk]").get_by_role("button", name="Resolve").click()
    expect(page.locator("#count")).to_have_text("2")  # the rows have been drawn anew
    toast(page).wait_for()
    watched.assert_accessible()
    page.keyboard.press("Control+k")
    page.locator("[data-palette-input]").fill("trash")
    expect(page.locator('[role="option"][aria-selected="true"]')).to_contain_text("trash", ignore_case=True)
    watched.assert_accessible()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("[data-keys]")).to_be_visible()
    watched.assert_accessible()
    page.keyboard.press("Escape")
    run(
        watched,
        static_base(server),
        "admin/ask.js",
        "({ask}) => void ask('Close all?', 'They wait.', 'Close')",
    )
    expect(page.locator("[data-ask]")).to_be_visible()
    watched.assert_accessible()
    page.keyboard.press("Escape")
    watched.assert_quiet()
    page.route("**/admin/?status=spam*", lambda route: route.abort())
    page.evaluate("htmx.ajax('GET', '/admin/?status=spam', {target: '#detail', swap: 'none'})")
    expect(page.locator("[data-trouble]")).to_be_visible()
    watched.assert_accessible()


def test_the_palette_goes_to_a_box_and_saves_no_step(submit, enter):
    submit(1)
    page = enter().page
    page.keyboard.press("Control+k")
    page.locator("[data-palette-input]").fill("box spam")
    page.keyboard.press("Enter")
    expect(page.locator("#box")).to_have_text("Spam")
    page.locator("body").press("g")
    page.keyboard.press("o")
    expect(page.locator("#box")).to_have_text("Open")
