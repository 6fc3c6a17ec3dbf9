"""What must be true of an instance, whatever was killed: looked up in the database and on the disk itself.

Every function runs in an application's context. Nothing here trusts a count that the program keeps.
"""

import io
from collections import Counter
from pathlib import Path
from typing import Any

from flask import current_app
from PIL import Image
from sqlalchemy import func, select, text, update

from app.clock import utc_now
from app.config import current_settings
from app.database.transactions import transaction
from app.extensions import db
from app.models import DailyCount, Feedback, Project, Screenshot
from app.models.screenshot import LEASE
from app.storage import BlobMissing, storage
from tests.faults.crowd import Ledger, Letter

# WebP and JPEG lose a little of a color.
NEAR = 30


def rows() -> list[Any]:
    """Every submission with what there is of its screenshot."""
    query = (
        select(
            Feedback.public_id, Feedback.project_id, Feedback.idempotency_key, Feedback.description,
            Feedback.category, Feedback.status, Feedback.is_archived, Feedback.is_read, Feedback.created_at,
            Feedback.has_screenshot, Feedback.annotation_coords,
            Screenshot.id.label("screenshot_id"), Screenshot.blob_key, Screenshot.thumbnail_key,
            Screenshot.state, Screenshot.size_bytes, Screenshot.width, Screenshot.height,
        )
        .select_from(Feedback)
        .outerjoin(Screenshot, Screenshot.feedback_id == Feedback.id)
    )  # fmt: skip
    found = list(db.session.execute(query))
    db.session.rollback()
    return found


def compare(ledger: Ledger, found: list[Any]) -> dict[str, list[str]]:
    """Hold what was acknowledged against what is there; every list must be empty."""
    sent = {letter.description: (letter, public_id) for letter, public_id in ledger.acknowledged.values()}
    there = {row.description: row for row in found}
    copies = Counter(row.description for row in found)
    return {
        "lost": [letter.key for words, (letter, _) in sent.items() if words not in there],
        "doubled": [words[:40] for words, count in copies.items() if count > 1],
        "unknown": [words[:40] for words in there if words not in sent],
        "altered": [
            letter.key
            for words, (letter, public_id) in sent.items()
            if words in there and not _is_whole(there[words], letter, public_id)
        ],
    }


def _is_whole(row: Any, letter: Letter, public_id: str) -> bool:
    return (
        row.public_id == public_id
        and row.idempotency_key == letter.key
        and (row.annotation_coords is not None) == letter.marked
        and row.has_screenshot == letter.has_picture == (row.screenshot_id is not None)
    )


def broken_pictures(ledger: Ledger, found: list[Any]) -> list[str]:
    """Say which rows have no blob, or one that is not the picture that was sent; none may be."""
    faults = []
    for row in found:
        letter, _ = ledger.acknowledged.get(row.idempotency_key, (None, None))
        if row.screenshot_id is not None and letter is not None:
            fault = _fault_of(row, letter)
            if fault:
                faults.append(f"{row.idempotency_key} ({row.state}): {fault}")
    return faults


def _fault_of(row: Any, letter: Letter) -> str | None:
    if row.state == "failed":
        return None if letter.color is None else "marked as failed, and was a good picture"
    if letter.color is None:
        return "shown as ready, and was broken" if row.state == "ready" else _missing(row.blob_key)
    keys = [row.blob_key] + ([row.thumbnail_key] if row.state == "ready" else [])
    for key in keys:
        if _missing(key):
            return _missing(key)
        image = Image.open(io.BytesIO(storage().get(key))).convert("RGB")
        if any(abs(a - b) > NEAR for a, b in zip(_middle(image), letter.color, strict=True)):
            return f"{key} is another picture"
        if row.state == "ready" and key == row.blob_key and image.size != (row.width, row.height):
            return f"{key} has another size than its row says"
    return None


