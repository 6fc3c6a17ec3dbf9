"""Proving the audit log: is every entry as it was written, and does each follow on the one before.

The same check for the database and for an exported file. Retention closes a segment: an anchor, signed with
the instance's secret, takes the place of entries that are old enough, and the chain goes on from its hash.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.clock import rfc3339
from app.database.bulk import in_batches
from app.database.locks import lock_until_commit
from app.database.transactions import current_session, transaction
from app.errors import ClientError
from app.models import audit, signing
from app.models.audit import GENESIS, AuditAnchor, AuditEntry, canonical, document, link

CLOSE = "audit.close"
ANCHOR, EXPORT = "audit-anchor", "audit-export"  # purposes of signatures
COLUMNS = tuple(AuditEntry.__table__.columns)
NAMES = frozenset(column.name for column in COLUMNS)
FORMAT = 1
# Entries removed in one transaction: the write lock is held for a few milliseconds.
BATCH = 500


@dataclass(frozen=True)
class Place:
    """A place in the chain: the number and the hash of an entry."""

    id: int = 0
    hash: str = GENESIS


@dataclass(frozen=True)
class Verdict:
    """What a check found: how many entries it read, the last that held, and what broke there, if anything."""

    entries: int
    last: Place
    broken_at: int | None = None
    reason: str | None = None

    @property
    def is_intact(self) -> bool:
        """Whether nothing is broken."""
        return self.broken_at is None


class _Broken(Exception):
    """A link does not hold; says the number of the entry and why."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number
        self.reason = reason


def verify(expected: Place | None = None) -> Verdict:
    """Check the whole log of the database, in batches with flat memory; nothing is locked.

    `expected` is a place noted earlier: it must be in the log still, so that a log cut short is noticed.
    """
    session = current_session()
    while True:
        try:
            start = _anchored(session)
        except _Broken as broken:
            return Verdict(0, Place(), broken.number, broken.reason)
        verdict = check(_rows(session, start), start, expected)
        session.rollback()
        if verdict.is_intact or _last_anchor(session) == start:
            return verdict  # else retention removed entries under the reader


def _rows(session: Session, start: Place) -> Iterator[dict[str, Any]]:
    query = select(*COLUMNS).where(AuditEntry.id > start.id)
    for batch in in_batches(query, order=(AuditEntry.id.asc(),), session=session):
        for row in batch:
            yield row._asdict()


def check(rows: Iterable[Mapping[str, Any]], start: Place, expected: Place | None = None) -> Verdict:
    """Check entries, as the columns of the table, that follow on `start`; name the first broken."""
    last, count = start, 0
    seen = expected is None or expected.id <= start.id
    try:
        for row in rows:
            last = _next(row, last)
            count += 1
            if expected is not None and expected.id == last.id:
                seen = True
                _require(expected.hash == last.hash, last.id, "its hash is another than the one noted")
        if expected is not None and not seen:
            raise _Broken(last.id + 1, f"the log ends at {last.id}; it reached {expected.id} before")
    except _Broken as broken:
        return Verdict(count, last, broken.number, broken.reason)
    return Verdict(count, last)


def _next(row: Mapping[str, Any], last: Place) -> Place:
    number = last.id + 1
    _require(row["id"] >= number, row["id"], f"it stands behind entry {last.id}")
    _require(row["id"] == number, number, f"it is missing; the next is {row['id']}")
    _require(row["previous_hash"] == last.hash, number, "it does not follow on the entry before")
    try:
        said = document(row)
    except (ValueError, TypeError, AttributeError):
        raise _Broken(number, "its details cannot be read") from None
    _require(canonical(said["details"]) == row["details"], number, "its details were written by another hand")
    _require(link(last.hash, said) == row["hash"], number, "its content is not what its hash says")
    return Place(number, row["hash"])


def _require(holds: bool, number: int, reason: str) -> None:
    if not holds:
        raise _Broken(number, reason)


def _anchored(session: Session) -> Place:
    """Return where the chain begins now; every anchor must be signed and follow on the one before."""
    place = Place()
    for anchor in session.scalars(select(AuditAnchor).order_by(AuditAnchor.through_id)):
        signed = signing.is_signed(ANCHOR, _anchor_text(vars(anchor)), anchor.signature)
        _require(signed, anchor.through_id, "the anchor that closes it was not signed by this instance")
        _require(anchor.previous_hash == place.hash, anchor.through_id, "its anchor follows on no other")
        place = Place(anchor.through_id, anchor.hash)
    return place


def _anchor_text(anchor: Mapping[str, Any]) -> str:
    names = ("through_id", "hash", "entries", "last_at", "closed_at", "previous_hash")
    return canonical({name: anchor[name] for name in names})


def close(before: datetime, now: datetime) -> int:
    """Remove the entries older than `before` behind signed anchors, in short transactions; return how many.

    Raises ClientError `audit_broken` (409) where what is to go does not verify.
    """
    removed = 0
    while True:
        with transaction() as session:
            gone = close_segment(session, before, now, BATCH)
        if not gone:
            return removed
        removed += gone


