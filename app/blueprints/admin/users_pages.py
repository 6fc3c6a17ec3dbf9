"""Pages of users: the list with invitations, and one user with what an admin may do."""

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from app.blueprints.admin import users
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.user_shapes import NewUser, UserChange, state_of
from app.blueprints.admin.users import OpenedLink
from app.clock import utc_now
from app.errors import ClientError
from app.rail import load_rail
from app.security import needs
from app.validation import field_errors


@blueprint.route("/users", methods=["GET", "POST"])
def users_list() -> ResponseReturnValue:
    """List the users; invite one and show the link this once."""
    if request.method == "GET":
        return _list_page({})
    fields = {name: request.form.get(name, "") for name in ("email", "role", "name")}
    try:
        wanted = NewUser.model_validate({name: text for name, text in fields.items() if text.strip()})
        opened = users.invite(wanted.email, role=wanted.role, name=wanted.name, now=utc_now())
    except (ValidationError, ClientError) as error:
        return _list_page(fields, faults(error)), 422
    return _list_page({}, opened=opened), 201


@blueprint.route("/users/<public_id>", methods=["GET", "POST"])
def user(public_id: str) -> ResponseReturnValue:
    """Show one user; keep a new name and role."""
    if request.method == "GET":
        return _user_page(public_id)
    fields = {name: request.form.get(name, "") for name in ("name", "role")}
    return _changed(public_id, lambda: UserChange.model_validate(fields), fields)


@blueprint.post("/users/<public_id>/active")
def user_active(public_id: str) -> ResponseReturnValue:
    """Deactivate a user, or activate one again."""
    active = request.form.get("active") == "true"
    return _changed(public_id, lambda: UserChange(is_active=active), {})


@blueprint.post("/users/<public_id>/link")
def user_link(public_id: str) -> ResponseReturnValue:
    """Open a link that sets a password, and show it this once."""
    try:
        opened = users.open_link(public_id, utc_now())
    except ClientError as error:
        if error.status == 404:
            raise
        return _user_page(public_id, problem=error.message), error.status
    return _user_page(public_id, opened=opened), 201


@blueprint.post("/users/<public_id>/second-factor")
def user_second_factor(public_id: str) -> ResponseReturnValue:
    """Take a lost second factor away."""
    users.reset_second_factor(public_id)
    return redirect(url_for("admin.user", public_id=public_id, saved=1), 303)


@blueprint.post("/users/<public_id>/withdraw")
def user_withdraw(public_id: str) -> ResponseReturnValue:
    """Withdraw an invitation."""
    try:
        users.withdraw_invitation(public_id)
    except ClientError as error:
        if error.status == 404:
            raise
        return _user_page(public_id, problem=error.message), error.status
    return redirect(url_for("admin.users_list"), 303)


def faults(error: ValidationError | ClientError) -> dict[str, str]:
    """Return a sentence for each field at fault; what belongs to no field is under `form`."""
    if isinstance(error, ClientError):
        found = {fault.field: fault.message for fault in error.details} or {"form": error.message}
    else:
        found = {fault.field: fault.message for fault in field_errors(error)}
    return {field: _sentence(message) for field, message in found.items()}


def _changed(public_id: str, read: Callable[[], UserChange], fields: dict[str, str]) -> ResponseReturnValue:
    try:
        users.change_user(public_id, read().model_dump(exclude_unset=True))
    except ValidationError as error:
        return _user_page(public_id, fields=fields, errors=faults(error)), 422
    except ClientError as error:
        if error.status == 404:
            raise
        return _user_page(public_id, fields=fields, problem=error.message), error.status
    return redirect(url_for("admin.user", public_id=public_id, saved=1), 303)


def _list_page(
    fields: dict[str, str], errors: dict[str, str] | None = None, opened: OpenedLink | None = None
) -> str:
    return render_template(
        "admin/users.html",
        rail=load_rail("users"),
        users=users.all_users(),
        state_of=state_of,
        own_id=needs("admin").public_id,
        fields={"role": "agent"} | fields,
        errors=errors or {},
        opened=opened,
    )


def _user_page(
    public_id: str,
    *,
    fields: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    **shown: Any,
) -> str:
    found = users.load_user(public_id)
    return render_template(
        "admin/user.html",
        rail=load_rail("users"),
        user=found,
        state=state_of(found),
        is_me=found.public_id == needs("admin").public_id,
        fields={"name": found.name, "role": found.role} | (fields or {}),
        errors=errors or {},
        saved=request.args.get("saved") == "1",
        **{"problem": "", "opened": None} | shown,
    )


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")
