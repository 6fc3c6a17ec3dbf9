"""Merging duplicates and taking it back: the same for pages and API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.blueprints.admin.changes import load, wrong
from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError
from app.models import Feedback, merge
from app.models.identifiers import is_public_id
from app.security import Actor


@dataclass(frozen=True)
class Merged:
    """What was merged: how many submissions, and into which (its public id)."""

    count: int
    into: str


def merge_all(public_ids: Sequence[str], into: str | None, someone: Actor) -> Merged:
    """Merge submissions into one of their project, by default the one that was sent first; all or none.

    Raises ClientError 404 for one that is not there, 422 for what cannot be merged, such as one that is
    merged already.
    """
    wanted = list(dict.fromkeys([*public_ids, *([into] if into else [])]))
    if len(wanted) < 2:
        raise wrong("ids", "name at least two submissions")
    by, now = merge.By(someone.user_id, someone.name), utc_now()
    with transaction() as session:
        found = _locked(session, wanted)
        main = found[into] if into else min(found.values(), key=_sent)
        others = [each for each in found.values() if each.id != main.id]
        for other in sorted(others, key=_sent):
            if reason := merge.why_not(session, other, main):
                raise wrong("ids", reason)
            merge.merge(session, other, main, by, now)
        if (session.scalar(select(merge.pointers(main.id)[2])) or 0) > merge.MOST:
            raise wrong("ids", f"would be more than {merge.MOST} in one")
        public_id = main.public_id
    return Merged(len(others), public_id)


def unmerge(public_id: str, someone: Actor) -> Feedback:
    """Take a merge back. Raises ClientError 404, or 409 for a submission that is not merged."""
    with transaction() as session:
        found = load(public_id, lock=True)
        if not merge.unmerge(session, found, merge.By(someone.user_id, someone.name), utc_now()):
            raise ClientError(409, "conflict", "This submission is merged into no other.")
    return load(public_id)


def named(text: str) -> str:
    """Return the public id that an address of the inbox or an id names. Raises ClientError 422."""
    last = text.strip().partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]
    if not is_public_id(last):
        raise wrong("into", "is the address or the id of a submission")
    return last


def _locked(session: Session, public_ids: Sequence[str]) -> dict[str, Feedback]:
    query = select(Feedback).where(Feedback.public_id.in_(public_ids)).order_by(Feedback.id)
    found = {each.public_id: each for each in session.scalars(query.with_for_update(of=Feedback))}
    for public_id in public_ids:
        if public_id not in found:
            load(public_id)
    return found


def _sent(found: Feedback) -> tuple[datetime, int]:
    return found.created_at, found.id
