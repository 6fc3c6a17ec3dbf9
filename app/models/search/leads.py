"""What leads a page where the order's own index does not: words, a tag, somebody, notes, several boxes.

Walking a box and asking of each row whether it has a rare tag visits all of the box. So the page begins at
the tag's own submissions, the newest first, as it begins at a word's. Each arm is answered by one index in
its order, and what else is asked is checked row by row; the arms of a page are merged.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, select

from app.database.checked import checked
from app.database.search.conditions import matches
from app.database.search.match import Match
from app.models.addresses import is_address
from app.models.feedback import STATUSES, Feedback
from app.models.inbox_filter import InboxFilter
from app.models.message import NOTE, Message
from app.models.query.query import of_parts
from app.models.query.text import holding_directly, match_of, tail_start
from app.models.query.tree import Either, Node, Term
from app.models.search.keeping import INDEX
from app.models.tag import FeedbackTag, Tag, key_of

rowid = INDEX.table.c.rowid
Conditions: TypeAlias = Sequence[ColumnElement[bool]]
Keys: TypeAlias = tuple[ColumnElement[Any], ...]


@dataclass(frozen=True)
class Arm:
    """A select of ids, as `id`, that an index gives in the order of `keys`."""

    query: Select[Any]
    keys: Keys


# Makes arms of what else a submission must meet; and whether it is for SQLite.
Arms: TypeAlias = Callable[[Conditions, bool], list[Arm]]


@dataclass(frozen=True)
class Lead:
    """What leads a page, and the rest of its filter."""

    make: Arms
    rest: InboxFilter

    def arms(self, conditions: Conditions, sqlite: bool) -> list[Arm]:
        """Return the arms, each without what another index could be used for."""
        return self.make([*map(checked, self.rest.conditions()), *conditions], sqlite)


def lead_of(wanted: InboxFilter) -> Lead | None:
    """Return what leads the pages of a filter without words; None where the order's own index does."""
    if wanted.tag is not None:
        return Lead(_tagged(wanted.tag), replace(wanted, tag=None))
    if wanted.reporter is not None:
        return Lead(_sent_by(_SENDERS["email"](wanted.reporter)), replace(wanted, reporter=None))
    parts = wanted.query.parts if wanted.query else ()
    for part in parts:
        arms = _arms_of(part)
        if arms is not None:
            rest = of_parts(tuple(other for other in parts if other is not part))
            return Lead(arms, replace(wanted, query=rest))
    return _by_box(wanted, parts)


def held(match: Match | None) -> Arms:
    """Lead by words: what the index holds, and what it does not hold yet; without them, of a parameter."""

    def arms(conditions: Conditions, sqlite: bool) -> list[Arm]:
        own = Feedback.id.expression
        led = select(rowid.label("id")).where(matches(INDEX, match))
        if conditions:
            led = led.join(Feedback, _leading(rowid, sqlite))
        tail = select(own.label("id")).where(own > tail_start(), holding_directly(match))
        return [Arm(led.where(*conditions), (rowid,)), Arm(tail.where(*conditions), (own,))]

    return arms


def _arms_of(part: Node) -> Arms | None:
    """Return what leads by ids, of a term or of several of which one must hold."""
    if (match := match_of(part)) is not None:
        return held(match)
    if isinstance(part, Either):
        found = [_arms_of(item) for item in part.items]
        known = [arms for arms in found if arms is not None]
        return _joined(known) if len(known) == len(found) else None
    if not isinstance(part, Term):
        return None
    if part.name in ("reporter", "email", "session"):
        return _sent_by(_SENDERS[part.name](part.value))
    if part.name == "tag":
        return _tagged(part.value)
    return _noted if str(part) == "has:note" else None


def _joined(several: Iterable[Arms]) -> Arms:
    return lambda conditions, sqlite: [arm for arms in several for arm in arms(conditions, sqlite)]


def _leading(key: ColumnElement[int], sqlite: bool) -> ColumnElement[bool]:
    # Without the sum SQLite might look up what leads for each submission of a box instead.
    return Feedback.id == (key + 0 if sqlite else key)


def _tagged(name: str) -> Arms:
    def arms(conditions: Conditions, sqlite: bool) -> list[Arm]:
        key = FeedbackTag.feedback_id.expression
        named = select(Tag.id).where(Tag.key == key_of(name)).scalar_subquery()
        found = select(key.label("id")).join(Feedback, _leading(key, sqlite))
        return [Arm(found.where(FeedbackTag.tag_id == named, *conditions), (key,))]

    return arms


_SENDERS: dict[str, Callable[[str], Conditions]] = {
    "reporter": lambda value: (Feedback.reporter_id == value, is_address(Feedback.reporter_email, value)),
    "email": lambda value: (is_address(Feedback.reporter_email, value),),
    "session": lambda value: (Feedback.session_id == value,),
}


def _sent_by(each: Conditions) -> Arms:
    def arms(conditions: Conditions, _sqlite: bool) -> list[Arm]:
        key = Feedback.id.expression
        found = select(key.label("id")).where(*conditions)
        return [Arm(found.where(condition), (key,)) for condition in each]

    return arms


def _noted(conditions: Conditions, sqlite: bool) -> list[Arm]:
    own, told = Feedback.id.expression, Message.feedback_id.expression
    jotted = select(own.label("id")).where(Feedback.admin_notes != "", *conditions)
    written = select(told.label("id")).distinct().join(Feedback, _leading(told, sqlite))
    return [Arm(jotted, (own,)), Arm(written.where(Message.kind == NOTE, *conditions), (told,))]


def _by_box(wanted: InboxFilter, parts: Sequence[Node]) -> Lead | None:
    """Lead by boxes where the list is not of one, but its index begins with one: box by box, merged."""
    if wanted.status is not None or any(isinstance(part, Term) and part.name == "status" for part in parts):
        return None
    for part in parts:
        if isinstance(part, Either) and all(
            isinstance(one, Term) and one.name == "status" for one in part.items
        ):
            rest = of_parts(tuple(other for other in parts if other is not part))
            chosen = dict.fromkeys(one.value for one in part.items if isinstance(one, Term))
            return _boxes(tuple(chosen), replace(wanted, query=rest))
    asked = wanted.project_id is not None or wanted.is_read is False or wanted.is_archived is True
    return _boxes(STATUSES, wanted) if asked or any(map(_begins_with_a_box, parts)) else None


def _begins_with_a_box(part: Node) -> bool:
    """Tell whether the index of this part has the box as its first column."""
    named = isinstance(part, Term) and part.name in ("project", "rating")
    return named or str(part) in ("is:unread", "-is:read", "is:archived", "has:annotation")


@dataclass(frozen=True)
class Boxes(Lead):
    """Boxes, each in the list's order."""

    def arms(self, conditions: Conditions, sqlite: bool) -> list[Arm]:
        """Return an arm a box; what else is asked may be answered by the box's index too."""
        return self.make([*self.rest.conditions(), *conditions], sqlite)


def _boxes(statuses: Sequence[str], rest: InboxFilter) -> Lead:
    def arms(conditions: Conditions, _sqlite: bool) -> list[Arm]:
        keys: tuple[Any, Any] = (Feedback.created_at.expression, Feedback.id.expression)
        found = select(keys[1].label("id"), keys[0].label("at")).where(*conditions)
        return [Arm(found.where(Feedback.status == status), keys) for status in statuses]

    return Boxes(arms, rest)
