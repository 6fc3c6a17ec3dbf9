"""Export: which submissions and columns, read as one stream from one snapshot.

A stream holds one connection with one statement, and a batch of rows in memory. On SQLite that is a read
transaction (writers go on: WAL), on PostgreSQL a server-side cursor; either sees the submissions of the
moment at which it began.
"""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_

from app.blueprints.admin.export_formats import WRITERS
from app.database.tracking.scope import origin
from app.errors import ClientError, FieldError
from app.extensions import db
from app.models import Feedback, FeedbackTag, Project, Tag, User
from app.models.inbox_filter import InboxFilter

ROWS_A_BATCH = 1_000
TAGS_BETWEEN = ", "


def _tags() -> ColumnElement[Any]:
    names = func.aggregate_strings(Tag.name, TAGS_BETWEEN)
    query = select(names).join(FeedbackTag, FeedbackTag.tag_id == Tag.id)
    return query.where(FeedbackTag.feedback_id == Feedback.id).correlate(Feedback).scalar_subquery()


COLUMNS: Mapping[str, Any] = {
    "id": Feedback.public_id,
    "created_at": Feedback.created_at,
    "project": Project.name,
    "category": Feedback.category,
    "status": Feedback.status,
    "description": Feedback.description,
    "url": Feedback.url,
    "rating": Feedback.rating,
    "reporter_id": Feedback.reporter_id,
    "reporter_name": Feedback.reporter_name,
    "reporter_email": Feedback.reporter_email,
    "session_id": Feedback.session_id,
    "timestamp": Feedback.timestamp,
    "browser": Feedback.browser,
    "os": Feedback.os,
    "screen_resolution": Feedback.screen_resolution,
    "viewport_size": Feedback.viewport_size,
    "has_screenshot": Feedback.has_screenshot,
    "has_annotation": Feedback.has_annotation,
    "is_read": Feedback.is_read,
    "is_archived": Feedback.is_archived,
    "assignee": User.email,
    "admin_notes": Feedback.admin_notes,
    "updated_at": Feedback.updated_at,
    "project_key": Project.public_key,
    "tags": _tags(),
    "user_agent": Feedback.user_agent,
    "custom": Feedback.custom,
    "api_state": Feedback.api_state,
}
# What is long, or costs a look-up for each row, is there when it is asked for.
ON_REQUEST = ("project_key", "tags", "user_agent", "custom", "api_state")
DEFAULT_COLUMNS = tuple(name for name in COLUMNS if name not in ON_REQUEST)


@dataclass(frozen=True)
class Place:
    """Where an export has come to: the moment and number of the last row that was written."""

    created_at: datetime
    id: int


@dataclass(frozen=True, kw_only=True)
class Export:
    """What is exported, the oldest first; `after` goes on behind a place."""

    format: str
    columns: tuple[str, ...]
    chosen: InboxFilter
    bom: bool = False
    after: Place | None = None


@dataclass(frozen=True)
class Batch:
    """Some rows as bytes, how many, and the place of the last."""

    data: bytes
    rows: int
    place: Place | None = None


def columns_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of these names, the default ones for none. Raises ClientError 422 for `columns`."""
    unknown = [name for name in names if name not in COLUMNS]
    twice = len(set(names)) < len(names)
    if unknown or twice:
        message = f"{unknown[0][:80]!r} is no column" if unknown else "names a column twice"
        message += "; there are " + ", ".join(COLUMNS)
        raise ClientError(
            422, "validation_failed", "Some fields are not right.", [FieldError("columns", message)]
        )
    return tuple(names) or DEFAULT_COLUMNS


def stream(export: Export, *, budget_seconds: float = 0.0) -> Generator[Batch]:
    """Give the export in batches, the first of which may hold no row but the names.

    Close it, or read it to its end: until then it holds a connection. Raises TimeoutError after
    `budget_seconds`, where they are not 0: a reader that is too slow must not keep the snapshot for ever.
    """
    writer = WRITERS[export.format](export.columns)
    began = time.monotonic()
    with origin("export", budget_seconds=budget_seconds):
        connection = db.engine.connect()
    try:
        with origin("export", budget_seconds=budget_seconds):
            options = {"stream_results": True, "yield_per": ROWS_A_BATCH}
            result = connection.execute(statement(export), execution_options=options)
        if export.after is None and (head := writer.head(bom=export.bom)):
            yield Batch(head, 0)
        for rows in result.partitions():
            last = rows[-1]
            # The two columns of the place stand behind those that were asked for.
            yield Batch(writer.batch([row[:-2] for row in rows]), len(rows), Place(last[-2], last[-1]))
            if budget_seconds and time.monotonic() - began > budget_seconds:
                raise TimeoutError("the export took longer than its time budget")
    finally:
        connection.close()


def statement(export: Export) -> Select[Any]:
    """Return the select: the columns asked for, then the two that make a place."""
    query = select(*(COLUMNS[name] for name in export.columns), Feedback.created_at, Feedback.id)
    query = query.select_from(Feedback).where(*export.chosen.conditions())
    if {"project", "project_key"} & set(export.columns):
        query = query.join(Project, Project.id == Feedback.project_id)
    if "assignee" in export.columns:
        query = query.outerjoin(User, User.id == Feedback.assignee_id)
    if export.after is not None:
        place = tuple_(Feedback.created_at, Feedback.id)
        query = query.where(place > (export.after.created_at, export.after.id))
    return query.order_by(Feedback.created_at, Feedback.id)
