"""From terms to SQL: each condition is written so that an index answers it.

The partial indexes of `Feedback` are met only by exactly the expression they were made of.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, func, literal, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.database.checked import checked
from app.database.types import EPOCH, UtcTime
from app.models import tag
from app.models.addresses import is_address
from app.models.feedback import UNSETTLED, Feedback
from app.models.inbox_filter import pictured
from app.models.message import NOTE, Message
from app.models.project import Project
from app.models.query.terms import ME, NOBODY, age_of, moment_of, rating_of
from app.models.query.text import address_like, holding, match_of, match_of_address, match_of_release
from app.models.query.tree import All, Either, Node, Not, Term
from app.models.user import User

# As many matches as are looked through to learn where the first of them lies.
FEW = 500
# What is the other one, so that its index answers it.
_OPPOSITE = {"is:read": "unread", "is:unread": "read"}
_COMPARE = {"": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class QueryContext:
    """What a query means depends on: the moment, and whose `me` is (None for nobody)."""

    now: datetime
    user_id: int | None = None


class Ago(datetime):
    """A moment reckoned from now, that says its age in the place of itself.

    Cursors are signed for a list's values: so the second page of `age:>7d` still belongs to the first.
    """

    words: str

    @staticmethod
    def of(moment: datetime, words: str) -> "Ago":
        """Return the moment with the words of its age."""
        made = Ago.fromtimestamp(moment.timestamp(), moment.tzinfo)
        made.words = words
        return made

    def __repr__(self) -> str:
        return f"Ago({self.words!r})"


def condition(node: Node, context: QueryContext) -> ColumnElement[bool]:
    """Return the condition of a part of a query."""
    if isinstance(node, Term):
        return _CONDITIONS[node.name](node.value, context)
    if (match := match_of(node)) is not None:
        return holding(match)
    if isinstance(node, Not):
        if opposite := _OPPOSITE.get(str(node.item)):
            return _is(opposite, context)
        # What is unknown, such as the browser of a submission without one, is not what was named.
        return _part(node.item, context).is_not(true())
    assert isinstance(node, All | Either), "the parser refuses words without a letter"
    parts = [_part(item, context) for item in node.items]
    return and_(*parts) if isinstance(node, All) else checked(or_(*parts))


def _part(node: Node, context: QueryContext) -> ColumnElement[bool]:
    """Return the condition of what does not stand by itself: it is looked at for each row that is walked."""
    if isinstance(node, Term) and node.name == "tag":
        return tag.tagged(Feedback.id.expression, node.value)
    return condition(node, context)


def _is(value: str, _context: QueryContext) -> ColumnElement[bool]:
    if value == "snoozed":
        return Feedback.snoozed_until.is_not(None)
    if value == "archived":
        return Feedback.is_archived.expression
    return Feedback.is_read.expression if value == "read" else ~Feedback.is_read


def _status(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return Feedback.status == value


def _category(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return Feedback.category == value


def _project(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return Feedback.project_id == project_named(value)


def project_named(value: str) -> ScalarSelect[int]:
    """Select the id of the project with this key or name; NULL where there is none."""
    named = func.lower(Project.name) == value.lower()
    found = (
        select(Project.id)
        .where(or_(Project.public_key == value, named))
        .order_by(case((Project.public_key == value, 0), else_=1), Project.id)
        .limit(1)
    )
    return found.scalar_subquery()


def _has(value: str, _context: QueryContext) -> ColumnElement[bool]:
    if value == "reply":
        return _having(Feedback.first_answered_at, None)
    if value == "note":
        return noted()
    return pictured() if value == "screenshot" else and_(Feedback.has_screenshot, Feedback.has_annotation)


def noted() -> ColumnElement[bool]:
    """Return the condition that there are notes on a submission, or one in its thread."""
    written = select(Message.id).where(Message.feedback_id == Feedback.id, Message.kind == NOTE)
    return or_(Feedback.admin_notes != "", written.correlate_except(Message).exists())


def _assignee(value: str, context: QueryContext) -> ColumnElement[bool]:
    if value == NOBODY:
        return Feedback.assignee_id.is_(None)
    if value == ME:
        return Feedback.assignee_id == (context.user_id or 0)  # of nobody, nothing
    named = or_(User.email == value.lower(), func.lower(User.name) == value.lower())
    first = case((User.email == value.lower(), 0), else_=1)
    return (
        Feedback.assignee_id
        == select(User.id).where(named).order_by(first, User.id).limit(1).scalar_subquery()
    )


def _tag(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return Feedback.id.in_(tag.submissions(value))


def _rating(value: str, _context: QueryContext) -> ColumnElement[bool]:
    sign, number = rating_of(value)
    return and_(Feedback.rating.is_not(None), _COMPARE[sign](Feedback.rating, number))


def _email(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return is_address(Feedback.reporter_email, value)


def _reporter(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return or_(Feedback.reporter_id == value, is_address(Feedback.reporter_email, value))


def _session(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return Feedback.session_id == value


def _after(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return Feedback.created_at >= moment_of(value)


def _before(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return Feedback.created_at < moment_of(value)


def _answered(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return _having(Feedback.first_answered_at, moment_of(value))


def _settled(value: str, _context: QueryContext) -> ColumnElement[bool]:
    # Nothing unsettled has a time of it (`feedback.settling`); of one box SQLite knows that before it walks.
    settled = (Feedback.status != status for status in sorted(UNSETTLED))
    return and_(*settled, _having(Feedback.settled_at, moment_of(value)))


def _having(column: InstrumentedAttribute[datetime | None], since: datetime | None) -> ColumnElement[bool]:
    """Return the condition that a moment is told, at or after `since`.

    A list is walked from its newest on. Where few rows match, the walk ends at the oldest of them.
    """
    other = aliased(Feedback)
    theirs = getattr(other, column.key)
    few = select(other.created_at).where(theirs >= since if since else theirs.is_not(None))
    found = few.limit(FEW + 1).subquery()
    oldest = func.min(found.c.created_at, type_=UtcTime)
    begin = select(case((func.count() > FEW, literal(EPOCH, UtcTime)), else_=oldest)).select_from(found)
    told = column >= since if since else column.is_not(None)
    return and_(checked(told), Feedback.created_at >= begin.scalar_subquery())


def _age(value: str, context: QueryContext) -> ColumnElement[bool]:
    sign, length = age_of(value)
    moment = Ago.of(context.now - length, value)
    return Feedback.created_at < moment if sign == ">" else Feedback.created_at > moment


def _held(name: str) -> Callable[[str, QueryContext], ColumnElement[bool]]:
    return lambda value, _context: holding(match_of(Term(name, value)))


def _release(value: str, _context: QueryContext) -> ColumnElement[bool]:
    match = match_of_release(value)
    return is_release(value) if match is None else and_(holding(match), is_release(value))


def is_release(value: str) -> ColumnElement[bool]:
    """Return the condition that the site said to be this release."""
    return func.coalesce(Feedback.custom["release"].as_string(), "") == value


def _url(value: str, _context: QueryContext) -> ColumnElement[bool]:
    return and_(holding(match_of_address(value)), address_like(value))


_CONDITIONS: dict[str, Callable[[str, QueryContext], ColumnElement[bool]]] = {
    "is": _is,
    "status": _status,
    "category": _category,
    "project": _project,
    "assignee": _assignee,
    "tag": _tag,
    "has": _has,
    "rating": _rating,
    "browser": _held("browser"),
    "os": _held("os"),
    "release": _release,
    "url": _url,
    "email": _email,
    "reporter": _reporter,
    "session": _session,
    "after": _after,
    "before": _before,
    "answered": _answered,
    "settled": _settled,
    "age": _age,
}
