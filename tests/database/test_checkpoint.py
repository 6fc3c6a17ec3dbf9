"""Checkpoints beside the writers: the log begins anew, and nobody is stopped or stops it."""

import pytest
from sqlalchemy import select, text

from app.database import checkpoint as checkpoints
from app.database.checkpoint import checkpoint, pending_pages
from app.database.engine import turn_of
from app.database.transactions import transaction
from app.extensions import db
from app.models import Project

sqlite_alone = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def context(app, monkeypatch):
    monkeypatch.setattr(checkpoints, "PAGES", 20)
    monkeypatch.setattr(checkpoints, "TURN_SECONDS", 0.05)
    with app.app_context():
        yield


def write(name, count=40):
    with transaction() as session:
        session.add_all(Project(name=f"{name} {number} {'x' * 3000}") for number in range(count))


def pending():
    pooled = db.engine.raw_connection()
    try:
        return pending_pages(pooled.cursor())
    finally:
        pooled.close()


def names():
    with db.engine.connect() as connection:
        return connection.scalar(select(text("count(*)")).select_from(Project))


@sqlite_alone
def test_a_long_log_is_written_back_and_begins_anew(context, settings):
    write("First")
    assert pending() >= 20
    assert checkpoint(db.engine)
    assert pending() == 0
    log = settings.instance_path / "earmark.sqlite3-wal"
    long = log.stat().st_size
    write("Second")
    assert log.stat().st_size == long, "written from its beginning"
    assert names() == 80


@sqlite_alone
def test_a_short_log_is_left_alone(context):
    checkpoint(db.engine)
    write("One", count=1)
    before = pending()
    assert 0 < before < 20
    assert not checkpoint(db.engine)
    assert pending() == before


@sqlite_alone
def test_who_reads_meanwhile_goes_on_reading_what_was(context):
    write("First")
    with db.engine.connect() as reader:
        count = select(text("count(*)")).select_from(Project)
        assert reader.scalar(count) == 40
        write("Second")
        assert checkpoint(db.engine)
        assert reader.scalar(count) == 40
    assert names() == 80
    assert checkpoint(db.engine), "the rest, once nobody reads it any more"
    assert pending() == 0


@sqlite_alone
def test_a_writer_at_work_is_not_waited_for_beyond_the_turn(context):
    write("First")
    with turn_of(db.engine).taken(1):
        assert checkpoint(db.engine), "most of it, without the turn"
    assert pending() == 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_has_its_own(context):
    assert not checkpoint(db.engine)


@sqlite_alone
def test_a_library_with_the_fault_is_left_to_its_commits(context, monkeypatch):
    write("First")
    monkeypatch.setattr(checkpoints, "SAFE_BESIDE_WRITERS", (99, 0, 0))
    assert not checkpoint(db.engine)
    assert pending() >= 20
