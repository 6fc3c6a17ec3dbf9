"""Which submissions a set of policies makes due, as SQL; plan and sweep use the same and cannot differ.

Of the policies with the same action and the same measure (days, submissions, bytes) the most specific governs
a submission, and no other of them. What is due is found against the state at one moment: first deletions by
age, then by number, then by bytes (each counting only what the ones before leave), then pictures to drop and
fields to empty, both without what is deleted anyway. Held submissions count as kept, and are never due.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.database.types import UtcTime
from app.models.feedback import ENDED, Feedback
from app.models.forgetting import keeps_any
from app.models.query import QueryContext, parse
from app.models.removal import Condition
from app.models.retention import (
    ACTIONS,
    ANONYMISE,
    BYTES,
    CHANGED,
    COUNT,
    DAYS,
    DELETE,
    DROP_SCREENSHOTS,
    MEASURES,
    SUBMISSIONS,
    Rule,
)
from app.models.screenshot import Screenshot


@dataclass(frozen=True)
class Due:
    """What one rule makes due: conditions on `feedback_submissions`, and the moment that its age counts from.

    `conditions` leave holds out; `free` and `held` are the two halves.
    """

    rule: Rule
    conditions: tuple[Condition, ...]
    moment: InstrumentedAttribute[datetime]
    has_text: Condition  # of `anonymise`: that the text is still there when this rule's turn comes

    @property
    def free(self) -> tuple[Condition, ...]:
        """Conditions of what may go."""
        return (*self.conditions, Feedback.held.is_(False))

    @property
    def held(self) -> tuple[Condition, ...]:
        """Conditions of what a hold keeps back."""
        return (*self.conditions, Feedback.held)


def find_due(session: Session, rules: Iterable[Rule], now: datetime) -> list[Due]:
    """Return what each rule makes due at a moment, in the order in which it is carried out.

    Reads the place of the cut for rules by number and bytes; a rule that nothing exceeds is left out.
    """
    found: list[Due] = []
    of_submissions = [rule for rule in rules if rule.kind == SUBMISSIONS]
    for action in ACTIONS:
        for measure in MEASURES:
            alike = [one for one in of_submissions if (one.action, one.measure) == (action, measure)]
            before = tuple(found)
            found += [
                due
                for rule in sorted(alike, key=lambda rule: rule.weight, reverse=True)
                if (due := _due(session, rule, alike, before, now)) is not None
            ]
    return found


def governed(rule: Rule, rules: Iterable[Rule], now: datetime) -> list[Condition]:
    """Return the conditions of what a rule governs: its own scope without that of more specific ones."""
    others = [one for one in rules if one.weight > rule.weight and one.competes(rule)]
    return [*matching(rule, now), *(_not(matching(other, now)) for other in others)]


def matching(rule: Rule, now: datetime) -> list[Condition]:
    """Return the conditions of a rule's scope."""
    parts: list[tuple[Any, Any]] = [
        (Feedback.project_id, rule.project_id),
        (Feedback.category, rule.category),
        (Feedback.status, rule.status),
    ]
    found: list[Condition] = [column == value for column, value in parts if value is not None]
    return found if rule.query is None else [*found, *query_conditions(rule.query, now)]


def query_conditions(text: str, now: datetime) -> Sequence[Condition]:
    """Return the conditions of a free query. Raises QueryError for one that cannot be read."""
    return parse(text).conditions(QueryContext(now))


def _due(
    session: Session, rule: Rule, alike: Sequence[Rule], before: Sequence[Due], now: datetime
) -> Due | None:
    going = [due for due in before if due.rule.action == DELETE]
    moment = Feedback.updated_at if rule.since == CHANGED else Feedback.created_at
    scope = governed(rule, alike, now)
    if rule.since == CHANGED and rule.status in ENDED:
        # Says nothing new, but a partial index is used only where its own condition is repeated.
        scope.append(Feedback.status.in_([literal_column(f"'{status}'") for status in ENDED]))
    if rule.action != DELETE:
        scope += [_not(due.conditions) for due in going]
    if rule.measure == DAYS:
        assert rule.keep_days is not None
        beyond: Condition | None = moment < now - timedelta(days=rule.keep_days)
    else:
        staying = [] if rule.action != DELETE else [_not(due.free) for due in going]
        beyond = _beyond(session, rule, moment, [*scope, *staying])
        scope += staying
    if beyond is None:
        return None
    return Due(rule, (*scope, beyond, *_undone(rule, before)), moment, _left("text", before))


def _undone(rule: Rule, before: Sequence[Due]) -> list[Condition]:
    """Return the condition that an action has something left to do, after the rules before it did theirs."""
    if rule.action == DROP_SCREENSHOTS:
        dropped = [due for due in before if due.rule.action == DROP_SCREENSHOTS]
        return [Feedback.has_screenshot, *(_not(due.conditions) for due in dropped)]
    if rule.action == ANONYMISE:
        return [or_(false(), *(_left(field, before) for field in rule.fields))]
    return []


def _left(field: str, before: Sequence[Due]) -> Condition:
    """Return the condition that a field has something in it that no rule before takes away."""
    takers = [due for due in before if due.rule.action == ANONYMISE and field in due.rule.fields]
    return and_(keeps_any([field]), *(_not(due.conditions) for due in takers))


def _beyond(
    session: Session, rule: Rule, moment: InstrumentedAttribute[datetime], scope: Sequence[Condition]
) -> Condition | None:
    """Return the condition of what lies beyond a number of submissions or bytes, counted from the newest."""
    newest_first = (moment.desc(), Feedback.id.desc())
    if rule.measure == COUNT:
        query = select(moment, Feedback.id).where(*scope).order_by(*newest_first)
        cut = session.execute(query.offset(rule.keep_submissions).limit(1)).first()
    else:
        assert rule.measure == BYTES
        cut = _cut_by_bytes(session, rule, moment, scope)
    if cut is None:
        return None
    place = tuple_(literal(cut[0], UtcTime()), literal(cut[1], BigInteger()))
    return tuple_(moment, Feedback.id) <= place


def _cut_by_bytes(
    session: Session, rule: Rule, moment: InstrumentedAttribute[datetime], scope: Sequence[Condition]
) -> Any:
    """Return moment and id of the newest submission with which the sum of bytes passes what is kept."""
    total = cast(
        func.sum(submission_bytes()).over(order_by=(moment.desc(), Feedback.id.desc())), BigInteger
    ).label("total")
    sums = (
        select(moment.label("moment"), Feedback.id, total)
        .select_from(Feedback)
        .outerjoin(Screenshot, Screenshot.feedback_id == Feedback.id)
        .where(*scope)
        .subquery()
    )
    return session.execute(
        select(sums.c.moment, sums.c.id)
        .where(sums.c.total > rule.keep_bytes)
        .order_by(sums.c.moment.desc(), sums.c.id.desc())
        .limit(1)
    ).first()


def submission_bytes() -> ColumnElement[int]:
    """Return what a submission counts against its quota: its text and its picture."""
    return func.octet_length(Feedback.description) + func.coalesce(Screenshot.size_bytes, 0)


def _not(conditions: Sequence[Condition]) -> Condition:
    # A comparison with NULL is neither true nor false; what does not match must count as not matching.
    return ~func.coalesce(and_(*conditions), false())
