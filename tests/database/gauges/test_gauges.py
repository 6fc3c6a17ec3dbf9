"""The database's gauges on SQLite and PostgreSQL: sizes, log, free pages, waits, growth."""

import secrets
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, event, text

from app.clock import utc_now
from app.database.engine import engine_options, turn_of
from app.database.gauges.measure import (
    DatabaseGauges,
    Sampler,
    database_gauges,
    days_until_full,
    growth,
    publish,
)
from app.database.gauges.page_cache import watch_page_cache
from app.database.tracking.scope import origin
from app.database.tracking.statistics import ResourceSample
from app.database.tracking.watch import current_watcher
from app.database.transactions import begin_write, writing_connection
from app.database.turn import TurnTimeout
from app.extensions import db

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def watcher(app):
    with app.app_context():
        yield current_watcher()


def write(engine, *statements):
    with writing_connection(engine) as connection, begin_write(connection):
        for statement in statements:
            connection.execute(text(statement))


def fill(engine, rows=2000):
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < :rows)"
    with writing_connection(engine) as connection, begin_write(connection):
        connection.execute(text("create table ballast (body text not null)"))
        connection.execute(
            text(f"insert into ballast {numbers} select :body || i from n"),
            {"rows": rows, "body": secrets.token_hex(500)},
        )


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_size_grows_with_what_is_kept(watcher):
    before = database_gauges(watcher.engine)
    assert before.database == watcher.engine.dialect.name
    assert before.size_bytes >= before.used_bytes > 0
    assert before.page_size in (4096, 8192)
    fill(watcher.engine)
    after = database_gauges(watcher.engine)
    assert after.size_bytes - before.size_bytes > 2_000_000
    assert after.used_bytes - before.used_bytes > 2_000_000


def test_measuring_is_not_tracked(watcher):
    with origin("test") as scope:
        database_gauges(watcher.engine)
    assert scope.statements == 0


@sqlite_only
def test_deleted_rows_leave_free_pages(watcher):
    fill(watcher.engine)
    full = database_gauges(watcher.engine)
    write(watcher.engine, "delete from ballast")
    after = database_gauges(watcher.engine)
    assert after.free_bytes - full.free_bytes > 2_000_000
    assert full.used_bytes - after.used_bytes > 2_000_000
    assert after.used_bytes + after.free_bytes == after.size_bytes == full.size_bytes
    assert after.free_share == pytest.approx(after.free_bytes / after.size_bytes)


@sqlite_only
def test_the_log_and_its_checkpoint(watcher):
    fill(watcher.engine)
    logged = database_gauges(watcher.engine)
    assert logged.wal_bytes > logged.wal_pending_bytes > 2_000_000
    began = time.time()
    connection = watcher.engine.raw_connection()
    connection.cursor().execute("pragma wal_checkpoint(truncate)").fetchall()
    connection.close()
    after = database_gauges(watcher.engine, now=utc_now() + timedelta(seconds=90))
    assert (after.wal_bytes, after.wal_pending_bytes) == (0, 0)
    # A file's time is as fine as the kernel's tick.
    assert began - 0.02 <= after.checkpointed_at.timestamp() <= time.time()
    assert after.checkpointed_at > logged.checkpointed_at
    assert after.checkpoint_age_s == pytest.approx(90, abs=5)


def test_a_database_in_memory_has_no_log():
    engine = create_engine("sqlite://")
    found = database_gauges(engine)
    assert (found.wal_bytes, found.checkpointed_at, found.checkpoint_age_s, found.waits) == (None,) * 4
    assert found.size_bytes == 0
    engine.dispose()


@postgresql_only
def test_what_a_superuser_sees_of_postgresql(watcher):
    found = database_gauges(watcher.engine)
    assert found.wal_bytes > 0
    assert found.checkpointed_at < utc_now()
    assert found.checkpoint_age_s > 0
    assert found.cache.hits > 0
    assert 0 < found.cache.share <= 1
    assert (found.waits, found.free_bytes, found.wal_pending_bytes) == (None, None, None)


@postgresql_only
def test_a_role_that_may_not_see_the_log_still_gets_the_sizes(watcher):
    role = f"earmark_test_{secrets.token_hex(6)}"
    write(watcher.engine, f"create role {role}")
    limited = create_engine(watcher.engine.url, **engine_options(str(watcher.engine.url)))
    event.listen(limited, "begin", lambda connection: connection.exec_driver_sql(f"set role {role}"))
    try:
        found = database_gauges(limited)
        assert found.size_bytes > 0
        assert found.wal_bytes is None
    finally:
        limited.dispose()
        write(watcher.engine, f"drop role {role}")


@postgresql_only
def test_a_session_that_waits_for_a_lock_is_seen(watcher):
    write(watcher.engine, "create table ballast (body text)")
    assert database_gauges(watcher.engine).waiting == 0
    waiter = threading.Thread(target=write, args=(watcher.engine, "lock table ballast"))
    with watcher.engine.begin() as connection:
        connection.execute(text("lock table ballast"))
        waiter.start()
        until(lambda: database_gauges(watcher.engine).waiting == 1)
    waiter.join()
    assert database_gauges(watcher.engine).waiting == 0


