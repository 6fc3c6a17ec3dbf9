"""What the admin API answers of submissions: the shapes that OpenAPI describes, and how rows become them."""

from datetime import datetime
from typing import Any, Literal

from flask import url_for
from pydantic import BaseModel

from app.config import current_settings
from app.extensions import db
from app.models import Event, Feedback, Message, Screenshot, Tag, User, merge, message, tag
from app.models.identifiers import reference
from app.responses import PageInfo


class OfProject(BaseModel):
    """The project of a submission."""

    key: str
    name: str


class Reporter(BaseModel):
    """Who sent it, unverified."""

    id: str | None
    name: str | None
    email: str | None


class Person(BaseModel):
    """A user, as others see them."""

    id: str
    name: str


class Item(BaseModel):
    """A submission in a list."""

    id: str
    reference: str
    project: OfProject
    category: str
    status: str
    description: str
    url: str | None
    session_id: str | None
    timestamp: datetime | None
    browser: str | None
    os: str | None
    screen_resolution: str | None
    viewport_size: str | None
    has_screenshot: bool
    has_annotation: bool
    screenshot_state: Literal["pending", "ready", "failed"] | None
    rating: int | None
    reporter: Reporter
    assignee: Person | None
    version: int
    is_read: bool
    is_archived: bool
    snoozed_until: datetime | None
    created_at: datetime
    updated_at: datetime


class TagData(BaseModel):
    """A tag; `color` is one of the eight of the charts."""

    id: str
    name: str
    color: int


class CountedTag(TagData):
    """A tag, and how many submissions have it."""

    submissions: int


class MessageData(BaseModel):
    """A message of the thread; `author` is null for the reporter."""

    id: str
    kind: Literal["reply", "note", "reporter"]
    internal: bool
    author: str | None
    text: str
    created_at: datetime


class EventData(BaseModel):
    """One act in the history."""

    kind: str
    actor: str
    details: dict[str, Any] | None
    version: int
    created_at: datetime


class Picture(BaseModel):
    """A submission's picture; sizes in pixels and kibibytes."""

    state: Literal["pending", "ready", "failed"]
    failure: str | None
    media_type: str | None
    width: int | None
    height: int | None
    size_kb: float | None
    url: str
    thumbnail_url: str


class Other(BaseModel):
    """Another submission, as one points to it."""

    id: str
    reference: str


class Whole(Item):
    """One submission with everything."""

    user_agent: str | None
    device_pixel_ratio: float | None
    screenshot_scale: float
    annotation_coords: list[dict[str, Any]]
    api_state: dict[str, Any] | None
    custom: dict[str, str]
    admin_notes: str
    status_url: str | None
    merged_into: Other | None
    merged: list[Other]
    tags: list[TagData]
    messages: list[MessageData]
    history: list[EventData]
    screenshot: Picture | None


class ItemList(BaseModel):
    """A page of submissions."""

    success: Literal[True]
    data: list[Item]
    page: PageInfo


class One(BaseModel):
    """One submission."""

    success: Literal[True]
    data: Whole


class SentData(MessageData):
    """A message as it was sent; `act` is what undoes the settling that went with it."""

    act: str | None


class OneMessage(BaseModel):
    """The message that was sent."""

    success: Literal[True]
    data: SentData


class MessageList(BaseModel):
    """A page of the thread, the newest first."""

    success: Literal[True]
    data: list[MessageData]
    page: PageInfo


class OneTag(BaseModel):
    """One tag."""

    success: Literal[True]
    data: CountedTag


class TagList(BaseModel):
    """All tags."""

    success: Literal[True]
    data: list[CountedTag]


class Gone(BaseModel):
    """What was deleted."""

    success: Literal[True]
    data: dict[str, str]


THREAD = 200  # entries of thread and history that one answer holds; older messages have a list of their own

# Beyond what `InboxFilter.rows` selects for a row of the page.
ITEM_COLUMNS = (
    Feedback.description,
    Feedback.session_id,
    Feedback.timestamp,
    Feedback.browser,
    Feedback.os,
    Feedback.screen_resolution,
    Feedback.viewport_size,
    Feedback.reporter_id,
    Feedback.version,
    User.public_id.label("assignee_public_id"),
    User.name.label("assignee_name"),
)


