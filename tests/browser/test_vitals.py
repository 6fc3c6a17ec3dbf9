"""Browsers measure themselves: what a page sends when it is left, how often, and what it costs the others."""

import json

import pytest

from app.blueprints.performance.timings import METRICS
from app.blueprints.performance.vitals import MOST_BYTES
from tests.browser.conftest import sign_in
from tests.browser.probe import show, until

ADDRESS = "/api/performance/vitals"
TAG = '<script type="module" src="{{base}}js/shared/vitals.js" data-vitals="{percent}"></script>'
# Kept by the browser itself over pages, and told whatever becomes of the page that sent it.
KEEP = """
const send = navigator.sendBeacon.bind(navigator);
navigator.sendBeacon = (address, body) => {
  localStorage.setItem('sent', JSON.stringify([...JSON.parse(localStorage.getItem('sent') ?? '[]'), body]));
  return send(address, body);
};
"""
FIRST_FIVE = {"LCP", "CLS", "FCP", "TTFB", "INP"}
# The tab goes to the background, as the browser would tell it: headless ones have no background. The library
# takes its last largest paint only from a browser's own event, so that one is missing here.
HIDE = """
Object.defineProperty(document, 'hidden', {configurable: true, get: () => true});
Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => 'hidden'});
document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
"""
LIBRARY_CAME = """performance.getEntriesByType('resource').some(({name, responseEnd}) =>
  name.includes('/web-vitals') && responseEnd > 0)"""
LOADED = "new Promise((done) => requestIdleCallback(() => requestIdleCallback(done)))"


@pytest.fixture
def visit(server, open_page):
    """Open a page that measures itself in so many visits of 100."""

    def open_(percent=100, body="<h1>Words</h1><button>Press</button>", **options):
        watched = open_page(**options)
        watched.page.add_init_script(KEEP)
        show(server, watched, body, TAG.format(percent=percent))
        return watched

    return open_


def measured(watched, drawn=True):
    """Wait until the page has its first timings and, if it was drawn by lot, all its listeners."""
    watched.page.wait_for_load_state("networkidle")
    if drawn:
        until(watched, LIBRARY_CAME)
    watched.page.evaluate(LOADED)


def leave(watched, server):
    """Go to another page, and return what the one before sent."""
    watched.page.unroute_all()
    watched.page.goto(server.url + "/admin/sign-in")
    return sent(watched)


def sent(watched):
    return [
        json.loads(body) for body in watched.page.evaluate("JSON.parse(localStorage.getItem('sent') ?? '[]')")
    ]


def names(body):
    return {timing["metric"] for timing in body["timings"]}


def test_a_page_sends_its_timings_once_when_it_is_left(visit, server):
    watched = visit()
    measured(watched)
    watched.page.get_by_role("button").click()
    (body,) = leave(watched, server)
    assert body["page"] == "/demo"
    assert names(body) >= {"LCP", "CLS", "FCP", "TTFB", "load", "script", "style", "blocked"}
    assert names(body) <= set(METRICS)
    values = {timing["metric"]: timing["value"] for timing in body["timings"]}
    assert all(value >= 0 for value in values.values())
    assert 0 < values["TTFB"] <= values["FCP"] <= values["LCP"] < 60_000
    assert len(json.dumps(body)) < MOST_BYTES / 8
    watched.assert_quiet()


def test_a_tab_that_is_looked_at_again_is_still_one_visit(visit):
    watched = visit()
    measured(watched)
    watched.page.evaluate(HIDE)
    assert len(sent(watched)) == 1
    watched.page.evaluate(HIDE)
    assert len(sent(watched)) == 1


def test_long_tasks_and_requests_are_measured(visit):
    watched = visit()
    measured(watched)
    watched.page.evaluate(
        "new Promise((done) => setTimeout(() => { const end = performance.now() + 150; "
        "while (performance.now() < end); requestAnimationFrame(() => setTimeout(done)); }))"
    )
    watched.page.evaluate("fetch('/health').then((got) => got.text())")
    watched.page.evaluate(LOADED)
    watched.page.evaluate(HIDE)
    values = {timing["metric"]: timing["value"] for timing in sent(watched)[0]["timings"]}
    assert values["task"] >= 150
    assert values["blocked"] >= 100
    assert values["request"] > 0


def test_a_page_that_is_not_drawn_by_lot_loads_nothing_and_sends_nothing(visit, server):
    watched = visit(percent=0)
    watched.page.wait_for_load_state("networkidle")
    watched.page.evaluate(LOADED)
    loaded = watched.page.evaluate("performance.getEntriesByType('resource').map(({name}) => name)")
    assert not [name for name in loaded if "web-vitals" in name]
    assert leave(watched, server) == []


@pytest.mark.parametrize(("lot", "drawn"), [(0.0999, True), (0.1001, False)])
def test_of_a_hundred_visits_so_many_are_drawn_as_was_asked(server, open_page, lot, drawn):
    watched = open_page()
    watched.page.add_init_script(KEEP)
    watched.page.add_init_script(f"Math.random = () => {lot}")
    show(server, watched, "<h1>Words</h1>", TAG.format(percent=10))
    measured(watched, drawn)
    watched.page.evaluate(HIDE)
    assert len(sent(watched)) == int(drawn)


def test_a_page_without_the_library_still_says_what_the_browser_keeps(server, open_page):
    watched = open_page()
    watched.page.add_init_script(KEEP)
    watched.page.route("**/vendor/web-vitals-*/*.js", lambda route: route.abort())
    with watched.page.expect_event("requestfailed"):
        show(server, watched, "<h1>Words</h1>", TAG.format(percent=100))
    measured(watched, drawn=False)
    watched.page.evaluate(HIDE)
    assert "load" in names(sent(watched)[0])
    assert not names(sent(watched)[0]) & FIRST_FIVE


def test_where_beacons_are_not_taken_the_timings_are_fetched_away(server, open_page):
    watched = open_page()
    watched.page.add_init_script("navigator.sendBeacon = () => false")
    show(server, watched, "<h1>Words</h1>", TAG.format(percent=100))
    measured(watched)
    with watched.page.expect_response(lambda got: got.url.endswith(ADDRESS)) as got:
        watched.page.evaluate(HIDE)
    assert "FCP" in got.value.request.post_data
    assert got.value.status == 204


def test_the_inbox_measures_itself_and_the_server_takes_it(server, open_page):
    watched = open_page()
    watched.page.add_init_script(KEEP)
    sign_in(watched, server)
    watched.page.evaluate("localStorage.removeItem('sent')")
    measured(watched)
    with watched.page.expect_response(lambda got: got.url.endswith(ADDRESS)) as got:
        watched.page.evaluate(HIDE)
    assert got.value.status == 204
    watched.page.reload()
    measured(watched)
    watched.page.goto(server.url + "/admin/projects")
    bodies = sent(watched)
    assert [body["page"] for body in bodies] == ["/admin/", "/admin/"]
    assert names(bodies[-1]) >= {"LCP", "CLS", "FCP", "TTFB"}
    watched.assert_quiet()
