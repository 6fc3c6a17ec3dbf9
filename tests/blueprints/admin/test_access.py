"""Tokens and forgery: who counts as whom. Who may do what is in `tests/test_role_table.py`."""

import pytest

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer em_wrong", "Basic em_x", "Bearer " + "x" * 9000])
def test_a_wrong_token_is_nobody(client, given):
    answer = client.get("/admin/api/feedback", headers={"Authorization": given})
    assert answer.status_code == 401


def test_a_form_without_its_token_changes_nothing(sign_in, submit):
    browser, public_id = sign_in(), submit()
    answer = browser.client.post(f"/admin/feedback/{public_id}", data={"status": "resolved"})
    assert answer.status_code == 403
    assert answer.json["error"]["code"] == "csrf_failed"
    assert browser.client.get(f"/admin/api/feedback/{public_id}").json["data"]["status"] == "open"


@pytest.mark.parametrize("header", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_of_another_site_changes_nothing(sign_in, submit, header):
    browser, public_id = sign_in(), submit()
    browser.get(f"/admin/feedback/{public_id}")
    answer = browser.post(f"/admin/feedback/{public_id}", {"status": "resolved"}, header)
    assert answer.status_code == 403


def test_a_session_changes_the_api_only_with_the_csrf_header(sign_in, submit):
    browser, path = sign_in(), f"/admin/api/feedback/{submit()}"
    browser.get("/admin/projects")
    refused = browser.client.patch(path, json={"is_read": True})
    taken = browser.client.patch(path, json={"is_read": True}, headers={"X-CSRFToken": browser.token})
    assert (refused.status_code, taken.status_code) == (403, 200)
