"""Until when a submission is kept, by the policies in force: what its reporter is told."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.due import governed
from app.models.feedback import Feedback
from app.models.retention import CHANGED, DELETE, SUBMISSIONS, RetentionPolicy


def kept_until(session: Session, found: Feedback, now: datetime) -> datetime | None:
    """Return when the first policy by age deletes a submission as it is now, in two statements.

    None where none does, or a hold keeps it longer.
    """
    if found.held:
        return None
    policies = session.scalars(
        select(RetentionPolicy).where(
            RetentionPolicy.kind == SUBMISSIONS,
            RetentionPolicy.is_active,
            RetentionPolicy.action == DELETE,
            RetentionPolicy.keep_days.is_not(None),
        )
    )
    rules = [policy.rule() for policy in policies]
    if not rules:
        return None
    governs = (
        select(Feedback.id).where(Feedback.id == found.id, *governed(rule, rules, now)).exists()
        for rule in rules
    )
    answers = session.execute(select(*(each.label(f"rule_{n}") for n, each in enumerate(governs)))).one()
    moments = [
        (found.updated_at if rule.since == CHANGED else found.created_at)
        + timedelta(days=rule.keep_days or 0)
        for rule, holds in zip(rules, answers, strict=True)
        if holds
    ]
    return min(moments, default=None)
