"""Changing and deleting one submission: the same for forms and for the API."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.blueprints.admin import snoozing
from app.blueprints.admin.happenings import meanwhile
from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError, FieldError, not_found
from app.extensions import db
from app.models import (
    Feedback,
    Message,
    User,
    acts,
    audit,
    blob_outbox,
    event,
    hold,
    message,
    removal,
    snooze,
    tag,
)
from app.models.act_tags import ADD, REMOVE
from app.models.acts import Act
from app.models.feedback import STATUSES
from app.models.user import role_covers
from app.security import Actor
from app.storage import storage
from app.validation import moment_of

log = logging.getLogger("earmark.admin")
MOST_NOTES = 10_000  # characters, as many as a description has
NOBODY = "none"
TRUTH = {"true": True, "false": False}


def load(public_id: str, *, lock: bool = False) -> Feedback:
    """Load a submission, with `lock` to change it. Raises ClientError `not_found` (404)."""
    found = Feedback.by_public_id(db.session(), public_id, lock=lock)
    if found is None:
        raise not_found("This submission")
    return found


def change(public_id: str, values: Mapping[str, Any], now: datetime, someone: Actor) -> Feedback:
    """Set some of `CHANGEABLE` in one transaction and return the submission as it is then.

    `assignee` is `me`, `none`, or a user's public id or e-mail. `version` is the one that the change was made
    from: an older one is refused.
    Raises ClientError 404, 409 `conflict`, or 422 for a category or a person that cannot be chosen.
    """
    return change_undoably(public_id, values, now, someone)[0]


def change_undoably(
    public_id: str, values: Mapping[str, Any], now: datetime, someone: Actor
) -> tuple[Feedback, Act | None]:
    """Do as `change`, and return as well the act that undoes it; None where nothing changed that can be."""
    with transaction() as session:
        found = load(public_id, lock=True)
        wanted = dict(values)
        check_version(session, found, wanted.pop("version", None), someone)
        act = _apply(session, found, wanted, someone, now)
    return load(public_id), act


def _apply(
    session: Session,
    found: Feedback,
    values: Mapping[str, Any],
    someone: Actor,
    now: datetime,
    *,
    said: str = "",
) -> Act | None:
    """Set values on a locked submission; returns the act that undoes it, if that can be undone."""
    wanted = dict(values)
    category = wanted.get("category")
    if category is not None and category not in found.project.category_keys | {found.category}:
        raise wrong("category", "is not one of the project's categories")
    if "assignee" in wanted:
        wanted["assignee"] = _person(session, wanted["assignee"], someone)
    if "add_tags" in wanted:
        has = [one.name for one in tag.of(session, found.id)]
        wanted["tags"] = [*has, *wanted.pop("add_tags")]
    if "tags" in wanted:
        wanted["tags"] = tag_names(wanted["tags"])
    check_snooze(wanted, now)
    changed = {name: value for name, value in wanted.items() if _differs(found, name, value)}
    if not changed:
        return None
    act = _remember(session, found, changed, someone, now, said=said)
    found.change(session, now, actor=someone.name, actor_id=someone.user_id, **changed)
    return act


def _differs(found: Feedback, name: str, value: Any) -> bool:
    # Who archives what is snoozed archives it for good.
    ends_snooze = name == "is_archived" and found.snoozed_until is not None
    return name == "tags" or ends_snooze or getattr(found, name) != value


def check_snooze(wanted: Mapping[str, Any], now: datetime) -> None:
    """Raise ClientError 422 for a moment until which nothing can be snoozed."""
    if "snoozed_until" in wanted and "is_archived" in wanted:
        raise wrong("snoozed_until", "cannot be set together with is_archived")
    try:
        if until := wanted.get("snoozed_until"):
            snooze.check(until, now)
    except ValueError as error:
        raise wrong("snoozed_until", str(error)) from None


def _remember(
    session: Session,
    found: Feedback,
    changed: Mapping[str, Any],
    someone: Actor,
    now: datetime,
    *,
    said: str = "",
) -> Act | None:
    undoable = {name: value for name, value in changed.items() if name in acts.FIELDS}
    if "assignee" in changed:
        undoable["assignee_id"] = changed["assignee"] and changed["assignee"].id
    if "tags" in changed:
        undoable |= _retagged(session, found, changed["tags"])
    if not undoable:
        return None
    act = acts.begin(session, undoable, acts.Author(someone.user_id, someone.name), now, said=said)
    acts.remember(session, act, [Feedback.id == found.id])
    return act


def check_version(session: Session, found: Feedback, version: int | None, someone: Actor) -> None:
    """Raise ClientError 409 `conflict`, saying who changed what, for a change from an older version."""
    if version is None or version >= found.version:
        return
    newer = event.since(session, found.id, version)
    told = "; ".join(meanwhile(act, someone.user_id) for act in newer)
    said = told or "It was changed"
    raise ClientError(409, "conflict", f"Meanwhile: {said}. Nothing of yours was changed; look again first.")


def _retagged(session: Session, found: Feedback, names: Sequence[str]) -> dict[str, list[str]]:
    """Return which tags are put on and taken off, by name; new ones are made, for the act names them."""
    before = {one.key: one.name for one in tag.of(session, found.id)}
    after = {one.key: one.name for one in tag.named(session, names)}
    parts = {
        ADD: [name for key, name in after.items() if key not in before],
        REMOVE: [name for key, name in before.items() if key not in after],
    }
    return {part: names for part, names in parts.items() if names}


def write_undoably(
    public_id: str, kind: str, text: str, someone: Actor, values: Mapping[str, Any]
) -> tuple[Message, Act | None]:
    """Add a reply or a note, and set `status`, `assignee` or `add_tags` with it in the same transaction.

    Returns as well the act that undoes the setting; None where there was none. The message stays sent.
    Raises ClientError 404, or 422 for a text that says nothing or too much, and as `change` does.
    """
    try:
        kept = message.clean(text)
    except ValueError as error:
        raise wrong("text", str(error)) from None
    now = utc_now()
    with transaction() as session:
        found = load(public_id, lock=True)
        made = message.add(
            session, found, kind, kept, author=someone.name, author_id=someone.user_id, now=now
        )
        act = _apply(session, found, values, someone, now, said=kind)
        session.flush()
        session.refresh(made)
        session.expunge(made)
    return made, act


def change_link(public_id: str, *, revoked: bool, someone: Actor) -> Feedback:
    """Revoke the reporter's link, or make a new one. Raises ClientError 404."""
    with transaction() as session:
        load(public_id, lock=True).change_link(
            session, revoked=revoked, actor=someone.name, actor_id=someone.user_id, now=utc_now()
        )
    return load(public_id)


