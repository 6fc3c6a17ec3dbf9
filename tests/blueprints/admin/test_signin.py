"""Signing in and out: the form, its throttle, and what a session is worth afterwards."""

import pytest

from app.blueprints.admin import throttle
from app.blueprints.admin.signin import own_path
from app.database.transactions import transaction
from app.errors import Unavailable
from app.limits_storage import rate_limiter
from app.models import User
from tests.blueprints.admin.conftest import Browser
from tests.conftest import PASSWORD

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def browser(client):
    return Browser(client)


def attempt(browser, email="admin@example.org", password="wrong"):
    return browser.post("/admin/sign-in", {"email": email, "password": password})


def test_the_right_password_opens_the_page_that_was_wanted(browser, make_user):
    user = make_user()
    asked = browser.get("/admin/tokens")
    answer = browser.post(asked.location, {"email": user.email.upper(), "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/admin/tokens")
    assert browser.get("/admin/tokens").status_code == 200


def test_a_wrong_password_keeps_the_address_and_stands_at_the_field(browser, make_user):
    make_user()
    answer = attempt(browser)
    assert answer.status_code == 401
    assert 'value="admin@example.org"' in answer.text
    assert 'aria-describedby="password-said"' in answer.text
    assert "E-mail and password do not match. 4 more tries, then a pause of" in answer.text


@one_database
def test_unknown_and_switched_off_users_read_the_same_as_a_wrong_password(browser, app, make_user):
    user = make_user()
    texts = {attempt(browser, "nobody@example.org").text.replace("nobody@example.org", "")}
    texts.add(attempt(browser).text.replace("admin@example.org", ""))
    with app.app_context(), transaction() as session:
        session.get_one(User, user.id).is_active = False
    assert attempt(browser, password=PASSWORD).status_code == 401
    assert len({text.split("<form")[0] for text in texts}) == 1


@one_database
@pytest.mark.usefixtures("still_limits")
def test_five_wrong_tries_make_a_pause_also_for_the_right_password(browser, make_user):
    make_user()
    for left in ("4 more tries", "3 more tries", "2 more tries", "1 more try", "The next try is in"):
        assert left in attempt(browser).text
    answer = attempt(browser, password=PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 120
    assert "Too many tries. Wait" in answer.text


@one_database
@pytest.mark.usefixtures("still_limits")
def test_an_account_that_does_not_exist_pauses_alike(browser):
    for _ in range(5):
        assert attempt(browser, "nobody@example.org").status_code == 401
    assert attempt(browser, "nobody@example.org").status_code == 429


@one_database
@pytest.mark.usefixtures("still_limits")
def test_signing_in_gives_the_account_its_tries_back(browser, make_user):
    user = make_user()
    for _ in range(4):
        attempt(browser)
    assert attempt(browser, password=PASSWORD).status_code == 303
    other = Browser(browser.client.application.test_client())
    assert "4 more tries" in attempt(other, user.email).text


@one_database
def test_one_address_may_not_try_many_accounts(app):
    with app.test_request_context("/admin/sign-in"):
        rate_limiter().storage.now = lambda: 1_800_000_000.0
        allowed = [throttle.count_try(f"user{n}@example.org").allowed for n in range(31)]
    assert allowed == [True] * 30 + [False]


@one_database
def test_without_counts_nobody_signs_in(app, monkeypatch):
    def away(*_args):
        raise OSError("disk")

    with app.test_request_context("/admin/sign-in"):
        monkeypatch.setattr(rate_limiter(), "hit", away)
        with pytest.raises(Unavailable):
            throttle.count_try("a@example.org")


def test_too_many_checks_side_by_side_are_refused(monkeypatch):
    monkeypatch.setattr(throttle, "CHECK_TIMEOUT_SECONDS", 0.01)
    with throttle.turn_to_check(), throttle.turn_to_check(), pytest.raises(Unavailable):
        throttle.turn_to_check().__enter__()
    with throttle.turn_to_check():
        pass


def test_a_cookie_is_worth_nothing_after_sign_out(sign_in):
    browser = sign_in()
    kept = browser.client.get_cookie("earmark").value
    assert browser.post("/admin/sign-out", {}).location == "/admin/sign-in"
    browser.client.set_cookie("earmark", kept)
    assert browser.get("/admin/").status_code == 302


def test_signing_in_again_ends_the_session_before(sign_in, make_user):
    browser = sign_in()
    before = browser.client.get_cookie("earmark").value
    other = make_user("agent")
    browser.post("/admin/sign-in", {"email": other.email, "password": PASSWORD})
    assert "Agent" in browser.get("/admin/").text
    browser.client.set_cookie("earmark", before)
    assert browser.get("/admin/").status_code == 302


@one_database
def test_a_signed_in_visitor_of_the_form_goes_on(sign_in):
    assert sign_in().get("/admin/sign-in?next=/admin/tokens").location == "/admin/tokens"


@one_database
def test_htmx_on_an_ended_session_loads_the_whole_form_and_comes_back(browser):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/admin/?status=spam"}
    answer = browser.get("/admin/sign-in?next=/admin/arrivals", **headers)
    assert answer.headers["HX-Redirect"] == "/admin/sign-in?next=/admin/?status%3Dspam"


def test_a_new_password_or_role_ends_every_session(app, sign_in):
    browser = sign_in("agent")
    with app.app_context(), transaction() as session:
        User.by_email(session, "agent@example.org").set_role(session, "viewer")
    assert browser.get("/admin/").status_code == 302


@one_database
@pytest.mark.parametrize(
    "target",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a\\b",
        "/a b",
        "/ä",
        "admin",
        "/\tx",
        "/x\n",
    ],
)
def test_a_target_elsewhere_is_the_inbox(app, target):
    with app.test_request_context():
        assert own_path(target) == "/admin/"


@one_database
@pytest.mark.parametrize("target", ["/", "/admin/?status=spam&x=%2F", "/admin/feedback/01ABC"])
def test_a_target_of_this_site_is_kept(app, target):
    with app.test_request_context():
        assert own_path(target) == target
