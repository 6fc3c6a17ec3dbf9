"""The audit log, a person's data and the data map in a real browser: light, dark, phone, hostile names."""

import json
import subprocess
import sys
import urllib.request

import pytest

from tests.browser.conftest import DESKTOP, PANE_TOO_WIDE, PHONE, sign_in

HOSTILE = "<img src=x onerror=alert(1)>"
VARIANTS = [
    pytest.param(DESKTOP, "dark", id="desktop-dark"),
    pytest.param(PHONE, "light", id="phone-light"),
]


@pytest.fixture(scope="module")
def known(server, token):
    """A project with a hostile name, and a submission of Jana."""
    command = [sys.executable, "-m", "app.cli", "projects", "create", HOSTILE, "--json"]
    done = subprocess.run(command, env=server.environment(), capture_output=True, text=True, check=True)
    project = json.loads(done.stdout)["key"]
    sent = {
        "project": project,
        "category": "bug",
        "description": HOSTILE,
        "reporter": {"email": "jana@example.org", "name": HOSTILE},
    }
    request = urllib.request.Request(
        server.url + "/api/feedback", json.dumps(sent).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
    return server


@pytest.mark.parametrize(("viewport", "scheme"), VARIANTS)
def test_the_audit_log_is_filtered_and_opened_and_names_are_only_text(known, open_page, viewport, scheme):
    watched = open_page(viewport=viewport, color_scheme=scheme)
    page = sign_in(watched, known, "/admin/audit")
    page.get_by_role("heading", name="Audit", level=1).wait_for()
    page.get_by_label("What", exact=True).select_option("project.create")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**action=project.create**")
    page.locator(".act__line").first.click()
    facts = page.locator(".act[open] .act__facts")
    facts.get_by_text(HOSTILE).first.wait_for()
    assert page.evaluate(PANE_TOO_WIDE) == 0
    watched.assert_accessible()
    watched.assert_quiet()


@pytest.mark.parametrize(("viewport", "scheme"), VARIANTS)
def test_what_is_kept_of_a_person_is_shown_before_anything_goes(known, open_page, viewport, scheme):
    watched = open_page(viewport=viewport, color_scheme=scheme)
    page = sign_in(watched, known, "/admin/privacy")
    watched.assert_accessible()
    page.get_by_label("Who", exact=True).fill("Jana@example.org")
    page.get_by_role("button", name="Show what is kept").click()
    page.get_by_role("button", name="Erase 1 submission").wait_for()
    assert page.evaluate(PANE_TOO_WIDE) == 0
    watched.assert_accessible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the zip").click()
    assert download.value.suggested_filename == "person.zip"
    page.goto(known.url + "/admin/privacy/data")
    page.get_by_text("reporter_email").wait_for()
    assert page.evaluate(PANE_TOO_WIDE) == 0
    watched.assert_accessible()
    watched.assert_quiet()
