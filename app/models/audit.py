"""The audit log: every administrative act as an entry of one hash chain.

An entry is only ever added: triggers of both databases refuse changes, and deletions of what no anchor
covers (`audit_anchors`). Each entry's hash is the SHA-256 of the hash before it and of its own canonical
JSON, so one changed byte breaks the chain at that entry.
"""

import getpass
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Index, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import rfc3339, utc_now
from app.database.locks import lock_until_commit
from app.database.types import UtcTime
from app.models.base import Base

ANONYMOUS = "anonymous"
CHAIN = "audit_entries"
GENESIS = "0" * 64  # the hash before the first entry
LONGEST = 300  # characters of actor and target


class AuditEntry(Base, kw_only=True):
    """One act: who did what to what, when, and how it ended. `details` is canonical JSON as text.

    Text and not a JSON column: what is hashed is what is stored, byte by byte, on both databases.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_created", "created_at", "id"),
        Index("ix_audit_entries_actor", "actor", "created_at", "id"),
        Index("ix_audit_entries_action", "action", "created_at", "id"),
        Index("ix_audit_entries_target", "target", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    actor: Mapped[str]
    request_id: Mapped[str | None]
    action: Mapped[str]
    target: Mapped[str | None]
    outcome: Mapped[str]
    details: Mapped[str]
    previous_hash: Mapped[str]
    hash: Mapped[str]


class AuditAnchor(Base, kw_only=True):
    """The end of a segment whose entries were removed: the chain goes on from `hash`.

    `signature` is a keyed hash over all of it, so that nobody without the instance's secret can shorten the
    log and say that its retention did.
    """

    __tablename__ = "audit_anchors"

    through_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str]
    entries: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcTime)
    closed_at: Mapped[datetime] = mapped_column(UtcTime)
    previous_hash: Mapped[str]
    signature: Mapped[str]


@dataclass(frozen=True)
class Acting:
    """Who acts: an e-mail, `command:USER`, `job:NAME` or `anonymous`; and the request's or run's id."""

    actor: str
    request_id: str | None = None


_acting: ContextVar[Acting | None] = ContextVar("earmark_acting", default=None)


@contextmanager
def acting(actor: str, request_id: str | None = None) -> Iterator[None]:
    """Name who acts in the body; without a request id, the one around it stays."""
    around = _acting.get()
    if request_id is None and around is not None:
        request_id = around.request_id
    token = _acting.set(Acting(actor, request_id))
    try:
        yield
    finally:
        _acting.reset(token)


def set_acting(who: Acting | None) -> None:
    """Name who acts from here on: for a request, whose beginning and end are two functions."""
    _acting.set(who)


def current_acting() -> Acting:
    """Return who acts; where nobody was named, somebody runs a command."""
    return _acting.get() or Acting(_command_user())


def record(
    session: Session,
    action: str,
    *,
    target: str | None = None,
    outcome: str = "done",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry inside the caller's write transaction; it stands if and only if that commits.

    `action` is dotted (`policy.create`), `target` names one thing (`project:pk_…`), `details` is plain JSON
    (moments are written as the API does). Call it last: on PostgreSQL the chain is locked until the commit.
    """
    connection = session.connection()
    lock_until_commit(connection, CHAIN)
    number, previous = head(session)
    who = current_acting()
    values: dict[str, Any] = {
        "id": number + 1,
        "created_at": utc_now(),
        "actor": _storable(who.actor),
        "request_id": who.request_id,
        "action": action,
        "target": None if target is None else _storable(target),
        "outcome": outcome,
        "details": canonical(details or {}),
    }
    digest = link(previous, document(values))
    connection.execute(insert(AuditEntry).values(**values, previous_hash=previous, hash=digest))


def head(session: Session) -> tuple[int, str]:
    """Return number and hash of the last entry; of the last anchor where there is none; else 0, `GENESIS`."""
    for key, digest in ((AuditEntry.id, AuditEntry.hash), (AuditAnchor.through_id, AuditAnchor.hash)):
        found = session.execute(select(key, digest).order_by(key.desc()).limit(1)).first()
        if found is not None:
            return found[0], found[1]
    return 0, GENESIS


def document(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry says, without its hashes: as it is hashed, exported and answered.

    Raises ValueError for stored details that are no JSON.
    """
    return {
        "id": entry["id"],
        "created_at": rfc3339(entry["created_at"]),
        "actor": entry["actor"],
        "request_id": entry["request_id"],
        "action": entry["action"],
        "target": entry["target"],
        "outcome": entry["outcome"],
        "details": json.loads(entry["details"]),
    }


def link(previous: str, entry: Mapping[str, Any]) -> str:
    """Return the hash of an entry's document that follows on the hash `previous`."""
    return hashlib.sha256(f"{previous}\n{canonical(entry)}".encode()).hexdigest()


def canonical(value: Mapping[str, Any]) -> str:
    """Write JSON in the one form that is hashed: ASCII, names in order, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def _plain(value: Any) -> str:
    return rfc3339(value) if isinstance(value, datetime) else str(value)


def _storable(text: str) -> str:
    # Names may come from a request: PostgreSQL stores no NUL, and UTF-8 has no half of a surrogate pair.
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:LONGEST]


@cache
def _command_user() -> str:
    try:
        return f"command:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user without a name
        return f"command:{os.getuid()}"
