"""The first start: database, first admin, first project, and the lines that say where to go."""

import secrets

from flask import current_app
from sqlalchemy import select

from app.blueprints.operations.migrations import migrate_to_head
from app.config import Settings
from app.database.transactions import transaction
from app.extensions import db
from app.jobs import run_at_start
from app.models import Project, User, audit

DEFAULT_EMAIL = "admin@earmark.local"
DEMO_PROJECT = "Halden Kitchen"
PLAIN_PROJECT = "My site"


def prepare(settings: Settings) -> list[str]:
    """Migrate, make what a first start lacks, and return the lines to show."""
    migrate_to_head()
    run_at_start(current_app._get_current_object())  # type: ignore[attr-defined]
    password = _ensure_admin(settings)
    project = _ensure_project(settings)
    return _lines(settings, project, password)


def _ensure_admin(settings: Settings) -> tuple[str, str] | None:
    """Add the first admin; returns e-mail and password where the password was generated."""
    if db.session.scalar(select(User.id).limit(1)) is not None:
        return None
    email = (settings.admin_email or DEFAULT_EMAIL).strip().lower()
    password = settings.admin_password or secrets.token_urlsafe(12)
    with transaction() as session:
        user = User(email=email, name=email.partition("@")[0], role="admin")
        user.set_password(session, password)
        session.add(user)
        session.flush()
        audit.record(session, "user.create", target=f"user:{email}", details={"role": "admin"})
    return None if settings.admin_password else (email, password)


def _ensure_project(settings: Settings) -> str:
    key = db.session.scalar(select(Project.public_key).order_by(Project.id).limit(1))
    if key is not None:
        return key
    with transaction() as session:
        project = Project(name=DEMO_PROJECT if settings.demo else PLAIN_PROJECT)
        session.add(project)
        session.flush()
        audit.record(
            session,
            "project.create",
            target=f"project:{project.public_key}",
            details={"name": project.name},
        )
        return project.public_key


def _lines(settings: Settings, project: str, generated: tuple[str, str] | None) -> list[str]:
    url = settings.public_url
    sign_in = f"Sign in     {url}/admin/"
    if generated:
        sign_in += f"   {generated[0]}   password, shown once: {generated[1]}"
    lines = [sign_in]
    if settings.demo:
        lines.append(f"Demo page   {url}/demo")
    lines.append(f'Script tag  <script src="{url}/widget.js" data-project="{project}" async></script>')
    return lines
