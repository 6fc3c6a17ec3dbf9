"""Erasing a person: a tombstone first, then rows, pictures, archives; at last a certificate.

The tombstone is written into the blob store before anything goes and into the database with what goes first.
Whoever finds it without its end, or in a blob store beside an older database, carries the erasure out: so a
kill leaves nothing half done, and a restored backup brings nobody back.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.blueprints.retention import archive, privacy_filters
from app.blueprints.retention import archive_records as records
from app.blueprints.retention.privacy_filters import Named
from app.clock import rfc3339, utc_now
from app.database.among import among
from app.database.bulk import in_batches
from app.database.locks import lock_until_commit
from app.database.overwriting import fold_log, overwriting
from app.database.transactions import current_session, transaction
from app.errors import ClientError, Unavailable
from app.extensions import db
from app.jobs import at_start, every
from app.models import Feedback, audit, blob_outbox, hold, removal
from app.models.archive import parts_of
from app.models.erasure import COLUMNS, Erasure, Person, Tombstones
from app.models.identifiers import new_public_id
from app.storage import storage

log = logging.getLogger("earmark.privacy")

BLOB_KIND = "erasures"
BATCH = 200  # submissions removed in one transaction


@dataclass(frozen=True)
class Preview:
    """What of a person is here now: submissions, rows that hang on them by table, copies in the archive.

    `held` of the submissions are kept by a hold: while there is one, nothing is erased. `named` are the
    filters that name the person.
    """

    submissions: int
    held: int
    rows: Mapping[str, int]
    archived: int
    named: Sequence[Named]
    oldest: datetime | None
    newest: datetime | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing names this person."""
        return not (self.submissions or self.archived or self.named)


def preview(person: Person) -> Preview:
    """Count what an erasure would remove; reads the archive, changes nothing."""
    session = current_session()
    moments = func.min(Feedback.created_at), func.max(Feedback.created_at)
    query = select(func.count(), func.count().filter(Feedback.held), *moments).where(person.condition())
    total, held, oldest, newest = session.execute(query).one()
    rows: Counter[str] = Counter()
    for ids in _ids_of(person):
        rows.update(_children(session, ids))
    named = privacy_filters.naming(session, lambda kind, value, _: Person(kind, value).of_same(person))
    session.rollback()
    copies = sum(1 for _ in archived(person))
    return Preview(total, held, dict(rows), copies, named, oldest, newest)


def archived(person: Person) -> Iterator[dict[str, Any]]:
    """Yield the person's submissions in the archive, as it keeps them. Raises Unavailable (503)."""
    column = COLUMNS[person.kind].key
    for part in archive.parts(parts_of()):
        try:
            lines = list(archive.lines_of(part))
        except archive.PartMissing:
            continue  # nothing of anybody is in it any more
        for line in lines:
            content = json.loads(line.text)
            value = content["submission"].get(column)
            if value is not None and Person(person.kind, value).of_same(person):
                yield content


def erase(person: Person, now: datetime) -> Erasure:
    """Erase a person for good and return the erasure with its certificate.

    Raises ClientError 409 `held` where a hold keeps one of the submissions: nothing is erased then. Raises
    Unavailable (503) when the blob store cannot; what was begun is carried out by the timetable.
    """
    hold.settle(now)  # so that what a filter holds and nobody has marked yet is held
    try:
        _refuse_held(person)
    except ClientError as error:
        with transaction() as session:
            audit.record(session, "privacy.erase", outcome="refused", details={"code": error.code})
        raise
    public_id = new_public_id()
    begun: dict[str, Any] = {
        "public_id": public_id,
        "kind": person.kind,
        "mark": person.mark,
        "requested_by": audit.current_acting().actor,
        "created_at": now,
    }
    _put_tombstone(begun)
    with transaction() as session:
        session.add(Erasure(**begun))
    _carry_out(public_id, _ids_of(person))
    return load(public_id)


def load(public_id: str) -> Erasure:
    """Load an erasure. Raises ClientError `not_found` (404)."""
    found = current_session().scalar(select(Erasure).where(Erasure.public_id == public_id))
    if found is None:
        raise ClientError(404, "not_found", "This erasure does not exist, or you may not see it.")
    return found


@at_start
@every("*/10")
def carry_out_erasures() -> None:
    """Carry out erasures that a kill interrupted, or that an older database does not know of any more."""
    try:
        _take_over_tombstones()
        session = current_session()
        query = select(Erasure.public_id).where(Erasure.finished_at.is_(None)).order_by(Erasure.id)
        owed = list(session.scalars(query))
        session.rollback()
        for public_id in owed:
            _carry_out(public_id, _ids_erased_by(public_id))
    except (OSError, Unavailable, archive.ArchiveDamaged, ClientError) as error:
        log.warning("an erasure is still owed: %s", error)


