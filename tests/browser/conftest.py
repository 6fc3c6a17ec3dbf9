"""A real browser against a real server. Every page notes what it should not say: CSP reports, errors."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.team import DEADLINE_MS, ask
from tests.live import LiveServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
PASSWORD = "correct horse battery"
ADMIN = "admin@earmark.local"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
VARIANTS = [
    pytest.param(DESKTOP, "light", id="desktop-light"),
    pytest.param(DESKTOP, "dark", id="desktop-dark"),
    pytest.param(PHONE, "light", id="phone-light"),
]
LOOKS = [(PHONE, "dark"), (PHONE, "light"), (DESKTOP, "dark"), (DESKTOP, "light")]
expect.set_options(timeout=DEADLINE_MS)
# Who has signed in at which instance, as cookies.
SIGNED_IN: dict[tuple[Path, str], list[Any]] = {}

# Without `preload` axe adds no style elements of its own, which a strict policy would report.
RUN_AXE = """
axe.run(document, {resultTypes: ['violations'], preload: false}).then((result) =>
  result.violations.map(({id, impact, nodes}) => ({id, impact, nodes: nodes.map((node) =>
    `${node.target.join(' ')} ${node.any[0]?.message ?? node.all[0]?.message ?? ''}`)})))
"""

# What fades in has less contrast on its way.
AT_REST = """
() => Promise.allSettled(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime !== Infinity).map((one) => one.finished))
"""

TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
# The pane scrolls up and down; only what says so itself may be wider than it.
PANE_TOO_WIDE = (
    "(() => { const pane = document.querySelector('main'); return pane.scrollWidth - pane.clientWidth })()"
)

WATCH = """
window.reports = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.reports.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def chromium() -> str:
    """Return the path of an installed Chromium."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    found = found or next((path for path in MAC if Path(path).exists()), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with the demo page and room for many submissions."""
    instance = tmp_path_factory.mktemp("browser") / "instance"
    settings = {"intake_rate_limit": "100000 per hour", "flood_rate_limit": "100000 per minute"}
    with LiveServer(instance, demo="true", **settings) as live:
        yield live


@pytest.fixture(scope="session")
def token(server: LiveServer) -> str:
    """A bearer token of the first admin."""
    return admin_token(server)


def admin_token(server: LiveServer) -> str:
    """Make a bearer token of the first admin of a server."""
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "tokens", "create", "--user", ADMIN, "--role", "admin", "--json"],
        env=server.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(done.stdout)["token"])


class Watched:
    """A page and everything it complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Security Policy" in message.text:
            self.errors.append(f"{message.type}: {message.text}")

    def assert_quiet(self) -> None:
        """No CSP report, no console error, nothing uncaught."""
        assert self.page.evaluate("window.reports ?? []") == []
        assert not self.errors, "\n".join(self.errors)

    def assert_accessible(self) -> None:
        """Axe finds nothing serious, shadow trees included, once what moves or fades has come to rest."""
        self.page.evaluate(AT_REST)
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8") + "; 0")
        found = self.page.evaluate(RUN_AXE)
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        assert serious == [], self.page.url

    def assert_accessible_in_every_look(self) -> None:
        """So too on a desk and on a phone, in light and in dark; and on a phone nothing is too wide."""
        for viewport, scheme in LOOKS:
            self.page.set_viewport_size(viewport)
            self.page.emulate_media(color_scheme=scheme)
            self.assert_accessible()
            if viewport is PHONE:
                assert self.page.evaluate(TOO_WIDE) <= 0, self.page.url


def sign_in(watched: Watched, server: LiveServer, path: str = "/admin/", email: str = ADMIN) -> Page:
    """Show a page to somebody, with its scripts running.

    By the form once for each person and instance: more than thirty sign-ins a minute are refused.
    """
    page, whose = watched.page, (server.instance, email)
    if whose in SIGNED_IN:
        page.context.add_cookies(SIGNED_IN[whose])
        page.goto(server.url + path)
        return page
    page.goto(f"{server.url}/admin/sign-in?{urlencode({'next': path})}")
    fill_in(page, email, PASSWORD)
    page.wait_for_url(lambda url: "/sign-in" not in url)
    # Not what scripts remember, such as the viewer's time zone.
    SIGNED_IN[whose] = [cookie for cookie in page.context.cookies() if cookie["httpOnly"]]
    return page


def fill_in(page: Page, email: str, password: str) -> None:
    """Fill in the form of the sign-in and send it."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Open a page of its own context: `viewport`, `color_scheme`, `locale`, …"""
    contexts: list[BrowserContext] = []

    def open_(**options: Any) -> Watched:
        context = browser.new_context(**({"viewport": DESKTOP, "locale": "en-GB"} | options))
        context.set_default_timeout(DEADLINE_MS)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(WATCH)
        return Watched(page)

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def agents(server: LiveServer) -> list[str]:
    """Two agents; returns their e-mail addresses."""
    return [make_user(server, email, "agent") for email in ("ana@example.org", "ben@example.org")]


def make_user(server: LiveServer, email: str, role: str) -> str:
    """Make a user with the tests' password; returns the e-mail address."""
    command = [sys.executable, "-m", "app.cli", "users", "create", email, "--role", role, "--password-stdin"]
    subprocess.run(
        command,
        env=server.environment(),
        input=PASSWORD + "\n",
        text=True,
        check=True,
        capture_output=True,
    )
    return email


@pytest.fixture
def project(server, token, request) -> str:
    """A project of the test's own; returns its public key."""
    name = f"{request.node.name[:60]} {time.time_ns()}"
    return str(ask(server, token, "/admin/api/projects", {"name": name})["key"])


@pytest.fixture
def submit(server, token, project):
    """Send submissions as a site does; returns their ids, the oldest first."""

    def send(count: int = 1, words: str = "Number") -> list[str]:
        return [
            ask(
                server,
                token,
                "/api/feedback",
                {"project": project, "category": "bug", "description": f"{words} {n}."},
            )["id"]
            for n in range(count)
        ]

    return send


@pytest.fixture
def enter(server, project, open_page, agents):
    """Sign an agent in and show the project's list."""

    def go(email: str = "ana@example.org", **options: Any):
        watched = open_page(**options)
        page = sign_in(watched, server, f"/admin/?project={project}", email)
        page.locator("[data-select-start]").wait_for()
        return watched

    return go
