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
from app.models.query.conditions import noted
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


# A box of so many is walked whole (some 15 steps of SQLite's machine each) rather than what leads to more.
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
    return _noted(box) if str(part) == "has:note" else None


def _joined(several: Iterable[Arms]) -> Arms:
    return lambda conditions, sqlite: [arm for arms in several for arm in arms(conditions, sqlite)]


def _leading(key: ColumnElement[int], sqlite: bool) -> ColumnElement[bool]:
    # Without the sum SQLite might look up what leads for each submission of a box instead.
    return Feedback.id == (key + 0 if sqlite else key)


def _tagged(name: str, box: str | None) -> Arms:
    key = FeedbackTag.feedback_id.expression
    named = select(Tag.id).where(Tag.key == key_of(name)).scalar_subquery()

    def arms(conditions: Conditions, sqlite: bool) -> list[Arm]:
        found = select(key.label("id")).join(Feedback, _leading(key, sqlite))
        return [Arm(found.where(FeedbackTag.tag_id == named, *conditions), (key,))]

    links = select(literal(1)).select_from(FeedbackTag).where(FeedbackTag.tag_id == named)
    inside = select(Feedback.id).join(FeedbackTag, FeedbackTag.feedback_id == Feedback.id)
    return _in_box(box, arms, links, inside.where(checked(FeedbackTag.tag_id == named)))


def _in_box(box: str | None, lead: Arms, links: Select[Any], inside: Select[Any]) -> Arms:
    """Lead as said; where it has many submissions (rows of `links`) and their box few, by that box.

    `inside` selects from the submissions what the box is walked for; its arm has the order of the other.
    """
    if box is None:
        return lead

    def arms(conditions: Conditions, sqlite: bool) -> list[Arm]:
        in_box = select(literal(1)).where(Feedback.status == box).limit(1).offset(SMALL)
        is_small = and_(~in_box.exists(), links.limit(1).offset(SMALL).exists())
        few = select(select(is_small.label("is_small")).cte()).scalar_subquery() == true()
        by_lead = [
            Arm(arm.query.where(arm.keys[0] >= case((few, null()), else_=0)), arm.keys)
            for arm in lead(conditions, sqlite)
        ]
        # With the sum the box is not walked by id.
        own, begin = Feedback.id + 0, case((few, literal(EPOCH, UtcTime)), else_=null())
        walked = inside.with_only_columns(own.label("id"), maintain_column_froms=True)
        walked = walked.where(Feedback.status == box, Feedback.created_at >= begin, *conditions)
        return [*by_lead, Arm(walked, (own,))]

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


def _noted(box: str | None) -> Arms:
    own, told = Feedback.id.expression, Message.feedback_id.expression

    def arms(conditions: Conditions, sqlite: bool) -> list[Arm]:
        jotted = select(own.label("id")).where(Feedback.admin_notes != "", *conditions)
        written = select(told.label("id")).distinct().join(Feedback, _leading(told, sqlite))
        return [Arm(jotted, (own,)), Arm(written.where(Message.kind == NOTE, *conditions), (told,))]

    links = select(literal(1)).select_from(Message).where(Message.kind == NOTE)
    return _in_box(box, arms, links, select(own).where(noted()))


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
