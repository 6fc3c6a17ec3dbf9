"""Submissions of any age with all that belongs to them, and policies."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from app.blueprints.retention import archive
from app.config import Settings
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Project, RetentionPolicy, daily_count, removal
from app.models.screenshot import Screenshot
from app.storage import new_key, storage

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The application's context around the test."""
    with app.app_context():
        yield app


@pytest.fixture
def plant(context: Flask, project: Project) -> Callable[..., int]:
    """Add a submission as intake does, so many days old; returns its id. `picture` is a size in bytes."""

    def add(days: float = 0, *, changed: float | None = None, picture: int = 0, **values: Any) -> int:
        created = NOW - timedelta(days=days)
        given = {"project_id": project.id, "category": "bug", "description": f"Zahl ü {days}"} | values
        held = given.pop("held", False)
        with transaction() as session:
            made = Feedback(
                has_screenshot=bool(picture),
                created_at=created,
                updated_at=created if changed is None else NOW - timedelta(days=changed),
                **given,
            )
            session.add(made)
            session.flush()
            if held:
                session.execute(update(Feedback).where(Feedback.id == made.id).values(held=True))
            daily_count.add(session.connection(), [daily_count.delta(made, 1)])
            if picture:
                session.add(_screenshot(made.id, picture))
            session.execute(
                update(Project)
                .where(Project.id == made.project_id)
                .values(stored_bytes=Project.stored_bytes + len(made.description.encode()) + picture)
            )
            return made.id

    return add


def _screenshot(feedback_id: int, size: int) -> Screenshot:
    key = new_key("screenshots")
    for name in (key, key + ".thumb"):
        storage().put(name, b"x" * size)
    return Screenshot(
        feedback_id=feedback_id, blob_key=key, thumbnail_key=key + ".thumb", media_type="image/webp",
        size_bytes=size, width=10, height=10, state="ready",
    )  # fmt: skip


@pytest.fixture
def policies(context: Flask) -> Callable[..., None]:
    """Put these policies in the place of all others."""

    def put(*wanted: dict[str, Any]) -> None:
        with transaction() as session:
            session.execute(delete(RetentionPolicy))
            for number, values in enumerate(wanted):
                session.add(RetentionPolicy(**{"name": f"Policy {number}"} | values))

    return put


def there() -> set[int]:
    """Ids of all submissions."""
    found = set(db.session.scalars(select(Feedback.id)))
    db.session.rollback()
    return found


@pytest.fixture
def people(plant: Callable[..., int]) -> dict[str, int]:
    """Jana's three submissions (one by another spelling, one archived only) and Otto's two; ids by name."""
    ids = {
        "jana": plant(3, picture=900, reporter_email="jana@example.org", session_id="s-1", reporter_id="r-1"),
        "jana2": plant(2, reporter_email="Jana@Example.ORG"),
        "old": plant(400, reporter_email="jana@example.org", description="from the archive"),
        "otto": plant(3, picture=700, reporter_email="otto@example.org", session_id="s-2"),
        "otto-old": plant(400, reporter_email="otto@example.org"),
    }
    archive.store([ids["old"], ids["otto-old"], ids["jana"]])
    with transaction() as session:
        removal.remove(session, [ids["old"], ids["otto-old"]])
    return ids


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The environment of another process of the same instance."""
    found = os.environ | {
        "EARMARK_INSTANCE_PATH": str(settings.instance_path),
        "EARMARK_SECRET_KEY": settings.secret_key,
    }
    if settings.database_url:
        found["EARMARK_DATABASE_URL"] = settings.database_url
    return found
