"""Signing in, by password and where it is on by a second factor, and out."""

import re
from urllib.parse import urlsplit

from flask import Response, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.blueprints.admin import throttle
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.throttle import Verdict
from app.clock import utc_now
from app.config import current_settings
from app.database.transactions import transaction
from app.extensions import db
from app.models import User, UserSession, audit, second_factor
from app.models.user import password_matches, secret_hash
from app.security import actor, start_session

# A path of this site and nothing that a browser would read as another one (docs/security.md).
OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]*")
LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3
# What the cookie says between password and second factor, and for how long that stands.
PENDING = "second_factor"
PENDING_SECONDS = 300


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Show the form; check e-mail and password, then go where the visitor wanted to."""
    target = own_path(request.args.get("next", ""))
    if request.method == "GET":
        return _form(target)
    email = request.form.get("email", "").strip().lower()[:LONGEST_EMAIL]
    verdict = throttle.count_try(email)
    if not verdict.allowed:
        page = _page(target, email, _pause_sentence(verdict))
        return Response(page, 429, {"Retry-After": str(verdict.pause_seconds)})
    user = _checked(email, request.form.get("password", ""))
    if user is None:
        _record_refusal(email)
        return _page(target, email, _mismatch_sentence(verdict)), 401
    throttle.forget_tries(email)
    return go_on(user, target)


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
def sign_in_code() -> ResponseReturnValue:
    """Ask for the second factor of who gave the right password; check it, each code once."""
    target = own_path(request.args.get("next", ""))
    user = _pending()
    if user is None:
        return redirect(url_for("admin.sign_in", next=target))
    if request.method == "GET":
        return _code_page(target, "")
    verdict = throttle.count_try(second_try(user.email))
    if not verdict.allowed:
        page = _code_page(target, _pause_sentence(verdict))
        return Response(page, 429, {"Retry-After": str(verdict.pause_seconds)})
    if not _code_accepted(user, request.form.get("code", "")):
        _record_refusal(user.email)
        return _code_page(target, _wrong_code_sentence(verdict)), 401
    throttle.forget_tries(second_try(user.email))
    _start(user)
    return redirect(target, 303)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this browser's session on the server, so that its cookie is worth nothing."""
    someone = actor()
    if someone is not None and someone.session_token is not None:
        with transaction() as writing:
            UserSession.end(writing, someone.session_token)
            audit.record(writing, "session.end", target=f"user:{someone.email}")
    session.clear()
    g.pop("_login_user", None)
    return redirect(url_for("admin.sign_in"), 303)


def go_on(user: User, target: str) -> ResponseReturnValue:
    """Sign in who proved the password, or ask for the second factor before."""
    if not user.has_second_factor:
        _start(user)
        return redirect(own_path(target), 303)
    session.clear()
    session[PENDING] = {
        "user": user.public_id,
        "until": int(utc_now().timestamp()) + PENDING_SECONDS,
        "password": _password_mark(user),
    }
    return redirect(url_for("admin.sign_in_code", next=own_path(target)), 303)


def second_try(email: str) -> str:
    """Return the name under which tries of a second factor are counted, apart from those of the password."""
    return f"second:{email}"


def _pending() -> User | None:
    """Return who gave the right password a moment ago, and has the same password still."""
    pending = session.get(PENDING)
    if not isinstance(pending, dict) or pending["until"] < utc_now().timestamp():
        return None
    user = db.session.scalar(select(User).where(User.public_id == pending["user"]))
    if user is None or not user.is_active or not user.has_second_factor:
        return None
    return user if pending["password"] == _password_mark(user) else None


def _password_mark(user: User) -> str:
    # The cookie is signed but readable, so not the hash itself.
    return secret_hash(f"pending:{user.password_hash}")[:32]


def _code_accepted(user: User, code: str) -> bool:
    with transaction() as writing:
        return second_factor.accept(writing, writing.get_one(User, user.id), code, utc_now())


def _code_page(target: str, problem: str) -> str:
    return render_template("admin/sign_in_code.html", next=target, problem=problem)


def own_path(target: str) -> str:
    """Return a redirect target that stays on this site, or the inbox."""
    if OWN_PATH.fullmatch(target) and "\\" not in target:
        return target
    return url_for("admin.index")


def _form(target: str) -> ResponseReturnValue:
    if "HX-Request" in request.headers:
        # The session ended while a page was open: the whole page goes to the form, not a part of it.
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = own_path(f"{page.path}?{page.query}" if page.query else page.path)
        return Response(status=204, headers={"HX-Redirect": url_for("admin.sign_in", next=back)})
    return redirect(target) if actor() is not None else _page(target, "", "")


def _page(target: str, email: str, problem: str) -> str:
    return render_template("admin/sign_in.html", next=target, email=email, problem=problem)


def _checked(email: str, password: str) -> User | None:
    with throttle.turn_to_check():
        user = User.by_email(db.session(), email)
        return user if password_matches(user, password) else None


def _start(user: User) -> None:
    before = actor()
    user_id, email = user.id, user.email
    with audit.acting(email), transaction() as writing:
        if before is not None and before.session_token is not None:
            UserSession.end(writing, before.session_token)
        token = UserSession.start(
            writing,
            writing.get_one(User, user_id),
            user_agent=request.headers.get("User-Agent", ""),
            now=utc_now(),
            days=current_settings().session_days,
        )
        audit.record(writing, "session.start", target=f"user:{email}")
    start_session(token)


def _record_refusal(email: str) -> None:
    """Write down a refused sign-in: whose it would have been, or that nobody has the e-mail.

    What was typed is not kept: it may be a password in the wrong field. Tries are limited before.
    """
    with transaction() as writing:
        user = User.by_email(writing, email)
        target = f"user:{user.email}" if user is not None else None
        audit.record(writing, "session.start", target=target, outcome="refused")


def _mismatch_sentence(verdict: Verdict) -> str:
    pause = _duration(verdict.pause_seconds)
    if verdict.left == 0:
        return f"E-mail and password do not match. The next try is in {pause}."
    tries = "1 more try" if verdict.left == 1 else f"{verdict.left} more tries"
    return f"E-mail and password do not match. {tries}, then a pause of {pause}."


def _wrong_code_sentence(verdict: Verdict) -> str:
    pause = _duration(verdict.pause_seconds)
    if verdict.left == 0:
        return f"That is not a code that is good now. The next try is in {pause}."
    tries = "1 more try" if verdict.left == 1 else f"{verdict.left} more tries"
    return f"That is not a code that is good now. {tries}, then a pause of {pause}."


def _pause_sentence(verdict: Verdict) -> str:
    return f"Too many tries. Wait {_duration(verdict.pause_seconds)}, then try again."


def _duration(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}" if seconds > 5 else "a few seconds"
