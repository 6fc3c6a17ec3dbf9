"""One's own account: password, sessions, and the second factor from its QR code to a code used twice."""

import re
import time
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

from app.blueprints.admin import signin
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import RecoveryCode, User, second_factor
from app.models.user import password_matches
from tests.blueprints.admin.conftest import Browser
from tests.conftest import PASSWORD

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NEW = "a horse of another colour"
EMAIL = "agent@example.org"
STEP_S, SPARE_S = 30, 8  # of a code (RFC 6238, 5.2), and what a test may take from reading one to typing it


@pytest.fixture
def browser(sign_in):
    return sign_in("agent")


@pytest.fixture
def another(app):
    """Sign the same user in from somewhere else, as far as the password brings one."""

    def go(password=PASSWORD):
        other = Browser(app.test_client())
        return other, other.post("/admin/sign-in", {"email": EMAIL, "password": password})

    return go


def send(browser, path, **form):
    browser.get("/admin/profile")
    fields = {name.replace("_", "-"): text for name, text in form.items()}
    return browser.post(f"/admin/profile{path}", fields)


def early_in_a_step():
    """Wait until the present code stays for a while: a test types it some requests after it was read."""
    if (left := STEP_S - time.time() % STEP_S) < SPARE_S:
        time.sleep(left)


def enrol(app, browser):
    """Switch the second factor on; returns its generator and the recovery codes."""
    assert send(browser, "/second-factor/begin", begin_password=PASSWORD).status_code == 303
    page = browser.get("/admin/profile/second-factor")
    totp = pyotp.TOTP(re.search(r"into the app: <code>([A-Z2-7 ]+)</code>", page.text)[1].replace(" ", ""))
    early_in_a_step()
    # The last step's code is taken too, and leaves the present one for the test.
    code = totp.at(utc_now() - timedelta(seconds=STEP_S))
    shown = browser.post("/admin/profile/second-factor", {"code": code})
    assert shown.status_code == 200, shown.text
    return totp, re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", shown.text)


def test_a_name_is_kept_and_shown(browser):
    assert send(browser, "", name="Jana Okafor").location == "/admin/profile?saved=name"
    assert "Jana Okafor" in browser.get("/admin/profile?saved=name").text
    assert send(browser, "", name=" ").status_code == 422


def test_a_new_password_ends_other_sessions_and_keeps_this_browser_in(browser, another, app):
    other, _ = another()
    before = browser.client.get_cookie("earmark").value
    done = send(browser, "/password", current=PASSWORD, password=NEW)
    assert (done.status_code, done.location) == (303, "/admin/profile?saved=password")
    assert other.get("/admin/").status_code == 302
    assert browser.get("/admin/").status_code == 200
    replayed = app.test_client()
    replayed.set_cookie("earmark", before)
    assert replayed.get("/admin/", headers={"Accept": "text/html"}).status_code == 302
    with app.app_context():
        assert password_matches(User.by_email(db.session, EMAIL), NEW)
        db.session.rollback()


@one_database
@pytest.mark.usefixtures("still_limits")
def test_a_wrong_password_stands_at_its_field_and_is_counted(browser):
    answer = send(browser, "/password", current="not this one", password=NEW)
    assert answer.status_code == 422
    assert "Is not your password." in answer.text
    for _ in range(4):
        send(browser, "/password", current="not this one", password=NEW)
    assert send(browser, "/password", current=PASSWORD, password=NEW).status_code == 429


@one_database
def test_a_short_password_is_refused(browser):
    answer = send(browser, "/password", current=PASSWORD, password="short")
    assert answer.status_code == 422
    assert "12 to 256 characters" in answer.text


