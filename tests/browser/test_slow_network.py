"""The inbox and the dashboard over a slow network, and where it is gone for a while."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import ADMIN, sign_in
from tests.browser.network import SHIFTS, Network
from tests.browser.team import ask, statuses, toast

BULK = "**/admin/api/feedback/bulk"
SETTLED = re.compile(r"\brow--settled\b")


def undo(page: Page) -> Locator:
    """Return the button of the note that something was done."""
    return toast(page).get_by_role("button", name="Undo")


@pytest.fixture
def slow(submit, enter):
    """Show a list of four to an agent, then make the network slow."""

    def go():
        ids = submit(4)
        watched = enter()
        watched.page.evaluate(SHIFTS)
        network = Network(watched.page)
        network.slow()
        return watched, network, ids

    return go


def test_a_list_on_its_way_holds_its_place_and_nothing_shifts(slow):
    watched, _, ids = slow()
    page = watched.page
    head = page.locator("#list .pane__head").bounding_box()
    page.locator('[data-box="resolved"]').click()
    expect(page.locator("#list")).to_have_attribute("aria-busy", "true")
    expect(page.locator(".list__waiting .ghost").first).to_be_visible()
    assert page.locator("#list .pane__head").bounding_box() == head
    expect(page.get_by_role("heading", name="Nothing is resolved")).to_be_visible()
    assert page.locator("#list .pane__head").bounding_box() == head
    page.locator('[data-box="open"]').click()
    expect(page.locator("[data-row]")).to_have_count(len(ids))
    assert page.evaluate("shifts") == []
    watched.assert_quiet()


def test_of_two_submissions_opened_in_quick_succession_the_later_is_shown(slow):
    watched, _, ids = slow()
    page = watched.page
    page.locator("body").press("j")
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    last = ids[-3]  # the newest stands first
    expect(page.locator(f'[data-submission="{last}"]')).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator(f'[data-submission="{last}"]')).to_be_visible()
    expect(page.locator("[aria-current=true][data-row]")).to_have_attribute("data-row", last)
    assert last in page.url
    watched.assert_quiet()


def test_a_box_chosen_after_a_submission_is_shown_alone(slow):
    watched, _, ids = slow()
    page = watched.page
    page.locator(f'[data-row="{ids[0]}"]').click()
    page.locator('[data-box="resolved"]').click()
    expect(page.get_by_role("heading", name="Nothing is resolved")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-submission]")).to_have_count(0)
    assert "status=resolved" in page.url
    watched.assert_quiet()


def test_of_two_lists_asked_for_by_different_links_the_later_is_shown(slow):
    watched, _, _ = slow()
    page = watched.page
    page.locator("[data-project]").first.click()
    page.locator('[data-box="trash"]').click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#box")).to_have_text("Trash")
    page.locator('[data-box="open"]').click()
    page.locator("[data-project][aria-current]").click()  # goes to the box that was shown when it was drawn
    page.wait_for_load_state("networkidle")
    expect(page.locator("#box")).to_have_text("Trash")
    watched.assert_quiet()


def test_a_change_is_made_although_the_next_submission_is_opened_at_once(server, token, project, slow):
    watched, _, ids = slow()
    page = watched.page
    page.locator(f'[data-row="{ids[0]}"]').click()
    expect(page.locator(f'[data-submission="{ids[0]}"]')).to_be_visible()
    page.locator("#resolve").click()
    page.locator(f'[data-row="{ids[1]}"]').click()
    expect(page.locator(f'[data-submission="{ids[1]}"]')).to_be_visible()
    expect(undo(page)).to_be_visible()
    expect(page.locator(f"#row-{ids[0]}")).to_have_class(SETTLED)
    expect(page.locator(f'[data-submission="{ids[1]}"]')).to_be_visible()
    assert statuses(server, token, project)[ids[0]] == "resolved"
    watched.assert_quiet()


def test_an_answer_about_one_that_was_left_does_not_come_over_the_next(server, token, project, slow):
    watched, _, ids = slow()
    page = watched.page
    page.locator(f'[data-row="{ids[0]}"]').click()
    expect(page.locator(f'[data-submission="{ids[0]}"]')).to_be_visible()
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "resolved" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route(f"**/admin/feedback/{ids[0]}*", hold)
    with page.expect_request(lambda request: "resolved" in (request.post_data or "")):
        page.locator("#resolve").click()
    page.locator(f'[data-row="{ids[1]}"]').click()
    expect(page.locator(f'[data-submission="{ids[1]}"]')).to_be_visible()
    held[0].continue_()
    expect(page.locator(f"#row-{ids[0]}")).to_have_class(SETTLED)
    expect(undo(page)).to_be_visible()
    expect(page.locator(f'[data-submission="{ids[1]}"]')).to_be_visible()
    assert statuses(server, token, project)[ids[0]] == "resolved"
    watched.assert_quiet()


def test_an_act_is_shown_before_it_is_confirmed(server, token, project, slow):
    watched, _, ids = slow()
    page = watched.page
    row = page.locator("li.row").first
    page.locator("body").press("j")
    held = []

    def hold(route):
        held.append(route)

    page.route(BULK, hold)
    with page.expect_request(BULK):
        page.keyboard.press("e")
    expect(row).to_have_class(SETTLED)
    assert set(statuses(server, token, project).values()) == {"open"}
    with page.expect_response(BULK) as answer:
        held[0].continue_()
    assert answer.value.ok
    expect(undo(page)).to_be_visible()
    expect(row).to_have_class(SETTLED)
    assert statuses(server, token, project)[ids[-1]] == "resolved"
    watched.assert_quiet()


def test_a_search_shows_the_old_list_until_the_new_one_is_there(slow):
    watched, _, ids = slow()
    page = watched.page
    page.keyboard.press("/")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator("[data-row]")).to_have_attribute("data-row", ids[2])
    expect(page.get_by_role("combobox", name="Search")).to_have_value("2")
    watched.assert_quiet()


def test_the_dashboard_holds_the_place_of_its_charts(server, submit, open_page):
    submit(3)
    watched = open_page()
    page = sign_in(watched, server, "/admin/", ADMIN)
    Network(page).slow()
    page.add_init_script(SHIFTS)
    page.goto(f"{server.url}/admin/dashboard")
    expect(page.locator('[data-chart-state="drawn"]').first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("shifts") == []
    watched.assert_quiet()


def test_what_is_done_while_the_network_is_away_is_told_and_the_truth_shown_when_it_is_back(
    server, token, project, submit, enter
):
    ids = submit(3)
    page = enter().page
    network = Network(page)
    page.locator("body").press("j")
    network.away()
    page.keyboard.press("e")
    expect(toast(page)).to_contain_text("may or may not have been done")
    expect(page.locator("li.row").first).not_to_have_class(SETTLED)
    # Meanwhile somebody else settles one, which nobody can tell this page.
    ask(server, token, f"/admin/api/feedback/{ids[0]}", {"status": "closed"}, "PATCH")
    network.back()
    expect(page.locator(f"#row-{ids[0]}")).to_have_class(SETTLED)
    page.keyboard.press("e")
    expect(undo(page)).to_be_visible()
    assert statuses(server, token, project) == {ids[0]: "closed", ids[1]: "open", ids[2]: "resolved"}


def test_a_reply_whose_answer_was_lost_is_kept_and_shown_where_it_was_taken(server, token, submit, enter):
    (public_id,) = submit(1)
    page = enter().page
    page.locator(f'[data-row="{public_id}"]').click()
    page.locator("#text").fill("It is mended.")

    def lose(route: Route) -> None:
        route.fetch()  # the server takes it
        route.abort()

    page.route(f"**/admin/feedback/{public_id}/messages*", lose)
    page.locator("#send").click()
    dialog = page.locator("dialog[data-trouble][open]")
    expect(dialog).to_contain_text("may or may not have been done")
    expect(page.locator("[data-thread]")).to_contain_text("It is mended.")
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("#text")).to_have_value("It is mended.")
    assert len(ask(server, token, f"/admin/api/feedback/{public_id}")["messages"]) == 1


def test_a_list_that_failed_comes_by_itself(submit, enter):
    submit(2)
    page = enter().page
    tries: list[str] = []

    def refuse_twice(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) > 2:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"X-Request-ID": "abc123"}, body="")

    page.route("**/admin/?status=resolved*", refuse_twice)
    page.clock.install()
    page.locator('[data-box="resolved"]').click()
    trouble = page.locator("[data-list-trouble]")
    expect(trouble).to_contain_text("It is tried again in 3 s.")
    place = trouble.bounding_box()
    page.clock.run_for(3000)
    expect(trouble).to_contain_text("It is tried again in 10 s.")
    assert trouble.bounding_box() == place
    page.clock.run_for(10_000)
    expect(page.get_by_role("heading", name="Nothing is resolved")).to_be_visible()
    page.clock.run_for(120_000)
    assert len(tries) == 3


def test_a_list_that_failed_offline_comes_when_the_network_does_and_is_tried_so_often_only(submit, enter):
    submit(2)
    page = enter().page
    network = Network(page)
    page.clock.install()
    network.away()
    page.locator('[data-box="resolved"]').click()
    trouble = page.locator("[data-list-trouble]")
    for pause_seconds in (3, 10, 20, 40, 60):
        expect(trouble).to_contain_text(f"It is tried again in {pause_seconds} s.")
        page.clock.run_for(pause_seconds * 1000)
    expect(trouble).to_contain_text("It is tried again when your browser is back online.")
    network.back()
    expect(page.get_by_role("heading", name="Nothing is resolved")).to_be_visible()
    expect(page.locator("#box")).to_have_text("Resolved")


def test_a_submission_that_did_not_come_is_opened_by_itself_until_the_dialog_is_closed(submit, enter):
    ids = submit(2)
    page = enter().page
    network = Network(page)
    network.away()
    page.locator(f'[data-row="{ids[0]}"]').click()
    dialog = page.locator("dialog[data-trouble][open]")
    expect(dialog).to_contain_text("It is tried again in")
    network.back()
    expect(page.locator(f'[data-submission="{ids[0]}"]')).to_be_visible()
    expect(dialog).to_have_count(0)
    network.away()
    page.locator(f'[data-row="{ids[1]}"]').click()
    dialog.get_by_role("button", name="Close").click()
    with page.expect_event("console", predicate=lambda message: message.text == "back"):
        page.evaluate("addEventListener('online', () => setTimeout(console.log, 0, 'back'))")
        network.back()
    expect(page.locator(f'[data-submission="{ids[0]}"]')).to_be_visible()


def test_charts_whose_library_did_not_come_are_drawn_when_the_network_is_back(server, submit, open_page):
    submit(3)
    page = sign_in(open_page(), server, "/admin/", ADMIN)
    network = Network(page)
    page.route("**/chart.umd.min.js*", lambda route: route.abort())
    page.goto(f"{server.url}/admin/dashboard")
    expect(page.locator('[data-chart-state="failed"]').first).to_be_visible()
    page.unroute("**/chart.umd.min.js*")
    network.away()
    network.back()
    expect(page.locator('[data-chart-state="drawn"]').first).to_be_visible()
    expect(page.locator('[data-chart-state="failed"]')).to_have_count(0)
