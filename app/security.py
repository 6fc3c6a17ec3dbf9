"""Who may do what, and the headers that every answer carries.

One table of endpoint × role, deny by default: a route that no blueprint listed answers 403. One function
writes the security headers. Sessions live on the server; the cookie only carries their secret.
"""

import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flask import (
    Flask,
    Request,
    Response,
    current_app,
    g,
    redirect,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError

from app import refusals
from app.clock import utc_now
from app.config import Settings, current_settings
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import csrf, db, login_manager
from app.models import audit
from app.models.user import SEEN_EVERY, TOKEN_PREFIX, ApiToken, SignedIn, UserSession, role_covers

log = logging.getLogger("earmark.security")
# Values of the table beside the roles: "public" looks at no cookie; "guest" is a page for everybody whose
# forms carry a CSRF token.
PUBLIC = "public"
GUEST = "guest"
ACCESS = "earmark_access"
SIGN_IN = "/admin/sign-in"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# ASVS 5.0, 3.4: headers of every answer that has none of its own. No Strict-Transport-Security over plain
# http.
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class CookieSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, for the few requests that use it: most are intake's and carry none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return an empty session at once where no cookie was sent."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the cookie, and say that the answer depends on it, only if the session was used."""
        if session.accessed:
            super().save_session(app, session, response)


@dataclass(frozen=True)
class Actor(UserMixin):  # type: ignore[misc]
    """Who asks: a user by session or by bearer token, with the role that counts for this request."""

    user_id: int
    public_id: str
    name: str
    email: str
    role: str
    session_token: str | None

    def get_id(self) -> str:
        """Return what Flask-Login keeps in the cookie: the session's secret, not the user's id."""
        assert self.session_token is not None
        return self.session_token


def init_app(app: Flask, settings: Settings, access: Mapping[str, str]) -> None:
    """Guard every request by the table `access` (endpoint → role, `public` or `guest`)."""
    app.extensions[ACCESS] = dict(access)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks),
        SESSION_COOKIE_NAME="__Host-earmark" if settings.secure_cookies else "earmark",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    csrf.init_app(app)
    login_manager.init_app(app)
    # There is no "remember me"; its hook would look at the session after every request.
    app.after_request_funcs[None].remove(login_manager._update_remember_cookie)
    app.session_interface = CookieSessions()
    login_manager.session_protection = None  # addresses of phones change; sessions end on the server
    login_manager.user_loader(_by_session)
    login_manager.request_loader(_by_token)
    app.before_request(_guard)
    app.after_request(_add_headers)
    app.teardown_request(_forget_acting)


def actor() -> Actor | None:
    """Return who asks, or None for somebody who is not signed in."""
    return current_user if current_user.is_authenticated else None


def needs(role: str) -> Actor:
    """Return who asks. Raises ClientError 401 or 403 when nobody does or the role is less."""
    someone = actor()
    if someone is None:
        raise ClientError(401, "unauthenticated", "Sign in first, or send a bearer token.")
    if not role_covers(someone.role, role):
        who = "admins" if role == "admin" else f"{role}s and admins"
        raise ClientError(403, "forbidden", f"Only {who} may do this; your role is {someone.role}.")
    return someone


def _guard() -> ResponseReturnValue | None:
    g.request_id = _request_id()
    audit.set_acting(audit.Acting(audit.ANONYMOUS, g.request_id))
    _check_host()
    if request.endpoint is None:
        return None  # no route: the 404 follows
    needed = _needed(request.endpoint)
    if needed == PUBLIC:
        return None
    someone = actor()
    if needed != GUEST and someone is None and _is_page():
        return redirect(_sign_in_address())
    if someone is not None:
        audit.set_acting(audit.Acting(someone.email, g.request_id))
    try:
        if needed != GUEST:
            needs(needed)
        if request.method not in SAFE_METHODS:
            _check_forgery()
    except ClientError as error:
        if someone is not None:
            _record_refusal(someone, error)
        raise
    return None


