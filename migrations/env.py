"""Alembic's environment: runs inside the application, on its engine, one transaction a migration."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import JSON

from app.database.engine import WRITE_OPTION
from app.database.types import UtcTime
from app.extensions import db


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave out SQLite's own tables and the shadow tables of full-text indexes."""
    if kind != "table" or name is None:
        return True
    return not (name.startswith("sqlite_") or "_fts" in name)


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Write our own column types by name in new migrations."""
    if kind != "type" or not isinstance(item, UtcTime | JSON):
        return False
    autogen_context.imports.add("from app.database.types import Json, UtcTime")
    return "UtcTime()" if isinstance(item, UtcTime) else "Json"


def run() -> None:
    """Apply migrations on the application's engine."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as pooled:
        connection = pooled.execution_options(**{WRITE_OPTION: True})
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_name=include_name,
            render_item=render_item,
            render_as_batch=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
