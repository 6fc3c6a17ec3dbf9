"""What happens in the inbox, as it is found: new submissions, events of their timelines, finished pictures.

`Follower` reads submissions and events by their ascending ids, and remembers which pictures were on their way
to see which no longer are: nothing is written for that. Ids stay here; what leaves names a submission by its
public id and a moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Select, func, select

from app.models.event import EARMARK, Event
from app.models.feedback import Feedback
from app.models.screenshot import Screenshot
from app.models.user import User

Kind = Literal["submission", "update", "message", "screenshot"]
KINDS: dict[str, Kind] = {
    "reply": "message",
    "note": "message",
    "reporter_reply": "message",
    "screenshot": "screenshot",
}
# More at once are told as one: whoever listens looks at its whole list again.
MOST_AT_ONCE = 100
# What a page that has just reconnected may have missed is read again at the start.
RECENT = 100
# Pictures on their way that are remembered; each takes a tenth of a second of a worker.
MOST_PENDING = 1_000
# On PostgreSQL ids are given out before their transaction ends, so a lower one can appear later. Looked for
# as long as a write transaction may take and wait.
LATE = timedelta(seconds=15)


@dataclass(frozen=True)
class Happening:
    """One thing that happened. `submission` is a public id, None where many changed at once."""

    kind: Kind
    at: datetime
    submission: str | None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Place:
    """How far one table was read: everything up to `floor`, and what is in `seen` above it."""

    floor: int
    seen: dict[int, datetime] = field(default_factory=dict)

    def note(self, ids: Sequence[int], now: datetime, late: timedelta) -> list[int]:
        """Take in ids that were read; return those that are new."""
        fresh = [id_ for id_ in ids if id_ not in self.seen]
        self.seen.update(dict.fromkeys(fresh, now))
        past = [id_ for id_, moment in self.seen.items() if moment <= now - late]
        self.floor = max([self.floor, *past])
        self.seen = {id_: moment for id_, moment in self.seen.items() if id_ > self.floor}
        return fresh


class Follower:
    """Follows the tables from `RECENT` rows before the present on; each row is given once."""

    def __init__(self, connection: Connection) -> None:
        self._late = LATE if connection.dialect.name == "postgresql" else timedelta()
        self._submissions = _Place(_before_last(connection, Feedback))
        self._events = _Place(_before_last(connection, Event))
        self._pending = _pending(connection)

    def read(self, connection: Connection, now: datetime) -> list[Happening]:
        """Return what is new, in three statements, and one more when a picture was finished."""
        arrived = _read(connection, _SUBMISSIONS, self._submissions, now, self._late)
        changed = _read(connection, _EVENTS, self._events, now, self._late)
        pending = _pending(connection)
        finished, self._pending = _finished(connection, self._pending - pending), pending
        return [
            *_told("submission", arrived, _submission, now),
            *_told("update", changed, _event, now),
            *_told("screenshot", finished, lambda row: _picture(row, now), now),
        ]


_SUBMISSIONS: Any = (
    select(Feedback.id, Feedback.public_id, Feedback.status, Feedback.created_at)
    .order_by(Feedback.id.desc())
    .limit(MOST_AT_ONCE + RECENT)
)
_EVENTS: Any = (
    select(
        Event.id,
        Event.kind,
        Event.actor,
        Event.version,
        Event.created_at,
        Feedback.public_id,
        User.public_id.label("actor_id"),
    )
    .join(Feedback, Feedback.id == Event.feedback_id)
    .outerjoin(User, User.id == Event.actor_id)
    .order_by(Event.id.desc())
    .limit(MOST_AT_ONCE + RECENT)
)


def _before_last(connection: Connection, table: type[Feedback] | type[Event]) -> int:
    return max(0, (connection.scalar(select(func.max(table.id))) or 0) - RECENT)


def _read(
    connection: Connection, query: Select[Any], place: _Place, now: datetime, late: timedelta
) -> list[Any]:
    key = query.selected_columns[0]
    rows = connection.execute(query.where(key > place.floor)).all()
    fresh = set(place.note([row.id for row in rows], now, late))
    return [row for row in reversed(rows) if row.id in fresh]


def _pending(connection: Connection) -> frozenset[int]:
    """Return the pictures that are on their way, by the index of these alone."""
    query = select(Screenshot.id).where(Screenshot.state == "pending")
    return frozenset(connection.scalars(query.order_by(Screenshot.id.desc()).limit(MOST_PENDING)))


def _finished(connection: Connection, ids: frozenset[int]) -> Sequence[Any]:
    """Return those of the pictures that are finished; others are gone, or newer ones stand before them."""
    if not ids:
        return ()
    query = (
        select(Feedback.public_id, Screenshot.state)
        .join(Feedback, Feedback.id == Screenshot.feedback_id)
        .where(Screenshot.id.in_(ids), Screenshot.state != "pending")
        .order_by(Screenshot.id)
    )
    return connection.execute(query).all()


def _told(kind: Kind, rows: Sequence[Any], tell: Any, now: datetime) -> list[Happening]:
    if len(rows) > MOST_AT_ONCE:
        return [Happening(kind, now, None)]
    return [tell(row) for row in rows]


def _submission(row: Any) -> Happening:
    return Happening("submission", row.created_at, row.public_id, {"status": row.status})


def _event(row: Any) -> Happening:
    details = {"what": row.kind, "by": row.actor, "by_id": row.actor_id, "version": row.version}
    return Happening(KINDS.get(row.kind, "update"), row.created_at, row.public_id, details)


def _picture(row: Any, now: datetime) -> Happening:
    details = {"what": row.state, "by": EARMARK, "by_id": None}
    return Happening("screenshot", now, row.public_id, details)
