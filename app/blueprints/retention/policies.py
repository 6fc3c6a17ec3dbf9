"""Saving policies: the same rules for page, API, command line and a TOML file; and a policy as a sentence."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.blueprints.retention.wanted import MOST_DAYS
from app.clock import rfc3339, utc_now
from app.database.transactions import current_session, transaction
from app.errors import ClientError, FieldError, not_found
from app.models import Project, RetentionPolicy, audit
from app.models.query import QueryError, parse, people
from app.models.retention import ANONYMISE, BYTES, CHANGED, COUNT, DAYS, DELETE, SUBMISSIONS, Rule
from app.validation import Strict, field_errors

KEEPS = ("keep_days", "keep_submissions", "keep_bytes")
SCOPE = ("project", "category", "status", "query")
# Where null is a value of its own: it widens the scope, or leaves a measure out.
NULLABLE = frozenset({*KEEPS, *SCOPE})
MOST_POLICIES = 500

Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^\P{Cc}*$")
]
Status = Literal["open", "in_progress", "resolved", "closed", "rejected", "spam", "trash"]
Kind = Literal["submissions", "audit", "statistics", "slow_log", "sessions", "deliveries", "rate_limits"]
Action = Literal["delete", "drop_screenshots", "anonymise"]
Since = Literal["created", "changed"]
Lost = Literal["reporter", "session", "address", "agent", "app_state", "text"]


class PolicyFields(Strict):
    """A policy's fields; what is left out stays, or has its default."""

    name: Word | None = None
    kind: Kind | None = None
    project: Annotated[str, Field(max_length=64, description="Public key of a project.")] | None = None
    category: Annotated[str, Field(max_length=64)] | None = None
    status: Status | None = None
    query: Annotated[str, Field(max_length=2000, description="As the inbox is searched.")] | None = None
    keep_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None
    keep_submissions: Annotated[int, Field(ge=1, le=10**9)] | None = None
    keep_bytes: Annotated[int, Field(ge=1, le=2**60)] | None = None
    since: Since | None = None
    action: Action | None = None
    fields: Annotated[list[Lost], Field(max_length=6)] | None = None
    archive: bool | None = None
    is_active: bool | None = None


class NewPolicy(PolicyFields):
    """A policy to be made."""

    name: Word


