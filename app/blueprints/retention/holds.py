"""Placing, listing and ending holds: what the page, the API and the commands call alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import has_request_context
from sqlalchemy import func, select

from app.database.paging.keyset import Page, paginate
from app.database.transactions import current_session, transaction
from app.errors import ClientError, FieldError, not_found
from app.models import Feedback, Hold, Project, audit, hold
from app.models.audit import current_acting
from app.models.hold import Scope, Terms
from app.models.query import people
from app.security import actor

NEWEST_FIRST = (Hold.created_at.desc(), Hold.id.desc())


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter as people write it: the project by its key, the rest as the inbox names it."""

    project: str | None = None
    category: str | None = None
    status: str | None = None
    query: str | None = None


def who() -> str:
    """Return the name that a hold is placed or ended under."""
    someone = actor() if has_request_context() else None
    return someone.name if someone is not None else current_acting().actor


def place(public_id: str, reason: str, until: datetime | None, now: datetime) -> Hold:
    """Hold one submission. Raises ClientError 404, 422."""
    terms = Terms(reason=reason, placed_by=who(), until=until)
    with transaction() as session:
        found = Feedback.by_public_id(session, public_id)
        if found is None:
            raise not_found("This submission")
        made = hold.place(session, found, terms, now)
        _record(session, "hold.add", made, submission=public_id)
        made_id = made.public_id
    return load(made_id)


def place_on(wanted: Filter, reason: str, until: datetime | None, now: datetime) -> Hold:
    """Hold all that a filter finds, now and later. Raises ClientError 422."""
    terms = Terms(reason=reason, placed_by=who(), until=until)
    with transaction() as session:
        made = hold.place_on(session, scope_of(wanted), terms, now)
        _record(session, "hold.add", made, **{k: v for k, v in vars(wanted).items() if v})
        made_id, key = made.public_id, made.id
    hold.spread(key, now)
    return load(made_id)


def count(wanted: Filter, now: datetime) -> int:
    """Return how many submissions a hold on this filter would keep now. Raises ClientError 422."""
    conditions = hold.conditions_of(scope_of(wanted), now)
    return current_session().scalar(select(func.count()).select_from(Feedback).where(*conditions)) or 0


def release(public_id: str, now: datetime) -> int:
    """End a hold and return how many submissions nothing holds any longer; an ended one stays as it is.

    Raises ClientError 404.
    """
    by = who()
    with transaction() as session:
        found = load(public_id)
        if found.is_active:
            hold.release(session, found, by, now)
            _record(session, "hold.release", found)
        key = found.id
    return hold.clear(key)


def release_submission(public_id: str, now: datetime) -> int:
    """End every hold on this one submission alone; those on filters stay. Raises ClientError 404, 409."""
    found = Feedback.by_public_id(current_session(), public_id)
    if found is None:
        raise not_found("This submission")
    holds = Hold.of(current_session(), found.id)
    if not any(one.covers == hold.SUBMISSION for one in holds):
        message = "No hold is on this submission alone; end the hold on the filter that finds it."
        raise ClientError(409, "conflict", message if holds else "This submission is not held.")
    return sum(release(one.public_id, now) for one in holds if one.covers == hold.SUBMISSION)


def find(public_id: str) -> Hold | None:
    """Load a hold, or None where there is none of that id."""
    return Hold.by_public_id(current_session(), public_id)


def load(public_id: str) -> Hold:
    """Load a hold. Raises ClientError `not_found` (404)."""
    found = find(public_id)
    if found is None:
        raise not_found("This hold")
    return found


def page(*, active: bool, cursor: str | None, limit: int) -> Page:
    """Return a page of holds, the newest first, each with how many submissions it keeps."""
    return paginate(
        hold.listing(active=active), order=NEWEST_FIRST, cursor=cursor, limit=limit, scope="holds"
    )


def kept_by(found: Hold, limit: int = 20) -> Sequence[Feedback]:
    """Return the first submissions that a hold keeps."""
    query = (
        select(Feedback)
        .join(hold.HeldSubmission, hold.HeldSubmission.feedback_id == Feedback.id)
        .where(hold.HeldSubmission.hold_id == found.id)
        .order_by(Feedback.id)
        .limit(limit)
    )
    return current_session().scalars(query).unique().all()


def scope_of(wanted: Filter) -> Scope:
    """Return a filter with the project's key resolved. Raises ClientError 422 for one that is not there."""
    project_id = None
    if wanted.project:
        query = select(Project.id).where(Project.public_key == wanted.project)
        project_id = current_session().scalar(query)
        if project_id is None:
            fault = [FieldError("project", "is not the key of a project")]
            raise ClientError(422, "validation_failed", "Nothing was held.", fault)
    return Scope(
        project_id=project_id,
        category=wanted.category or None,
        status=wanted.status or None,
        query=wanted.query or None,
    )


def _record(session: Any, action: str, found: Hold, **details: Any) -> None:
    given = {"reason": found.reason, "until": found.until, **details}
    if "query" in given:  # the log never forgets, so it is not told whom a query names
        given["query"] = people.withheld(given["query"])
    audit.record(session, action, target=f"hold:{found.public_id}", details=given)