def test_sessions_are_listed_and_ended(browser, another):
    other, _ = another()
    page = browser.get("/admin/profile").text
    names = re.findall(r"/admin/profile/sessions/([0-9a-f]{26})/end", page)
    assert len(names) == 1
    assert page.count("this one") == 1
    assert send(browser, f"/sessions/{names[0]}/end").location == "/admin/profile?saved=sessions"
    assert other.get("/admin/").status_code == 302
    third, _ = another()
    assert send(browser, "/sessions/end-others").status_code == 303
    assert third.get("/admin/").status_code == 302
    assert browser.get("/admin/").status_code == 200


def test_nobody_ends_the_session_of_another(browser, make_user, app):
    make_user("viewer")
    other = Browser(app.test_client())
    other.post("/admin/sign-in", {"email": "viewer@example.org", "password": PASSWORD})
    page = other.get("/admin/profile").text
    assert "/end-others" not in page
    with app.app_context():
        user = User.by_email(db.session, "viewer@example.org")
        (name,) = [one.public_name for one in second_session(user)]
        db.session.rollback()
    assert send(browser, f"/sessions/{name}/end").status_code == 404
    assert other.get("/admin/").status_code == 200


def second_session(user):
    from app.models import UserSession

    return UserSession.of_user(db.session(), user.id, utc_now())


def test_the_second_factor_is_asked_for_and_each_code_counts_once(browser, another, app):
    stayed, _ = another()
    totp, codes = enrol(app, browser)
    assert len(set(codes)) == 10
    assert stayed.get("/admin/").status_code == 302, "other sessions end when it is switched on"
    other, asked = another()
    assert asked.location == "/admin/sign-in/code?next=/admin/"
    assert other.get("/admin/").status_code == 302, "the password alone opens nothing"
    other.get("/admin/sign-in/code")
    code = totp.at(utc_now())
    assert other.post("/admin/sign-in/code", {"code": code}).location == "/admin/"
    assert other.get("/admin/").status_code == 200
    replay, _ = another()
    replay.get("/admin/sign-in/code")
    assert replay.post("/admin/sign-in/code", {"code": code}).status_code == 401


def test_a_recovery_code_signs_in_once(browser, another, app):
    _, codes = enrol(app, browser)
    for expected in (303, 401):
        other, _ = another()
        other.get("/admin/sign-in/code")
        assert other.post("/admin/sign-in/code", {"code": codes[0].lower()}).status_code == expected
    with app.app_context():
        stored = db.session.scalars(select(RecoveryCode.code_hash)).all()
        assert len(stored) == 9
        assert not {code.replace("-", "") for code in codes} & set(stored)
        db.session.rollback()


@one_database
@pytest.mark.usefixtures("still_limits")
def test_five_wrong_codes_make_a_pause_that_the_password_does_not_lift(browser, another, app):
    totp, _ = enrol(app, browser)
    for attempt in range(6):
        other, _ = another()
        other.get("/admin/sign-in/code")
        code = totp.at(utc_now()) if attempt == 5 else "000000"
        status = other.post("/admin/sign-in/code", {"code": code}).status_code
        assert status == (429 if attempt == 5 else 401)


@one_database
@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-" * 16, "\x00", "0" * 5000])
def test_what_is_no_code_is_refused(browser, another, app, code):
    enrol(app, browser)
    other, _ = another()
    other.get("/admin/sign-in/code")
    assert other.post("/admin/sign-in/code", {"code": code}).status_code == 401


@one_database
def test_the_second_step_needs_the_first_and_not_an_old_one(browser, another, app, monkeypatch):
    stranger = Browser(app.test_client())
    assert (
        stranger.get("/admin/sign-in/code?next=/admin/tokens").location == "/admin/sign-in?next=/admin/tokens"
    )
    enrol(app, browser)
    late, _ = another()
    with monkeypatch.context() as patched:
        moment = utc_now() + timedelta(seconds=signin.PENDING_SECONDS + 1)
        patched.setattr(signin, "utc_now", lambda: moment)
        assert late.get("/admin/sign-in/code").status_code == 302
    changed, _ = another()
    assert changed.get("/admin/sign-in/code").status_code == 200
    with app.app_context(), transaction() as session:
        User.by_email(session, EMAIL).set_password(session, NEW)
    assert changed.get("/admin/sign-in/code").status_code == 302