@dataclass(frozen=True)
class Applied:
    """What a file changed, by the names of policies."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


def all_policies() -> Sequence[RetentionPolicy]:
    """Return all policies in the order in which they were made."""
    return current_session().scalars(select(RetentionPolicy).order_by(RetentionPolicy.id)).all()


def load(public_id: str) -> RetentionPolicy:
    """Load a policy by its id or its name. Raises ClientError 404."""
    session = current_session()
    found = RetentionPolicy.by_public_id(session, public_id) or _named(session, public_id)
    if found is None:
        raise not_found("This policy")
    return found


def create(values: Mapping[str, Any]) -> RetentionPolicy:
    """Make a policy. Raises ClientError 422 for wrong fields, 409 for a name or a scope that is taken."""
    with transaction() as session:
        return _create(session, values)


def change(public_id: str, values: Mapping[str, Any]) -> RetentionPolicy:
    """Change a policy; what is left out stays. Raises ClientError 404, 409, 422."""
    with transaction() as session:
        found = load(public_id)
        if _set(session, found, values):
            _save(session, found, "policy.change")
    return found


def delete(public_id: str) -> RetentionPolicy:
    """Delete a policy; what it governed falls to the next less specific one. Raises ClientError 404."""
    with transaction() as session:
        found = load(public_id)
        session.delete(found)
        audit.record(session, "policy.delete", target=f"policy:{found.public_id}", details=_recorded(found))
        session.flush()
        session.expunge(found)
    return found


def read_file(path: Path) -> list[dict[str, Any]]:
    """Read the `[[policy]]` tables of a TOML file. Raises ClientError 422 that names table and field."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ClientError(422, "validation_failed", f"{path.name} is no TOML: {error}") from None
    tables = content.get("policy")
    if set(content) != {"policy"} or not isinstance(tables, list) or len(tables) > MOST_POLICIES:
        raise ClientError(422, "validation_failed", f"{path.name} holds [[policy]] tables and nothing else.")
    found = [_read_table(number, table) for number, table in enumerate(tables, start=1)]
    names = [values["name"] for values in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ClientError(422, "validation_failed", f"{path.name} names the policy {twice[0]} twice.")
    return found


def apply(wanted: Sequence[Mapping[str, Any]], *, prune: bool = False, dry_run: bool = False) -> Applied:
    """Make policies as a file says, by name, all or none; a second time changes nothing.

    What the file leaves out of a policy has its default. Policies it does not name stay, unless `prune`.
    Raises ClientError 409, 422.
    """
    sorted_by: dict[str, list[str]] = {"created": [], "changed": [], "unchanged": [], "removed": []}
    names = {values["name"] for values in wanted}
    try:
        with transaction() as session:
            if prune:
                for left in [policy for policy in all_policies() if policy.name not in names]:
                    sorted_by["removed"].append(left.name)
                    details = _recorded(left)
                    session.delete(left)
                    audit.record(session, "policy.delete", target=f"policy:{left.public_id}", details=details)
                session.flush()
            for values in wanted:
                sorted_by[_apply(session, values)].append(values["name"])
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return Applied(**{name: tuple(found) for name, found in sorted_by.items()})


def given(body: PolicyFields) -> dict[str, Any]:
    """Return the fields that a body names. Raises ClientError 422 for a null where none can be."""
    values = body.model_dump(exclude_unset=True)
    wrong = [name for name, value in values.items() if value is None and name not in NULLABLE]
    if wrong:
        faults = [FieldError(name, "is not null") for name in wrong]
        raise ClientError(422, "validation_failed", "Some fields are not right.", faults)
    return values


def as_json(policy: RetentionPolicy) -> dict[str, Any]:
    """Return a policy as the API answers it."""
    project = _project_of(policy.project_id)
    return {
        "id": policy.public_id,
        "name": policy.name,
        "kind": policy.kind,
        "project": None if project is None else project.public_key,
        **{name: getattr(policy, name) for name in ("category", "status", "query", *KEEPS)},
        **{name: getattr(policy, name) for name in ("since", "action", "fields", "archive", "is_active")},
        "sentence": sentence(policy.rule()),
        "created_at": rfc3339(policy.created_at),
        "updated_at": rfc3339(policy.updated_at),
    }


def sentence(rule: Rule) -> str:
    """Write a policy as a sentence: `Submissions marked resolved of every project are deleted …`."""
    if rule.kind != SUBMISSIONS:
        return f"{_OTHERS[rule.kind]} are deleted after {_days(rule.keep_days)}."
    return f"{_whom(rule)} {_what(rule)} {_when(rule)}."


class _DryRun(Exception):
    """Rolls back what a dry run tried."""


_OTHERS = {
    "audit": "Audit entries",
    "statistics": "Statistics",
    "slow_log": "Entries of the slow log",
    "sessions": "Sessions, counted from their last use,",
    "deliveries": "Deliveries",
    "rate_limits": "Counters of rate limits, counted from their end,",
}


def _whom(rule: Rule) -> str:
    words = ["Pictures of submissions" if rule.action == "drop_screenshots" else "Submissions"]
    if rule.status is not None:
        words.append("marked " + rule.status.replace("_", " "))
    if rule.category is not None:
        words.append(f"in {rule.category}")
    project = _project_of(rule.project_id)
    words.append("of every project" if project is None else f"of {project.name}")
    if rule.query is not None:
        words.append(f"that match {rule.query}")
    return " ".join(words)


def _what(rule: Rule) -> str:
    if rule.action == DELETE:
        return "are archived and deleted" if rule.archive else "are deleted"
    if rule.action == ANONYMISE:
        return f"lose {', '.join(name.replace('_', ' ') for name in rule.fields)}"
    return "are dropped"


def _when(rule: Rule) -> str:
    moment = "after their last change" if rule.since == CHANGED else "after they arrive"
    if rule.measure == DAYS:
        return f"{_days(rule.keep_days)} {moment}"
    newest = "last changed" if rule.since == CHANGED else "newest"
    if rule.measure == COUNT:
        return f"beyond the {rule.keep_submissions:,} {newest}"
    assert rule.measure == BYTES
    return f"beyond {rule.keep_bytes:,} bytes, the {newest} first"


def _days(days: int | None) -> str:
    return "1 day" if days == 1 else f"{days:,} days"


def _named(session: Session, name: str) -> RetentionPolicy | None:
    return session.scalar(select(RetentionPolicy).where(RetentionPolicy.name == name))


def _project_of(project_id: int | None) -> Project | None:
    return None if project_id is None else current_session().get(Project, project_id)


def _read_table(number: int, table: Any) -> dict[str, Any]:
    try:
        return given(NewPolicy.model_validate(table))
    except ValidationError as error:
        faults = [FieldError(f"policy {number}: {one.field}", one.message) for one in field_errors(error)]
        raise ClientError(422, "validation_failed", "The file was not applied.", faults) from None


def _create(session: Session, values: Mapping[str, Any]) -> RetentionPolicy:
    # The measure is checked below, when all values are set.
    made = RetentionPolicy(name=values["name"])
    with session.no_autoflush:
        _set(session, made, values)
        session.add(made)
        _save(session, made, "policy.create")
    return made


def _apply(session: Session, values: Mapping[str, Any]) -> str:
    found = _named(session, values["name"])
    if found is None:
        _create(session, values)
        return "created"
    if not _set(session, found, _DEFAULTS | dict(values)):
        return "unchanged"
    _save(session, found, "policy.change")
    return "changed"


_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys((*SCOPE, *KEEPS)),
    "kind": SUBMISSIONS,
    "since": "created",
    "action": DELETE,
    "fields": [],
    "archive": False,
    "is_active": True,
}