def _middle(image: Image.Image) -> tuple[int, ...]:
    # The field of color reaches from 120 to 300 of 320 pixels; its middle is below the picture's.
    pixel = image.getpixel((image.width // 2, image.height * 2 // 3))
    assert isinstance(pixel, tuple)
    return pixel


def _missing(key: str) -> str | None:
    try:
        return None if storage().get(key) else f"{key} is empty"
    except BlobMissing:
        return f"{key} is not there"


def orphans(found: list[Any]) -> list[str]:
    """Files in the blob folder that no submission needs, those that the store itself hides included."""
    needed = {row.blob_key for row in found if row.state in ("pending", "ready")}
    needed |= {row.thumbnail_key for row in found if row.state == "ready"}
    folder: Path = current_settings().instance_path / "blobs"
    present = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return sorted(present - needed)


def wrong_counts(found: list[Any]) -> dict[str, Any]:
    """Count afresh what the program counts as it goes, and return where the two differ."""
    return {
        "daily_counts": _differing(_counted(found), _rolled_up()),
        "stored_bytes": _differing(_weighed(found), dict(_kept_bytes())),
    }


def _counted(found: list[Any]) -> dict[Any, tuple[int, int, int]]:
    sums: dict[Any, list[int]] = {}
    for row in found:
        bucket = (row.project_id, row.created_at.date(), row.category, row.status, row.is_archived)
        counts = sums.setdefault(bucket, [0, 0, 0])
        counts[0] += 1
        counts[1] += not row.is_read
        counts[2] += row.screenshot_id is not None
    return {bucket: tuple(counts) for bucket, counts in sums.items()}


def _rolled_up() -> dict[Any, tuple[int, int, int]]:
    stored = db.session.scalars(select(DailyCount)).all()
    counts = {
        (row.project_id, row.day, row.category, row.status, row.is_archived): (
            row.submissions, row.unread, row.screenshots,
        )
        for row in stored
    }  # fmt: skip
    db.session.rollback()
    return counts


def _weighed(found: list[Any]) -> dict[int, int]:
    weights: Counter[int] = Counter()
    for row in found:
        weights[row.project_id] += len(row.description.encode()) + (row.size_bytes or 0)
    return dict(weights)


def _kept_bytes() -> list[Any]:
    stored = list(db.session.execute(select(Project.id, Project.stored_bytes)))
    db.session.rollback()
    return [tuple(row) for row in stored]


def _differing(counted: dict[Any, Any], kept: dict[Any, Any]) -> dict[Any, tuple[Any, Any]]:
    nothing = (None, 0, (0, 0, 0))
    both = {key: (counted.get(key), kept.get(key)) for key in counted.keys() | kept.keys()}
    return {key: pair for key, pair in both.items() if pair[0] != pair[1] and not set(pair) <= set(nothing)}


def database_faults() -> list[str]:
    """What SQLite says of its own file; PostgreSQL has no such question to ask."""
    if db.engine.dialect.name != "sqlite":
        return []
    with db.engine.connect() as connection:
        # FTS5 checks by what this connection last knew of the index, and calls it corrupt when another one
        # has merged its parts since (SQLite 3.53.4); a read brings it up to date.
        connection.execute(text("select rowid from feedback_fts limit 1")).first()
        said = list(connection.scalars(text("pragma integrity_check")))
        strays = connection.execute(text("pragma foreign_key_check")).all()
    return [line for line in said if line != "ok"] + [str(row) for row in strays]


def pending() -> int:
    """How many pictures are still owed."""
    count = db.session.scalar(select(func.count()).where(Screenshot.state == "pending"))
    db.session.rollback()
    return count or 0


def leased() -> list[int]:
    """Pictures that somebody is at, or was when it was killed."""
    query = select(Screenshot.id).where(Screenshot.state == "pending", Screenshot.lease_until.is_not(None))
    found = list(db.session.scalars(query))
    db.session.rollback()
    return found


def let_leases_run_out() -> None:
    """Make it a minute later for every lease, without waiting for one."""
    with transaction() as session:
        session.execute(
            update(Screenshot)
            .where(Screenshot.state == "pending", Screenshot.lease_until.is_not(None))
            .values(lease_until=utc_now() - LEASE)
        )


def let_go() -> None:
    """Close every connection: the next start must find the files as a machine does that was switched on."""
    db.session.remove()
    current_app.extensions["sqlalchemy"].engine.dispose()
