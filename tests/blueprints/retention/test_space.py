"""Space comes back and is written down; a run for which there is no room is refused before it begins."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.blueprints.retention import space as giving
from app.clock import utc_now
from app.database import space
from app.database.space import Space, SpaceRefused
from app.errors import ClientError
from app.extensions import db
from app.models import SpaceRun, space_run
from app.models.space_run import FULL, estimate

ROWS = 20_000
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def context(app):
    with app.app_context():
        yield app


@pytest.fixture
def emptied(context):
    """A table of two megabytes whose rows are gone."""
    with db.engine.begin() as connection:
        connection.execute(text("create table heap (id integer primary key, words text)"))
        insert = text("insert into heap (id, words) values (:id, :words)")
        connection.execute(insert, [{"id": n, "words": "x" * 100} for n in range(ROWS)])
    with db.engine.begin() as connection:
        connection.execute(text("delete from heap"))


def run(app, *arguments, **options):
    return app.test_cli_runner().invoke(args=["retention", "vacuum", *arguments], **options)


@sqlite_only
def test_pages_are_given_back_in_steps(emptied):
    before = space.measure(db.engine)
    assert before.incremental
    assert before.free_pages > 400
    shares = []
    done = giving.give_back(300, shares.append)
    after = space.measure(db.engine)
    assert before.free_pages - after.free_pages == 300
    assert done.freed_bytes == 300 * before.page_size
    assert shares[-1] == 1.0
    giving.give_back(10**6)
    assert space.measure(db.engine).free_pages == 0
    assert [row.kind for row in db.session.scalars(select(SpaceRun))] == ["incremental"] * 2


@sqlite_only
def test_a_full_vacuum_gives_everything_back_and_is_written_down(emptied, app):
    before = space.measure(db.engine)
    found = run(app, "--yes", "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["freed_bytes"] > 0
    after = space.measure(db.engine)
    assert (after.free_pages, after.incremental) == (0, True)
    assert after.size_bytes < before.size_bytes
    status = json.loads(run(app, "status", "--json").stdout)
    assert status["full"]["measured_here"]
    assert status["runs"][0]["kind"] == "full"


@sqlite_only
def test_a_file_made_before_is_changed_by_one_full_vacuum(emptied, app, settings):
    with db.engine.connect() as connection:
        raw = connection.connection.cursor()
        raw.execute("pragma auto_vacuum = none")
        raw.execute("vacuum")
    assert not space.measure(db.engine).incremental
    found = run(app, "--incremental", "10")
    assert found.exit_code == 1
    assert "full vacuum" in found.output
    giving.vacuum()
    assert space.measure(db.engine).incremental


@sqlite_only
def test_without_room_a_full_vacuum_is_refused_and_nothing_is_touched(emptied):
    before = space.measure(db.engine)
    with pytest.raises(SpaceRefused, match="free disk"):
        space.full(db.engine, 10**18)
    assert space.measure(db.engine).free_pages == before.free_pages


@sqlite_only
def test_a_vacuum_asks_first_and_a_dry_run_only_says(emptied, app):
    before = space.measure(db.engine).free_pages
    assert run(app, input="n\n").exit_code == 1
    assert "to gain" in run(app, "--dry-run").output
    assert space.measure(db.engine).free_pages == before


@postgresql_only
def test_postgresql_is_vacuumed_and_what_is_dead_is_estimated(emptied, app):
    with db.engine.begin() as connection:
        connection.execute(text("analyze heap"))  # has the statistics counted, as autovacuum does
        connection.execute(text("select pg_stat_force_next_flush()"))
    found = run(app, "--yes")
    assert found.exit_code == 0, found.output
    assert db.session.scalars(select(SpaceRun.kind)).all() == ["analyze"]
    with db.engine.connect() as connection:
        count = text("select reltuples from pg_class where relname = 'heap'")
        assert connection.execute(count).scalar() == 0
    with pytest.raises(ClientError, match="incremental"):
        giving.give_back(10)
    status = json.loads(run(app, "status", "--json").stdout)
    assert {one["table"] for one in status["bloat"]} >= {"heap", "feedback_submissions"}


def space_of(used):
    return Space("sqlite", used, used, 0, 4096, 0, incremental=True, disk_free=10**9, temporary_free=None)


def run_of(duration_ms, used, peak):
    return SpaceRun(
        kind=FULL,
        started_at=utc_now(),
        duration_ms=duration_ms,
        used_bytes=used,
        before_bytes=used,
        after_bytes=used,
        peak_bytes=peak,
        started_by="x",
    )


def test_an_estimate_is_the_median_rate_of_this_machines_runs():
    runs = [run_of(1000, 100, 150), run_of(2000, 100, 120), run_of(90_000, 100, 10)]
    found = estimate(space_of(1000), runs)
    assert found.duration == timedelta(seconds=20)
    assert found.needed_bytes == 1000 * 1.5 * space_run.MARGIN
    assert found.measured


def test_without_runs_an_estimate_is_what_sqlite_documents():
    found = estimate(space_of(10**9), [])
    assert (found.needed_bytes, found.measured) == (2 * 10**9, False)
