"""Filters that name a person: saved views, policies, holds; how they are found, and what of them goes.

A view that names the person is deleted. Of a policy and a hold only the name goes: what else they ask for is
somebody's decision, and goes on. One that can find nothing any more is put out of force, unless it is a hold
that still keeps something.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeAlias
from urllib.parse import parse_qs

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.models import Hold, RetentionPolicy, SavedView, audit, hold
from app.models.hold import HeldSubmission
from app.models.query import Query, people

BY_AN_ERASURE = "an erasure"  # who ended a hold that could find nothing any more
DELETED, SWITCHED_OFF, ENDED, NAMELESS = "deleted", "switched_off", "ended", "name_taken_out"
Filter: TypeAlias = SavedView | RetentionPolicy | Hold
# Whether a kind of name and its value are whom is meant, in a filter of that moment.
IsMeant = Callable[[str, str, datetime], bool]


@dataclass(frozen=True)
class Named:
    """A filter that names the person, under its own name, and what becomes of it."""

    kind: str
    public_id: str
    name: str
    fate: str


def naming(session: Session, is_meant: IsMeant) -> list[Named]:
    """Return the filters that name whom is meant, with what becomes of each."""
    return [_named(session, found, is_meant) for found in _found(session, is_meant)]


def take_out(session: Session, erasure: str, is_meant: IsMeant, now: datetime) -> dict[str, int]:
    """Take the name out of every filter, inside a write transaction; return how many of each kind had it."""
    counts: dict[str, int] = {}
    for found in list(_found(session, is_meant)):
        fate = _named(session, found, is_meant).fate
        if isinstance(found, SavedView):
            session.delete(found)
        else:
            found.query = str(_without(found, is_meant))
            _put_out_of_force(session, found, fate, now)
            _record(session, found, erasure, fate)
        table = found.__tablename__
        counts[table] = counts.get(table, 0) + 1
    return counts


def _found(session: Session, is_meant: IsMeant) -> Iterator[Filter]:
    """Yield the filters that name whom is meant; there are few of each kind, so all are read."""
    for view in session.scalars(select(SavedView).order_by(SavedView.id)):
        if _view_names(view, is_meant):
            yield view
    policies = select(RetentionPolicy).where(RetentionPolicy.query.is_not(None)).order_by(RetentionPolicy.id)
    holds = select(Hold).where(Hold.query.is_not(None)).order_by(Hold.id)
    for one in (*session.scalars(policies), *session.scalars(holds)):
        if people.names(people.read(one.query or ""), partial(_meant, is_meant, one)):
            yield one


def _view_names(view: SavedView, is_meant: IsMeant) -> bool:
    """Tell whether a view's name, its fields or its text name whom is meant."""
    asked = {name: values[-1] for name, values in parse_qs(view.query).items()}
    meant = partial(_meant, is_meant, view)
    return (
        any(meant(people.EMAIL, address) for address in people.addresses(view.name))
        or meant(people.EMAIL, asked.get("reporter", ""))
        or meant(people.SESSION, asked.get("session_id", ""))
        or people.names(people.read(asked.get("q", "")), meant)
    )


def _meant(is_meant: IsMeant, found: Filter, kind: str, value: str) -> bool:
    return is_meant(kind, value, found.updated_at if isinstance(found, RetentionPolicy) else found.created_at)


def _named(session: Session, found: Filter, is_meant: IsMeant) -> Named:
    if isinstance(found, SavedView):
        return Named("saved_view", found.public_id, found.name, DELETED)
    vain = people.finds_nobody(_without(found, is_meant))
    if isinstance(found, RetentionPolicy):
        return Named("policy", found.public_id, found.name, SWITCHED_OFF if vain else NAMELESS)
    keeps = session.scalar(select(exists().where(HeldSubmission.hold_id == found.id)))
    return Named("hold", found.public_id, found.reason, ENDED if vain and not keeps else NAMELESS)


def _without(found: RetentionPolicy | Hold, is_meant: IsMeant) -> Query:
    return people.without(people.read(found.query or ""), partial(_meant, is_meant, found))


def _put_out_of_force(session: Session, found: RetentionPolicy | Hold, fate: str, now: datetime) -> None:
    if isinstance(found, Hold):
        if fate == ENDED:
            hold.release(session, found, BY_AN_ERASURE, now)
        return
    found.updated_at = now
    found.is_active = found.is_active and fate != SWITCHED_OFF


def _record(session: Session, found: RetentionPolicy | Hold, erasure: str, fate: str) -> None:
    session.flush()
    kind = "hold" if isinstance(found, Hold) else "policy"
    details = {"erasure": erasure, "fate": fate}
    audit.record(session, f"{kind}.forget", target=f"{kind}:{found.public_id}", details=details)
