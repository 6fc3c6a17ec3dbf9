"""What tests of a team at work share: asking the API, waiting for what the server says, keys to a focus."""

import json
import time
import urllib.request
from typing import Any

from playwright.sync_api import Locator, Page

# For whatever is waited for: generous, for it is only spent on a machine that is busy, or in vain.
DEADLINE_MS = 60_000
# More than any menu or dialog has controls.
MOST_KEYS = 60


def ask(server: Any, token: str, path: str, body: Any = None, method: str | None = None) -> Any:
    """Ask the API as the admin and return the answer's data."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=DEADLINE_MS / 1000) as response:
        return json.load(response)["data"]


def statuses(server: Any, token: str, project: str) -> dict[str, str]:
    """Return the status of each submission of a project."""
    items = ask(server, token, f"/admin/api/feedback?project={project}&limit=200")
    return {item["id"]: item["status"] for item in items}


def until(read: Any, wanted: Any) -> None:
    """Wait until what is read is what is wanted."""
    deadline = time.monotonic() + DEADLINE_MS / 1000
    while (found := read()) != wanted:
        assert time.monotonic() < deadline, (found, wanted)
        time.sleep(0.1)


def toast(page: Page) -> Locator:
    """Return the note that says what was done."""
    return page.locator("[data-toast]:not([hidden])")


def go_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press a key until something has the focus."""
    wanted.wait_for()
    for _ in range(MOST_KEYS):
        if wanted.evaluate("(found) => found === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {wanted}")