def _record_refusal(someone: Actor, error: ClientError) -> None:
    """Write down what a signed-in person was refused; where that cannot be written, the refusal stands."""
    target = f"{request.method} {request.endpoint}"
    number = refusals.count_refusal(someone.email, target, error.code)
    if not refusals.is_written(number):
        return
    details = {"code": error.code} if number == 1 else {"code": error.code, "number": number}
    try:
        with transaction() as writing:
            audit.record(writing, "access.refuse", target=target, outcome="refused", details=details)
    except SQLAlchemyError:
        log.warning("a refusal was not recorded", exc_info=True)


def _forget_acting(_error: BaseException | None) -> None:
    audit.set_acting(None)  # the thread serves others next


def _needed(endpoint: str) -> str:
    table: Mapping[str, str] = current_app.extensions[ACCESS]
    by_method = table.get(f"{request.method} {endpoint}")
    needed = by_method or table.get(endpoint)
    if needed is None:
        raise ClientError(403, "forbidden", "Nobody was given access to this address.")
    return needed


def _request_id() -> str:
    given = request.headers.get("X-Request-ID", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _check_host() -> None:
    # Two Host headers arrive joined by a comma and match no name.
    try:
        host = urlsplit("//" + request.headers.get("Host", "")).hostname
    except ValueError:
        host = None
    if host is None or host not in current_settings().hosts:
        raise ClientError(400, "unknown_host", "This server does not answer to that host name.")


def _is_page() -> bool:
    return (
        request.method == "GET"
        and not request.path.startswith("/admin/api/")
        and (not request.path.startswith("/api/") and "Authorization" not in request.headers)
    )


def _sign_in_address() -> str:
    return url_for("admin.sign_in", next=request.full_path.rstrip("?"))


def _check_forgery() -> None:
    """Refuse a change that another site makes with the browser's cookie (OWASP, CSRF cheat sheet)."""
    someone = actor()
    if someone is not None and someone.session_token is None:
        return  # by bearer token: a browser does not add it by itself
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise _forged()
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise _forged()
    try:
        csrf.protect()
    except CSRFError:
        raise _forged() from None


def _forged() -> ClientError:
    return ClientError(
        403, "csrf_failed", "The form is too old or came from another site. Load the page again."
    )


def _by_session(token: str) -> Actor | None:
    now = utc_now()
    found = UserSession.find(db.session(), token, now)
    if found is None:
        return None
    if _is_due(found, now):
        with transaction() as writing:
            if not UserSession.note_seen(writing, found.id, now):
                return None
    return _as_actor(found, token)


def _is_due(found: SignedIn, now: datetime) -> bool:
    return found.seen_at is None or now - found.seen_at > SEEN_EVERY


def _as_actor(found: SignedIn, session_token: str | None) -> Actor:
    return Actor(found.user_id, found.public_id, found.name, found.email, found.role, session_token)


def _by_token(req: Request) -> Actor | None:
    scheme, _, secret = req.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(TOKEN_PREFIX):
        return None
    found = ApiToken.find(db.session(), secret)
    if found is None:
        return None
    now = utc_now()
    if _is_due(found, now):
        with transaction() as writing:
            ApiToken.note_used(writing, found.id, now)
    return _as_actor(found, None)


def start_session(token: str) -> None:
    """Put a new session's secret into the cookie; whatever the cookie held before is dropped."""
    session.clear()
    session["_user_id"] = token
    session["_fresh"] = True
    g.pop("_login_user", None)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    # One look at what is there: asking for each name walks all headers again, on every answer.
    present = {name.lower() for name in headers.keys()}  # noqa: SIM118  # iterating gives pairs
    for name, value in HEADERS.items():
        if name.lower() not in present:
            headers.add(name, value)
    if current_settings().secure_cookies:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    headers.add("X-Request-ID", g.get("request_id", ""))
    return response
