"""Taking one submission, from its fields to its receipt.

Owns the order of the work after a body is read: check everything, count, make room, put the picture, then
the one write. Nothing is promised before the write is durable; what fails on the way is not counted.
"""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy.exc import IntegrityError

from app import jobs
from app.blueprints.intake import images, limiting, projects, submission
from app.blueprints.intake.images import Picture, UnfitImage
from app.blueprints.intake.screenshots import encode_screenshot
from app.blueprints.intake.submission import SubmissionBody
from app.clock import utc_now
from app.config import current_settings
from app.errors import ClientError, FieldError, Unavailable
from app.extensions import db
from app.limits_storage import request_key
from app.models import agents, intake
from app.models.feedback import content_bytes
from app.models.identifiers import new_public_id
from app.models.intake import Blob, Receipt, Submission
from app.models.project import IntakeProject
from app.pictures import BLOB_KIND
from app.storage import new_key, storage

log = logging.getLogger("earmark.intake")

MIB = 1024 * 1024
# A full quota or disk is emptied by people or by retention, not within seconds.
QUOTA_RETRY_SECONDS = 3600
DISK_RETRY_SECONDS = 60
LONGEST_USER_AGENT = 500


@dataclass(frozen=True)
class Upload:
    """A picture that passed the quick check."""

    data: bytes
    media_type: str


@dataclass(frozen=True)
class Checked:
    """A submission that may be kept if there is room for it."""

    project: IntakeProject
    body: SubmissionBody
    fields: Mapping[str, Any]
    upload: Upload | None
    idempotency_key: str | None
    digest: str
    client: str

    @property
    def size_bytes(self) -> int:
        """What it adds to the project's bytes."""
        picture = len(self.upload.data) if self.upload else 0
        return content_bytes(self.body.description) + picture


def receive(fields: Mapping[str, Any], image: bytes | None) -> Receipt:
    """Take one submission of the request at work and return its receipt once it is durable.

    `fields` is the JSON object, `image` the bytes of the file that came beside it. Raises ClientError: 422
    `validation_failed` or `idempotency_mismatch`, 415 for a file that is no picture, 404 `unknown_project`,
    403 `origin_not_allowed`, 429 `rate_limited` or `quota_exceeded`, 409 `conflict`, 503
    `storage_unavailable`.
    """
    checked = check(fields, image)
    if checked.upload is not None and (replay := _find_replay(checked)) is not None:
        return replay  # before its picture is stored a second time
    refusal = _room(checked) or limiting.count_submission(checked.project, checked.client)
    if refusal is not None:
        replay = _find_replay(checked)
        if replay is None:
            raise refusal
        return replay
    return _keep(checked)


def check(fields: Mapping[str, Any], image: bytes | None) -> Checked:
    """Check everything about a submission that needs no writing. Raises ClientError."""
    body = submission.parse(fields)
    project = projects.find(body.project)
    projects.check_origin(project)
    key = submission.choose_key(request.headers.get("Idempotency-Key"), body.idempotency_key)
    upload, faults = _check_picture(body, image)
    faults += _check_for_project(project, body, upload)
    if faults:
        raise submission.invalid(faults)
    digest = submission.digest(fields, upload.data if upload else None)
    return Checked(project, body, fields, upload, key, digest, request_key())


def _check_picture(body: SubmissionBody, image: bytes | None) -> tuple[Upload | None, list[FieldError]]:
    try:
        if body.screenshot is not None:
            if image is not None:
                raise UnfitImage("comes either as a part or as a data: URL, not as both")
            image = images.from_data_url(body.screenshot)
        if image is None:
            return None, []
        picture: Picture = images.inspect(image)
    except UnfitImage as error:
        return None, [images.as_field_error(error)]
    return Upload(image, picture.media_type), []


def _check_for_project(
    project: IntakeProject, body: SubmissionBody, upload: Upload | None
) -> list[FieldError]:
    faults = []
    if body.category is not None and body.category not in project.category_keys:
        known = ", ".join(sorted(project.category_keys))
        faults.append(FieldError("category", f"must be one of {known}"))
    if upload is not None and not project.screenshots:
        faults.append(FieldError("screenshot", "is not taken by this project"))
    for name in ("name", "email"):
        given = getattr(body.reporter, name, None)
        if project.widget["ask"][name] == "required" and not given:
            faults.append(FieldError(f"reporter.{name}", "is needed"))
    return faults


def _find_replay(checked: Checked) -> Receipt | None:
    if checked.idempotency_key is None:
        return None
    try:
        return intake.find_replay(checked.project.id, checked.idempotency_key, checked.digest)
    finally:
        db.session.rollback()  # no connection is held while a picture is put or a turn awaited


