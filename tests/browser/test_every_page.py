"""Every page, with what an attacker stored in every field: nothing runs, and axe finds nothing serious."""

import pytest

from tests.browser.conftest import admin_token, sign_in
from tests.browser.hostile import HIT, HOSTILE, PLANTED, Call, plant
from tests.live import LiveServer

# But for those that a script fills when it opens them, which test_triage.py looks at.
DIALOGS = (
    """[...document.querySelectorAll('dialog:not(#keys, #trouble, #palette, #ask)')].map(({id}) => id)"""
)
# By the rule of their route; the words in braces are of `plant`.
PAGES = {
    "inbox": {
        "/admin/": "/admin/",
        "/admin/ (searched)": "/admin/?q=hit",
        "/admin/ (refused)": "/admin/?q=staus:hit",
        "/admin/feedback/<public_id>": "/admin/feedback/{submission}?shown=200",
        "/admin/feedback/<public_id>/redact": "/admin/feedback/{submission}/redact",
        "/admin/feedback/<public_id>/macros": "/admin/feedback/{submission}/macros",
        "/admin/dashboard": "/admin/dashboard?project={project}",
        "/admin/export": "/admin/export?q=hit",
    },
    "settings": {
        "/admin/projects": "/admin/projects",
        "/admin/projects/<public_key>": "/admin/projects/{project}",
        "/admin/tokens": "/admin/tokens",
        "/admin/tags": "/admin/tags",
        "/admin/tags/<public_id>": "/admin/tags/{tag}",
        "/admin/macros": "/admin/macros",
        "/admin/macros/<public_id>": "/admin/macros/{macro}",
        "/admin/users": "/admin/users",
        "/admin/users/<public_id>": "/admin/users/{user}",
        "/admin/profile": "/admin/profile",
        "/admin/audit": "/admin/audit?limit=200",
    },
    "keeping": {
        "/admin/retention": "/admin/retention",
        "/admin/retention/due": "/admin/retention/due",
        "/admin/retention/holds": "/admin/retention/holds",
        "/admin/retention/archive": "/admin/retention/archive",
        "/admin/retention/space": "/admin/retention/space",
        "/admin/retention/runs": "/admin/retention/runs",
        "/admin/retention/runs/<public_id>": "/admin/retention/runs/{run}",
        "/admin/privacy": "/admin/privacy",
        "/admin/privacy/data": "/admin/privacy/data",
        "/admin/privacy/erasures/<public_id>": "/admin/privacy/erasures/{erasure}",
    },
    "performance": {
        "/admin/performance": "/admin/performance",
        "/admin/performance/statements": "/admin/performance/statements",
        "/admin/performance/statements/<fingerprint>": "/admin/performance/statements/{fingerprint}",
        "/admin/performance/slow": "/admin/performance/slow",
        "/admin/performance/routes": "/admin/performance/routes",
        "/admin/performance/indexes": "/admin/performance/indexes",
        "/admin/performance/resources": "/admin/performance/resources",
        "/admin/performance/plan": "/admin/performance/plan",
    },
    "nobody": {
        "/admin/sign-in": "/admin/sign-in?next=/admin/%22%3E%3Cimg%20src=x%20onerror=hit()%3E",
        "/admin/welcome/<token>": "{invitation}",
        "/report/<public_key>": "/report/{project}",
        "/f/<token>": "{status}",
        "/f/<token>/delete": "{status}/delete",
        "/demo": "/demo",
    },
}
# Parts, pictures and files, which are no page of their own, and what is looked at elsewhere.
NO_PAGES = {
    "/": "leads on",
    "/admin/arrivals": "a part",
    "/admin/bulk/choices": "a part",
    "/admin/feedback/<public_id>/delete": "its dialog, and test_a_submission_in_the_trash below",
    "/admin/feedback/<public_id>/picture": "a part",
    "/admin/listening": "a part",
    "/admin/names": "JSON",
    "/admin/rows": "a part",
    "/admin/views/counts": "a part",
    "/admin/performance/statements.csv": "a file",
    "/admin/profile/second-factor": "test_accounts.py",
    "/admin/profile/second-factor/qr.svg": "a picture",
    "/admin/sign-in/code": "test_accounts.py",
    "/f/<token>/copy": "a file",
    "/f/<token>/picture": "a picture",
    "/health": "JSON",
    "/health/db": "JSON",
    "/metrics": "text",
    "/openapi.json": "JSON",
}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A server of its own, for a sweep and an erasure are made on it; with what `plant` stored."""
    limits = {"intake_rate_limit": "100000 per hour", "flood_rate_limit": "100000 per minute"}
    with LiveServer(tmp_path_factory.mktemp("every") / "instance", demo="true", **limits) as live:
        call = Call(live, admin_token(live))
        planted = plant(call)
        one = call("GET", f"/admin/api/feedback/{planted['submission']}")
        status = "/f/" + one["status_url"].rpartition("/")[2]
        yield live, planted | {"status": status}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_page_is_left_out(app):
    there = {
        rule.rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and "/api/" not in rule.rule
    }
    there -= {rule for rule in there if rule.startswith(("/static/", "/widget"))}
    visited = {rule.partition(" ")[0] for pages in PAGES.values() for rule in pages}
    assert there - {"/demo"} == (visited | set(NO_PAGES)) - {"/demo"}


@pytest.mark.parametrize("section", list(PAGES))
def test_what_is_stored_runs_on_no_page_and_every_page_is_accessible(known, open_page, section):
    server, planted = known
    watched = open_page()
    page = watched.page
    page.add_init_script(HIT)
    if section != "nobody":
        sign_in(watched, server)
    for rule, path in PAGES[section].items():
        page.goto(server.url + path.format_map(planted))
        watched.assert_accessible_in_every_look()
        for name in page.evaluate(DIALOGS):
            dialog = page.locator(f"dialog#{name}")
            dialog.evaluate("(dialog) => dialog.showModal()")
            watched.assert_accessible_in_every_look()
            dialog.evaluate("(dialog) => dialog.close()")
        nothing_ran(watched)
        if "(refused)" in rule:  # the browser notes the status as an error of its own
            watched.errors = [error for error in watched.errors if "422" not in error]
        watched.assert_quiet()


def test_what_is_stored_runs_nowhere_when_parts_are_swapped_in(known, open_page):
    """By the keyboard through all thirty; scripts that htmx would run are in the parts that it puts in."""
    server, planted = known
    watched = open_page()
    page = watched.page
    page.add_init_script(HIT)
    sign_in(watched, server)
    ids = page.locator("[data-row]").evaluate_all("(rows) => rows.map(({dataset}) => dataset.row)")
    assert set(ids) <= set(planted["ids"])
    assert len(ids) == len(HOSTILE) - 1  # one person was erased
    page.locator("#box").click()
    for public_id in ids:
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.locator(f'[data-submission="{public_id}"]').wait_for()
        assert page.evaluate(PLANTED) == 0
    page.keyboard.press("Control+k")
    page.locator("[data-palette-input]").fill("hit")
    page.locator('[data-palette] [role="option"]').first.wait_for()
    nothing_ran(watched)
    watched.assert_quiet()


def nothing_ran(watched):
    watched.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert watched.page.evaluate("window.hits") == 0
    assert watched.page.evaluate(PLANTED) == 0
