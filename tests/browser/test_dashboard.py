"""The dashboard in a real browser: charts on sight, by hand and keyboard, light, dark and phone."""

import re
import subprocess
import sys

import pytest

from tests.browser.conftest import PANE_TOO_WIDE, VARIANTS, sign_in
from tests.live import LiveServer

LIBRARY = "/vendor/chart.js-"
WIDE = ".chart--wide"
# Adds up every shift of the layout, whoever caused it (web.dev/articles/cls).
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifted += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """A server of its own with a year of demo submissions."""
    with LiveServer(tmp_path_factory.mktemp("dashboard") / "instance") as live:
        seed = [sys.executable, "-m", "app.cli", "demo", "seed", "--count", "600"]
        subprocess.run(seed, env=live.environment(), check=True, capture_output=True)
        yield live


@pytest.fixture
def dashboard(seeded, open_page):
    """Open the dashboard as an admin; what was asked for stands in `requested`."""

    def go(query="", **options):
        watched = open_page(**({"timezone_id": "Europe/Stockholm"} | options))
        page = watched.page
        page.add_init_script(SHIFTS)
        watched.requested = []
        page.on("request", lambda request: watched.requested.append(request.url))
        sign_in(watched, seeded, f"/admin/dashboard{query}")
        page.get_by_role("heading", name="Dashboard", level=1).wait_for()
        page.locator('main[data-zone="Europe/Stockholm"]').wait_for()
        return watched

    return go


def drawn(page, chart=WIDE):
    page.wait_for_selector(f'{chart}[data-chart-state="drawn"]')


@pytest.mark.parametrize(("viewport", "scheme"), VARIANTS)
def test_the_page_is_accessible_quiet_and_does_not_shift(dashboard, viewport, scheme):
    watched = dashboard(viewport=viewport, color_scheme=scheme)
    page = watched.page
    page.locator(WIDE).scroll_into_view_if_needed()
    drawn(page)
    assert page.evaluate(PANE_TOO_WIDE) <= 0
    assert page.evaluate("window.shifted") < 0.01
    watched.assert_accessible()
    watched.assert_quiet()


def test_the_library_is_fetched_only_when_a_chart_comes_into_view(dashboard):
    watched = dashboard(viewport={"width": 390, "height": 120})
    page = watched.page
    page.wait_for_selector(f'{WIDE}[data-chart-state="waiting"]')
    assert not [url for url in watched.requested if LIBRARY in url]
    page.locator(WIDE).scroll_into_view_if_needed()
    drawn(page)
    assert len([url for url in watched.requested if LIBRARY in url]) == 1


def test_the_keyboard_walks_the_days_and_opens_one_in_the_inbox(dashboard):
    page = dashboard().page
    drawn(page)
    page.locator(f"{WIDE} canvas").focus()
    said = page.locator("[data-announce]")
    titles = page.locator(f"{WIDE} tbody th")
    page.keyboard.press("ArrowLeft")
    assert said.text_content().startswith(titles.last.text_content().strip())
    page.keyboard.press("ArrowLeft")
    assert said.text_content().startswith(titles.nth(-2).text_content().strip())
    page.keyboard.press("Home")
    assert said.text_content().startswith(titles.first.text_content().strip())
    href = titles.first.locator("a").get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/admin/\?.*q=after"))
    assert href.startswith("/admin/?")


def test_a_bar_leads_to_the_inbox_and_back_keeps_the_range(dashboard):
    page = dashboard("?days=365").page
    drawn(page)
    assert page.locator('.spans [aria-current="true"]').text_content() == "12 months"
    page.locator("#by-browsers").locator("xpath=../..").locator("a.bar__name").first.click()
    page.wait_for_url(re.compile(r"/admin/\?.*browser"))
    page.go_back()
    assert page.locator('.spans [aria-current="true"]').text_content() == "12 months"


def test_without_its_library_a_chart_is_its_table(dashboard):
    watched = dashboard(viewport={"width": 390, "height": 120})
    page = watched.page
    page.route(f"**{LIBRARY}**", lambda route: route.abort())
    page.locator(WIDE).scroll_into_view_if_needed()
    page.wait_for_selector(f'{WIDE}[data-chart-state="failed"]')
    assert page.locator(f"{WIDE} details[open] tbody tr").count() == 30


def test_without_a_script_every_figure_can_be_read(seeded, open_page):
    page = sign_in(open_page(java_script_enabled=False), seeded, "/admin/dashboard")
    page.get_by_role("heading", name="Dashboard", level=1).wait_for()
    page.locator(f"{WIDE} summary").click()
    assert page.locator(f"{WIDE} tbody tr").count() == 30
    assert page.get_by_text("UTC", exact=True).count() == 1
