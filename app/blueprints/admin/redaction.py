"""Redacting a stored picture: boxes are burned in, and the old bytes are destroyed."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.blueprints.admin import changes
from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError, Unavailable, not_found
from app.models import Feedback, Screenshot, audit, blob_outbox, event
from app.pictures import BLOB_KIND, THUMBNAIL_SUFFIX, sandbox
from app.pictures.sandbox import Decoded, DecodeFailed, DecoderLost
from app.security import Actor
from app.storage import BlobMissing, new_key, storage

log = logging.getLogger("earmark.admin")
MOST_BOXES = 50


@dataclass(frozen=True)
class Box:
    """A part of the picture, in CSS pixels of the page that it shows."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Redacted:
    """The picture that takes the old one's place, already in the store."""

    key: str
    burnt: Decoded
    boxes: int


def redact(public_id: str, boxes: Sequence[Box], someone: Actor) -> Feedback:
    """Blacken boxes of a submission's picture for good and return the submission.

    Raises ClientError 404, 409 `conflict` when there is no finished picture or it changed meanwhile, 422 for
    boxes outside of it; Unavailable (503) when the store or the decoder is.
    """
    found = changes.load(public_id)
    stored = found.screenshot
    if stored is None or stored.state != "ready":
        raise ClientError(409, "conflict", "There is no finished picture to redact.")
    burnt = _burn(stored, _pixels(found, stored, boxes))
    key = new_key(BLOB_KIND)
    _put(key, burnt)
    try:
        _point(public_id, stored.blob_key, Redacted(key, burnt, len(boxes)), someone)
    except ClientError:
        _delete(key, key + THUMBNAIL_SUFFIX)
        raise
    try:
        blob_outbox.work_off(storage(), 1)
    except OSError:
        # The outbox names the old blobs: the timetable tries again.
        log.warning("blob not deleted")
    return changes.load(public_id)


def _pixels(found: Feedback, stored: Screenshot, boxes: Sequence[Box]) -> list[sandbox.Box]:
    """Return boxes in pixels of the picture, rounded outwards, cut to it; each covers some of it."""
    scale, width, height = found.screenshot_scale or 1.0, stored.width or 0, stored.height or 0
    cut = [
        (
            max(0, math.floor(box.x * scale)),
            max(0, math.floor(box.y * scale)),
            min(width, math.ceil((box.x + box.width) * scale)),
            min(height, math.ceil((box.y + box.height) * scale)),
        )
        for box in boxes
    ]
    if not 1 <= len(boxes) <= MOST_BOXES:
        raise changes.wrong("boxes", f"are 1 to {MOST_BOXES}")
    if any(left >= right or top >= bottom for left, top, right, bottom in cut):
        raise changes.wrong("boxes", "must each cover a part of the picture")
    return cut


def _burn(stored: Screenshot, boxes: Sequence[sandbox.Box]) -> Decoded:
    try:
        return sandbox.decode(storage().get(stored.blob_key), boxes)
    except BlobMissing:
        raise not_found("This picture") from None
    except (OSError, DecodeFailed, DecoderLost) as error:
        message = "The picture could not be redacted just now. It was not changed; try again in a moment."
        raise Unavailable(message) from error


def _put(key: str, burnt: Decoded) -> None:
    try:
        storage().put(key, burnt.picture)
        storage().put(key + THUMBNAIL_SUFFIX, burnt.thumbnail)
    except OSError as error:
        raise Unavailable("The store for pictures is not available. Nothing was changed.") from error


def _point(public_id: str, old: str, new: Redacted, someone: Actor) -> None:
    """Point the row at the redacted picture, and write down that the old blobs go."""
    now = utc_now()
    with transaction() as session:
        found = changes.load(public_id, lock=True)
        stored = found.screenshot
        if stored is None or stored.blob_key != old:
            raise ClientError(409, "conflict", "The picture changed meanwhile. Look at it again first.")
        Feedback.add_bytes(session, found.id, len(new.burnt.picture) - stored.size_bytes)
        blob_outbox.put(session, filter(None, (old, stored.thumbnail_key)))
        stored.make_ready(
            blob_key=new.key,
            thumbnail_key=new.key + THUMBNAIL_SUFFIX,
            size_bytes=len(new.burnt.picture),
            width=new.burnt.width,
            height=new.burnt.height,
        )
        found.updated_at = now
        found.version += 1
        event.add(
            session,
            found.id,
            "redact",
            actor=someone.name,
            actor_id=someone.user_id,
            details={"boxes": new.boxes},
            now=now,
        )
        audit.record(
            session, "submission.redact", target=f"submission:{public_id}", details={"boxes": new.boxes}
        )


def _delete(*keys: str) -> None:
    for key in keys:
        try:
            storage().delete(key)
        except OSError:
            log.warning("blob not deleted; the janitor removes it")
