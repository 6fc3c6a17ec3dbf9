"""A browser's network as a test wants it, by the DevTools protocol (`Network.emulateNetworkConditions`)."""

from playwright.sync_api import Page

# A phone in a train: what waits for an answer is seen to wait.
SLOW = {"latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
FAST = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}

# What was drawn and moved by itself, so far that somebody sees it (web.dev/cls; 0.1 counts as good): a row of
# names that is drawn while the last of them is still on its way is 0.001.
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries())
    if (value > 0.005 && !hadRecentInput)
      window.shifts.push([value, sources.map(({ node }) => node?.outerHTML?.slice(0, 80))]);
}).observe({ type: 'layout-shift', buffered: true });
"""


class Network:
    """The network of one page."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Network.enable")

    def be(self, conditions: dict[str, int], offline: bool = False) -> None:
        """Change how fast it is, and whether it is there at all."""
        self._session.send("Network.emulateNetworkConditions", {"offline": offline, **conditions})

    def slow(self) -> None:
        self.be(SLOW)

    def away(self) -> None:
        self.be(FAST, offline=True)

    def back(self) -> None:
        self.be(FAST)
