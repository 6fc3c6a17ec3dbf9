"""What a plan or a run is asked for: policies in force, or an age; perhaps for some submissions only."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.errors import not_found
from app.models import Feedback, RetentionPolicy
from app.models.removal import Condition
from app.models.retention import SUBMISSIONS, Rule

# The longest age that is taken: a century.
MOST_DAYS = 36_500


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """By default all policies in force; with `older_than` (days since creation) that age instead."""

    policy: str | None = None
    project_id: int | None = None
    statuses: tuple[str, ...] = ()
    older_than: int | None = None
    archive: bool = False

    def rules(self, session: Session) -> list[Rule]:
        """Return the rules that decide what is due; all of them, since specific ones exempt from others."""
        if self.older_than is not None:
            name = f"Older than {self.older_than} {'day' if self.older_than == 1 else 'days'}"
            return [Rule(name=name, keep_days=self.older_than)]
        query = select(RetentionPolicy).where(RetentionPolicy.is_active).order_by(RetentionPolicy.id)
        return [policy.rule() for policy in session.scalars(query)]

    def chosen(self, session: Session, rules: Sequence[Rule]) -> list[Rule]:
        """Return the rules that are carried out. Raises ClientError 404 for a policy that is not there."""
        if self.policy is not None:
            query = select(RetentionPolicy.public_id).where(
                or_(RetentionPolicy.public_id == self.policy, RetentionPolicy.name == self.policy)
            )
            wanted = session.scalar(query)
            if wanted is None:
                raise not_found("This policy")
            rules = [rule for rule in rules if rule.public_id == wanted]
        narrowed = self.project_id is not None or self.statuses
        return [rule for rule in rules if rule.kind == SUBMISSIONS or not narrowed]

    def narrowing(self) -> list[Condition]:
        """Return the conditions that leave other submissions alone."""
        found: list[Condition] = []
        if self.project_id is not None:
            found.append(Feedback.project_id == self.project_id)
        if self.statuses:
            found.append(Feedback.status.in_(self.statuses))
        return found

    def as_json(self) -> dict[str, Any]:
        """Return what a run's row keeps of it; the same for the same wish."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items() if v}


@dataclass(frozen=True, kw_only=True)
class How:
    """By whom and how far: `leave_out` skips projects that lose too much instead of refusing the run."""

    trigger: str
    force: bool = False
    max_seconds: float | None = None
    few: int = 0
    leave_out: bool = False