def test_switching_off_and_new_codes_need_the_password(browser, another, app):
    enrol(app, browser)
    assert send(browser, "/second-factor/codes", factor_password="wrong").status_code == 422
    fresh = send(browser, "/second-factor/codes", factor_password=PASSWORD)
    assert len(re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", fresh.text)) == 10
    assert send(browser, "/second-factor/remove", factor_password="wrong").status_code == 422
    assert send(browser, "/second-factor/remove", factor_password=PASSWORD).status_code == 303
    _, signed_in = another()
    assert signed_in.location == "/admin/"


def test_an_admin_and_a_command_take_a_lost_one_away(browser, another, app, bearer):
    enrol(app, browser)
    with app.app_context():
        public_id = User.by_email(db.session, EMAIL).public_id
        db.session.rollback()
    answer = app.test_client().delete(f"/admin/api/users/{public_id}/second-factor", headers=bearer("admin"))
    assert answer.json["data"]["second_factor"] is False
    assert browser.get("/admin/").status_code == 302
    again, signed_in = another()
    assert signed_in.location == "/admin/"
    enrol(app, again)
    done = app.test_cli_runner().invoke(args=["users", "reset-totp", EMAIL, "--yes"])
    assert done.exit_code == 0, done.output
    assert another()[1].location == "/admin/"


@one_database
def test_a_reset_link_does_not_pass_by_the_second_factor(browser, app, bearer):
    enrol(app, browser)
    with app.app_context():
        public_id = User.by_email(db.session, EMAIL).public_id
        db.session.rollback()
    made = app.test_client().post(f"/admin/api/users/{public_id}/link", headers=bearer("admin"))
    link = made.json["data"]["link"].removeprefix("http://localhost")
    stranger = Browser(app.test_client())
    stranger.get(link)
    assert stranger.post(link, {"password": NEW}).location.startswith("/admin/sign-in/code")
    assert stranger.get("/admin/").status_code == 302


@one_database
def test_what_was_enrolled_under_an_earlier_secret_key_still_counts(app, make_app, make_user, settings):
    user = make_user()
    with app.app_context(), transaction() as session:
        second_factor.begin(session.get_one(User, user.id))
    with app.app_context():
        secret = second_factor.shared_secret(db.session.get_one(User, user.id))
        db.session.rollback()
    moment = utc_now()
    later = make_app(secret_key="another-secret-" + "y" * 32, secret_key_fallbacks=(settings.secret_key,))
    with later.app_context(), transaction() as session:
        found = session.get_one(User, user.id)
        assert second_factor.shared_secret(found) != secret
        assert second_factor.confirm(session, found, pyotp.TOTP(secret).at(moment), moment)


@one_database
def test_the_qr_code_is_there_only_while_enrolling_and_runs_nothing(browser, app):
    assert browser.get("/admin/profile/second-factor/qr.svg").status_code == 404
    send(browser, "/second-factor/begin", begin_password=PASSWORD)
    drawn = browser.get("/admin/profile/second-factor/qr.svg")
    assert (drawn.status_code, drawn.mimetype) == (200, "image/svg+xml")
    assert "sandbox" in drawn.headers["Content-Security-Policy"]
    browser.get("/admin/profile/second-factor")
    wrong = browser.post("/admin/profile/second-factor", {"code": "000000"})
    assert wrong.status_code == 422
    assert "Is not the code that the app shows" in wrong.text


@one_database
def test_a_token_cannot_change_how_its_owner_signs_in(client, bearer):
    for method, path in (("GET", ""), ("POST", "/password"), ("POST", "/sessions/end-others")):
        answer = client.open(f"/admin/profile{path}", method=method, headers=bearer("admin"))
        assert answer.status_code == 403
