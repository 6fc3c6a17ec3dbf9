"""A year of submissions with all that hangs on them, a million in minutes.

A few are planted as `earmark demo seed` plants them; the rest are copies of those by the database itself,
each some seconds older than the last.
"""

from pathlib import Path

from sqlalchemy import Connection, select, text

from app.blueprints.operations.seed.planting import places, plant
from app.blueprints.operations.seed.team import load_team
from app.clock import utc_now
from app.config import current_settings
from app.database.search.index import indexed
from app.database.transactions import begin_write, transaction, writing_connection
from app.extensions import db
from app.models import Feedback, rollup, search
from app.models.rollup import check
from app.models.search.keeping import FACTS, TEXTS

MOST_COPIES = 50
COPIED_AT_ONCE = 2_000
FILES = 5_000  # about so many pictures lie on the disk, each with its thumbnail
APART = {"sqlite": "n.i * 37000000", "postgresql": "n.i * interval '37 seconds'"}
MOMENTS = ("created_at", "updated_at", "timestamp", "first_answered_at", "settled_at")
# Of a public id's 26 characters; the rest numbers the copies, with a letter that ids are written without.
UNIQUE_PREFIX = 23
CHILDREN = (
    "insert into feedback_screenshots (feedback_id, blob_key, thumbnail_key, media_type, size_bytes, state,"
    " attempts, created_at)"
    " select id, 'screenshots/' || substr(public_id, 1, 4) || '/' || public_id,"
    " 'screenshots/' || substr(public_id, 1, 4) || '/' || public_id || '.thumb', 'image/webp',"
    " 1000 + mod(id, 50000), 'ready', 1, created_at from feedback_submissions where has_screenshot",
    "insert into submission_events (feedback_id, kind, actor, version, created_at)"
    " select id, 'reply', 'Jana', 1, created_at from feedback_submissions",
    "insert into messages (public_id, feedback_id, event_id, kind, text, author, created_at)"
    " select 'M' || feedback_id, feedback_id, id, 'reply', 'We look into it.', 'Jana', created_at"
    " from submission_events where mod(feedback_id, 5) < 2",
    "insert into tags (public_id, name, key, color, created_at)"
    " select 'T' || id, 'tag ' || id, 'tag ' || id, id, created_at from projects where id < 9",
    "insert into feedback_tags (feedback_id, tag_id)"
    " select f.id, t.id from feedback_submissions f join tags t on mod(f.id, 3) = mod(t.id, 3)",
    "update projects set stored_bytes = coalesce((select sum(octet_length(f.description)"
    " + coalesce(s.size_bytes, 0)) from feedback_submissions f"
    " left join feedback_screenshots s on s.feedback_id = f.id where f.project_id = projects.id), 0)",
)


def plant_many(count: int) -> int:
    """Plant about `count` submissions, with exact counts of everything; returns how many there are."""
    copies = min(MOST_COPIES, max(1, count // 40))
    now = utc_now()
    at, team = places(()), load_team()
    plant(count // copies, at=at, team=team, until=now, seed=1, screenshots=False, planted=lambda _: None)
    # Copies have none of these: all get theirs in one go.
    for table in ("messages", "submission_events", "feedback_tags", "tags"):
        _execute(f"delete from {table}")
    _execute("update feedback_submissions set has_screenshot = (mod(id, 3) <> 0)")
    search.catch_up(600)
    with writing_connection(db.engine) as connection:
        last = connection.scalar(select(Feedback.id).order_by(Feedback.id.desc()).limit(1)) or 0
        connection.rollback()
        for first in range(0, last, COPIED_AT_ONCE):
            with begin_write(connection):
                _copy(connection, first, min(first + COPIED_AT_ONCE, last), copies)
    for statement in CHILDREN:
        _execute(statement)
    rollup.fold_all(3600, 20_000)
    # The seed counts what it plants by itself; the copies it has not seen.
    check.repair(check.recount().differences)
    _put_pictures(count)
    if db.engine.dialect.name == "postgresql":
        # As autovacuum does within a minute or two: without, the planner takes what is due for one row.
        _execute("analyze")
    return (last or 0) * copies


def _execute(statement: str) -> None:
    with transaction() as session:
        session.execute(text(statement))


def _copy(connection: Connection, after: int, until: int, copies: int) -> None:
    """Copy the base's rows with an id above `after`, up to `until`; the index gets their words too."""
    words = {
        row.public_id[:UNIQUE_PREFIX]: indexed(
            [getattr(row, name) for name in TEXTS], {fact: getattr(row, name) for fact, name in FACTS.items()}
        )
        for row in connection.execute(
            select(Feedback.__table__).where(Feedback.id > after, Feedback.id <= until)
        )
    }
    names = [column.name for column in Feedback.__table__.columns if column.name not in ("id", "public_id")]
    apart = APART[connection.dialect.name]
    values = [f"b.{name} - {apart}" if name in MOMENTS else f"b.{name}" for name in names]
    behind = connection.scalar(text("select max(id) from feedback_submissions"))
    number = "case when n.i < 10 then 'U0' else 'U' end || n.i"
    copying = (
        "with recursive n(i) as"
        " (select 1 where :copies > 1 union all select i + 1 from n where i < :copies - 1)"
        f" insert into feedback_submissions (public_id, {', '.join(names)})"
        f" select substr(b.public_id, 1, {UNIQUE_PREFIX}) || {number}, {', '.join(values)}"
        " from feedback_submissions b cross join n where b.id > :after and b.id <= :until"
    )
    connection.execute(text(copying), {"copies": copies, "after": after, "until": until})
    made = connection.execute(
        text("select id, public_id from feedback_submissions where id > :behind order by id"),
        {"behind": behind},
    ).all()
    search.INDEX.put(connection, [(row.id, words[row.public_id[:UNIQUE_PREFIX]]) for row in made])
    connection.execute(
        text("update search_state set indexed_to = (select max(id) from feedback_submissions)")
    )


def _put_pictures(count: int) -> None:
    """Put small files for some of the pictures' rows."""
    every = max(1, count * 2 // 3 // FILES)
    query = text("select blob_key, thumbnail_key from feedback_screenshots where mod(id, :every) = 0")
    with db.engine.connect() as connection:
        keys = [key for row in connection.execute(query, {"every": every}) for key in row]
    folder = blob_folder()
    for parent in {(folder / key).parent for key in keys}:
        parent.mkdir(parents=True, exist_ok=True)
    for key in keys:
        (folder / key).write_bytes(b"x")


def blob_folder() -> Path:
    """Return where the blobs lie."""
    return current_settings().instance_path / "blobs"


def blobs_on_disk() -> set[str]:
    """Return the keys of all blobs, as the folder has them."""
    folder = blob_folder()
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
