"""The data map: every column of every table with what it is, why it is there, how long it stays and where.

Which columns there are is read from the tables; what is said of them stands here, and a test compares. How
long submissions stay is read from the policies in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Table, select

from app.database.transactions import current_session
from app.models import RetentionPolicy
from app.models.base import Base

DATABASE = "database"
POLICY = "policy"  # how long: what the policies say of submissions
WITH_IT = "as long as its submission"


@dataclass(frozen=True)
class Kind:
    """One kind of data: a title, why it is kept, how long, its tables.

    `stays` is a kind of policy (`submissions`, `audit`, …) or a sentence.
    """

    title: str
    why: str
    stays: str
    tables: tuple[str, ...]
    place: str = "database"


@dataclass(frozen=True)
class Column:
    """One column as the map shows it; `personal` where it can say something of one person."""

    table: str
    name: str
    says: str
    personal: bool


@dataclass(frozen=True)
class Group:
    """One kind of data as the map shows it."""

    title: str
    why: str
    stays: str
    place: str
    columns: tuple[Column, ...]


KINDS = (
    Kind(
        "Submissions",
        "What a reporter sent, so that somebody can act on it.",
        "submissions",
        ("feedback_submissions",),
        "database, its search index; the archive, where a policy says so",
    ),
    Kind(
        "Pictures",
        "The page as the reporter saw it, marked and redacted by them.",
        WITH_IT,
        ("feedback_screenshots",),
        "database; the pictures in the blob store",
    ),
    Kind(
        "Threads",
        "The talk with the reporter, and what was done with a submission.",
        WITH_IT,
        ("messages", "submission_events", "feedback_tags"),
    ),
    Kind(
        "Acts on many",
        "What one act changed, so that it can be taken back.",
        "a short while, until it cannot be taken back any more",
        ("acts", "act_rows"),
    ),
    Kind("Tags", "Words by which a team sorts its submissions.", "until somebody deletes them", ("tags",)),
    Kind(
        "Holds",
        "What keeps submissions from every deletion, and why.",
        "for good, as a record of decisions",
        ("holds", "held_submissions"),
    ),
    Kind(
        "Archive",
        "Submissions that a policy put away before deleting them.",
        "EARMARK_ARCHIVE_DAYS",
        ("archive_parts", "archived_submissions"),
        "database; the submissions as gzip JSON in the blob store",
    ),
    Kind(
        "Accounts",
        "People of the team who sign in, and what they sign in with.",
        "until the account is deleted; sessions by policy",
        ("users", "sessions", "api_tokens", "account_links", "recovery_codes"),
    ),
    Kind(
        "Settings",
        "Projects and their widgets, views, policies.",
        "until somebody deletes them",
        ("projects", "saved_views", "retention_policies"),
    ),
    Kind(
        "Audit log",
        "Who did what, and the proof that nobody changed the record.",
        "audit",
        ("audit_entries", "audit_anchors"),
    ),
    Kind(
        "Erasures",
        "That somebody was erased, without saying who: so that no old copy brings them back.",
        "for good",
        ("erasures",),
        "database; the tombstones in the blob store",
    ),
    Kind(
        "Counts",
        "Numbers of submissions by day, kind and page for lists and dashboard. They name nobody.",
        "as long as there is something to count",
        ("daily_counts", "fact_counts", "quarter_counts", "response_counts", "rollup_state"),
    ),
    Kind(
        "Search",
        "Words of submissions and threads, to find them by.",
        WITH_IT,
        ("search_state", "search_touched"),
        "the search index of the database",
    ),
    Kind(
        "Performance",
        "How long statements, requests and pages took. Values of statements are never kept.",
        "statistics",
        (
            "query_statistics",
            "query_texts",
            "request_statistics",
            "browser_statistics",
            "resource_samples",
            "processes",
        ),
    ),
    Kind(
        "Slow log",
        "Statements that took too long, without their values.",
        "slow_log",
        ("slow_queries",),
    ),
    Kind(
        "Housekeeping",
        "What a sweep or a clean-up did, and which blobs it still has to delete.",
        "the last runs; an owed deletion until it is done",
        ("retention_runs", "space_runs", "blob_outbox"),
    ),
)
# What is said of a column wherever it stands.
EVERYWHERE = {
    "id": "number inside the database; never leaves the server",
    "public_id": "unguessable name in addresses",
    "created_at": "when it was made",
    "updated_at": "when it was changed last",
    "project_id": "which project",
    "feedback_id": "which submission",
    "user_id": "whose it is",
    "name": "its name",
    "kind": "which kind it is",
    "role": "what it may do",
    "status": "box of the inbox",
    "category": "category",
    "query": "filter of the inbox",
    "is_active": "whether it is in use",
    "token_hash": "hash of a secret; the secret itself is kept nowhere",
    "expires_at": "when it ends by itself",
    "submissions": "how many submissions",
    "screenshots": "how many pictures",
    "day": "which day",
    "seconds": "length of the span in seconds",
    "start": "when the span began",
    "worker": "which process counted",
    "count": "how often",
    "total_us": "microseconds in all",
    "min_us": "shortest, in microseconds",
    "max_us": "longest, in microseconds",
    "histogram": "how many took how long",
    "errors": "how many failed",
    "last_seen": "when it was seen last",
    "fingerprint": "hash of the statement's shape",
    "started_at": "when it began",
    "finished_at": "when it ended",
    "duration_ms": "how long it took",
    "size_bytes": "size",
    "hash": "hash of the entry, chained to the one before",
    "previous_hash": "hash of the one before",
    "gauges": "memory, disk and connections at that moment",
    "version": "number that rises with each change",
}
SAID: Mapping[str, Mapping[str, str]] = {
    "feedback_submissions": {
        "description": "the reporter's words",
        "url": "address of the page it was sent from",
        "session_id": "session that the page gave the browser",
        "timestamp": "the browser's clock",
        "browser": "browser and its version",
        "os": "operating system",
        "user_agent": "agent string as sent",
        "screen_resolution": "size of the screen",
        "viewport_size": "size of the window",
        "device_pixel_ratio": "pixels of the screen for one of the page",
        "has_screenshot": "whether there is a picture",
        "has_annotation": "whether there are marks",
        "annotation_coords": "the marks and their words",
        "screenshot_scale": "pixels of the picture for one of the page",
        "api_state": "state that the page chose to send",
        "custom": "fields that the page chose to send",
        "rating": "1 to 5",
        "reporter_id": "id that the page gave the reporter",
        "reporter_name": "the reporter's name",
        "reporter_email": "the reporter's e-mail",
        "first_answered_at": "when it was answered first",
        "settled_at": "when it was settled",
        "is_read": "whether it was read",
        "is_archived": "whether it was put aside",
        "admin_notes": "notes of the team",
        "idempotency_key": "key by which a retry is known",
        "content_digest": "hash of what was sent, to know a retry",
        "address_hash": "keyed hash of the sender's address; the address is kept nowhere",
        "held": "whether a hold keeps it",
        "assignee_id": "who works on it",
        "link_number": "number of the reporter's link; rises when the link is revoked",
    },
    "feedback_screenshots": {
        "blob_key": "name of the picture in the blob store",
        "thumbnail_key": "name of its thumbnail",
        "media_type": "format",
        "width": "pixels",
        "height": "pixels",
        "state": "how far its re-encoding has come",
        "failure": "why it cannot be shown",
        "lease_until": "until when a worker has it",
        "attempts": "how often it was tried",
    },
    "messages": {
        "event_id": "its place in the timeline",
        "text": "what was written",
        "author": "name of who wrote it; empty for the reporter",
        "author_id": "account of who wrote it",
    },
    "submission_events": {
        "actor": "name of who did it",
        "actor_id": "account of who did it",
        "details": "what changed, from and to",
    },
    "feedback_tags": {"tag_id": "which tag"},
    "acts": {"values": "what was set", "undone_at": "when it was taken back", "count": "how many it changed"},
    "act_rows": {
        "act_id": "which act",
        "assignee_id": "who worked on it before",
        "is_archived": "whether it was put aside before",
        "is_read": "whether it was read before",
        "settled_at": "when it was settled before",
    },
    "tags": {"key": "the name as names are compared", "color": "colour"},
    "holds": {
        "covers": "one submission, or a filter",
        "reason": "why",
        "placed_by": "who placed it",
        "until": "when it ends by itself",
        "released_at": "when it ended",
        "released_by": "who ended it",
    },
    "held_submissions": {"hold_id": "which hold"},
    "archive_parts": {
        "month": "month of its submissions",
        "name": "name of its blobs",
        "sha256": "hash of the blob",
        "oldest": "when its first submission was made",
        "newest": "when its last submission was made",
    },
    "archived_submissions": {"part_id": "which part holds it", "sha256": "hash of its line"},
    "users": {
        "email": "e-mail, for signing in",
        "name": "name shown to the team",
        "password_hash": "hash of the password (Argon2id)",
        "totp_nonce": "number from which the second factor is derived with the instance's secret",
        "totp_confirmed_at": "since when the second factor is asked for",
        "totp_last_step": "last code that was used, so that none is used twice",
    },
    "account_links": {"purpose": "invitation, or a new password"},
    "recovery_codes": {"code_hash": "hash of a code; the code is kept nowhere"},
    "sessions": {"user_agent": "browser of the sign-in", "seen_at": "when it was used last"},
    "api_tokens": {
        "last4": "the secret's last four characters, to tell tokens apart",
        "last_used_at": "when it was used last",
        "revoked_at": "when it was revoked",
    },
    "projects": {
        "public_key": "key in the script tag",
        "origins": "sites that may send",
        "categories": "categories of its widget",
        "ask_name": "whether the widget asks for a name",
        "ask_email": "whether it asks for an e-mail",
        "ask_rating": "whether it asks for a rating",
        "screenshots": "whether it takes pictures",
        "theme": "light or dark",
        "position": "corner of the page",
        "locale": "language",
        "texts": "words of the widget",
        "consent": "sentence the reporter agrees to",
        "privacy_url": "address of the privacy notice",
        "rate_limit": "submissions taken from one address",
        "byte_quota": "bytes it may keep",
        "stored_bytes": "bytes it keeps",
        "tag_seen_at": "when its script tag was seen first",
    },
    "saved_views": {"is_shared": "whether everybody sees it"},
    "retention_policies": {
        "keep_days": "days that data stays",
        "keep_submissions": "submissions that stay at most",
        "keep_bytes": "bytes that stay at most",
        "since": "counted from when it was made, or changed",
        "action": "delete, anonymise, or drop the picture",
        "fields": "what anonymising takes away",
        "archive": "whether it is archived before",
    },
    "audit_entries": {
        "actor": "who acted: e-mail, command or job",
        "request_id": "id of the request or run",
        "action": "what was done",
        "target": "to what",
        "outcome": "done or refused",
        "details": "what changed",
    },
    "audit_anchors": {
        "through_id": "last entry that it stands for",
        "entries": "how many entries it stands for",
        "last_at": "when the last of them was written",
        "closed_at": "when they were removed",
        "signature": "keyed hash over all of it",
    },
    "erasures": {
        "mark": "keyed hash of what named the person",
        "requested_by": "who asked for it",
        "removed": "how many of what went",
        "certificate": "the signed certificate",
    },
    "daily_counts": {"is_archived": "whether put aside", "unread": "how many are unread"},
    "fact_counts": {"fact": "what is counted: page, browser, release …", "value": "which of them"},
    "response_counts": {"measure": "which length of time", "bucket": "how long"},
    "rollup_state": {"counted_to": "up to which submission is counted"},
    "search_state": {"indexed_to": "up to which submission is indexed"},
    "query_statistics": {
        "rows": "rows read",
        "slow": "how many were slow",
        "callers": "lines of code",
    },
    "query_texts": {"text": "the statement, without its values"},
    "request_statistics": {
        "route": "the route's pattern",
        "statements": "statements issued",
        "statements_max": "most in one request",
        "database_us": "microseconds in the database",
        "repeats": "statements that repeat",
    },
    "browser_statistics": {"page": "the page's pattern", "metric": "which timing"},
    "resource_samples": {"taken_at": "when"},
    "processes": {
        "pid": "number of the process",
        "seen_at": "when it reported last",
        "end_statement": "statement that it is asked to end",
    },
    "slow_queries": {
        "text": "the statement, without its values",
        "origin": "route, job or command",
        "request_id": "id of the request",
        "line": "line of the program",
        "duration_us": "how long it took",
        "rows": "rows read",
        "error": "how it failed",
        "plan": "how the database ran it",
    },
    "retention_runs": {
        "trigger": "timetable, person or command",
        "actor": "who began it",
        "request": "what was asked for",
        "seen_at": "when it was last at work",
        "outcome": "how it ended",
        "message": "why it ended so",
        "changed": "how many were anonymised",
        "others": "rows of other kinds that went",
        "freed_bytes": "bytes freed",
        "batches": "short transactions",
        "longest_lock_ms": "longest time that writers waited",
        "lines": "figures by policy",
    },
    "space_runs": {
        "used_bytes": "bytes in use",
        "before_bytes": "size before",
        "after_bytes": "size after",
        "peak_bytes": "most disk taken meanwhile",
        "started_by": "who began it",
    },
    "blob_outbox": {"blob_keys": "names of blobs to delete", "blobs": "how many"},
}
PERSONAL = {
    "feedback_submissions": {
        "description", "url", "session_id", "browser", "os", "user_agent", "annotation_coords", "api_state",
        "custom", "reporter_id", "reporter_name", "reporter_email", "admin_notes", "address_hash",
        "assignee_id",
    },
    "feedback_screenshots": {"blob_key", "thumbnail_key"},
    "messages": {"text", "author", "author_id"},
    "submission_events": {"actor", "actor_id", "details"},
    "acts": {"user_id"},
    "act_rows": {"assignee_id"},
    "holds": {"reason", "placed_by", "released_by", "query"},
    "users": {"email", "name"},
    "sessions": {"user_id", "user_agent", "seen_at"},
    "api_tokens": {"user_id", "last_used_at"},
    "saved_views": {"user_id", "name", "query"},
    "audit_entries": {"actor", "target", "details"},
    "erasures": {"mark", "requested_by"},
    "retention_runs": {"actor"},
    "space_runs": {"started_by"},
}  # fmt: skip


def groups() -> list[Group]:
    """Return the data map, how long submissions stay as the policies in force say."""
    return [
        Group(kind.title, kind.why, _stays(kind.stays), kind.place, tuple(_columns(kind))) for kind in KINDS
    ]


def undescribed() -> set[str]:
    """Return `table.column` of all that the map says nothing of; a test keeps it empty."""
    mapped = {name for kind in KINDS for name in kind.tables}
    return {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if table.name not in mapped or _says(table, column.name) is None
    }


def stale() -> set[str]:
    """Return `table.column` of all that is described and not there."""
    tables = Base.metadata.tables
    return {
        f"{name}.{column}"
        for name, columns in SAID.items()
        for column in columns
        if column not in tables[name].columns
    }


def _columns(kind: Kind) -> list[Column]:
    found = []
    for name in kind.tables:
        table = Base.metadata.tables[name]
        for column in table.columns:
            said = _says(table, column.name)
            personal = column.name in PERSONAL.get(name, ())
            found.append(Column(name, column.name, said or "not described", personal))
    return found


def _says(table: Table, column: str) -> str | None:
    if table.name == "quarter_counts" and column.startswith("q"):
        return "submissions of one quarter of an hour"
    return SAID.get(table.name, {}).get(column) or EVERYWHERE.get(column)


def _stays(words: str) -> str:
    session = current_session()
    query = select(RetentionPolicy).where(RetentionPolicy.kind == words, RetentionPolicy.is_active)
    policies = session.scalars(query.order_by(RetentionPolicy.name)).all()
    if not policies:
        return "for good: no policy says otherwise" if words in ("submissions", "audit") else words
    return "; ".join(f"{one.name}: {_length(one)}" for one in policies)


def _length(policy: RetentionPolicy) -> str:
    if policy.keep_days is not None:
        return f"{policy.keep_days:,} days"
    if policy.keep_submissions is not None:
        return f"at most {policy.keep_submissions:,} submissions"
    return f"at most {policy.keep_bytes or 0:,} bytes"
