"""The archive: what a sweep removes, kept a while as gzip JSONL with its pictures, by month, as blobs.

A part is one blob of one month, a line each submission; its manifest beside it holds the SHA-256 of the part
and of every line. The blobs are written first, then in one transaction the rows that name them: a kill
between leaves blobs that no row names, which the janitor removes, and never a row without its blob.

The sweep calls `store` before it removes a batch. Whatever was archived already and has not changed since is
left as it is, so a run that was killed half-way may begin again.
"""

import base64
import gzip
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Select

from app.blueprints.retention import archive_records as records
from app.blueprints.retention.archive_records import Record
from app.clock import rfc3339, utc_now
from app.database.transactions import current_session, transaction
from app.errors import Unavailable
from app.models import archive as rows
from app.models.archive import MANIFEST_SUFFIX, ArchivePart
from app.models.identifiers import new_public_id
from app.storage import BlobMissing, storage

log = logging.getLogger("earmark.retention")

BLOB_KIND = "archives"
READ_AT_ONCE = 100  # submissions read in one go, their pictures not yet
# A part is ended when its lines take this much: what one process holds in memory, and what one restore reads.
MOST_PART_BYTES = 32 * 1024 * 1024
# Pictures are compressed already and stand as base64: level 1 makes 1.03 of their size, level 9 1.01.
LEVEL = 1
# A blob stands without its row while its transaction waits for its turn; an hour is far from that.
ORPHAN_AGE = timedelta(hours=1)

T = TypeVar("T")
Keep = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True)
class Archived:
    """What `store` wrote; sizes in bytes as stored. `already` were in the archive as they are now."""

    submissions: int = 0
    screenshots: int = 0
    size_bytes: int = 0
    already: int = 0


@dataclass(frozen=True)
class Rewritten:
    """What `rewrite` took out of the archive."""

    submissions: int = 0
    parts: int = 0


@dataclass(frozen=True)
class Line:
    """One submission as it stands in a part."""

    public_id: str
    project_id: int
    created_at: datetime
    text: bytes
    screenshots: int

    @property
    def sha256(self) -> str:
        """The hash of the line, without its end."""
        return hashlib.sha256(self.text).hexdigest()


@dataclass
class _Open:
    """A part that is being filled."""

    month: str
    lines: list[Line] = field(default_factory=list)
    size: int = 0

    def add(self, line: Line) -> None:
        self.lines.append(line)
        self.size += len(line.text)


class ArchiveDamaged(Exception):
    """A part of the archive is missing, or is not what was written; the message names it."""


class PartMissing(ArchiveDamaged):
    """A part's blob is gone: an older database names it, or somebody deleted it."""


def store(feedback_ids: Sequence[int], now: datetime | None = None) -> Archived:
    """Archive submissions durably, with all that belongs to them; to be called outside a transaction.

    When it returns, each that was there is in the archive as it is now. Raises Unavailable (503) when the
    blob store cannot: nothing may be removed then.
    """
    now = now or utc_now()
    total = Archived()
    open_parts: dict[str, _Open] = {}
    for line, is_new in _lines(feedback_ids):
        if not is_new:
            total = _sum(total, Archived(already=1))
            continue
        part = open_parts.setdefault(f"{line.created_at:%Y-%m}", _Open(f"{line.created_at:%Y-%m}"))
        part.add(line)
        if part.size >= MOST_PART_BYTES:
            total = _sum(total, _write(open_parts.pop(part.month), now))
    for part in open_parts.values():
        total = _sum(total, _write(part, now))
    return total


def rewrite(keep: Keep) -> Rewritten:
    """Take every submission out of the archive for which `keep` answers False; parts are written anew.

    `keep` gets a record: `submission` (its columns by name), `rows` (by table) and `blobs`. A part without
    such a submission stays untouched; one whose blob is gone holds nothing any more and is passed over.
    Raises ArchiveDamaged for a part that cannot be read; those before it are done, and a second call does
    the rest.
    """
    total = Rewritten()
    for part in parts(rows.parts_of()):
        try:
            lines = list(lines_of(part))
        except PartMissing as error:
            log.warning("archive: %s", error)
            continue
        kept = [line for line in lines if keep(json.loads(line.text))]
        if len(kept) < len(lines):
            _replace(part, kept)
            total = Rewritten(total.submissions + len(lines) - len(kept), total.parts + 1)
    return total


def parts(query: Select[ArchivePart]) -> list[ArchivePart]:
    """Return parts detached from the session, so that no read stays open while they are worked through."""
    session = current_session()
    found = list(session.scalars(query))
    for part in found:
        session.expunge(part)
    session.rollback()
    return found


def lines_of(part: ArchivePart) -> Iterator[Line]:
    """Yield what a part holds, checked against its hash. Raises ArchiveDamaged, Unavailable."""
    try:
        data = storage().get(part.key)
    except BlobMissing:
        raise PartMissing(f"{part.key} is missing") from None
    except OSError as error:
        raise Unavailable("The archive cannot be read at this moment.") from error
    if hashlib.sha256(data).hexdigest() != part.sha256:
        raise ArchiveDamaged(f"{part.key} is not what was written: its SHA-256 differs")
    for text in gzip.decompress(data).splitlines():
        yield _line_of(text)


def verify() -> Iterator[tuple[ArchivePart, str | None]]:
    """Check every part against its hash, its manifest and the index; yield each with what is wrong."""
    for part in parts(rows.parts_of()):
        yield part, _fault_of(part)


def expire(now: datetime, days: int) -> int:
    """Take out the parts that were written more than `days` days ago; return how many submissions went."""
    old = rows.parts_of().where(ArchivePart.created_at < now - timedelta(days=days))
    gone = 0
    for part in parts(old):
        with transaction() as session:
            rows.drop(session, part)
        gone += part.submissions
    return gone


