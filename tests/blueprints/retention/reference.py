"""What policies make due, by loops over plain rows: the naive reference that the SQL must agree with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.models.feedback import Feedback
from app.models.forgetting import EMPTY
from app.models.retention import Rule


@dataclass
class Outcome:
    """Ids by what becomes of them."""

    deleted: set[int] = field(default_factory=set)
    dropped: set[int] = field(default_factory=set)
    anonymised: dict[int, set[str]] = field(default_factory=dict)


def carry_out(rows: Sequence[Feedback], rules: Sequence[Rule], now: datetime) -> Outcome:
    """Go through all rules in order, all rows each."""
    outcome = Outcome()
    due_for_deletion: set[int] = set()
    for measure in ("days", "submissions", "bytes"):
        for rule_rows, rule in _governed(rows, rules, "delete", measure):
            staying = [row for row in rule_rows if row.id not in outcome.deleted]
            for row in _beyond(staying if measure != "days" else rule_rows, rule, now):
                due_for_deletion.add(row.id)
        outcome.deleted = {row.id for row in rows if row.id in due_for_deletion and not row.held}
    left = [row for row in rows if row.id not in due_for_deletion]
    for measure in ("days", "submissions", "bytes"):
        for rule_rows, rule in _governed(left, rules, "drop_screenshots", measure):
            gone = _beyond(rule_rows, rule, now)
            outcome.dropped |= {row.id for row in gone if row.has_screenshot and not row.held}
        for rule_rows, rule in _governed(left, rules, "anonymise", measure):
            for row in _beyond(rule_rows, rule, now):
                if not row.held and _has_any(row, rule.fields):
                    outcome.anonymised.setdefault(row.id, set()).update(rule.fields)
    return outcome


def _governed(rows, rules, action, measure):
    alike = [rule for rule in rules if (rule.action, rule.measure) == (action, measure)]
    for rule in alike:
        mine = []
        for row in rows:
            matching = [one for one in alike if _matches(row, one)]
            if matching and max(matching, key=_weight) is rule:
                mine.append(row)
        yield mine, rule


def _weight(rule):
    return 8 * bool(rule.query) + 4 * bool(rule.project_id) + 2 * bool(rule.category) + bool(rule.status)


def _matches(row, rule):
    return (
        rule.project_id in (None, row.project_id)
        and rule.category in (None, row.category)
        and rule.status in (None, row.status)
        and (rule.query is None or row.rating == 1)  # the only query of the test: rating:1
    )


def _moment(row, rule):
    return row.updated_at if rule.since == "changed" else row.created_at


def _beyond(rows, rule, now):
    if rule.measure == "days":
        return [row for row in rows if _moment(row, rule) < now - timedelta(days=rule.keep_days)]
    newest = sorted(rows, key=lambda row: (_moment(row, rule), row.id), reverse=True)
    if rule.measure == "submissions":
        return newest[rule.keep_submissions :]
    total, beyond = 0, []
    for row in newest:
        total += len(row.description.encode()) + (row.screenshot.size_bytes if row.screenshot else 0)
        if total > rule.keep_bytes:
            beyond.append(row)
    return beyond


def _has_any(row, fields):
    return any(
        getattr(row, name) != value for field_name in fields for name, value in EMPTY[field_name].items()
    )