def item(row: Any) -> dict[str, Any]:
    """Return a list row (`InboxFilter.rows` with `ITEM_COLUMNS`) as `Item`."""
    return {
        "id": row.public_id,
        "reference": reference(row.public_id),
        "project": {"key": row.project_key, "name": row.project_name},
        "category": row.category,
        "status": row.status,
        "description": row.description,
        "url": row.url,
        "session_id": row.session_id,
        "timestamp": row.timestamp,
        "browser": row.browser,
        "os": row.os,
        "screen_resolution": row.screen_resolution,
        "viewport_size": row.viewport_size,
        "has_screenshot": row.has_screenshot,
        "has_annotation": row.has_annotation,
        "screenshot_state": row.screenshot_state,
        "rating": row.rating,
        "reporter": {"id": row.reporter_id, "name": row.reporter_name, "email": row.reporter_email},
        "assignee": row.assignee_public_id and {"id": row.assignee_public_id, "name": row.assignee_name},
        "version": row.version,
        "is_read": row.is_read,
        "is_archived": row.is_archived,
        "snoozed_until": row.snoozed_until,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


class _AsRow:
    """A loaded submission under the names of a list row."""

    def __init__(self, found: Feedback) -> None:
        self._found = found
        self.project_key = found.project.public_key
        self.project_name = found.project.name
        self.screenshot_state = found.screenshot.state if found.screenshot else None
        self.assignee_public_id = found.assignee and found.assignee.public_id
        self.assignee_name = found.assignee and found.assignee.name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)


def whole(found: Feedback) -> dict[str, Any]:
    """Return a loaded submission as `Whole`, with the newest `THREAD` entries of its thread and history."""
    entries = message.stream(db.session(), found.id, limit=THREAD).entries
    revoked = found.link_number < 0
    return item(_AsRow(found)) | {
        "user_agent": found.user_agent,
        "device_pixel_ratio": found.device_pixel_ratio,
        "screenshot_scale": found.screenshot_scale,
        "annotation_coords": found.annotation_coords or [],
        "api_state": found.api_state,
        "custom": found.custom or {},
        "admin_notes": found.admin_notes,
        "status_url": None if revoked else f"{current_settings().public_url}/f/{found.status_token}",
        **_merges(found),
        "tags": [tag_data(one) for one in tag.of(db.session(), found.id)],
        "messages": [message_data(one) for _, one in entries if one is not None],
        "history": [_event(act) for act, _ in entries],
        "screenshot": found.screenshot and _picture(found.public_id, found.screenshot),
    }


def _merges(found: Feedback) -> dict[str, Any]:
    into = merge.into_of(db.session(), found.id)
    others = merge.merged_into(db.session(), found.id)
    return {
        "merged_into": into and {"id": into.public_id, "reference": into.reference},
        "merged": [{"id": row.public_id, "reference": reference(row.public_id)} for row in others],
    }


def tag_data(found: Tag) -> dict[str, Any]:
    """Return a tag as `TagData`."""
    return {"id": found.public_id, "name": found.name, "color": found.color}


def message_data(found: Message) -> dict[str, Any]:
    """Return a message as `MessageData`."""
    return {
        "id": found.public_id,
        "kind": found.kind,
        "internal": found.kind == message.NOTE,
        "author": found.author or None,
        "text": found.text,
        "created_at": found.created_at,
    }


def _event(act: Event) -> dict[str, Any]:
    return {
        "kind": act.kind,
        "actor": act.actor,
        "details": act.details,
        "version": act.version,
        "created_at": act.created_at,
    }


def _picture(public_id: str, stored: Screenshot) -> dict[str, Any]:
    ready = stored.state == "ready"
    return {
        "state": stored.state,
        "failure": stored.failure,
        "media_type": stored.media_type if ready else None,
        "width": stored.width,
        "height": stored.height,
        "size_kb": stored.size_kb if ready else None,
        "url": url_for("admin_api.screenshot", public_id=public_id),
        "thumbnail_url": url_for("admin_api.screenshot", public_id=public_id, size="thumb"),
    }