def _room(checked: Checked) -> ClientError | None:
    """Return why there is no room for the submission, or None."""
    settings = current_settings()
    free = shutil.disk_usage(settings.instance_path).free
    if free - checked.size_bytes < settings.min_free_disk_mb * MIB:
        message = "The disk is nearly full. Nothing was kept; try again later."
        return Unavailable(message, DISK_RETRY_SECONDS)
    quota = checked.project.byte_quota
    if quota is None:
        quota = settings.project_quota_mb * MIB or None
    if quota is not None and checked.project.stored_bytes + checked.size_bytes > quota:
        return ClientError(
            429,
            "quota_exceeded",
            "This project has no room left. Nothing was kept.",
            retry_after=QUOTA_RETRY_SECONDS,
        )
    return None


def _keep(checked: Checked) -> Receipt:
    """Put the picture, write the row, hand the picture to the worker; uncount what was not kept."""
    try:
        blob = _put(checked.upload)
        receipt = _write(checked, Submission(_values(checked), blob))
    except BaseException:
        limiting.give_back(checked.project, checked.client)
        raise
    if receipt.duplicate:
        limiting.give_back(checked.project, checked.client)
        if blob is not None:
            _discard(blob)
    if receipt.screenshot_id is not None:
        _hand_over(receipt.screenshot_id)
    return receipt


def _put(upload: Upload | None) -> Blob | None:
    if upload is None:
        return None
    key = new_key(BLOB_KIND)
    try:
        storage().put(key, upload.data)
    except OSError as error:
        log.warning("blob store: %s", error)
        message = "The store for pictures is not available. Nothing was kept; try again in a moment."
        raise Unavailable(message) from error
    return Blob(key, upload.media_type, len(upload.data))


def _write(checked: Checked, item: Submission) -> Receipt:
    try:
        return intake.submit(item)
    except ClientError:
        # Certainly not written. After any other error the commit may have happened, and the janitor
        # decides whether the picture belongs to a row.
        if item.picture is not None:
            _discard(item.picture)
        raise
    except IntegrityError:
        # Two processes took the same key at once, and the other one was first.
        replay = _find_replay(checked)
        if replay is None:
            raise ClientError(
                409, "conflict", "A submission with this key is being taken.", retry_after=1
            ) from None
        if item.picture is not None:
            _discard(item.picture)
        return replay


def _values(checked: Checked) -> dict[str, Any]:
    body, project = checked.body, checked.project
    now = utc_now()
    reporter = body.reporter
    user_agent = _user_agent()
    browser, system = agents.describe(user_agent) if user_agent else (None, None)
    shapes = checked.fields.get("annotation_coords") or None
    return {
        "public_id": new_public_id(),
        "project_id": project.id,
        "category": body.category or _default_category(project),
        "status": "spam" if body.website else "open",
        "description": body.description,
        "url": body.url,
        "session_id": body.session_id,
        "timestamp": body.timestamp,
        "browser": body.browser or browser,
        "os": body.os or system,
        "user_agent": user_agent,
        "screen_resolution": body.screen_resolution,
        "viewport_size": body.viewport_size,
        "device_pixel_ratio": body.device_pixel_ratio,
        "has_screenshot": checked.upload is not None,
        "has_annotation": shapes is not None,
        "annotation_coords": shapes,
        "screenshot_scale": body.screenshot_scale or 1.0,
        "api_state": body.api_state,
        "custom": body.custom or None,
        "rating": body.rating,
        "reporter_id": reporter.id if reporter else None,
        "reporter_name": reporter.name if reporter else None,
        "reporter_email": reporter.email if reporter else None,
        "created_at": now,
        "updated_at": now,
        "is_read": False,
        "is_archived": False,
        "admin_notes": "",
        "idempotency_key": checked.idempotency_key,
        "content_digest": checked.digest,
        "address_hash": checked.client,
    }


def _default_category(project: IntakeProject) -> str:
    return "other" if "other" in project.category_keys else min(project.category_keys)


def _user_agent() -> str | None:
    # Header values are Latin-1 on the wire; what cannot be stored as text is left out.
    text = request.headers.get("User-Agent", "")[:LONGEST_USER_AGENT]
    return "".join(letter for letter in text if letter.isprintable()) or None


def _discard(blob: Blob) -> None:
    try:
        storage().delete(blob.key)
    except OSError as error:
        log.warning("blob store: %s; the janitor will remove the picture", error)


def _hand_over(screenshot_id: int) -> None:
    try:
        jobs.enqueue(encode_screenshot, screenshot_id)
    except Exception:  # whatever queue is configured: the row says what is owed, the timetable takes it up
        log.warning("the job queue is away; the timetable will take up the picture", exc_info=True)
