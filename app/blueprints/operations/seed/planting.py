"""Writing demo data: rows in bulk, the roll-up and the projects' bytes moved in the same transaction.

The search index is not written: it follows by itself, behind its watermark.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice, repeat
from random import Random
from typing import Any, TypeAlias, cast

from sqlalchemy import Connection, Table, select, update

from app.blueprints.operations.seed import pictures, scene
from app.blueprints.operations.seed.lives import Act, Life
from app.blueprints.operations.seed.pictures import Picture
from app.blueprints.operations.seed.rows import Place, rows
from app.blueprints.operations.seed.team import Team
from app.database.bulk import bulk_insert
from app.database.keys import take_keys
from app.database.transactions import begin_write, transaction, writing_connection
from app.errors import ClientError, not_found
from app.extensions import db
from app.models import Event, Feedback, FeedbackTag, Message, Project, daily_count
from app.models.feedback import content_bytes
from app.models.identifiers import LENGTH, encode
from app.models.message import REPORTER

# Whoever else writes waits no longer than for one of them.
ROWS_A_TRANSACTION = 1_000
Planted: TypeAlias = tuple[Life, Picture | None]
_feedback = cast(Table, Feedback.__table__)
_events = cast(Table, Event.__table__)
_messages = cast(Table, Message.__table__)
_tags = cast(Table, FeedbackTag.__table__)


def places(names: Sequence[str]) -> list[Place]:
    """Return the projects of these names or keys, or three of our own, made where they are missing.

    Raises ClientError `not_found` for a project that is not there.
    """
    if not names:
        return [_place(_ensure(name), weight) for name, weight in scene.PROJECTS.items()]
    return [_place(_find(name), 1) for name in dict.fromkeys(names)]


def plant(
    count: int,
    *,
    at: Sequence[Place],
    team: Team,
    until: datetime,
    seed: int,
    screenshots: bool,
    planted: Callable[[int], object],
) -> None:
    """Write `count` submissions of the year before `until`; tells `planted` the number of each transaction.

    The same count, places, team, `until` and seed give the same. Raises ClientError `conflict` where they
    are there already, OSError when the blob store cannot take the pictures.
    """
    # Not a secret: the same numbers each time are the point. Pictures draw their own, so that texts are the
    # same with and without them.
    waiting = rows(count, at, team, until, Random(seed))  # noqa: S311
    pairs = pictures.with_pictures(waiting, Random(seed)) if screenshots else zip(waiting, repeat(None))  # noqa: S311
    naming = Random(~seed)  # noqa: S311
    # What was read until now must not keep the write-ahead log from being written back.
    db.session.rollback()
    with writing_connection(db.engine) as connection, _originals(screenshots):
        while batch := list(islice(pairs, ROWS_A_TRANSACTION)):
            _refuse_twice(batch)
            pictures.put_copies(batch)
            with begin_write(connection):
                _write(connection, batch, naming)
            planted(len(batch))


def _refuse_twice(batch: Sequence[Planted]) -> None:
    first = select(Feedback.id).where(Feedback.public_id == batch[0][0].row["public_id"])
    with db.engine.connect() as reading:
        there = reading.scalar(first)
    if there is not None:
        raise ClientError(409, "conflict", "These submissions are there already; choose another --seed.")


@contextmanager
def _originals(screenshots: bool) -> Iterator[None]:
    if not screenshots:
        yield
        return
    pictures.put_originals()
    try:
        yield
    finally:
        pictures.remove_originals()


def _write(connection: Connection, batch: Sequence[Planted], naming: Random) -> None:
    rows = [life.row for life, _ in batch]
    for row, key in zip(rows, take_keys(connection, _feedback, len(rows)), strict=True):
        row["id"] = key
    bulk_insert(connection, _feedback, rows)
    pictures.write_rows(connection, batch)
    _write_lives(connection, [life for life, _ in batch], naming)
    daily_count.add(connection, map(_delta, rows))
    for project_id, size in _bytes(batch):
        connection.execute(
            update(Project).where(Project.id == project_id).values(stored_bytes=Project.stored_bytes + size)
        )


def _write_lives(connection: Connection, lives: Sequence[Life], naming: Random) -> None:
    """Add events, messages and tags of submissions that are already written."""
    acts = [(life.row["id"], act) for life in lives for act in life.acts]
    keys = take_keys(connection, _events, len(acts))
    bulk_insert(connection, _events, (_event(key, *act) for key, act in zip(keys, acts, strict=True)))
    said = ((key, *act) for key, act in zip(keys, acts, strict=True) if act[1].said)
    bulk_insert(connection, _messages, (_message(*one, naming) for one in said))
    tagged = ({"feedback_id": life.row["id"], "tag_id": tag} for life in lives for tag in life.tag_ids)
    bulk_insert(connection, _tags, tagged)


def _event(key: int, feedback_id: int, act: Act) -> dict[str, Any]:
    return {
        "id": key,
        "feedback_id": feedback_id,
        "kind": act.kind,
        "actor": act.actor,
        "actor_id": act.actor_id,
        "details": act.details,
        "version": act.version,
        "created_at": act.at,
    }


def _message(event_id: int, feedback_id: int, act: Act, naming: Random) -> dict[str, Any]:
    milliseconds = int(act.at.timestamp() * 1000)
    return {
        "public_id": encode(milliseconds << 80 | naming.getrandbits(80), LENGTH),
        "feedback_id": feedback_id,
        "event_id": event_id,
        "kind": act.said,
        "text": act.text,
        "author": "" if act.said == REPORTER else act.actor,
        "author_id": act.actor_id,
        "created_at": act.at,
    }


def _delta(row: Mapping[str, Any]) -> daily_count.Delta:
    bucket = daily_count.bucket_of(
        project_id=row["project_id"],
        created_at=row["created_at"],
        category=row["category"],
        status=row["status"],
        is_archived=row["is_archived"],
    )
    return daily_count.Delta(bucket, not row["is_read"], row["has_screenshot"])


def _bytes(batch: Iterable[Planted]) -> list[tuple[int, int]]:
    sizes: Counter[int] = Counter()
    for life, picture in batch:
        shown = len(picture.data()) if picture else 0
        sizes[life.row["project_id"]] += content_bytes(life.row["description"]) + shown
    return sorted(sizes.items())


def _ensure(name: str) -> Project:
    found = db.session.scalar(select(Project).where(Project.name == name))
    if found is None:
        with transaction() as session:
            session.add(Project(name=name))
        found = db.session.scalars(select(Project).where(Project.name == name)).one()
    return found


def _find(name: str) -> Project:
    named = (Project.public_key == name) | (Project.name == name)
    found = db.session.scalar(select(Project).where(named).order_by(Project.id).limit(1))
    if found is None:
        raise not_found(f"The project {name}")
    return found


def _place(project: Project, weight: int) -> Place:
    keys = tuple(category["key"] for category in project.categories)
    return Place(project.id, project.name, keys, weight)
