"""Acts on many submissions, and their undo: the same for the page and the API."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app.blueprints.admin.changes import check_snooze, tag_names, wrong
from app.blueprints.admin.wording import submissions
from app.database.transactions import transaction
from app.errors import ClientError, not_found
from app.extensions import db
from app.models import Feedback, Project, User, act_tags, acts, blob_outbox, removal, tag
from app.models.act_tags import ADD, REMOVE
from app.models.acts import Act, Author, Undone
from app.security import Actor
from app.storage import storage

# One transaction: an act on 9,938 took 0.7 s of processor time (docs/performance.md). What is
# more is done in several, and the answer says so.
AT_ONCE = 10_000
# Deleting writes the full row away and takes longer by the row.
REMOVED_AT_ONCE = 500
MOST = 200_000
MOST_BLOBS = 100


@dataclass(frozen=True)
class Done:
    """What an act on many came to; `act` is None where nothing can be undone."""

    count: int
    act: Act | None
    transactions: int


def count(where: Sequence[ColumnElement[bool]]) -> int:
    """Count exactly what conditions match."""
    return db.session.scalar(select(func.count()).select_from(Feedback).where(*where)) or 0


def change(
    where: Sequence[ColumnElement[bool]],
    values: Mapping[str, Any],
    someone: Actor,
    now: datetime,
    check: Callable[[Session], None] = lambda _session: None,
) -> Done:
    """Set the same values on everything that matches, and remember what it was.

    `check` may refuse it, in the first transaction; `add_tags` are made where they are new.
    Raises ClientError `too_many` (422) for more than `MOST`, and 422 for a category that a project of the
    submissions does not have, somebody who cannot be given any, or tags that are none or too many.
    """
    _refuse_too_many(where)
    set_to = _checked(where, values, now)
    author = Author(someone.user_id, someone.name)
    act_id, last, transactions = None, 0, 0
    while True:
        with transaction() as session:
            if act_id is None:
                check(session)
                tag.named(session, set_to.get(ADD, ()))
            act = acts.begin(session, set_to, author, now) if act_id is None else session.get_one(Act, act_id)
            ids = acts.remember(session, act, where, after=last, limit=AT_ONCE)
            if ids:
                acts.carry_out(session, act, ids, author, now)
            act_id, transactions = act.id, transactions + 1
        if len(ids) < AT_ONCE:
            break
        last = ids[-1]
    act = db.session.get_one(Act, act_id)
    return Done(act.count, act if act.count else None, transactions)


def remove(where: Sequence[ColumnElement[bool]], record: Callable[[Any, int], None]) -> Done:
    """Delete everything that matches for good, but for what is held; `record` notes each batch.

    Raises ClientError `too_many` (422) for more than `MOST`.
    """
    _refuse_too_many(where)
    removed = transactions = 0
    while True:
        with transaction() as session:
            chosen = select(Feedback.id).where(*where, Feedback.held.is_(False)).limit(REMOVED_AT_ONCE)
            ids = session.scalars(chosen).all()
            removed += removal.remove(session, ids).submissions
            if ids:
                record(session, len(ids))
            transactions += 1
        if len(ids) < REMOVED_AT_ONCE:
            break
    _delete_blobs()
    return Done(removed, None, transactions)


def undo(public_id: str, someone: Actor, now: datetime) -> Undone:
    """Undo an act of one's own. Raises ClientError `not_found` (404), or 409 when it was undone already."""
    with transaction() as session:
        act = acts.Act.find(session, public_id, someone.user_id, now)
        if act is None:
            raise not_found("This act")
        if act.undone_at is not None:
            raise ClientError(409, "conflict", "This was undone already.")
        return acts.undo(session, act, Author(someone.user_id, someone.name), now)


def _refuse_too_many(where: Sequence[ColumnElement[bool]]) -> None:
    some = select(Feedback.id).where(*where).limit(MOST + 1).subquery()
    if (db.session.scalar(select(func.count()).select_from(some)) or 0) > MOST:
        message = f"That is more than {MOST:,} submissions at once. Narrow the filter."
        raise ClientError(422, "too_many", message)


def _checked(
    where: Sequence[ColumnElement[bool]], values: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Return the values as columns; the assignee is named by public id or e-mail."""
    set_to = dict(values)
    if "assignee" in set_to:
        set_to["assignee_id"] = _assignee(set_to.pop("assignee"))
    if "category" in set_to:
        _check_category(where, set_to["category"])
    for name in {ADD, REMOVE} & set_to.keys():
        set_to[name] = tag_names(set_to[name], name)
    _check_tags(where, set_to)
    check_snooze(set_to, now)
    return set_to


def _check_tags(where: Sequence[ColumnElement[bool]], values: Mapping[str, Any]) -> None:
    added, removed = values.get(ADD, ()), values.get(REMOVE, ())
    if both := {tag.key_of(name) for name in added} & {tag.key_of(name) for name in removed}:
        raise wrong(REMOVE, f"names {', '.join(sorted(both))}, which is to be added")
    if none := tag.unknown(db.session(), removed):
        raise wrong(REMOVE, f"names {', '.join(none)[:200]}, which is no tag")
    if added and (count := db.session.scalar(act_tags.overfull(where, values))):
        raise wrong(ADD, f"would be more than {tag.MOST} on {submissions(count)}")


def _assignee(name: str | None) -> int | None:
    if name is None:
        return None
    query = select(User.id).where((User.public_id == name) | (User.email == name.strip().lower()))
    found = db.session.scalar(query.where(User.is_active, User.role != "viewer"))
    if found is None:
        raise wrong("assignee", "is nobody who works on submissions")
    return found


def _check_category(where: Sequence[ColumnElement[bool]], category: str) -> None:
    projects = db.session.scalars(
        select(Project).where(exists().where(Feedback.project_id == Project.id, *where))
    )
    lacking = [project.name for project in projects if category not in project.category_keys]
    if lacking:
        raise wrong("category", f"is no category of {', '.join(lacking)[:200]}")


def _delete_blobs() -> None:
    # The rows are gone, and the outbox names the blobs: what fails here, the timetable tries again.
    with suppress(OSError):
        blob_outbox.work_off(storage(), MOST_BLOBS)