def tag_names(names: Iterable[str], field: str = "tags") -> list[str]:
    """Return clean names of tags, each once. Raises ClientError 422 for what is no name, or too many."""
    try:
        cleaned = {tag.key_of(name): tag.clean(name) for name in names}
    except ValueError as error:
        raise wrong(field, str(error)) from None
    if len(cleaned) > tag.MOST:
        raise wrong(field, f"are at most {tag.MOST}")
    return list(cleaned.values())


def _person(session: Session, name: str, someone: Actor) -> User | None:
    """Return who `me`, `none`, an id or an e-mail means. Raises ClientError 422 for who works on nothing."""
    if name == NOBODY:
        return None
    if name == "me":
        return session.get_one(User, someone.user_id)
    found = session.scalar(select(User).where(or_(User.public_id == name, User.email == name.lower())))
    if found is None or not found.is_active or not role_covers(found.role, "agent"):
        raise wrong("assignee", "is nobody who works on submissions")
    return found


def delete(public_id: str) -> None:
    """Delete a submission for good: rows first, blobs after the commit. Raises ClientError 404 or 409."""
    with transaction() as session:
        found = load(public_id, lock=True)
        hold.refuse_held(session, [found.id])
        removal.remove(session, [found.id])
        audit.record(session, "submission.delete", target=f"submission:{public_id}")
    try:
        blob_outbox.work_off(storage(), 1)  # its own, not what a sweep has left to do
    except OSError:
        # The rows are gone, and the outbox names the blobs: the timetable tries again.
        log.warning("blob not deleted")


def from_form(form: MultiDict[str, str]) -> dict[str, Any]:
    """Read the changes of a form. Raises ClientError `validation_failed` (422)."""
    values: dict[str, Any] = {}
    for name in ("is_read", "is_archived"):
        if name in form:
            values[name] = _truth(name, form[name])
    if "status" in form:
        values["status"] = form["status"]
        if form["status"] not in STATUSES:
            raise wrong("status", "is not a status")
    if "category" in form:
        values["category"] = form["category"]
    if "admin_notes" in form:
        values["admin_notes"] = _notes(form["admin_notes"])
    if "assignee" in form:
        values["assignee"] = form["assignee"]
    if "tags" in form:
        values["tags"] = _tags(form)
    if "snoozed_until" in form or "snooze_day" in form:
        values["snoozed_until"] = _until(form)
    if not values:
        raise ClientError(422, "validation_failed", "The form changes nothing.")
    if form.get("version"):
        values["version"] = _version(form["version"])
    return values


def _tags(form: MultiDict[str, str]) -> list[str]:
    """Read ticked tags and the field for new ones, which are parted by commas."""
    names = [*form.getlist("tags"), *form.get("new_tags", "").split(",")]
    return [name for name in names if name.strip()]


def _until(form: MultiDict[str, str]) -> datetime | None:
    """Read a moment of the menu, a day of its field (nine o'clock for the viewer), or nothing: awake."""
    try:
        if day := form.get("snooze_day"):
            return snoozing.morning(snoozing.day_of(day), snoozing.viewer_zone())
        return moment_of(form["snoozed_until"]) if form.get("snoozed_until") else None
    except (ValueError, OverflowError):
        raise wrong("snoozed_until", "is a day or a time") from None


def _version(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise wrong("version", "is a number")
    return int(text)


def _truth(name: str, word: str) -> bool:
    if word not in TRUTH:
        raise wrong(name, "is true or false")
    return TRUTH[word]


def _notes(text: str) -> str:
    notes = text.replace("\r\n", "\n")
    if len(notes) > MOST_NOTES or "\x00" in notes:
        raise wrong("admin_notes", f"has at most {MOST_NOTES:,} characters, none of them NUL")
    return notes


def wrong(field: str, message: str) -> ClientError:
    """Return the 422 `validation_failed` that names one field, and says so in its sentence."""
    said = f"Nothing was changed: {field.replace('_', ' ')} {message}."
    return ClientError(422, "validation_failed", said, [FieldError(field, message)])
