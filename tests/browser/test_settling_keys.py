"""Snoozing, merging, macros and tags by the keyboard alone."""

from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.team import ask, go_to, statuses, toast, until


@pytest.fixture
def read(server, token):
    """Return a submission as the API has it."""
    return lambda public_id: ask(server, token, f"/admin/api/feedback/{public_id}")


def new_year() -> date:
    """Return a day to come that is typed alike where the month stands first, and where the day does."""
    return date(datetime.now(UTC).year + 1, 1, 1)


def select_two(page: Page) -> None:
    """Select the first two of the list."""
    page.locator("body").press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")


def test_one_is_snoozed_from_its_menu_and_until_a_day(submit, enter, read):
    later, first = submit(2)
    watched = enter()
    page = watched.page
    page.locator("body").press("j")
    page.keyboard.press("s")
    page.locator(f'[data-submission="{first}"]').wait_for()
    go_to(page, page.locator("#detail").get_by_role("button", name="Tomorrow"), "ArrowDown")
    page.keyboard.press("Enter")
    expect(toast(page)).to_contain_text("1 submission snoozed")
    expect(page.locator("#detail")).to_contain_text("Snoozed until")
    expect(page.locator("#count")).to_have_text("1")
    assert read(first)["is_archived"] is True
    page.keyboard.press("z")
    expect(toast(page)).to_contain_text("1 submission as before")
    assert read(first)["snoozed_until"] is None

    day = new_year()
    page.locator(f'[data-row="{later}"]').focus()
    page.keyboard.press("s")
    page.locator(f'[data-submission="{later}"]').wait_for()
    go_to(page, page.get_by_label("Snooze until 9:00 on"))
    page.keyboard.type(f"{day:%d%m%Y}")
    page.keyboard.press("Enter")
    expect(toast(page)).to_contain_text("1 submission snoozed")
    assert read(later)["snoozed_until"].startswith(f"{day:%Y-%m-%d}")
    watched.assert_quiet()


def test_many_are_snoozed_until_a_day_and_what_is_no_day_is_said_why(submit, enter, read):
    *_, second, first = submit(3)
    watched = enter()
    page = watched.page
    select_two(page)
    page.keyboard.press("s")
    menu = page.locator("[data-bulk-menu]")
    go_to(page, menu.locator("[data-bulk-snooze]"))
    page.keyboard.press("Enter")
    go_to(page, menu.get_by_label("Snooze until 9:00 on"))
    day = new_year()
    page.keyboard.type(f"{day:%d%m%Y}")
    page.keyboard.press("Enter")
    expect(toast(page)).to_contain_text("2 submissions snoozed")
    expect(page.locator("#count")).to_have_text("1")
    assert [read(one)["snoozed_until"][:10] for one in (first, second)] == [f"{day:%Y-%m-%d}"] * 2
    page.keyboard.press("z")
    expect(toast(page)).to_contain_text("2 submissions as before")
    expect(page.locator("#count")).to_have_text("3")
    watched.assert_quiet()

    # The field itself keeps such a day out; a page that was left open overnight does not.
    page.locator("[data-row]").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("s")
    go_to(page, page.locator("[data-bulk-snooze]"))
    page.keyboard.press("Enter")
    field = page.locator("[data-bulk-menu]").get_by_label("Snooze until 9:00 on")
    field.evaluate("(day) => { day.min = '' }")
    go_to(page, field)
    page.keyboard.type("01012020")
    page.keyboard.press("Enter")
    said = "Nothing was changed: snoozed until is a time to come, at most a year from now."
    expect(toast(page)).to_contain_text(said)
    assert toast(page).text_content().count("Nothing was changed") == 1


