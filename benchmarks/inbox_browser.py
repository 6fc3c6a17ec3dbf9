"""The inbox under the hand, in a browser: how long until the next paint, what shifts, what blocks.

Opens the inbox of a running server, searches, settles twenty with the keyboard, closes all that match BULK,
undoes that, and follows a day of the dashboard's chart. Prints for each part the 95th percentile of
interaction to next paint (Event Timing, W3C), the layout shift that nobody caused, the tasks over 50 ms, and
the longest task by the time that its thread had a processor, which other work on the machine does not change.
Frames are shown to somebody meanwhile (`Screen`).

    python -m benchmarks.inbox_browser http://127.0.0.1:8000 EMAIL PASSWORD [BULK]

BULK is a query of the inbox's address, such as `status=open&category=bug`.
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
WORD = "basket"
TIMEOUT_MS = 180_000
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
    bulk = rest[0] if rest else "status=open"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(TIMEOUT_MS)
        page.add_init_script(OBSERVE)
        trace, screen = Trace(page), Screen(page)
        _sign_in(page, url, email, password)
        for name, part in (
            ("open", lambda: _open(page, url)),
            ("search", lambda: _search(page)),
            ("triage", lambda: _triage(page, url)),
            ("bulk", lambda: _bulk(page, f"{url}/admin/?{bulk}")),
            ("undo", lambda: _undo(page)),
            ("chart", lambda: _chart(page, url)),
        ):
            trace.start()
            screen.watch()
            started = time.perf_counter()
            acts = part()
            seconds = time.perf_counter() - started
            page.wait_for_timeout(500)  # for the entries of the last frames
            figures = _figures(page, acts, seconds) | {"longest_task_cpu_ms": trace.longest_task_ms()}
            print(json.dumps({"part": name, **figures}), flush=True)
        browser.close()


class Screen:
    """Somebody who looks: each frame is taken as a picture of 64 pixels.

    A Chromium without a screen or a looker reports that a small change was painted only when a larger one is:
    words of a toast that stood in a frame 50–90 ms after the key counted as painted 3 s later.
    """

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.on("Page.screencastFrame", self._look)

    def watch(self) -> None:
        """Look from now on, until the page is closed; who looked before may still do."""
        self._session.send("Page.stopScreencast")
        self._session.send("Page.startScreencast", {"format": "jpeg", "quality": 1, "maxWidth": 64})

    def _look(self, frame: dict[str, Any]) -> None:
        self._session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})


class Trace:
    """The tasks of the page's main thread, by Chromium's own trace."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._events: list[dict[str, Any]] = []
        self._complete = False
        self._session.on("Tracing.dataCollected", lambda data: self._events.extend(data["value"]))
        self._session.on("Tracing.tracingComplete", self._end)

    def start(self) -> None:
        """Begin afresh."""
        self._events, self._complete = [], False
        config = {"includedCategories": ["toplevel"], "excludedCategories": ["*"]}
        self._session.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": config})

    def longest_task_ms(self) -> float:
        """End, and return the processor time of the longest task."""
        self._session.send("Tracing.end")
        while not self._complete:
            self._page.wait_for_timeout(50)
        main = {
            (event["pid"], event["tid"])
            for event in self._events
            if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
        }
        tasks = [
            event["tdur"] / 1000
            for event in self._events
            if event["name"].endswith("RunTask") and "tdur" in event and (event["pid"], event["tid"]) in main
        ]
        return round(max(tasks, default=0), 1)

    def _end(self, _data: object) -> None:
        self._complete = True


def _sign_in(page: Page, url: str, email: str, password: str) -> None:
    page.goto(f"{url}/admin/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#list").wait_for()


def _open(page: Page, url: str) -> int:
    page.goto(f"{url}/admin/")
    page.locator("[data-select-start]").wait_for()
    return 0


def _search(page: Page) -> int:
    """Type and send; the typing is taken before the page with the answer begins its own figures."""
    page.keyboard.press("/")
    page.keyboard.type(WORD, delay=50)
    page.wait_for_timeout(300)
    typed = page.evaluate(TAKE)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**q={WORD}**")
    page.locator("[data-row]").first.wait_for()
    _give_back(page, typed)
    return 1 + len(WORD)


def _triage(page: Page, url: str) -> int:
    _open(page, url)
    page.locator("body").press("j")
    for _ in range(TRIAGED):
        page.keyboard.press("Enter")
        page.keyboard.press("e")
        page.keyboard.press("j")
        page.wait_for_timeout(100)
    page.locator("li.row--settled").nth(TRIAGED - 1).wait_for()
    return 1 + 3 * TRIAGED


def _bulk(page: Page, address: str) -> int:
    page.goto(address)
    page.locator("[data-select-start]").wait_for()
    page.keyboard.press("*")
    page.locator("[data-everything]").click()
    page.locator("[data-bulk-said]", has_text="All").wait_for()
    page.locator("[data-bulk-menu] > summary").click()
    page.get_by_role("button", name="Closed", exact=True).click()
    if page.locator("[data-ask]").is_visible():
        page.locator("[data-ask-yes]").click()
    page.locator("[data-toast-words]", has_text="closed").wait_for()
    page.locator("[data-list]:not([aria-busy])").wait_for()
    return 5


def _undo(page: Page) -> int:
    page.keyboard.press("z")
    page.locator("[data-toast-words]", has_text="as before").wait_for()
    page.locator("[data-row]").first.wait_for()
    return 1


def _chart(page: Page, url: str) -> int:
    page.goto(f"{url}/admin/dashboard")
    page.locator('.chart--wide[data-chart-state="drawn"]').wait_for()
    page.locator(".chart--wide canvas").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(100)
    walked = page.evaluate(TAKE)
    page.keyboard.press("Enter")
    page.locator("[data-list]").wait_for()
    _give_back(page, walked)
    return 3


def _give_back(page: Page, taken: dict[str, Any]) -> None:
    """Add what was measured on the page before to that of this one."""
    page.evaluate(
        """({interactions, shift, long}) => {
          interactions.forEach((ms, index) => seen.interactions.set(`before ${index}`, ms));
          seen.shift += shift; seen.long.push(...long);
        }""",
        taken,
    )


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
