"""Bringing submissions back from the archive: a period, a project, or one, with their public ids.

Idempotent: what is there already is left as it is. What a tombstone forbids (a person who was erased) stays
away. What comes back is held for a while, or the next sweep would take it again the same night.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.amounts import many
from app.blueprints.retention import archive
from app.blueprints.retention import archive_records as records
from app.blueprints.retention.archive import ArchiveDamaged, Line
from app.blueprints.retention.privacy_erase import is_erased
from app.clock import utc_now
from app.database.transactions import current_session, transaction
from app.errors import Unavailable
from app.models import Feedback, Project, audit, daily_count, hold
from app.models import archive as rows
from app.models.archive import ArchivedSubmission, ArchivePart
from app.models.feedback import content_bytes
from app.models.hold import Terms
from app.storage import new_key, storage

BATCH = 50  # submissions brought back in one transaction
HOLD_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to come back: all that is given has to hold; times are when a submission was made."""

    public_id: str | None = None
    project_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, line: Line) -> bool:
        """Tell whether a line of the archive is asked for."""
        return (
            self.public_id in (None, line.public_id)
            and self.project_id in (None, line.project_id)
            and (self.since is None or line.created_at >= self.since)
            and (self.until is None or line.created_at < self.until)
        )


@dataclass(frozen=True)
class Restored:
    """What came back, and what did not: there already, of an erased person, of a project that is gone.

    `damaged` says which parts of the archive could not be read.
    """

    restored: int
    already: int
    erased: int
    homeless: int
    damaged: tuple[str, ...]


def restore(asked: Asked, by: str, now: datetime | None = None, *, hold_days: int = HOLD_DAYS) -> Restored:
    """Bring back what is asked for; with `hold_days` of 0 the next sweep may take it again.

    Raises Unavailable (503) when the blob store cannot; a second call does the rest.
    """
    now = now or utc_now()
    keeper = _Keeper(by, now, hold_days)
    counts: Counter[str] = Counter()
    damaged = []
    query = rows.parts_of(**vars(asked))
    for part in archive.parts(query):
        try:
            for lines in _batches(_wanted(part, asked)):
                counts.update(_bring_back(lines, keeper))
        except ArchiveDamaged as error:
            damaged.append(str(error))
    done = Restored(
        counts["restored"], counts["already"], counts["erased"], counts["homeless"], tuple(damaged)
    )
    _record(asked, done)
    return done


def _record(asked: Asked, done: Restored) -> None:
    wanted = {name: value for name, value in vars(asked).items() if value is not None}
    outcome = "failed" if done.damaged else "done"
    with transaction() as session:
        audit.record(session, "archive.restore", outcome=outcome, details={**wanted, **vars(done)})


def count(asked: Asked) -> int:
    """Return how many submissions in the archive are asked for, at most: a period is counted by its parts."""
    query = select(func.count()).select_from(ArchivedSubmission).join(ArchivePart)
    for wanted, given in (
        (ArchivedSubmission.public_id == asked.public_id, asked.public_id),
        (ArchivedSubmission.project_id == asked.project_id, asked.project_id),
        (ArchivePart.newest >= asked.since if asked.since else None, asked.since),
        (ArchivePart.oldest < asked.until if asked.until else None, asked.until),
    ):
        query = query if given is None or wanted is None else query.where(wanted)
    return current_session().scalar(query) or 0


def sentence(done: Restored) -> str:
    """Say what came back and what did not."""
    parts = [
        f"{done.already:,} were there already" if done.already else "",
        f"{done.erased:,} stay away because their person was erased" if done.erased else "",
        f"{done.homeless:,} belong to a project that is gone" if done.homeless else "",
    ]
    rest = "; ".join(part for part in parts if part)
    return f"Brought back {many(done.restored, 'submission')}" + (f"; {rest}." if rest else ".")


@dataclass
class _Keeper:
    """The one hold on all that one call brings back; made with the first of them."""

    by: str
    now: datetime
    days: int
    hold_id: int | None = None

    def keep(self, session: Session, feedback_ids: Sequence[int]) -> None:
        if not self.days or not feedback_ids:
            return
        if self.hold_id is None:
            until = self.now + timedelta(days=self.days)
            terms = Terms(reason="Brought back from the archive", placed_by=self.by, until=until)
            self.hold_id = hold.begin(session, terms, self.now).id
        hold.keep(session, self.hold_id, feedback_ids)


def _wanted(part: rows.ArchivePart, asked: Asked) -> Iterator[Line]:
    newest = rows.places(current_session(), part.id)
    current_session().rollback()
    for line in archive.lines_of(part):
        if line.public_id in newest and asked.takes(line):
            yield line


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while batch := list(islice(lines, BATCH)):
        yield batch


