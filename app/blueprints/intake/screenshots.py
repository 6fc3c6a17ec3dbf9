"""What becomes of a picture after the answer: re-encoded once, whatever is killed meanwhile.

Owns the job, the timetable that takes up what was lost, and the janitor. The row says what is owed (state,
lease, attempts), so every step may run twice or be cut off anywhere; at worst a blob is left that no row
names, and the janitor removes it.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import jobs
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Screenshot
from app.models.screenshot import MOST_ATTEMPTS
from app.pictures import BLOB_KIND, THUMBNAIL_SUFFIX, sandbox
from app.pictures.sandbox import Decoded, DecodeFailed, DecoderLost
from app.storage import BlobMissing, new_key, storage

log = logging.getLogger("earmark.intake")

# A blob stands without its row for as long as a submission takes, at most 15 s; an hour is far from that,
# also where the store's clock differs from ours.
ORPHAN_AGE = timedelta(hours=1)
JANITOR_BATCH = 500


@dataclass(frozen=True)
class Claim:
    """One leased attempt: what to read, and the count that tells it from a later attempt."""

    screenshot_id: int
    blob_key: str
    attempt: int


@jobs.task
def encode_screenshot(screenshot_id: int) -> None:
    """Re-encode one picture, unless it is settled or somebody else is at it."""
    claim = _claim(screenshot_id, utc_now())
    if claim is None:
        return
    try:
        decoded = sandbox.decode(storage().get(claim.blob_key))
    except BlobMissing:
        _fail(claim, "missing")
    except DecodeFailed as error:
        _fail(claim, error.reason)
    except DecoderLost as error:
        # The row stays pending, and the timetable takes it up when the lease is over.
        log.warning("screenshot %d: the decoder was lost (%s)", screenshot_id, error)
    else:
        _keep(claim, decoded)


@jobs.every("*")
def take_up_owed_screenshots() -> None:
    """Queue every pending picture that nobody holds: its job was lost, or its worker was killed."""
    owed = Screenshot.owed(db.session(), utc_now())
    db.session.rollback()
    for screenshot_id in owed:
        jobs.enqueue(encode_screenshot, screenshot_id)


@jobs.every("13")
def remove_orphan_blobs() -> None:
    """Run the janitor once an hour."""
    removed = remove_orphans(utc_now() - ORPHAN_AGE)
    if removed:
        log.info("removed %d blobs that no submission names", removed)


def remove_orphans(older_than: datetime) -> int:
    """Remove blobs last written before a moment that no row names, and return how many there were."""
    removed = storage().remove_drafts(older_than)
    for keys in _old_keys(older_than):
        owners = {key.removesuffix(THUMBNAIL_SUFFIX): key for key in keys}
        # A failed picture's row keeps the key of an upload that is to be gone.
        query = select(Screenshot.blob_key).where(
            Screenshot.blob_key.in_(owners), Screenshot.state != "failed"
        )
        named = set(db.session.scalars(query))
        db.session.rollback()  # no read stays open while blobs are deleted
        for key in keys:
            if key.removesuffix(THUMBNAIL_SUFFIX) not in named:
                storage().delete(key)
                removed += 1
    return removed


def _old_keys(older_than: datetime) -> Iterator[list[str]]:
    batch: list[str] = []
    for blob in storage().list_keys(BLOB_KIND):
        if blob.modified_at < older_than:
            batch.append(blob.key)
        if len(batch) >= JANITOR_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _claim(screenshot_id: int, now: datetime) -> Claim | None:
    with transaction() as session:
        row = Screenshot.claim(session, screenshot_id, now)
        if row is None:
            return None
        if row.attempts <= MOST_ATTEMPTS:
            return Claim(row.id, row.blob_key, row.attempts)
        # It never came to an end, by its own fault or the machine's. The upload is kept with its row.
        log.warning("screenshot %d: given up after %d attempts", screenshot_id, MOST_ATTEMPTS)
        _settle_failed(session, row, "gave_up")
        return None


def _fail(claim: Claim, reason: str) -> None:
    with transaction() as session:
        row = _still_ours(session, claim)
        if row is not None:
            _settle_failed(session, row, reason)
    if row is not None:
        log.info("screenshot %d failed: %s", claim.screenshot_id, reason)
        _delete_quietly(claim.blob_key)


def _keep(claim: Claim, decoded: Decoded) -> None:
    key = new_key(BLOB_KIND)
    storage().put(key, decoded.picture)
    storage().put(key + THUMBNAIL_SUFFIX, decoded.thumbnail)
    with transaction() as session:
        row = _still_ours(session, claim)
        if row is not None:
            Feedback.add_bytes(session, row.feedback_id, len(decoded.picture) - row.size_bytes)
            row.make_ready(
                blob_key=key,
                thumbnail_key=key + THUMBNAIL_SUFFIX,
                size_bytes=len(decoded.picture),
                width=decoded.width,
                height=decoded.height,
            )
    # Whoever lost cleans up: the upload after success, the fresh blobs if another attempt was first.
    gone = (claim.blob_key,) if row is not None else (key, key + THUMBNAIL_SUFFIX)
    for old in gone:
        _delete_quietly(old)


def _still_ours(session: Session, claim: Claim) -> Screenshot | None:
    """Return the row if it is still pending on this attempt; a later attempt has another count."""
    return session.scalar(
        select(Screenshot).where(
            Screenshot.id == claim.screenshot_id,
            Screenshot.state == "pending",
            Screenshot.attempts == claim.attempt,
        )
    )


def _settle_failed(session: Session, row: Screenshot, reason: str) -> None:
    Feedback.add_bytes(session, row.feedback_id, -row.size_bytes)
    row.fail(reason)


def _delete_quietly(key: str) -> None:
    try:
        storage().delete(key)
    except OSError as error:
        log.warning("blob store: %s; the janitor will remove the blob", error)
