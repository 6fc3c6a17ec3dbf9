"""What a reporter may do with what they sent: take a copy of it, and delete it for good."""

import io
import json
import logging
import zipfile
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.clock import rfc3339
from app.errors import ClientError, Unavailable
from app.models import Feedback, Message, audit, blob_outbox, hold, message, removal
from app.storage import BlobMissing, storage

log = logging.getLogger("earmark.intake")
BY_REPORTER = "reporter"


def copy(session: Session, feedback: Feedback, now: datetime) -> bytes:
    """Return a zip of `submission.json` and, where there is one, `picture.webp`.

    What the reporter sent and what was said with them; never a note. Raises Unavailable (503) when the
    picture cannot be read.
    """
    out = io.BytesIO()
    moment = now.timetuple()[:6]
    content = json.dumps(_content(session, feedback), ensure_ascii=False, indent=2)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo("submission.json", moment), content + "\n")
        picture = _picture(feedback)
        if picture is not None:
            file.writestr(zipfile.ZipInfo("picture.webp", moment), picture)
    return out.getvalue()


def delete(session: Session, feedback: Feedback) -> None:
    """Delete a submission for good, inside a write transaction; call `delete_blobs` after the commit.

    Raises ClientError `held` (409) while a hold keeps it; why is the team's matter, and not said.
    """
    try:
        hold.refuse_held(session, [feedback.id])
    except ClientError as error:
        raise ClientError(409, "held", "This has to be kept for now. Nothing was deleted.") from error
    removal.remove(session, [feedback.id])
    target = f"submission:{feedback.public_id}"
    audit.record(session, "submission.delete", target=target, details={"by": BY_REPORTER})


def delete_blobs() -> None:
    """Delete the picture of what was deleted; what fails here, the timetable tries again."""
    try:
        blob_outbox.work_off(storage(), 1)
    except OSError:
        log.warning("blob not deleted")


def _content(session: Session, feedback: Feedback) -> dict[str, Any]:
    said = session.scalars(message.of(feedback.id, public=True).order_by(Message.id))
    return {
        "reference": feedback.reference,
        "project": feedback.project.name,
        "sent_at": rfc3339(feedback.created_at),
        "status": feedback.status,
        "category": feedback.category,
        "description": feedback.description,
        "rating": feedback.rating,
        "url": feedback.url,
        "session_id": feedback.session_id,
        "browser": feedback.browser,
        "os": feedback.os,
        "user_agent": feedback.user_agent,
        "screen_resolution": feedback.screen_resolution,
        "viewport_size": feedback.viewport_size,
        "reporter": {
            "id": feedback.reporter_id,
            "name": feedback.reporter_name,
            "email": feedback.reporter_email,
        },
        "annotation_coords": feedback.annotation_coords or [],
        "api_state": feedback.api_state,
        "custom": feedback.custom or {},
        "messages": [
            {
                "from": "reporter" if one.kind == message.REPORTER else one.author.split(" ")[0],
                "text": one.text,
                "created_at": rfc3339(one.created_at),
            }
            for one in said
        ],
    }


def _picture(feedback: Feedback) -> bytes | None:
    stored = feedback.screenshot
    if stored is None or stored.state != "ready":
        return None
    try:
        return storage().get(stored.blob_key)
    except BlobMissing:
        return None
    except OSError as error:
        raise Unavailable("The picture cannot be read just now.") from error
