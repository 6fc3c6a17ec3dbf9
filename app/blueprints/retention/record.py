"""The row of a run: begun or taken up, noted with every batch, ended with an entry of the audit log."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from app.blueprints.retention.wanted import How, Wanted
from app.clock import utc_now
from app.database.transactions import current_session, transaction
from app.models import RetentionRun, audit
from app.models.removal import Removed
from app.models.retention import SUBMISSIONS, Rule
from app.models.retention_schedule import GOES_ON


@dataclass
class Record:
    """What a run at work has done so far, as its row tells it."""

    run_id: int
    began: float = field(default_factory=time.monotonic)
    earlier_ms: int = 0  # of the same run, before it was stopped
    longest_lock_ms: int = 0
    lines: dict[str, dict[str, Any]] = field(default_factory=dict)

    @staticmethod
    def begin(wanted: Wanted, how: How, now: datetime) -> "Record":
        """Add the run's row, or take up that of the same run which was stopped or killed before its end."""
        with transaction() as session:
            last = RetentionRun.last(session)
            if last is not None and last.outcome == "running":
                last.outcome, last.message = "killed", "Its process was killed; the next run goes on."
            same = last is not None and (last.trigger, last.request) == (how.trigger, wanted.as_json())
            if last is None or not same or last.outcome not in GOES_ON:
                last = _row(wanted, how, now)
                session.add(last)
            last.outcome, last.seen_at, last.finished_at = "running", now, None
            session.flush()
            return Record(
                last.id,
                earlier_ms=last.duration_ms,
                longest_lock_ms=last.longest_lock_ms,
                lines={line["name"]: dict(line) for line in last.lines},
            )

    @property
    def duration_ms(self) -> int:
        """Time at work so far, pauses included."""
        return self.earlier_ms + round((time.monotonic() - self.began) * 1000)

    def note(self, session: Session, rule: Rule, rows: int, removed: Removed) -> None:
        """Write a batch's figures into the row, in the batch's own transaction."""
        if rows:
            self._add(rule, rows, removed)
        is_submission = rule.kind == SUBMISSIONS
        figures = {
            "run": self.run_id,
            "gone": removed.submissions,
            "pictures": removed.screenshots,
            "altered": rows - removed.submissions if is_submission else 0,
            "other": 0 if is_submission else rows,
            "bytes": removed.bytes,
            "took": self.duration_ms,
            "longest": self.longest_lock_ms,
            "told": list(self.lines.values()),
        }
        session.connection().execute(_NOTE, figures)

    def _add(self, rule: Rule, rows: int, removed: Removed) -> None:
        line = self.lines.setdefault(
            rule.name,
            {"policy": rule.public_id or None, "name": rule.name, "kind": rule.kind, "action": rule.action,
             "rows": 0, "screenshots": 0, "bytes": 0},
        )  # fmt: skip
        line["rows"] += rows
        line["screenshots"] += removed.screenshots
        line["bytes"] += removed.bytes

    def end(self, outcome: str, message: str) -> RetentionRun:
        """Write how the run ended, with its entry in the audit log; returns the row, detached."""
        with transaction() as session:
            row = session.get_one(RetentionRun, self.run_id)
            row.outcome, row.message = outcome, message
            row.finished_at = utc_now()
            row.duration_ms, row.longest_lock_ms = self.duration_ms, self.longest_lock_ms
            session.flush()
            figures = {"submissions": row.submissions, "screenshots": row.screenshots, "changed": row.changed,
                       "others": row.others, "bytes": row.freed_bytes, "request": row.request}  # fmt: skip
            audit.record(
                session, "retention.run", target=f"run:{row.public_id}", outcome=outcome, details=figures
            )
        session = current_session()
        session.refresh(row)
        session.expunge(row)
        session.rollback()
        return row


def refused(wanted: Wanted, how: How, now: datetime, message: str) -> None:
    """Write a run of its own: what one that was stopped has to do is not touched by it."""
    with transaction() as session:
        row = _row(wanted, how, now)
        row.outcome, row.message, row.finished_at = "refused", message, now
        session.add(row)
        session.flush()
        details = {"reason": message, "request": row.request}
        audit.record(
            session, "retention.run", target=f"run:{row.public_id}", outcome="refused", details=details
        )


def _row(wanted: Wanted, how: How, now: datetime) -> RetentionRun:
    return RetentionRun(
        trigger=how.trigger,
        actor=audit.current_acting().actor,
        request=wanted.as_json(),
        started_at=now,
        seen_at=now,
    )


_runs = cast(Table, RetentionRun.__table__)
_NOTE = (
    update(_runs)
    .where(_runs.c.id == bindparam("run"))
    .values(
        submissions=_runs.c.submissions + bindparam("gone"),
        screenshots=_runs.c.screenshots + bindparam("pictures"),
        changed=_runs.c.changed + bindparam("altered"),
        others=_runs.c.others + bindparam("other"),
        freed_bytes=_runs.c.freed_bytes + bindparam("bytes"),
        batches=_runs.c.batches + 1,
        duration_ms=bindparam("took"),
        longest_lock_ms=bindparam("longest"),
        lines=bindparam("told"),
    )
)
