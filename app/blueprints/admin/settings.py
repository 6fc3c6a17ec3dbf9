"""Projects, tokens and users: making and changing them, the same for pages, API and command line."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.database.transactions import transaction
from app.errors import ClientError, FieldError, not_found
from app.extensions import db
from app.models import ApiToken, Feedback, Project, User, audit
from app.models.project import new_public_key
from app.models.user import role_covers


def all_projects() -> Sequence[Project]:
    """Return all projects by name."""
    return db.session.scalars(select(Project).order_by(Project.name, Project.id)).all()


def load_project(public_key: str) -> Project:
    """Load a project. Raises ClientError `not_found` (404)."""
    found = db.session.scalar(select(Project).where(Project.public_key == public_key))
    if found is None:
        raise not_found("This project")
    return found


def create_project(values: Mapping[str, Any]) -> Project:
    """Add a project. Raises ClientError 422 when the name is taken."""
    with transaction() as session:
        _refuse_taken_name(values["name"], None)
        project = Project(**values)
        session.add(project)
        session.flush()
        public_key = project.public_key
        audit.record(
            session, "project.create", target=f"project:{public_key}", details={"name": project.name}
        )
    return load_project(public_key)


def change_project(public_key: str, values: Mapping[str, Any]) -> Project:
    """Change a project's settings. Raises ClientError 404, or 422 when the name is taken."""
    with transaction() as session:
        project = load_project(public_key)
        if "name" in values:
            _refuse_taken_name(values["name"], project.id)
        changed = _set(project, values)
        audit.record(session, "project.change", target=f"project:{public_key}", details=changed)
    return load_project(public_key)


def rotate_key(public_key: str) -> Project:
    """Give a project a new public key; pages with the old tag send nothing any more."""
    with transaction() as session:
        project = load_project(public_key)
        project.public_key = rotated = new_public_key()
        audit.record(session, "project.rotate-key", target=f"project:{public_key}", details={"key": rotated})
    return load_project(rotated)


def delete_project(public_key: str) -> None:
    """Delete a project that has no submissions. Raises ClientError 404, or 409 `conflict`."""
    with transaction() as session:
        project = load_project(public_key)
        if session.scalar(select(Feedback.id).where(Feedback.project_id == project.id).limit(1)):
            raise ClientError(
                409, "conflict", "The project has submissions. Switch it off instead (is_active)."
            )
        session.delete(project)
        audit.record(
            session, "project.delete", target=f"project:{public_key}", details={"name": project.name}
        )


def all_tokens() -> Sequence[ApiToken]:
    """Return all tokens, the newest first."""
    return db.session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).all()


def load_token(public_id: str) -> ApiToken:
    """Load a token. Raises ClientError `not_found` (404)."""
    found = db.session.scalar(select(ApiToken).where(ApiToken.public_id == public_id))
    if found is None:
        raise not_found("This token")
    return found


def create_token(email: str, *, name: str, role: str) -> tuple[ApiToken, str]:
    """Make a token and return it with its secret. Raises ClientError 422 for user or role."""
    with transaction() as session:
        user = User.by_email(session, email)
        if user is None or not user.is_active:
            raise wrong("user", "there is no such user")
        _refuse_role_above(user, role)
        token, secret = ApiToken.create(session, user, name=name, role=role)
        session.flush()
        public_id = token.public_id
        audit.record(
            session,
            "token.create",
            target=f"token:{public_id}",
            details={"name": name, "role": role, "user": user.email},
        )
    return load_token(public_id), secret


def change_token(public_id: str, values: Mapping[str, Any]) -> ApiToken:
    """Change a token's name or role. Raises ClientError 404, or 422 for a role above its user's."""
    with transaction() as session:
        token = load_token(public_id)
        if "role" in values:
            _refuse_role_above(token.user, values["role"])
        changed = _set(token, values)
        audit.record(session, "token.change", target=f"token:{public_id}", details=changed)
    return load_token(public_id)


def revoke_token(public_id: str, now: datetime) -> ApiToken:
    """Revoke a token; once more changes nothing. Raises ClientError 404."""
    with transaction() as session:
        token = load_token(public_id)
        if token.revoked_at is None:
            token.revoked_at = now
            audit.record(session, "token.revoke", target=f"token:{public_id}", details={"name": token.name})
    return load_token(public_id)


def all_users() -> Sequence[User]:
    """Return all users by e-mail."""
    return db.session.scalars(select(User).order_by(User.email)).all()


def wrong(field: str, message: str) -> ClientError:
    """Make the 422 for one field."""
    faults = [FieldError(field, message)]
    return ClientError(422, "validation_failed", "Some fields are not right.", faults)


def _set(found: Project | ApiToken, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set the values and return those that changed, before and after, for the audit log."""
    changed = {}
    for name, value in values.items():
        before = getattr(found, name)
        if value != before:
            setattr(found, name, value)
            changed[name] = {"from": before, "to": value}
    return changed


def _refuse_taken_name(name: str, own_id: int | None) -> None:
    taken = db.session.scalar(select(Project.id).where(Project.name == name))
    if taken not in (None, own_id):
        raise wrong("name", "another project has this name")


def _refuse_role_above(user: User, role: str) -> None:
    if not role_covers(user.role, role):
        raise wrong("role", f"is above the user's own role, {user.role}")
