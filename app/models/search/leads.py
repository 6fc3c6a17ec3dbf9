"""What leads a page where the order's own index does not: words, a tag, somebody, notes, several boxes.

Walking a box and asking of each row whether it has a rare tag visits all of the box. So the page begins at
the tag's own submissions, the newest first, as it begins at a word's. Each arm is answered by one index in
its order, and what else is asked is checked row by row; the arms of a page are merged.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, case, false, literal, null, select, true

from app.database.checked import checked
from app.database.search.conditions import matches
from app.database.search.match import Match
from app.database.types import EPOCH, UtcTime
from app.models.addresses import is_address
from app.models.feedback import STATUSES, Feedback
from app.models.inbox_filter import InboxFilter
from app.models.message import NOTE, Message
from app.models.query.query import of_parts
from app.models.query.text import holding_directly, match_of, tail_start
from app.models.query.tree import All, Either, Node, Not, Term
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


# A box of so many is walked whole (some 12 steps of SQLite's machine each) rather than a tag of more.
SMALL = 2_500

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
    parts = wanted.query.parts if wanted.query else ()
    box = wanted.status or (wanted.query.value("status") if wanted.query else None)
    if wanted.tag is not None:
        return Lead(_tagged(wanted.tag, box), replace(wanted, tag=None))
    if wanted.reporter is not None:
        return Lead(_sent_by(_SENDERS["email"](wanted.reporter)), replace(wanted, reporter=None))
    for part in parts:
        arms = _arms_of(part, box)
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


def _arms_of(part: Node, box: str | None) -> Arms | None:
    """Return what leads by ids, of a term or of several of which one must hold."""
    if (match := match_of(part)) is not None:
        return held(match)
    if isinstance(part, Either):
        found = [_arms_of(item, box) for item in part.items]
        known = [arms for arms in found if arms is not None]
        return _joined(known) if len(known) == len(found) else None
    if not isinstance(part, Term):
        return None
    if part.name in ("reporter", "email", "session"):
        return _sent_by(_SENDERS[part.name](part.value))
    if part.name == "tag":
        return _tagged(part.value, box)
    return _noted if str(part) == "has:note" else None


def _joined(several: Iterable[Arms]) -> Arms:
    return lambda conditions, sqlite: [arm for arms in several for arm in arms(conditions, sqlite)]


def _leading(key: ColumnElement[int], sqlite: bool) -> ColumnElement[bool]:
    # Without the sum SQLite might look up what leads for each submission of a box instead.
    return Feedback.id == (key + 0 if sqlite else key)


def _tagged(name: str, box: str | None) -> Arms:
    """Lead by a tag; where it has many submissions and their box few, by that box in the tag's order."""

    def arms(conditions: Conditions, sqlite: bool) -> list[Arm]:
        key = FeedbackTag.feedback_id.expression
        named = select(Tag.id).where(Tag.key == key_of(name)).scalar_subquery()
        found = select(key.label("id")).join(Feedback, _leading(key, sqlite))
        found = found.where(FeedbackTag.tag_id == named, *conditions)
        if box is None:
            return [Arm(found, (key,))]
        few = _is_small(box, FeedbackTag.tag_id == named)
        # With the sum the box is not walked by id.
        own, beginning = Feedback.id + 0, Feedback.created_at.expression
        inside = select(own.label("id")).join(FeedbackTag, FeedbackTag.feedback_id == Feedback.id)
        inside = inside.where(
            checked(FeedbackTag.tag_id == named),
            Feedback.status == box,
            beginning >= case((few, literal(EPOCH, UtcTime)), else_=null()),
            *conditions,
        )
        return [Arm(found.where(key >= case((few, null()), else_=0)), (key,)), Arm(inside, (own,))]

    return arms


def _is_small(box: Any, linked: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether a box has at most `SMALL` submissions and a tag has more."""
    in_box = select(literal(1)).where(Feedback.status == box).limit(1).offset(SMALL)
    links = select(literal(1)).select_from(FeedbackTag).where(linked).limit(1).offset(SMALL)
    once = select(and_(~in_box.exists(), links.exists()).label("is_small")).cte()
    return select(once).scalar_subquery() == true()


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
    about = {part: found for part in parts if (found := _boxes_of(part)) is not None}
    left = [status for status in STATUSES if wanted.status in (None, status)]
    left = [status for status in left if all(status in found for found in about.values())]
    named = wanted.status is not None or any(isinstance(part, Term) for part in about)
    if left and named:
        return None
    if about:
        rest = of_parts(tuple(other for other in parts if other not in about))
        return _boxes(left, replace(wanted, query=rest))
    asked = wanted.project_id is not None or wanted.is_read is False or wanted.is_archived is True
    return _boxes(STATUSES, wanted) if asked or any(map(_begins_with_a_box, parts)) else None


def _boxes_of(part: Node) -> frozenset[str] | None:
    """Return the boxes of which a part is about, if it is about boxes alone."""
    if isinstance(part, Term):
        return frozenset({part.value}) if part.name == "status" else None
    if isinstance(part, Not):
        left_out = _boxes_of(part.item)
        return None if left_out is None else frozenset(STATUSES) - left_out
    found = [_boxes_of(item) for item in part.items] if isinstance(part, All | Either) else []
    known = [boxes for boxes in found if boxes is not None]
    if not found or len(known) < len(found):
        return None
    return frozenset.union(*known) if isinstance(part, Either) else frozenset.intersection(*known)


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
        one_of = [Feedback.status == status for status in statuses] or [false()]
        return [Arm(found.where(one), keys) for one in one_of]

    return Boxes(arms, rest)
