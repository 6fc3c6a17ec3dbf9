"""Snoozing: a submission is put aside until a moment, and then comes back by itself, unread.

While it is snoozed it is archived, so that boxes and every count leave it out by the one rule that they have.
What settles or archives it, and an answer of the reporter, ends the snooze. The timetable wakes what is due
in short transactions that move the counts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from app.database.among import among
from app.models import event, rollup
from app.models.base import Base

LONGEST = timedelta(days=366)
# Woken in one transaction; an act on 2,963 took 0.33 s (docs/performance.md).
AT_ONCE = 500


def check(until: datetime, now: datetime) -> None:
    """Raise ValueError for a moment until which nothing can be snoozed."""
    if not now < until <= now + LONGEST:
        raise ValueError("is a time to come, at most a year from now")


def also(values: Mapping[str, Any], snoozed_until: datetime | None) -> dict[str, Any]:
    """Return what else a change sets of a submission that is, or is to be, snoozed."""
    if "snoozed_until" in values:
        return {"is_archived": values["snoozed_until"] is not None}
    if snoozed_until is None:
        return {}
    if "status" in values:
        return {"snoozed_until": None, "is_archived": False}
    return {"snoozed_until": None} if "is_archived" in values else {}


def is_due(session: Session, now: datetime) -> bool:
    """Return whether the time of a snoozed submission has come."""
    submissions = _submissions()
    return bool(
        session.scalar(select(select(submissions.c.id).where(submissions.c.snoozed_until <= now).exists()))
    )


def wake(session: Session, now: datetime) -> int:
    """Bring back at most `AT_ONCE` whose time has come, inside a write transaction; returns how many."""
    submissions = _submissions()
    due = submissions.c.snoozed_until <= now
    ids = session.scalars(
        select(submissions.c.id).where(due).order_by(submissions.c.snoozed_until).limit(AT_ONCE)
    ).all()
    if not ids:
        return 0
    with rollup.following(session.connection(), ids, facts=False):
        woken = session.scalars(
            update(submissions)
            .where(among(submissions.c.id, ids), due)
            .values(
                snoozed_until=None,
                is_archived=False,
                is_read=False,
                updated_at=now,
                version=submissions.c.version + 1,
            )
            .returning(submissions.c.id)
        ).all()
    event.add_many(session, woken, "wake", actor=event.EARMARK, now=now)
    return len(woken)


def _submissions() -> Table:
    return Base.metadata.tables["feedback_submissions"]  # feedback.py follows `also`, so not by its class
