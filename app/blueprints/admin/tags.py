"""Tags: listing, renaming, colouring, merging and deleting them, the same for pages and API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from app.blueprints.admin.changes import tag_names
from app.database.transactions import transaction
from app.errors import ClientError, FieldError, not_found
from app.extensions import db
from app.models import FeedbackTag, Tag, audit, tag


@dataclass(frozen=True)
class Counted:
    """A tag, and how many submissions have it."""

    tag: Tag
    submissions: int


def all_tags() -> Sequence[Counted]:
    """Return all tags by name with exact counts, in one statement."""
    # Counted by tag: SQLite counts a range of an index in a seventh of the time that it groups one in.
    links = select(func.count()).where(FeedbackTag.tag_id == Tag.id).scalar_subquery()
    query = select(Tag, links).order_by(Tag.key)
    return [Counted(found, count) for found, count in db.session.execute(query)]


def load(public_id: str) -> Tag:
    """Load a tag. Raises ClientError `not_found` (404)."""
    found = db.session.scalar(select(Tag).where(Tag.public_id == public_id))
    if found is None:
        raise not_found("This tag")
    return found


def count(found: Tag) -> int:
    """Count the submissions that have a tag."""
    query = select(func.count()).select_from(FeedbackTag).where(FeedbackTag.tag_id == found.id)
    return db.session.scalar(query) or 0


def create(name: str, color: int | None) -> Tag:
    """Make a tag; without a colour it takes the next one. Raises ClientError 422, or 409 for a taken name."""
    (cleaned,) = tag_names([name], "name")
    with transaction() as session:
        made = tag.make(session, cleaned, color)
        if made is None:
            raise _taken()
        session.flush()
        public_id = made.public_id
    return load(public_id)


def change(public_id: str, values: Mapping[str, Any]) -> Tag:
    """Rename a tag or change its colour, on all submissions at once. Raises ClientError 404, 409 or 422."""
    with transaction() as session:
        found = load(public_id)
        if "name" in values:
            (name,) = tag_names([values["name"]], "name")
            key = tag.key_of(name)
            if session.scalar(select(Tag.id).where(Tag.key == key, Tag.id != found.id)) is not None:
                raise _taken()
            found.name, found.key = name, key
        found.color = values.get("color", found.color)
        audit.record(session, "tag.change", target=found.name, details=dict(values))
    return load(public_id)


def merge(public_id: str, into: str) -> tuple[Tag, int]:
    """Give another tag to all that have this one, and delete this one; returns the other, and how many.

    Raises ClientError 404, or 422 where there is no such other tag.
    """
    with transaction() as session:
        found = load(public_id)
        other = session.scalar(select(Tag).where(Tag.public_id == into, Tag.id != found.id))
        if other is None:
            fault = FieldError("into", "is not another tag")
            raise ClientError(422, "validation_failed", "Nothing was merged.", [fault])
        moved = tag.merge(session, found, other)
        audit.record(
            session, "tag.merge", target=found.name, details={"into": other.name, "submissions": moved}
        )
    return load(into), moved


def delete(public_id: str) -> None:
    """Delete a tag and take it from every submission; the submissions stay. Raises ClientError 404."""
    with transaction() as session:
        found = load(public_id)
        audit.record(session, "tag.delete", target=found.name, details={"submissions": count(found)})
        session.delete(found)


def _taken() -> ClientError:
    fault = FieldError("name", "is the name of another tag")
    return ClientError(409, "conflict", "There is a tag of this name already.", [fault])
