"""Taking submissions: many in one transaction, durable before anybody is answered.

A submission arrives here checked and with its picture already in the blob store. A repeated idempotency
key answers with the first submission; the same key with other content is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import Flask, current_app
from sqlalchemy import Connection, Table, bindparam, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import UpdateBase

from app.database.group_commit import GroupCommit, WriteTimeout
from app.database.prepared import Prepared
from app.errors import ClientError, Unavailable
from app.extensions import db
from app.models import daily_count, project
from app.models.feedback import SET_LATER, Feedback, content_bytes
from app.models.screenshot import Screenshot

EXTENSION = "earmark_intake"
# Under the 15 s within which every request is answered (docs/security.md).
WRITE_TIMEOUT_SECONDS = 10.0
_feedback = cast(Table, Feedback.__table__)
_screenshots = cast(Table, Screenshot.__table__)


def _insert_new(dialect: str) -> UpdateBase:
    # A key that is there already is passed over: on PostgreSQL after waiting for who is just writing it.
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return make(_feedback).on_conflict_do_nothing(
        index_elements=[_feedback.c.project_id, _feedback.c.idempotency_key],
        index_where=_feedback.c.idempotency_key.is_not(None),
    )


# What a submission arrives without is left to the database.
_GIVEN = [
    column.key
    for column in _feedback.columns
    if column.key not in ("id", *SET_LATER) and not column.server_default
]
_INSERT = Prepared(_insert_new, _GIVEN)
_INSERT_SCREENSHOT = insert(_screenshots).returning(_screenshots.c.id, _screenshots.c.feedback_id)
_BY_PUBLIC_ID = select(_feedback.c.id, _feedback.c.public_id).where(
    _feedback.c.public_id.in_(bindparam("public_ids", expanding=True))
)
_BY_KEYS = select(
    _feedback.c.project_id,
    _feedback.c.idempotency_key,
    _feedback.c.public_id,
    _feedback.c.created_at,
    _feedback.c.has_screenshot,
    _feedback.c.content_digest,
).where(
    _feedback.c.project_id.in_(bindparam("projects", expanding=True)),
    _feedback.c.idempotency_key.in_(bindparam("keys", expanding=True)),
    _feedback.c.idempotency_key.is_not(None),
)


@dataclass(frozen=True)
class Blob:
    """A picture that already lies in the blob store."""

    key: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True)
class Submission:
    """One submission as it will be stored: in `values` one for each column that the database gives none."""

    values: dict[str, Any]
    picture: Blob | None = None

    @property
    def key(self) -> tuple[int, str] | None:
        """What makes a retry the same submission: project and idempotency key, where one was sent."""
        key = self.values["idempotency_key"]
        return None if key is None else (self.values["project_id"], key)


@dataclass(frozen=True)
class Receipt:
    """What the sender is told, after the commit."""

    public_id: str
    created_at: datetime
    has_screenshot: bool
    duplicate: bool
    screenshot_id: int | None = None


def init_app(app: Flask) -> None:
    """Give the application its one queue of submissions."""

    def engine() -> Any:
        with app.app_context():
            return db.engine

    app.extensions[EXTENSION] = GroupCommit[Submission, Receipt](engine, write)


def submit(submission: Submission) -> Receipt:
    """Store one submission and return its receipt once it is on the disk.

    Raises ClientError `idempotency_mismatch` (422), Unavailable (503) when the store is busy for too long.
    """
    try:
        receipt: Receipt = current_app.extensions[EXTENSION].submit(submission, WRITE_TIMEOUT_SECONDS)
    except WriteTimeout:
        raise Unavailable("The store is busy. Nothing was kept; try again in a moment.") from None
    return receipt


def find_replay(project_id: int, idempotency_key: str, content_digest: str) -> Receipt | None:
    """Return the receipt of an earlier submission with this key, or None.

    Raises ClientError `idempotency_mismatch` (422) when it had other content.
    """
    row = db.session.execute(_BY_KEYS, {"projects": [project_id], "keys": [idempotency_key]}).first()
    return None if row is None else _replay(row, content_digest)


def write(connection: Connection, items: Sequence[Submission]) -> list[Receipt | Exception]:
    """Write submissions, their screenshots, the roll-up and the projects' bytes in one transaction."""
    firsts = _first_of_each_key(items)
    kept = _insert(connection, firsts)
    earlier: dict[tuple[int, str] | None, Any] = {item.key: item for item in kept}
    if len(kept) < len(firsts):
        earlier |= _known(connection, firsts)
    ids = _insert_screenshots(connection, kept)
    _count(connection, kept)
    fresh = {id(item) for item in kept}
    return [_receipt(item, ids) if id(item) in fresh else _outcome(earlier[item.key], item) for item in items]


