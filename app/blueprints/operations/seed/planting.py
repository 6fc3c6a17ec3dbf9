"""Writing demo data: rows in bulk, the roll-up and the projects' bytes moved in the same transaction."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice, repeat
from random import Random
from typing import Any, TypeAlias, cast

from sqlalchemy import Connection, Table, select, update

from app.blueprints.operations.seed import pictures, scene
from app.blueprints.operations.seed.pictures import Picture
from app.blueprints.operations.seed.rows import Place, rows
from app.database.bulk import bulk_insert
from app.database.transactions import begin_write, transaction, writing_connection
from app.errors import ClientError, not_found
from app.extensions import db
from app.models import Feedback, Project, daily_count
from app.models.feedback import content_bytes

# Some 100 ms of writing: whoever else writes waits no longer than that for its turn.
ROWS_A_TRANSACTION = 2_000
Planted: TypeAlias = tuple[dict[str, Any], Picture | None]
_feedback = cast(Table, Feedback.__table__)


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
    until: datetime,
    seed: int,
    screenshots: bool,
    planted: Callable[[int], object],
) -> None:
    """Write `count` submissions of the year before `until`; tells `planted` the number of each transaction.

    The same count, places, `until` and seed give the same rows. Raises ClientError `conflict` where they are
    there already, OSError when the blob store cannot take the pictures.
    """
    # Not a secret: the same numbers each time are the point. Pictures draw their own, so that texts are the
    # same with and without them.
    waiting = rows(count, at, until, Random(seed))  # noqa: S311
    pairs = pictures.with_pictures(waiting, Random(seed)) if screenshots else zip(waiting, repeat(None))  # noqa: S311
    with writing_connection(db.engine) as connection, _originals(screenshots):
        while batch := list(islice(pairs, ROWS_A_TRANSACTION)):
            _refuse_twice(batch)
            pictures.put_copies(batch)
            with begin_write(connection):
                _write(connection, batch)
            planted(len(batch))


def _refuse_twice(batch: Sequence[Planted]) -> None:
    with db.engine.connect() as reading:
        there = pictures.ids_of(reading, [batch[0][0]["public_id"]])
    if there:
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


def _write(connection: Connection, batch: Sequence[Planted]) -> None:
    rows = [row for row, _ in batch]
    bulk_insert(connection, _feedback, rows)
    pictures.write_rows(connection, batch)
    daily_count.add(connection, map(_delta, rows))
    for project_id, size in _bytes(batch):
        connection.execute(
            update(Project).where(Project.id == project_id).values(stored_bytes=Project.stored_bytes + size)
        )


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
    for row, picture in batch:
        shown = len(picture.data()) if picture else 0
        sizes[row["project_id"]] += content_bytes(row["description"]) + shown
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
