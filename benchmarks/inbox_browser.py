"""The inbox under the hand, in a browser: how long until the next paint, what shifts, what blocks.

Opens the inbox of a running server, settles twenty with the keyboard, closes all that match and undoes that,
and prints the 95th percentile of interaction to next paint (Event Timing, W3C), the layout shift
that nobody caused, and the tasks over 50 ms, for each part.

    python -m benchmarks.inbox_browser http://127.0.0.1:8000 EMAIL PASSWORD [FILTER]
"""

import json
import math
import shutil
import sys
import time
from typing import Any

from playwright.sync_api import Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TRIAGED = 20
TIMEOUT_MS = 60_000
# Event Timing reports 16 ms and more; what was quicker than a frame is counted as one.
FRAME_MS = 16
OBSERVE = """
window.seen = {interactions: new Map(), shift: 0, long: []};
new PerformanceObserver((list) => {
  for (const {interactionId: id, duration} of list.getEntries())
    if (id) seen.interactions.set(id, Math.max(duration, seen.interactions.get(id) ?? 0));
}).observe({type: 'event', durationThreshold: 16, buffered: true});
new PerformanceObserver((list) => {
  for (const {hadRecentInput, value} of list.getEntries()) if (!hadRecentInput) seen.shift += value;
}).observe({type: 'layout-shift', buffered: true});
new PerformanceObserver((list) => {
  for (const {duration} of list.getEntries()) seen.long.push(duration);
}).observe({type: 'longtask', buffered: true});
"""
TAKE = """() => {
  const taken = {interactions: [...seen.interactions.values()], shift: seen.shift, long: seen.long};
  seen.interactions.clear(); seen.shift = 0; seen.long = [];
  return taken;
}"""


def main() -> None:
    """Measure and print one line a part."""
    url, email, password, *rest = sys.argv[1:]
    wanted = rest[0] if rest else "status=open"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(TIMEOUT_MS)
        page.add_init_script(OBSERVE)
        _sign_in(page, url, email, password)
        for name, part in (("open", _open), ("triage", _triage), ("bulk", _bulk)):
            started = time.perf_counter()
            acts = part(page, f"{url}/admin/?{wanted}")
            page.wait_for_timeout(500)  # for the entries of the last frames
            print(json.dumps({"part": name, **_figures(page, acts, time.perf_counter() - started)}))
        browser.close()


def _sign_in(page: Page, url: str, email: str, password: str) -> None:
    page.goto(f"{url}/admin/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#list").wait_for()


def _open(page: Page, address: str) -> int:
    page.goto(address)
    page.locator("[data-select-start]").wait_for()
    return 0


def _triage(page: Page, _address: str) -> int:
    page.locator("body").press("j")
    for _ in range(TRIAGED):
        page.keyboard.press("Enter")
        page.keyboard.press("e")
        page.keyboard.press("j")
        page.wait_for_timeout(100)
    return 1 + 3 * TRIAGED


def _bulk(page: Page, address: str) -> int:
    page.goto(address)
    page.locator("[data-select-start]").wait_for()
    page.keyboard.press("*")
    page.locator("[data-everything]").click()
    page.locator("[data-bulk-said]", has_text="All").wait_for()
    page.locator("[data-bulk-menu] > summary").click()
    page.get_by_role("button", name="Closed", exact=True).click()
    page.locator("[data-ask-yes]").click()
    page.locator("[data-toast-words]", has_text="closed").wait_for()
    page.keyboard.press("z")
    page.locator("[data-toast-words]", has_text="as before").wait_for()
    return 6


def _figures(page: Page, acts: int, seconds: float) -> dict[str, Any]:
    taken = page.evaluate(TAKE)
    slow = sorted(taken["interactions"])
    # Those that Event Timing left out were quicker than it reports.
    all_ms = [FRAME_MS] * max(0, acts - len(slow)) + slow
    p95 = sorted(all_ms)[max(0, math.ceil(0.95 * len(all_ms)) - 1)] if all_ms else None
    long_ms = [round(ms) for ms in taken["long"]]
    return {
        "acts": acts,
        "next_paint_p95_ms": p95,
        "layout_shift": round(taken["shift"], 4),
        "long_tasks_ms": long_ms,
        "seconds": round(seconds, 2),
    }


if __name__ == "__main__":
    main()
