"""The retention pages in a real browser: light, dark and phone, by hand and without a script."""

import subprocess
import sys

import pytest

from tests.browser.conftest import PANE_TOO_WIDE, PHONE, VARIANTS, sign_in

BASE = "/admin/retention"
PLACES = {"Policies": "Retention", "Holds": "Holds", "Archive": "Archive", "Space": "Space"}


@pytest.fixture(scope="module")
def seeded(server):
    """A year of submissions, so that something is due and the weeks have bars."""
    command = [sys.executable, "-m", "app.cli", "demo", "seed", "--count", "600"]
    subprocess.run(command, env=server.environment(), capture_output=True, check=True)
    return server


@pytest.fixture
def overview(seeded, open_page):
    """Open the overview as an admin."""

    def go(**options):
        watched = open_page(**options)
        page = sign_in(watched, seeded, BASE)
        page.get_by_role("heading", name="Retention", level=1).wait_for()
        return watched

    return go


@pytest.mark.parametrize(("viewport", "scheme"), VARIANTS)
def test_every_place_is_reached_from_the_rail_and_keeps_to_the_policy(overview, viewport, scheme):
    watched = overview(viewport=viewport, color_scheme=scheme)
    page = watched.page
    for place, heading in PLACES.items():
        if viewport is PHONE:
            page.get_by_role("button", name="Menu").click()
        page.locator("#rail").get_by_role("link", name=place, exact=True).click()
        page.get_by_role("heading", name=heading, level=1).wait_for()
        assert page.locator('#rail a[aria-current="page"]').text_content().strip() == place
        assert page.evaluate(PANE_TOO_WIDE) <= 0, place
        watched.assert_accessible()
        watched.assert_quiet()
    page.goto(page.url.replace("/space", "") + "/due")
    page.get_by_role("heading", name="What the next run takes").wait_for()
    assert page.evaluate(PANE_TOO_WIDE) <= 0
    watched.assert_accessible()


def test_a_dotted_word_opens_the_policy_in_its_place_and_a_preview_says_what_it_does(overview):
    watched = overview()
    page = watched.page
    page.locator("#policies").wait_for()
    page.get_by_role("link", name="30 days").first.click()
    keep = page.get_by_label("Keep", exact=True)
    keep.wait_for()
    assert keep.evaluate("(input) => input === document.activeElement")
    keep.fill("45")
    watched.assert_accessible()
    page.get_by_role("button", name="See what it does").click()
    page.get_by_text("The next run takes").wait_for()
    page.get_by_role("button", name="Save the policy").click()
    page.get_by_role("link", name="45 days").first.wait_for()
    watched.assert_quiet()


def test_the_weeks_say_their_figures_in_a_table_too(overview):
    page = overview().page
    page.get_by_text("As a table").click()
    table = page.get_by_role("region", name="The coming six weeks, as a table")
    rows = [int(cell.replace(",", "")) for cell in table.locator("tbody td:nth-child(2)").all_text_contents()]
    assert len(rows) == 42
    assert len([count for count in rows if count]) == page.locator("rect.weeks__bar").count()


def test_a_hold_is_placed_and_released_without_a_script(overview):
    page = overview(java_script_enabled=False).page
    page.get_by_role("link", name="Holds", exact=True).click()
    page.get_by_label("Why").fill("Asked for by counsel")
    page.get_by_label("Status").select_option("spam")
    page.get_by_role("button", name="Count first").click()
    page.get_by_text("and what matches later").wait_for()
    page.get_by_role("button", name="Place the hold").click()
    page.get_by_text("Asked for by counsel").first.wait_for()
    page.get_by_role("button", name="Release Asked for by counsel").click()
    page.get_by_text("Nothing is held").wait_for()
