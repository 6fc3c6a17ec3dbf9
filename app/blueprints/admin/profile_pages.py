"""The page of one's own account."""

import io
from collections.abc import Callable

import segno
from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from app.blueprints.admin import profile
from app.blueprints.admin.api import PICTURE_POLICY
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.user_shapes import UserChange
from app.blueprints.admin.users_pages import faults
from app.errors import ClientError, not_found
from app.extensions import db
from app.models import second_factor
from app.rail import load_rail

GROUP = 4  # signs of the secret that are read out together


@blueprint.route("/profile", methods=["GET", "POST"])
def own_profile() -> ResponseReturnValue:
    """Show one's own account; keep a new name."""
    if request.method == "GET":
        return _page({})
    fields = {"name": request.form.get("name", "")}
    try:
        profile.change_name(UserChange.model_validate(fields).name or "")
    except ValidationError as error:
        return _page(faults(error), fields=fields), 422
    return _saved("name")


@blueprint.post("/profile/password")
def profile_password() -> ResponseReturnValue:
    """Set a new password."""
    current, new = request.form.get("current", ""), request.form.get("password", "")
    return _kept("password", lambda: profile.change_password(current, new))


@blueprint.post("/profile/sessions/<name>/end")
def profile_session_end(name: str) -> ResponseReturnValue:
    """End one of one's own sessions."""
    profile.end_session(name)
    return _saved("sessions")


@blueprint.post("/profile/sessions/end-others")
def profile_sessions_end() -> ResponseReturnValue:
    """End every other session of one's own."""
    profile.end_other_sessions()
    return _saved("sessions")


@blueprint.post("/profile/second-factor/begin")
def second_factor_begin() -> ResponseReturnValue:
    """Make a secret to enrol, and lead to its QR code."""
    try:
        profile.begin_second_factor(request.form.get("begin-password", ""))
    except ClientError as error:
        return _refused("begin", error)
    return redirect(url_for("admin.second_factor_page"), 303)


@blueprint.route("/profile/second-factor", methods=["GET", "POST"])
def second_factor_page() -> ResponseReturnValue:
    """Show the QR code of a secret that is being enrolled; a right code switches it on."""
    if request.method == "GET":
        return _enrolment_page() or redirect(url_for("admin.own_profile"))
    try:
        codes = profile.confirm_second_factor(request.form.get("code", ""))
    except ClientError as error:
        if error.status == 409:
            raise
        return Response(_enrolment_page(_problem(error)), error.status, error.headers)
    return _codes_page(codes)


@blueprint.get("/profile/second-factor/qr.svg")
def second_factor_qr() -> Response:
    """Answer the QR code of the secret that is being enrolled. 404 where none is."""
    someone, _ = profile.by_browser()
    user = profile.own(someone)
    if user.totp_nonce is None or user.has_second_factor:
        raise not_found("This picture")
    drawn = io.BytesIO()
    code = segno.make(second_factor.address(user, profile.ISSUER), error="m", micro=False)
    code.save(drawn, kind="svg", scale=4, border=4, dark="#000", light="#fff", xmldecl=False)
    response = Response(drawn.getvalue(), mimetype="image/svg+xml")
    response.headers["Content-Security-Policy"] = PICTURE_POLICY
    return response


@blueprint.post("/profile/second-factor/codes")
def second_factor_codes() -> ResponseReturnValue:
    """Replace the recovery codes and show the new ones this once."""
    try:
        return _codes_page(profile.new_recovery_codes(request.form.get("factor-password", "")))
    except ClientError as error:
        return _refused("factor", error)


@blueprint.post("/profile/second-factor/remove")
def second_factor_remove() -> ResponseReturnValue:
    """Switch the second factor off."""
    password = request.form.get("factor-password", "")
    return _kept("factor", lambda: profile.remove_second_factor(password))


def _kept(part: str, change: Callable[[], None]) -> ResponseReturnValue:
    try:
        change()
    except ClientError as error:
        return _refused(part, error)
    return _saved(part)


def _refused(part: str, error: ClientError) -> ResponseReturnValue:
    errors = {f"{part}_{field}": words for field, words in faults(error).items()}
    return Response(_page(errors), error.status, error.headers)


def _saved(part: str) -> ResponseReturnValue:
    return redirect(url_for("admin.own_profile", saved=part), 303)


def _page(errors: dict[str, str], fields: dict[str, str] | None = None) -> str:
    someone, token = profile.by_browser()
    user = profile.own(someone)
    return render_template(
        "admin/profile.html",
        rail=load_rail("profile"),
        user=user,
        sessions=profile.open_sessions(user, token),
        codes_left=second_factor.recovery_codes_left(db.session(), user),
        fields={"name": user.name} | (fields or {}),
        errors=errors,
        problem=next((words for field, words in errors.items() if field.endswith("_form")), ""),
        saved=request.args.get("saved", ""),
    )


def _enrolment_page(problem: str = "") -> str:
    """Return the page of what is being enrolled, or nothing where nothing is."""
    someone, _ = profile.by_browser()
    user = profile.own(someone)
    if user.totp_nonce is None or user.has_second_factor:
        return ""
    secret = second_factor.shared_secret(user)
    return render_template(
        "admin/second_factor.html",
        rail=load_rail("profile"),
        secret=" ".join(secret[at : at + GROUP] for at in range(0, len(secret), GROUP)),
        problem=problem,
    )


def _codes_page(codes: list[str]) -> str:
    return render_template("admin/recovery_codes.html", rail=load_rail("profile"), codes=codes)


def _problem(error: ClientError) -> str:
    found = faults(error)
    return found.get("code") or found.get("form", "")