def _bring_back(lines: Sequence[Line], keeper: _Keeper) -> Counter[str]:
    """Insert what is not there; its pictures lie in the store before, under new names."""
    there = _there(current_session(), [line.public_id for line in lines])
    current_session().rollback()
    counts = Counter(already=len(there))
    missing = [json.loads(line.text) for line in lines if line.public_id not in there]
    free = [content for content in missing if not _is_erased(content["submission"])]
    counts["erased"] = len(missing) - len(free)
    contents = [(content, _put_blobs(content["blobs"])) for content in free]
    with transaction() as session:
        made = []
        for content, keys in contents:
            outcome, feedback_id = _insert(session, content, keys)
            counts[outcome] += 1
            if feedback_id is not None:
                made.append(feedback_id)
        _count(session, made)
        keeper.keep(session, made)
    return counts


def _there(session: Session, public_ids: Sequence[str]) -> set[str]:
    return set(session.scalars(select(Feedback.public_id).where(Feedback.public_id.in_(public_ids))))


def _put_blobs(blobs: Mapping[str, str]) -> dict[str, str]:
    """Put pictures back under new names and return those by the old; unused ones are the janitor's."""
    keys: dict[str, str] = {}
    for old in sorted(blobs):  # a thumbnail's name begins with its picture's, and follows it
        kind = old.partition("/")[0]
        owner = next((known for known in keys if old.startswith(known)), None)
        keys[old] = keys[owner] + old.removeprefix(owner) if owner else new_key(kind)
        try:
            storage().put(keys[old], base64.b64decode(blobs[old]))
        except OSError as error:
            raise Unavailable("The pictures cannot be written at this moment.") from error
    return keys


def _insert(session: Session, content: dict[str, Any], keys: Mapping[str, str]) -> tuple[str, int | None]:
    """Insert one submission with its rows; return what became of it, and its id."""
    submission = content["submission"]
    if _there(session, [submission["public_id"]]):
        return "already", None
    if _is_erased(submission):  # asked again: the erasure may have come meanwhile
        return "erased", None
    values = records.stored(session, records.FEEDBACK, submission, {})
    if values is None:
        return "homeless", None
    if _key_is_taken(session, values):
        values["idempotency_key"] = None
    feedback_id = session.execute(
        insert(records.FEEDBACK).values(values).returning(records.FEEDBACK.c.id)
    ).scalar_one()
    _insert_rows(session, content["rows"], feedback_id, keys)
    return "restored", feedback_id


def _insert_rows(
    session: Session, rows: Mapping[str, Any], feedback_id: int, keys: Mapping[str, str]
) -> None:
    """Insert what hangs on a submission; what hangs on something that is gone (a tag) is left out."""
    fresh: dict[tuple[str, int], int] = {}
    for table in records.children():
        owner = records.owner_of(table)
        assert owner is not None
        for row in rows.get(table.name, ()):
            given = records.stored(session, table, _with_keys(row, keys), fresh)
            if given is None:
                continue
            done = session.connection().execute(insert(table).values(given | {owner.name: feedback_id}))
            if "id" in row and done.inserted_primary_key:
                fresh[table.name, row["id"]] = done.inserted_primary_key[0]


def _is_erased(submission: Mapping[str, Any]) -> bool:
    return is_erased(submission, datetime.fromisoformat(submission["created_at"]))


def _with_keys(row: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: keys.get(value, value) if name in records.BLOB_COLUMNS else value for name, value in row.items()
    }


def _key_is_taken(session: Session, values: Mapping[str, Any]) -> bool:
    """Whether the same sender sent the same thing again after this one was removed."""
    key = values.get("idempotency_key")
    if key is None:
        return False
    query = select(Feedback.id).where(
        Feedback.project_id == values["project_id"], Feedback.idempotency_key == key
    )
    return session.scalar(query) is not None


def _count(session: Session, feedback_ids: Sequence[int]) -> None:
    """Add what came back to the roll-up and to its projects' bytes, as intake does."""
    query = select(Feedback).where(Feedback.id.in_(feedback_ids))
    found = session.scalars(query).unique().all() if feedback_ids else []
    daily_count.add(session.connection(), [daily_count.delta(row, 1) for row in found])
    sizes: Counter[int] = Counter()
    for row in found:
        picture = row.screenshot.size_bytes if row.screenshot else 0
        sizes[row.project_id] += content_bytes(row.description) + picture
    for project_id, size in sorted(sizes.items()):
        project = session.get(Project, project_id)
        assert project is not None
        project.stored_bytes = Project.stored_bytes + size
