"""Bringing the database to the newest form, once, however many processes start together."""

import functools
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import upgrade

from app.config import current_settings
from app.database.turn import Turn
from app.extensions import db

FOLDER = Path(__file__).parents[3] / "migrations"
# A migration of a large database may take minutes; a second starter waits for it.
WAIT_SECONDS = 600.0


def migrate_to_head() -> None:
    """Apply what is missing. Raises TurnTimeout when another process migrates for over ten minutes."""
    if at_head():
        return
    lock = Turn(current_settings().instance_path / "migrate.lock")
    with lock.taken(WAIT_SECONDS):
        upgrade(directory=str(FOLDER))


def at_head() -> bool:
    """Tell whether the database has every migration. Raises SQLAlchemyError when it does not answer."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == _head()


@functools.cache
def _head() -> str | None:
    return ScriptDirectory(str(FOLDER)).get_current_head()
