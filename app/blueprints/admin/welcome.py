"""The page behind an invitation or a reset: it sets a password, once, and leads on."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from app.blueprints.admin import signin
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.profile import checked_hash
from app.blueprints.admin.user_shapes import UserChange
from app.blueprints.admin.users_pages import faults
from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.models import AccountLink, User, audit
from app.models.account_link import INVITATION


@blueprint.route("/welcome/<token>", methods=["GET", "POST"])
def welcome(token: str) -> ResponseReturnValue:
    """Ask for a password, and at an invitation for a name; then sign in, with the second factor too."""
    link = AccountLink.find(db.session(), token, utc_now())
    if link is None:
        return render_template("admin/welcome_over.html"), 404
    if request.method == "GET":
        return _page(link, {"name": link.user.name}, {})
    fields = {"name": request.form.get("name", link.user.name)}
    try:
        name = UserChange.model_validate(fields).name or link.user.name
        hashed = checked_hash(request.form.get("password", ""))
    except (ValidationError, ClientError) as error:
        return _page(link, fields, faults(error)), 422
    user = _accept(token, name, hashed)
    if user is None:
        return render_template("admin/welcome_over.html"), 404
    return signin.go_on(user, "")


def _accept(token: str, name: str, hashed: str) -> User | None:
    """Set name and password and close the link; None where somebody was first."""
    with transaction() as session:
        used = AccountLink.use(session, token, utc_now())
        if used is None:
            return None
        user, purpose = used
        if purpose == INVITATION:
            user.name = name
        user.set_password_hash(session, hashed)
        with audit.acting(user.email):
            audit.record(session, "user.accept", target=f"user:{user.email}", details={"by": purpose})
        user_id = user.id
    return db.session.get_one(User, user_id)


def _page(link: AccountLink, fields: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "admin/welcome.html",
        email=link.user.email,
        is_invitation=link.purpose == INVITATION,
        fields=fields,
        errors=errors,
    )
