import pytest

from app.models.user import ROLES
from app.security import GUEST, PUBLIC

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_every_route_stands_in_the_table_of_access(app):
    table = app.extensions["earmark_access"]
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    listed = {name.split(" ")[-1] for name in table}
    assert endpoints - listed == set(), "a route without an entry"
    assert listed - endpoints == set(), "an entry without a route"
    assert set(table.values()) <= {PUBLIC, GUEST, *ROLES}


def test_a_route_that_nobody_listed_is_denied(app):
    app.add_url_rule("/probe", "probe", lambda: "secret")
    response = app.test_client().get("/probe")
    assert response.status_code == 403
    assert "secret" not in response.text


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:80", "", "[", "localhost, evil.example", "a b"],
)
def test_a_host_that_is_not_ours_is_refused(client, host):
    response = client.get("/health", headers={"Host": host})
    assert response.status_code == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1:8000", "[::1]:8000"])
def test_our_hosts_are_answered(client, host):
    assert client.get("/health", headers={"Host": host}).status_code == 200


def test_every_answer_carries_the_security_headers(client):
    for address in ("/health", "/nowhere", "/admin/sign-in"):
        headers = client.get(address).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("given", ["abc-123", "A" * 64])
def test_a_plain_request_id_is_taken(client, given):
    assert client.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "A" * 65, "x;y", "é"])
def test_another_request_id_is_replaced(client, given):
    answered = client.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert answered != given
    assert len(answered) == 16