def is_erased(submission: Mapping[str, Any], created_at: datetime) -> bool:
    """Tell whether a submission that comes back was of somebody who was erased after it was made."""
    return Tombstones(current_session()).erased_by(submission, created_at) is not None


def _carry_out(public_id: str, batches: Iterable[Sequence[int]]) -> None:
    for ids in batches:
        with transaction() as session, overwriting(session.connection()):
            _remove(session, public_id, ids)
    with transaction() as session, overwriting(session.connection()):
        _take_out_of_filters(session, public_id)
    blob_outbox.work_off(storage())
    taken = _take_out_of_archive(public_id)
    blob_outbox.work_off(storage())
    with transaction() as session:
        erasure = _erasure(session, public_id)
        if erasure.finished_at is None:  # else the timetable was at it too, and has written the certificate
            erasure.add_removed(taken)
            erasure.finish(utc_now())
            session.flush()
            audit.record(session, "privacy.erase", target=f"erasure:{public_id}", details=erasure.removed)
    db.session.remove()
    fold_log(db.engine)


def _remove(session: Session, public_id: str, ids: Sequence[int]) -> None:
    hold.refuse_held(session, ids)
    counts = {"submissions": 0, **_children(session, ids)}
    removed = removal.remove(session, ids)
    counts["submissions"], counts["bytes"] = removed.submissions, removed.bytes
    _erasure(session, public_id).add_removed(counts)


def _take_out_of_filters(session: Session, public_id: str) -> None:
    stones = Tombstones(session, [public_id])

    def is_meant(kind: str, value: str, moment: datetime) -> bool:
        return stones.named_by(kind, value, moment) is not None

    counts = privacy_filters.take_out(session, public_id, is_meant, utc_now())
    _erasure(session, public_id).add_removed(counts)


def _take_out_of_archive(public_id: str) -> dict[str, int]:
    stones = Tombstones(current_session(), [public_id])
    current_session().rollback()

    def keep(content: dict[str, Any]) -> bool:
        submission = content["submission"]
        return stones.erased_by(submission, datetime.fromisoformat(submission["created_at"])) is None

    done = archive.rewrite(keep)
    return {"archived": done.submissions} if done.submissions else {}


def _refuse_held(person: Person) -> None:
    session = current_session()
    held = session.scalars(select(Feedback.id).where(person.condition(), Feedback.held).limit(BATCH)).all()
    try:
        hold.refuse_held(session, held)
    finally:
        session.rollback()


def _ids_of(person: Person) -> Iterator[Sequence[int]]:
    for rows in in_batches(select(Feedback.id).where(person.condition()), BATCH):
        yield [row.id for row in rows]


def _ids_erased_by(public_id: str) -> Iterator[Sequence[int]]:
    """Find an erased person by their mark alone: every submission is looked at."""
    session = current_session()
    stones = Tombstones(session, [public_id])
    columns: Sequence[Any] = (Feedback.id, Feedback.created_at, *COLUMNS.values())
    query = select(*columns)
    for rows in in_batches(query):
        ids = [row.id for row in rows if stones.erased_by(row._asdict(), row.created_at)]
        if ids:
            yield ids


def _children(session: Session, ids: Sequence[int]) -> dict[str, int]:
    """Count the rows that hang on submissions, by table."""
    counts = {}
    for table in records.children():
        owner = records.owner_of(table)
        assert owner is not None
        query = select(func.count()).select_from(table).where(among(owner, ids))
        counts[table.name] = session.scalar(query) or 0
    return {name: count for name, count in counts.items() if count}


def _erasure(session: Session, public_id: str) -> Erasure:
    query = select(Erasure).where(Erasure.public_id == public_id).with_for_update()
    return session.scalars(query).one()


def _put_tombstone(begun: Mapping[str, Any]) -> None:
    said = {**begun, "created_at": rfc3339(begun["created_at"])}
    try:
        storage().put(f"{BLOB_KIND}/{begun['public_id']}", json.dumps(said).encode())
    except OSError as error:
        raise Unavailable("The tombstone cannot be written at this moment. Nothing was erased.") from error


def _take_over_tombstones() -> None:
    """Write into the database what the blob store knows of erasures and it does not: it is an older copy."""
    keys = {blob.key.rpartition("/")[2]: blob.key for blob in storage().list_keys(BLOB_KIND)}
    session = current_session()
    known = set(session.scalars(select(Erasure.public_id)))
    session.rollback()
    for public_id in sorted(keys.keys() - known):
        said = json.loads(storage().get(keys[public_id]))
        moment = datetime.fromisoformat(said["created_at"])
        with transaction() as session:
            # Where several start beside one database, one of them writes it.
            lock_until_commit(session.connection(), BLOB_KIND)
            if session.scalar(select(Erasure.id).where(Erasure.public_id == public_id)) is not None:
                continue
            session.add(Erasure(**{**said, "created_at": moment}))
            session.flush()
            audit.record(session, "privacy.erase", target=f"erasure:{public_id}", outcome="taken up again")