def close_segment(session: Session, before: datetime, now: datetime, most: int) -> int:
    """Put an anchor in the place of at most so many of the oldest entries, inside a write transaction.

    Returns how many went, 0 at the end. The act is an entry itself, so the log is never empty. An anchor over
    a broken link would hide it: raises ClientError `audit_broken` (409) then, and nothing goes.
    """
    lock_until_commit(session.connection(), audit.CHAIN)
    start = _last_anchor(session)
    through = min(last_older(session, before), start.id + most)
    if through <= start.id:
        return 0
    query = select(*COLUMNS).where(AuditEntry.id > start.id, AuditEntry.id <= through)
    rows = session.execute(query.order_by(AuditEntry.id)).all()
    if all(row.action == CLOSE for row in rows):
        return 0  # what earlier ends of segments wrote: an end of their own would write one more
    verdict = check((row._asdict() for row in rows), start)
    if not verdict.is_intact:
        message = f"The audit log is broken at entry {verdict.broken_at}. Nothing was removed."
        raise ClientError(409, "audit_broken", message)
    values: dict[str, Any] = {
        "through_id": verdict.last.id,
        "hash": verdict.last.hash,
        "entries": verdict.entries,
        "last_at": rows[-1].created_at,
        "closed_at": now,
        "previous_hash": start.hash,
    }
    session.add(AuditAnchor(**values, signature=signing.sign(ANCHOR, _anchor_text(values))))
    session.flush()
    session.execute(
        delete(AuditEntry).where(AuditEntry.id <= through), execution_options={"synchronize_session": False}
    )
    details = {name: values[name] for name in ("through_id", "entries", "hash")}
    audit.record(session, CLOSE, details=details)
    return verdict.entries


def last_older(session: Session, before: datetime) -> int:
    """Return the last entry of the stretch from the beginning in which all are older: clocks jump."""
    young = session.scalar(select(func.min(AuditEntry.id)).where(AuditEntry.created_at >= before))
    if young is not None:
        return young - 1
    return session.scalar(select(func.max(AuditEntry.id))) or 0


def _last_anchor(session: Session) -> Place:
    query = select(AuditAnchor.through_id, AuditAnchor.hash).order_by(AuditAnchor.through_id.desc()).limit(1)
    row = session.execute(query).first()
    return Place() if row is None else Place(*row)


def export(now: datetime) -> Iterator[str]:
    """Yield the log as lines of JSON: a head that says where it begins, the entries, a signed end."""
    session = current_session()
    start = _last_anchor(session)
    yield _line({"earmark_audit": FORMAT, "exported_at": now, "after": start.id, "after_hash": start.hash})
    last, count = start, 0
    for row in _rows(session, start):
        yield _line({**document(row), "previous_hash": row["previous_hash"], "hash": row["hash"]})
        last, count = Place(row["id"], row["hash"]), count + 1
    end = {"entries": count, "last": last.id, "hash": last.hash}
    yield _line(end | {"signature": signing.sign(EXPORT, canonical(end))})


@dataclass(frozen=True)
class FileVerdict:
    """What a check of a file found; `is_ours` tells whether this instance's secret signed its end."""

    verdict: Verdict
    is_ours: bool


def verify_file(lines: Iterable[str], expected: Place | None = None) -> FileVerdict:
    """Check an exported log without any database. Raises ValueError for a file that is no such export."""
    reader = _Reader(lines)
    verdict = check(reader.rows(), reader.start, expected)
    end = reader.end
    if end is None:
        return FileVerdict(_cut(verdict, "the file ends before its end line"), is_ours=False)
    said = {name: end.get(name) for name in ("entries", "last", "hash")}
    if said != {"entries": verdict.entries, "last": verdict.last.id, "hash": verdict.last.hash}:
        verdict = _cut(verdict, "the file's end line says otherwise")
    return FileVerdict(verdict, signing.is_signed(EXPORT, canonical(said), str(end.get("signature"))))


def _cut(verdict: Verdict, reason: str) -> Verdict:
    return replace(verdict, broken_at=verdict.last.id + 1, reason=reason) if verdict.is_intact else verdict


class _Reader:
    """Reads an export: its head at once, its entries as rows of the table, its end when they are through."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.end: dict[str, Any] | None = None
        head = _object(next(self._lines, ""))
        if head.get("earmark_audit") != FORMAT:
            raise ValueError("this is no exported audit log")
        self.start = Place(int(head.get("after", 0)), str(head.get("after_hash")))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield rows; one that cannot be read is the broken link."""
        number = self.start.id
        for text in self._lines:
            try:
                said = _object(text)
                if _line(said) != text.rstrip("\n") + "\n":
                    raise ValueError("written by another hand")
                if "entries" in said and next(self._lines, None) is None:
                    self.end = said
                    return
                if said.keys() != NAMES:
                    raise ValueError("not the names of an entry")
                moment = datetime.fromisoformat(said["created_at"])
                row = {
                    **said,
                    "id": int(said["id"]),
                    "created_at": moment,
                    "details": canonical(said["details"]),
                }
            except (ValueError, TypeError):
                raise _Broken(number + 1, "its line cannot be read") from None
            number = row["id"]
            yield row


def _object(text: str) -> dict[str, Any]:
    said = json.loads(text or "null")
    if not isinstance(said, dict):
        raise ValueError("this is no exported audit log")  # noqa: TRY004  # of the file, not of a type
    return said


def _line(said: Mapping[str, Any]) -> str:
    moments = {name: rfc3339(v) if isinstance(v, datetime) else v for name, v in said.items()}
    return json.dumps(moments, separators=(",", ":")) + "\n"
