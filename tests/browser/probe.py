"""A page of a test's own at the real server: its modules, its policy, and nothing else that runs."""

import re
from typing import Any

from app.security import CONTENT_POLICY
from tests.browser.conftest import DEADLINE_MS, Watched
from tests.live import LiveServer

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Probe</title>
<link rel="icon" href="{base}img/mark.svg">
<link rel="stylesheet" href="{base}css/tokens.css"><link rel="stylesheet" href="{base}css/base.css">
{head}</head><body><main>{body}</main></body></html>
"""


def static_base(server: LiveServer) -> str:
    """Where the server serves the static files of its build: `/static/BUILD/`."""
    status, page = server.get("/admin/sign-in")
    found = re.search(rb"/static/[0-9a-f]{12}/", page)
    assert status == 200
    assert found
    return found[0].decode()


def show(server: LiveServer, watched: Watched, body: str = "", head: str = "", path: str = "/demo") -> str:
    """Show a page with this content at `path` of the server, under its policy; return the static base.

    `{base}` in `head` is the static base.
    """
    base = static_base(server)
    html = PAGE.format(base=base, head=head.format(base=base), body=body)
    headers = {"Content-Security-Policy": CONTENT_POLICY, "Content-Type": "text/html"}
    watched.page.route(server.url + path, lambda route: route.fulfill(body=html, headers=headers))
    watched.page.goto(server.url + path)
    return base


def run(watched: Watched, base: str, module: str, script: str, argument: Any = None) -> Any:
    """Run a function of (module, argument) in the page, with one of our modules imported."""
    wrapped = f"async ([address, argument]) => ({script})(await import(address), argument)"
    return watched.page.evaluate(wrapped, [f"{base}js/{module}", argument])


UNTIL = """new Promise((done, fail) => {{
  const end = performance.now() + {deadline};
  const look = () => {{
    if ({condition}) done(true);
    else if (performance.now() > end) fail(new Error('never came true'));
    else requestAnimationFrame(look);
  }};
  look();
}})"""


def until(watched: Watched, condition: str) -> None:
    """Wait until an expression is true. Playwright itself would evaluate text, which the policy forbids."""
    watched.page.evaluate(UNTIL.format(condition=condition, deadline=DEADLINE_MS))