def _first_of_each_key(items: Sequence[Submission]) -> list[Submission]:
    seen: set[tuple[int, str]] = set()
    firsts: list[Submission] = []
    for item in items:
        key = item.key
        if key is None or key not in seen:
            firsts.append(item)
        if key is not None:
            seen.add(key)
    return firsts


def _insert(connection: Connection, items: list[Submission]) -> list[Submission]:
    """Insert submissions and return those whose key was new."""
    done = _INSERT.run(connection, [item.values for item in items]).rowcount
    if done == len(items):
        return items
    wanted = {"public_ids": [item.values["public_id"] for item in items]}
    there = {row.public_id for row in connection.execute(_BY_PUBLIC_ID, wanted)}
    return [item for item in items if item.values["public_id"] in there]


def _known(connection: Connection, items: Sequence[Submission]) -> dict[tuple[int, str] | None, Any]:
    keys = [item.key for item in items if item.key is not None]
    wanted = {"projects": sorted({key[0] for key in keys}), "keys": [key[1] for key in keys]}
    public_ids = {item.values["public_id"] for item in items}
    return {
        (row.project_id, row.idempotency_key): row
        for row in connection.execute(_BY_KEYS, wanted)
        if row.public_id not in public_ids
    }


def _outcome(earlier: Any, item: Submission) -> Receipt | Exception:
    try:
        if isinstance(earlier, Submission):
            return _replay_in_batch(earlier, item)
        return _replay(earlier, item.values["content_digest"])
    except ClientError as error:
        return error


def _replay(row: Any, content_digest: str) -> Receipt:
    if row.content_digest != content_digest:
        raise _mismatch()
    return Receipt(row.public_id, row.created_at, row.has_screenshot, duplicate=True)


def _replay_in_batch(earlier: Submission, item: Submission) -> Receipt:
    if earlier.values["content_digest"] != item.values["content_digest"]:
        raise _mismatch()
    return _receipt(earlier, duplicate=True)


def _mismatch() -> ClientError:
    return ClientError(
        422,
        "idempotency_mismatch",
        "This idempotency key was already used for a submission with other content.",
    )


def _receipt(
    item: Submission, screenshot_ids: Mapping[str, int] | None = None, *, duplicate: bool = False
) -> Receipt:
    values = item.values
    return Receipt(
        values["public_id"],
        values["created_at"],
        values["has_screenshot"],
        duplicate,
        (screenshot_ids or {}).get(values["public_id"]),
    )


def _insert_screenshots(connection: Connection, items: Sequence[Submission]) -> dict[str, int]:
    """Insert the screenshots' rows; returns their ids by their submissions' public ids."""
    pictures = {item.values["public_id"]: item for item in items if item.picture is not None}
    if not pictures:
        return {}
    owners = {
        row.id: row.public_id for row in connection.execute(_BY_PUBLIC_ID, {"public_ids": list(pictures)})
    }
    rows = [_screenshot_row(owner, pictures[public_id]) for owner, public_id in owners.items()]
    return {owners[shot.feedback_id]: shot.id for shot in connection.execute(_INSERT_SCREENSHOT, rows)}


def _screenshot_row(feedback_id: int, item: Submission) -> dict[str, Any]:
    assert item.picture is not None
    return {
        "feedback_id": feedback_id,
        "blob_key": item.picture.key,
        "media_type": item.picture.media_type,
        "size_bytes": item.picture.size_bytes,
        "state": "pending",
        "attempts": 0,
        "created_at": item.values["created_at"],
    }


def _delta(values: dict[str, Any]) -> daily_count.Delta:
    bucket = daily_count.bucket_of(
        project_id=values["project_id"],
        created_at=values["created_at"],
        category=values["category"],
        status=values["status"],
        is_archived=values["is_archived"],
    )
    return daily_count.Delta(bucket, not values["is_read"], values["has_screenshot"])


def _count(connection: Connection, items: Sequence[Submission]) -> None:
    """Add what was kept to the roll-up and to its projects' bytes."""
    if not items:
        return
    daily_count.add(connection, [_delta(item.values) for item in items])
    sizes: dict[int, int] = {}
    for item in items:
        picture = item.picture.size_bytes if item.picture else 0
        size = content_bytes(item.values["description"]) + picture
        sizes[item.values["project_id"]] = sizes.get(item.values["project_id"], 0) + size
    project.add_bytes(connection, sizes)
