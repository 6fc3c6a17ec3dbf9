"""The search field by keyboard: completion, marked errors, and nothing for axe to find."""

import subprocess
import sys

import pytest

from tests.browser.conftest import DESKTOP, PHONE, sign_in


@pytest.fixture(scope="module")
def filled(server):
    seed = [sys.executable, "-m", "app.cli", "demo", "seed", "--count", "5"]
    subprocess.run(seed, env=server.environment(), capture_output=True, check=True)
    return server


@pytest.fixture
def inbox(filled, open_page):
    def go(**options):
        watched = open_page(**options)
        page = sign_in(watched, filled)
        page.get_by_role("combobox", name="Search").wait_for()
        return watched

    return go


def test_names_and_values_are_completed_by_keyboard(inbox):
    watched = inbox()
    page = watched.page
    page.locator("#box").click()
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Search")
    page.keyboard.type("sta")
    page.get_by_role("option", name="status:").wait_for()
    watched.assert_accessible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert field.input_value() == "status:"
    page.keyboard.type("cl")
    page.keyboard.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == "search-option-0"
    page.keyboard.press("Tab")
    assert field.input_value() == "status:closed "
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Closed", level=1).wait_for()
    watched.assert_quiet()


def test_names_of_tags_and_people_are_asked_for_as_one_types(inbox):
    watched = inbox()
    page = watched.page
    field = page.get_by_role("combobox", name="Search")
    field.click()
    page.keyboard.type("tag:wish")
    page.get_by_role("option", name='tag:"wish list"').wait_for()
    watched.assert_accessible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert field.input_value() == 'tag:"wish list" '
    page.keyboard.type("assignee:m")
    page.get_by_role("option", name="assignee:me").wait_for()
    watched.assert_quiet()


def test_escape_closes_the_completion_and_keeps_the_text(inbox):
    page = inbox().page
    field = page.get_by_role("combobox", name="Search")
    field.click()
    page.keyboard.type("-has:s")
    page.get_by_role("option", name="has:screenshot").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#search-options [role=option]").count() == 0
    assert field.input_value() == "-has:s"


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_a_wrong_query_is_marked_and_accessible(inbox, viewport, scheme):
    watched = inbox(viewport=viewport, color_scheme=scheme)
    page = watched.page
    field = page.get_by_role("combobox", name="Search")
    field.fill("basket staus:open")
    field.press("Enter")
    page.get_by_text("This query cannot be read").wait_for()
    assert page.locator(".search__error mark").inner_text() == "staus:open"
    watched.assert_accessible()
    page.get_by_role("link", name="basket status:open").click()
    page.get_by_text("No submission matches this").or_(page.locator("[data-row]").first).wait_for()
