"""The performance pages in a real browser: light, dark and phone, by hand and without a script."""

import json
import re
import time

import pytest

from tests.browser.conftest import PANE_TOO_WIDE, PHONE, VARIANTS, sign_in

BASE = "/admin/performance"
PLACES = ("Overview", "Statements", "Slow log", "Routes", "Indexes", "Resources", "Read a plan")


@pytest.fixture(scope="module")
def measured(server, token):
    """Wait until a process of the server has written what it measured of a request."""
    headers = {"Authorization": f"Bearer {token}"}
    server.get("/admin/", headers)
    deadline = time.monotonic() + 60
    while not json.loads(server.get("/api/performance/queries", headers)[1])["data"]:
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.2)
    return server


@pytest.fixture
def overview(measured, open_page):
    """Open the overview as an admin."""

    def go(**options):
        watched = open_page(**options)
        page = sign_in(watched, measured, BASE)
        page.get_by_role("heading", name="Performance", level=1).wait_for()
        return watched

    return go


@pytest.mark.parametrize(("viewport", "scheme"), VARIANTS)
def test_every_place_is_reached_from_the_rail_and_keeps_to_the_policy(overview, viewport, scheme):
    watched = overview(viewport=viewport, color_scheme=scheme)
    page = watched.page
    for place in PLACES:
        if viewport is PHONE:
            page.get_by_role("button", name="Menu").click()
        page.locator("#rail").get_by_role("link", name=place, exact=True).click()
        heading = "Performance" if place == "Overview" else place
        page.get_by_role("heading", name=heading, level=1).wait_for()
        current = page.locator('#rail a[aria-current="page"]')
        assert current.text_content().strip() == place
        assert page.evaluate(PANE_TOO_WIDE) <= 0, place
        watched.assert_accessible()
        watched.assert_quiet()


def test_a_statement_is_found_opened_and_seen_over_another_time(overview):
    watched = overview()
    page = watched.page
    page.get_by_role("link", name="All statements").click()
    page.get_by_label("A part of the SQL").fill("from projects")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("search=from"))
    page.locator("td a").first.click()
    page.get_by_role("heading", name="How long it took").wait_for()
    assert page.locator("svg.histogram rect").count() >= 1
    assert "FROM" in page.locator("#sql").text_content()
    page.get_by_role("link", name="1 hour").click()
    page.wait_for_url(re.compile("since=1h"))
    assert page.locator('.spans [aria-current="true"]').text_content() == "1 hour"
    page.get_by_role("link", name="Statements", exact=True).last.click()
    page.wait_for_url(re.compile("statements\\?since=1h"))
    watched.assert_accessible()
    watched.assert_quiet()


def test_the_histogram_says_its_figures_in_a_table_too(overview):
    watched = overview()
    page = watched.page
    page.locator("td a").first.click()
    page.get_by_role("heading", name="How long it took").wait_for()
    page.get_by_text("As a table").first.click()
    table = page.locator("details[open] table").first
    runs = [int(cell.replace(",", "")) for cell in table.locator("td:last-child").all_text_contents()]
    assert sum(runs) > 0
    # Where the times reach far, the drawing puts the columns at its ends together; the table does not.
    assert 0 < page.locator("rect.histogram__bar").count() <= len([run for run in runs if run])
    watched.assert_accessible()


def test_a_plan_is_asked_for_and_a_refusal_keeps_the_words(overview):
    watched = overview()
    page = watched.page
    page.goto(page.url.rstrip("/") + "/plan")
    box = page.get_by_label("One statement that reads")
    box.fill("delete from users")
    page.get_by_role("button", name="Read its plan").click()
    page.locator(".field__error").wait_for()
    assert box.input_value() == "delete from users"
    assert box.get_attribute("aria-invalid") == "true"
    watched.assert_accessible()
    box.fill("select count(*) from feedback_submissions where lower(description) = 'x'")
    page.get_by_role("button", name="Read its plan").click()
    page.locator(".plan").get_by_text("Reads the whole table").wait_for()
    watched.assert_accessible()
    # The browser notes the 422 as an error of its own; nothing else was said.
    assert [error for error in watched.errors if "422" not in error] == []


def test_starting_afresh_asks_first(overview):
    watched = overview()
    page = watched.page
    page.get_by_role("button", name="Start afresh").first.click()
    dialog = page.get_by_role("dialog", name="Start the figures afresh?")
    dialog.wait_for()
    watched.assert_accessible()
    dialog.get_by_role("button", name="Keep them").click()
    dialog.wait_for(state="hidden")
    assert page.locator("table.figures tbody tr").count() > 0
    watched.assert_quiet()


def test_the_pages_work_without_a_script(overview):
    watched = overview(java_script_enabled=False)
    page = watched.page
    assert page.locator("table.figures tbody tr").count() > 0
    page.locator("td a").first.click()
    assert page.locator("svg.histogram rect").count() >= 1
    assert page.locator(".plan__words").count() >= 1 or page.get_by_text("has no plan").count() == 1