def remove_orphans(older_than: datetime) -> int:
    """Remove blobs of the archive written before a moment that no part names; return how many."""
    removed = 0
    old = (blob.key for blob in storage().list_keys(BLOB_KIND) if blob.modified_at < older_than)
    for keys in _batches(old, 500):
        names = {key: key.removesuffix(MANIFEST_SUFFIX).removesuffix(rows.PART_SUFFIX) for key in keys}
        named = rows.kept_names(current_session(), list(names.values()))
        current_session().rollback()  # no read stays open while blobs are deleted
        for key, name in names.items():
            if name not in named:
                storage().delete(key)
                removed += 1
    return removed


def _lines(feedback_ids: Sequence[int]) -> Iterator[tuple[Line, bool]]:
    """Yield a line each submission, and whether the archive lacks it as it is now."""
    for ids in _batches(feedback_ids, READ_AT_ONCE):
        session = current_session()
        found = records.read(session, ids)
        known = rows.archived(session, [record.public_id for record in found])
        session.rollback()  # no read stays open while pictures are read
        for record in found:
            line = _line(record)
            yield line, known.get(line.public_id) != line.sha256


def _line(record: Record) -> Line:
    blobs = _blobs(record)
    content = {**record.content, "project_id": record.project_id, "blobs": blobs}
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    screenshots = len(record.content["rows"].get("feedback_screenshots", ()))
    return Line(record.public_id, record.project_id, record.created_at, text, screenshots)


def _line_of(text: bytes) -> Line:
    content = json.loads(text)
    submission = content["submission"]
    return Line(
        submission["public_id"],
        content["project_id"],
        datetime.fromisoformat(submission["created_at"]),
        text,
        len(content["rows"].get("feedback_screenshots", ())),
    )


def _blobs(record: Record) -> dict[str, str]:
    """Read the pictures. One that is gone is left out: it was broken, or is being exchanged this moment."""
    found = {}
    for key in record.blob_keys:
        try:
            found[key] = base64.b64encode(storage().get(key)).decode()
        except BlobMissing:
            log.info("archived without a blob", extra={"key": key})
        except OSError as error:
            raise Unavailable("The pictures cannot be read at this moment. Nothing was removed.") from error
    return found


def _write(part: _Open, now: datetime) -> Archived:
    made = _put(part.month, part.lines, now)
    written = Archived(made.submissions, made.screenshots, made.size_bytes)
    with transaction() as session:
        rows.add(session, made, _index(part.lines))
    return written


def _put(month: str, lines: Sequence[Line], now: datetime) -> ArchivePart:
    """Write the blobs of a part and return its row, not yet stored."""
    # Without a time in its header the same lines make the same bytes (RFC 1952, 2.3.1).
    data = gzip.compress(b"\n".join(line.text for line in lines) + b"\n", LEVEL, mtime=0)
    made = ArchivePart(
        month=month,
        name=f"{BLOB_KIND}/{month}/{new_public_id()}",
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        submissions=len(lines),
        screenshots=sum(line.screenshots for line in lines),
        oldest=min(line.created_at for line in lines),
        newest=max(line.created_at for line in lines),
        created_at=now,
    )
    try:
        storage().put(made.key, data)
        storage().put(made.name + MANIFEST_SUFFIX, _manifest(made, lines))
    except OSError as error:
        raise Unavailable("The archive cannot be written at this moment. Nothing was removed.") from error
    return made


def _manifest(part: ArchivePart, lines: Sequence[Line]) -> bytes:
    content = {
        "format": records.FORMAT,
        "part": part.key,
        "month": part.month,
        "created_at": rfc3339(part.created_at),
        "sha256": part.sha256,
        "size_bytes": part.size_bytes,
        "submissions": [{"id": line.public_id, "sha256": line.sha256} for line in lines],
    }
    return json.dumps(content, indent=1).encode()


def _index(lines: Sequence[Line]) -> list[Mapping[str, Any]]:
    return [
        {"public_id": line.public_id, "project_id": line.project_id, "sha256": line.sha256} for line in lines
    ]


def _replace(part: ArchivePart, kept: Sequence[Line]) -> None:
    """Put a new part in the place of one; the old blobs go by the outbox, with the commit."""
    places = rows.places(current_session(), part.id)
    current_session().rollback()
    made = _put(part.month, kept, part.created_at) if kept else None
    with transaction() as session:
        rows.drop(session, part)
        if made is not None:
            # A line of which a newer copy lies elsewhere stays out of the index.
            rows.add(session, made, _index([line for line in kept if line.public_id in places]))


def _fault_of(part: ArchivePart) -> str | None:
    try:
        lines = {line.public_id: line.sha256 for line in lines_of(part)}
        manifest = json.loads(storage().get(part.name + MANIFEST_SUFFIX))
    except ArchiveDamaged as error:
        return str(error)
    except (BlobMissing, ValueError):
        return f"{part.name}{MANIFEST_SUFFIX} is missing or is no JSON"
    written = {one["id"]: one["sha256"] for one in manifest["submissions"]}
    if manifest["sha256"] != part.sha256 or written != lines:
        return f"{part.name}{MANIFEST_SUFFIX} says other hashes than its part has"
    index = rows.places(current_session(), part.id)
    current_session().rollback()
    if any(lines.get(public_id) != sha256 for public_id, sha256 in index.items()):
        return f"{part.key} does not hold what the index says"
    return None


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = iter(items)
    while batch := list(islice(waiting, size)):
        yield batch


def _sum(one: Archived, other: Archived) -> Archived:
    return Archived(*(a + b for a, b in zip(vars(one).values(), vars(other).values(), strict=True)))
