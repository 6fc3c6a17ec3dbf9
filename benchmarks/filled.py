"""An instance full of demo submissions, for the benchmarks of reading: filled once, or a kept one named.

Two of three have the row of a picture; the pictures themselves are left out, also of the counts. Everything
else is counted and indexed, and the planner has its statistics.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from app import create_app
from app.blueprints.operations.migrations import migrate_to_head
from app.blueprints.operations.seed.planting import places, plant
from app.blueprints.operations.seed.team import load_team
from app.clock import utc_now
from app.config import load_or_generate
from app.database.engine import sqlite
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, User, rollup, search

ROWS = 100_000
PICTURES = (
    "insert into feedback_screenshots"
    " (feedback_id, blob_key, media_type, size_bytes, state, attempts, created_at)"
    " select id, 'screenshots/' || public_id, 'image/webp', 40000, 'ready', 0, created_at"
    " from feedback_submissions where id % 3 > 0",
    "update feedback_submissions set has_screenshot = 1 where id % 3 > 0",
)
AGENTS = ("Ana Ruiz", "Ben Adler", "Cleo Marsh", "Dev Patel")
INDEXED_AT_ONCE = 5_000


def options(description: str, rounds: int) -> argparse.Namespace:
    """Read the options that the benchmarks of reading share."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS, help="submissions, where no filled one is given")
    parser.add_argument("--instance", type=Path, help="folder of an instance to be filled once and kept")
    parser.add_argument("--rounds", type=int, default=rounds, help="rounds of each")
    return parser.parse_args()


@contextmanager
def instance(chosen: argparse.Namespace) -> Iterator[tuple[Path, Flask]]:
    """Give the folder of a filled instance and its application, whose context is entered."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.instance or Path(temporary)
        _refuse_what_others_filled(folder)
        app = create_app(replace(load_or_generate(), instance_path=folder, log_level="ERROR"))
        with app.app_context():
            migrate_to_head()
            if not kept():
                _fill(chosen.rows)
            print(f"{kept():,} submissions")
            yield folder, app
            db.session.remove()
            db.engine.dispose()
        app.extensions["earmark_intake"].close()


def kept() -> int:
    """Return how many submissions there are."""
    count = db.session.scalar(select(func.count(Feedback.id))) or 0
    db.session.rollback()
    return count


def email_of(name: str) -> str:
    """Return the address of one of the agents."""
    return f"{name.partition(' ')[0].lower()}@example.org"


def _refuse_what_others_filled(folder: Path) -> None:
    """End before an instance is migrated that has not the benchmarks' own team."""
    file = folder / "earmark.sqlite3"
    if not file.exists():
        return
    with closing(sqlite.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        known = connection.execute("select 1 from sqlite_master where name = 'users'").fetchone()
        there = {email for (email,) in connection.execute("select email from users")} if known else set()
    if not there.issuperset(map(email_of, AGENTS)):
        raise SystemExit(
            f"{folder} was not filled by benchmarks, which would migrate it. Name an empty folder or theirs."
        )


def _fill(rows: int) -> None:
    began = time.monotonic()
    with transaction() as session:
        for name in AGENTS:
            session.add(User(email=email_of(name), name=name, role="agent"))
    at, team = places(()), load_team()
    plant(rows, at=at, team=team, until=utc_now(), seed=1, screenshots=False, planted=lambda _: None)
    planted = time.monotonic()
    with transaction() as session:
        for statement in PICTURES:
            session.connection().exec_driver_sql(statement)
    rollup.fold_all(3_600, 20_000)
    folded = time.monotonic()
    while search.index_some(INDEXED_AT_ONCE):
        pass
    with transaction() as session:
        session.connection().exec_driver_sql("analyze")
    ended = time.monotonic()
    print(
        f"planted in {planted - began:.0f} s, counted in {folded - planted:.0f} s,"
        f" indexed in {ended - folded:.0f} s"
    )
