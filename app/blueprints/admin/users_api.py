"""The JSON API of users."""

from typing import Any

from flask import Response

from app.blueprints.admin import answers, users
from app.blueprints.admin import user_shapes as shapes
from app.blueprints.admin.api import blueprint
from app.blueprints.admin.reading import given
from app.blueprints.admin.user_shapes import NewUser, UserChange, UserPath
from app.clock import utc_now
from app.responses import Failure, success


@blueprint.get("/users", summary="All users", responses={200: shapes.UserList})
def list_users() -> Response:
    """Answer all users, by e-mail."""
    return success([shapes.user(found.user, found.seen_at) for found in users.all_users()])


@blueprint.post("/users", summary="Invite a user", responses={201: shapes.OneNewUser})
def invite_user(body: NewUser) -> Response:
    """Add a user and open a link that sets the first password; this answer alone holds it."""
    return success(_opened(users.invite(body.email, role=body.role, name=body.name, now=utc_now())), 201)


@blueprint.get("/users/<public_id>", summary="One user", responses={200: shapes.OneUser})
def get_user(path: UserPath) -> Response:
    """Answer one user."""
    return success(shapes.user(users.load_user(path.public_id)))


@blueprint.patch("/users/<public_id>", summary="Change a user", responses={200: shapes.OneUser, 409: Failure})
def change_user(path: UserPath, body: UserChange) -> Response:
    """Change name, role or `is_active`; what is left out stays. The last admin keeps both (409)."""
    return success(shapes.user(users.change_user(path.public_id, given(body))))


@blueprint.delete(
    "/users/<public_id>", summary="Withdraw an invitation", responses={200: answers.Gone, 409: Failure}
)
def withdraw_invitation(path: UserPath) -> Response:
    """Remove a user who never set a password; anybody else answers 409 (set `is_active` to false)."""
    users.withdraw_invitation(path.public_id)
    return success({"id": path.public_id})


@blueprint.post(
    "/users/<public_id>/link",
    summary="Open a link to set a password",
    responses={201: shapes.OneNewUser, 409: Failure},
)
def open_user_link(path: UserPath) -> Response:
    """Open a link in place of any before; this answer alone holds it."""
    return success(_opened(users.open_link(path.public_id, utc_now())), 201)


@blueprint.delete(
    "/users/<public_id>/second-factor", summary="Reset a second factor", responses={200: shapes.OneUser}
)
def reset_second_factor(path: UserPath) -> Response:
    """Take a user's second factor away and end the user's sessions."""
    return success(shapes.user(users.reset_second_factor(path.public_id)))


def _opened(opened: users.OpenedLink) -> dict[str, Any]:
    return shapes.user(opened.user) | {
        "link": opened.url,
        "purpose": opened.purpose,
        "link_expires_at": opened.expires_at,
    }
