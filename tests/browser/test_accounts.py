"""Users, profile and export in a real browser: by hand, by keyboard, light, dark and phone."""

import csv
import io
import secrets

import pyotp
import pytest

from tests.browser.conftest import DESKTOP, PHONE, fill_in, sign_in

NEW = "a horse of another colour"
PAGES = ("users", "profile", "export")


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_the_pages_are_quiet_and_accessible(server, open_page, viewport, scheme):
    watched = open_page(viewport=viewport, color_scheme=scheme)
    page = sign_in(watched, server, "/admin/users")
    for name in PAGES:
        page.goto(f"{server.url}/admin/{name}")
        page.get_by_role("heading", level=1).wait_for()
        watched.assert_accessible()
        watched.assert_quiet()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_somebody_is_invited_and_adds_a_second_factor_by_keyboard(server, open_page):
    admin = sign_in(open_page(), server, "/admin/users")
    admin.get_by_role("heading", name="Invite somebody").wait_for()
    email = f"{secrets.token_hex(6)}@example.org"
    admin.get_by_label("E-mail").fill(email)
    admin.get_by_label("E-mail").press("Enter")
    link = admin.locator("#link").inner_text()
    watched = open_page()
    page = watched.page
    page.goto(link)
    watched.assert_accessible_in_every_look()
    page.get_by_label("Your name").fill("Invited")
    page.get_by_label("Password", exact=True).fill(NEW)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")
    page.goto(f"{server.url}/admin/profile")
    page.locator("#begin-password").fill(NEW)
    page.keyboard.press("Enter")
    page.wait_for_url("**/second-factor")
    page.locator(".qr").evaluate("(node) => node.decode()")
    watched.assert_accessible_in_every_look()
    secret = page.locator("main code").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    page.keyboard.press("Enter")
    page.get_by_text("Keep these codes").wait_for()
    watched.assert_accessible_in_every_look()
    code = page.locator("#codes").inner_text().split()[0]
    watched.assert_quiet()
    again = open_page()
    again.page.goto(server.url + "/admin/")
    fill_in(again.page, email, NEW)
    again.page.get_by_role("heading", name="Second step").wait_for()
    again.assert_accessible_in_every_look()
    again.page.get_by_label("Code").fill(code)
    again.page.keyboard.press("Enter")
    # Exactly: the address of the second step ends in the same words.
    again.page.wait_for_url(f"{server.url}/admin/")
    again.assert_quiet()


def test_an_export_is_downloaded_with_its_progress(server, open_page):
    watched = open_page()
    page = sign_in(watched, server, "/admin/export")
    page.get_by_role("button", name="Download").wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").press("Enter")
    with open(waiting.value.path(), encoding="utf-8", newline="") as file:  # noqa: PTH123
        rows = csv.DictReader(io.StringIO(file.read(), newline=""))
        assert rows.fieldnames[:2] == ["id", "created_at"]
    assert waiting.value.suggested_filename.endswith(".csv")
    page.get_by_role("heading", name="Downloaded").wait_for()
    watched.assert_quiet()