def _set(session: Session, policy: RetentionPolicy, values: Mapping[str, Any]) -> bool:
    """Set fields; a measure that is given replaces another. Tells whether anything is different."""
    wanted = dict(values)
    if "project" in wanted:
        wanted["project_id"] = _project_id(session, wanted.pop("project"))
    if any(wanted.get(name) is not None for name in KEEPS):
        wanted = dict.fromkeys(KEEPS) | wanted
    if "fields" in wanted:
        wanted["fields"] = sorted(set(wanted["fields"]))
    if wanted.get("query") is not None:
        wanted["query"] = _query(wanted["query"])
    changed = {name: value for name, value in wanted.items() if getattr(policy, name) != value}
    with session.no_autoflush:
        for name, value in changed.items():
            setattr(policy, name, value)
    return bool(changed)


def _save(session: Session, policy: RetentionPolicy, action: str) -> None:
    with session.no_autoflush:
        _check(policy)
        _check_others(session, policy)
    policy.updated_at = utc_now()
    session.flush()
    audit.record(session, action, target=f"policy:{policy.public_id}", details=_recorded(policy))


def _recorded(policy: RetentionPolicy) -> dict[str, Any]:
    """Return a policy as the audit log keeps it, which never forgets: whom its query names is left out."""
    said = as_json(policy)
    if policy.query is None:
        return said
    query = people.withheld(policy.query)
    return {**said, "query": query, "sentence": sentence(replace(policy.rule(), query=query))}


def _check(policy: RetentionPolicy) -> None:
    """Raise ClientError 422 for fields that do not fit each other."""
    kept = [name for name in KEEPS if getattr(policy, name) is not None]
    faults = []
    if len(kept) != 1:
        faults.append(FieldError("keep_days", f"one of {', '.join(KEEPS)} is needed, and one only"))
    if policy.kind != SUBMISSIONS:
        scope = ("project_id", "category", "status", "query")
        if kept != ["keep_days"] or policy.action != DELETE or policy.archive:
            faults.append(FieldError("kind", f"{policy.kind} are deleted, by their age in days"))
        if any(getattr(policy, name) is not None for name in scope):
            faults.append(FieldError("kind", f"{policy.kind} have no project, category, status or query"))
    if (policy.action == ANONYMISE) != bool(policy.fields):
        faults.append(FieldError("fields", "are named where, and only where, the action is anonymise"))
    if policy.archive and policy.action != DELETE:
        faults.append(FieldError("archive", "is for policies that delete"))
    if faults:
        raise ClientError(422, "validation_failed", "The policy was not saved.", faults)


def _check_others(session: Session, policy: RetentionPolicy) -> None:
    """Raise ClientError 409 when a name is taken, or when two policies would govern a submission alike."""
    others = session.scalars(select(RetentionPolicy).where(RetentionPolicy.id != (policy.id or 0)))
    for other in others:
        if other.name == policy.name:
            raise ClientError(409, "conflict", f"There is a policy named {policy.name} already.")
        if other.is_active and policy.is_active and policy.rule().ties(other.rule()):
            raise ClientError(
                409,
                "policy_tie",
                f"{policy.name} and {other.name} would govern the same submissions, neither more specific. "
                "Give one a narrower project, category or status, or change the other.",
                [FieldError("name", f"ties with {other.name}")],
            )


def _project_id(session: Session, key: str | None) -> int | None:
    if key is None:
        return None
    found = session.scalar(select(Project.id).where(Project.public_key == key))
    if found is None:
        fault = FieldError("project", "is not the key of a project")
        raise ClientError(422, "validation_failed", "Some fields are not right.", [fault])
    return found


def _query(text: str) -> str | None:
    """Return a query as it prints itself. Raises ClientError 422 for one that cannot be a policy's."""
    try:
        query = parse(text)
    except QueryError as error:
        fault = FieldError("query", error.details[0].message)
        raise ClientError(422, "query_invalid", "The policy was not saved.", [fault]) from None
    if "me" in (query.value("assignee"), query.value("mentions")):
        fault = FieldError("query", "a policy is nobody's: write whom you mean instead of me")
        raise ClientError(422, "query_invalid", "The policy was not saved.", [fault])
    return str(query) or None