def wait_in_vain(engine, times):
    turn = turn_of(engine)
    for _ in range(times):
        with turn.taken(1):
            thread = threading.Thread(target=_refused, args=(turn,))
            thread.start()
            thread.join()


def _refused(turn):
    with pytest.raises(TurnTimeout):
        with turn.taken(0.01):
            pass


@sqlite_only
def test_waits_and_cache_hits_of_all_processes_are_added(make_app):
    watchers = []
    for times in (2, 3):
        app = make_app()
        with app.app_context():
            watch_page_cache(db.engine)
            db.engine.dispose()  # the next connection is counted
            publish(current_watcher())
            database_gauges(db.engine)
            wait_in_vain(db.engine, times)
            assert current_watcher().flush()
            watchers.append(current_watcher())
    one = watchers[0]
    alone = database_gauges(one.engine)
    assert (alone.waits.count, alone.waits.failed) == (2, 2)
    together = database_gauges(one.engine, one.statistics.processes(utc_now()))
    assert (together.waits.count, together.waits.failed) == (5, 5)
    published = [process.gauges["cache"] for process in one.statistics.processes(utc_now())]
    assert together.cache.hits == sum(cache["hits"] for cache in published) > 0


def test_the_pool_of_each_process_is_published(make_app):
    for _ in range(2):
        with make_app().app_context():
            publish(current_watcher())
            assert current_watcher().flush()
    with make_app().app_context():
        found = current_watcher().statistics.processes(utc_now())
    assert [one.gauges["pool"]["size"] for one in found] == [16, 16]
    assert all(one.gauges["pool"]["health_score"] == 100 for one in found)


def test_two_processes_keep_one_sample_each_five_minutes(make_app):
    samplers = []
    for _ in range(2):
        with make_app().app_context():
            watcher = current_watcher()
            samplers.append(Sampler(watcher.engine, watcher.statistics))
    for minute in (0, 1, 4, 5, 6, 9, 10):
        for sampler in samplers:
            sampler.sample(NOW + timedelta(minutes=minute))
    taken = watcher.statistics.samples(NOW)
    assert [one.taken_at - NOW for one in taken] == [timedelta(minutes=m) for m in (0, 5, 10)]
    now = database_gauges(watcher.engine)
    # PostgreSQL adds files for the room between rows when a table is first written to.
    assert taken[0].values["size_bytes"] == pytest.approx(now.size_bytes, rel=0.05)
    assert taken[0].values.keys() == {"size_bytes", "used_bytes", "free_bytes", "wal_bytes"}


def test_a_sample_that_the_database_did_not_take_is_tried_again(watcher):
    sampler = Sampler(watcher.engine, watcher.statistics)
    write(watcher.engine, "alter table resource_samples rename to elsewhere")
    sampler.sample(NOW)
    write(watcher.engine, "alter table elsewhere rename to resource_samples")
    assert watcher.statistics.samples(NOW) == []
    sampler.sample(NOW + timedelta(seconds=10))
    assert len(watcher.statistics.samples(NOW)) == 1


def samples(*sizes, every=timedelta(hours=1)):
    return [ResourceSample(NOW + i * every, {"used_bytes": size}) for i, size in enumerate(sizes)]


def test_growth_is_what_a_day_adds():
    assert growth(samples(1000, 1010, 1020, 1030)) == pytest.approx(240)
    assert growth(samples(500, 500, 500)) == 0
    assert growth(samples(900, 800, 700)) == pytest.approx(-2400)


def test_one_import_or_one_purge_does_not_move_the_growth():
    steady = [1000 + 10 * hour for hour in range(48)]
    purged = [size - 900 if hour > 40 else size for hour, size in enumerate(steady)]
    assert growth(samples(*purged)) == pytest.approx(240, rel=0.05)


def test_growth_of_a_week_of_samples_uses_a_few_of_them():
    week = samples(*range(0, 2016 * 7, 7), every=timedelta(minutes=5))
    assert growth(week) == pytest.approx(7 * 288)


def test_growth_is_unknown_until_an_hour_is_seen():
    assert growth([]) is None
    assert growth(samples(1000)) is None
    assert growth(samples(1000, 2000, every=timedelta(minutes=59))) is None
    assert growth([ResourceSample(NOW, {}), ResourceSample(NOW + timedelta(days=1), {})]) is None


@pytest.mark.parametrize(
    ("free", "a_day", "days"),
    [(1000, 100.0, 10.0), (0, 5.0, 0.0), (1000, 0.0, None), (1000, -3.0, None), (1000, None, None)],
)
def test_days_until_the_disk_is_full(free, a_day, days):
    assert days_until_full(free, a_day) == days


def test_gauges_are_values(watcher):
    assert isinstance(database_gauges(watcher.engine), DatabaseGauges)
    with pytest.raises(AttributeError):
        database_gauges(watcher.engine).size_bytes = 0