def test_duplicates_are_merged_and_taken_out(server, token, project, submit, enter):
    oldest, other, newest = submit(3)
    watched = enter()
    page = watched.page
    page.locator("body").press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-said]")).to_have_text("2 selected")
    page.keyboard.press("s")
    go_to(page, page.locator("[data-bulk-merge]"), "ArrowDown")
    page.keyboard.press("Enter")
    asked = page.get_by_role("dialog", name="Merge 2 submissions into one?")
    go_to(page, asked.get_by_role("button", name="Merge them"))
    page.keyboard.press("Enter")
    expect(toast(page)).to_contain_text("merged")
    wanted = {oldest: "open", other: "open", newest: "closed"}
    until(lambda: statuses(server, token, project), wanted)
    expect(page.locator("[data-row]")).to_have_count(2)

    page.locator(f'[data-row="{oldest}"]').focus()
    page.keyboard.press("Enter")
    page.locator(f'[data-submission="{oldest}"]').wait_for()
    go_to(page, page.locator(".merged__link"))
    page.keyboard.press("Enter")
    page.locator(f'[data-submission="{newest}"]').wait_for()
    go_to(page, page.get_by_role("button", name="Take it out"))
    page.keyboard.press("Enter")
    until(lambda: statuses(server, token, project)[newest], "open")
    watched.assert_quiet()


def test_a_macro_is_inserted_sent_and_undone(server, token, submit, enter, read):
    (public_id,) = submit(1)
    name = f"Mended {public_id}"
    body = {
        "name": name,
        "text": "It is mended.",
        "status": "resolved",
        "tags": ["mended"],
        "is_shared": True,
    }
    macro = ask(server, token, "/admin/api/macros", body)
    try:
        watched = enter()
        page = watched.page
        page.locator("body").press("j")
        page.keyboard.press("i")
        go_to(page, page.locator("[data-macro]", has_text=name), "ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("#text")).to_be_focused()
        expect(page.locator("#text")).to_have_value("It is mended.")
        expect(page.locator("[data-macro-sets]")).to_have_text("Resolved, tagged mended")
        page.keyboard.type(" Thank you.")
        go_to(page, page.locator("#send"))
        page.keyboard.press("Enter")
        expect(page.locator(".said--reply")).to_contain_text("It is mended. Thank you.")
        expect(toast(page)).to_contain_text("Reply sent, 1 submission resolved and tagged mended")
        assert (read(public_id)["status"], [one["name"] for one in read(public_id)["tags"]]) == (
            "resolved",
            ["mended"],
        )
        page.keyboard.press("Escape")
        page.keyboard.press("z")
        expect(toast(page)).to_contain_text("1 submission as before; the reply stays")
        now = read(public_id)
        assert (now["status"], now["tags"], len(now["messages"])) == ("open", [], 1)
        watched.assert_quiet()
    finally:
        ask(server, token, f"/admin/api/macros/{macro['id']}", method="DELETE")


def test_a_macro_is_sent_without_a_script(server, token, submit, project, open_page, agents, read):
    (public_id,) = submit(1)
    body = {"name": f"Plain {public_id}", "text": "Hello {first_name}", "kind": "note", "status": "closed"}
    macro = ask(server, token, "/admin/api/macros", body | {"is_shared": True})
    try:
        page = sign_in(
            open_page(java_script_enabled=False), server, f"/admin/feedback/{public_id}", agents[0]
        )
        page.get_by_role("link", name="Macros", exact=True).and_(page.locator(".composer a")).click()
        page.get_by_label("Macro").select_option(macro["id"])
        page.get_by_role("button", name="Insert").click()
        expect(page.locator("#text")).to_have_value("Hello there")
        expect(page.get_by_text("With it: Closed")).to_be_visible()
        page.locator("#send").click()
        expect(page.locator(".said--note")).to_contain_text("Hello there")
        assert read(public_id)["status"] == "closed"
    finally:
        ask(server, token, f"/admin/api/macros/{macro['id']}", method="DELETE")


def test_many_are_tagged_and_undone(submit, enter, read):
    *_, second, first = submit(3)
    watched = enter()
    page = watched.page
    select_two(page)
    page.keyboard.press("t")
    expect(page.get_by_label("Tags to add, parted by commas")).to_be_focused()
    page.keyboard.type("checkout, by keys")
    page.keyboard.press("Enter")
    expect(toast(page)).to_contain_text("2 submissions tagged checkout, by keys")

    def tags(public_id: str) -> list[str]:
        return [one["name"] for one in read(public_id)["tags"]]

    assert tags(first) == tags(second) == ["by keys", "checkout"]
    page.keyboard.press("z")
    expect(toast(page)).to_contain_text("2 submissions as before")
    assert tags(first) == tags(second) == []
    watched.assert_quiet()
