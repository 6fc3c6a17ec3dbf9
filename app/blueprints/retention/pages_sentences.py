"""Policies as sentences: words that stay, and words that can be changed, each with the name of its field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.models.retention import ANONYMISE, BYTES, CHANGED, COUNT, DELETE, SUBMISSIONS, Rule

PLACES = ("spam", "trash")  # a submission lies in these; other statuses it has
KINDS = {
    "audit": "Audit entries",
    "statistics": "Statistics of statements and requests",
    "slow_log": "Entries of the slow log",
    "sessions": "Ended sessions",
    "deliveries": "Deliveries of webhooks and mail",
    "rate_limits": "Counts of rate limits",
}
FIELDS = {
    "reporter": "who sent them",
    "session": "session",
    "address": "address",
    "agent": "browser",
    "app_state": "state of the page",
    "text": "words",
}


@dataclass(frozen=True)
class Piece:
    """Some words; those with a field can be changed in place."""

    text: str
    field: str = ""


def sentence(rule: Rule, projects: Mapping[int, str]) -> tuple[Piece, ...]:
    """Write a policy as a sentence; `projects` are the names by id."""
    if rule.kind != SUBMISSIONS:
        named = KINDS.get(rule.kind, rule.kind)
        return (Piece(f"{named} are deleted after "), Piece(days(rule.keep_days or 0), "keep"))
    return tuple(_of_submissions(rule, projects))


def plain(rule: Rule, projects: Mapping[int, str]) -> str:
    """Write a policy as one text."""
    return "".join(piece.text for piece in sentence(rule, projects))


def days(count: int) -> str:
    """Write a length, `1 day`, `90 days`."""
    return f"{count:,} day" if count == 1 else f"{count:,} days"


def _of_submissions(rule: Rule, projects: Mapping[int, str]) -> Iterator[Piece]:
    drops = rule.action not in (DELETE, ANONYMISE)
    yield Piece("Pictures" if drops else "Submissions")
    if rule.status is not None:
        yield Piece(" in " if rule.status in PLACES else " marked ")
        yield Piece(rule.status.replace("_", " "), "status")
    if rule.query is None or rule.project_id is not None:
        named = "every project" if rule.project_id is None else projects.get(rule.project_id, "a project")
        yield Piece(" of ")
        yield Piece(named, "project")
    if rule.category is not None:
        yield Piece(" of the kind ")
        yield Piece(rule.category, "category")
    if rule.query is not None:
        yield Piece(" found by ")
        yield Piece(rule.query, "query")
    yield Piece(
        {DELETE: " are deleted ", ANONYMISE: " are made anonymous "}.get(rule.action, " are dropped ")
    )
    yield from _limit(rule)
    if drops:
        yield Piece("; the words stay")


def _limit(rule: Rule) -> Iterator[Piece]:
    if rule.measure == COUNT:
        yield Piece("beyond the newest ")
        yield Piece(f"{rule.keep_submissions:,}", "keep")
    elif rule.measure == BYTES:
        yield Piece("beyond ")
        yield Piece(f"{(rule.keep_bytes or 0) / 1024 / 1024:,.0f} MB", "keep")
    else:
        yield Piece(days(rule.keep_days or 0), "keep")
        yield Piece(" after their last change" if rule.since == CHANGED else " after they arrive")
