"""Tracking: every statement to its last row, with who issued it, on both databases."""

import gc
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.clock import utc_now
from app.database.tracking.scope import ignored, origin, time_budget
from app.database.tracking.tracker import is_read
from app.database.tracking.watch import current_watcher
from app.database.transactions import transaction
from app.extensions import db
from app.models import Project

# Counts to 300,000 in one statement: its work is in the rows that are fetched, not in the first one.
MANY = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000) select i from n"


@pytest.fixture
def watcher(app):
    with app.app_context():
        yield current_watcher()


def seen(watcher, part):
    watcher.flush()
    found = watcher.statistics.statements(utc_now() - timedelta(hours=1), search=part)
    assert len(found) <= 1, found
    return found[0] if found else None


def run(sql, **values):
    with db.engine.connect() as connection:
        return connection.execute(text(sql), values).all()


def test_a_statement_is_timed_to_its_last_row(watcher):
    with origin("test"), db.engine.connect() as connection:
        result = connection.execution_options(stream_results=True).execute(text(MANY))
        first = result.fetchone()
        _, started, _ = connection.connection.dbapi_connection.running
        assert (first.i, started > 0) == (1, True), "it still runs after its first row"
        rest = result.all()
    figures = seen(watcher, "union all")
    assert (figures.timing.count, figures.rows) == (1, len(rest) + 1)


def test_rows_errors_and_counts_are_kept(watcher):
    with origin("test"):
        for n in (1, 2, 3):
            run("select name from projects where id = :id", id=n)
        with pytest.raises(DBAPIError):
            run("select no_such_column from projects")
        with transaction() as session:
            session.execute(text("update projects set name = 'x' where id > 0"))
    assert seen(watcher, "where id =").timing.count == 3
    assert seen(watcher, "no_such").errors == 1
    assert seen(watcher, "update projects").rows == 0


def test_a_failed_write_is_an_error_and_what_follows_counts(watcher):
    with origin("test"), pytest.raises(IntegrityError), transaction() as session:
        session.execute(text("insert into projects (name) values ('half')"))
    assert seen(watcher, "insert into projects").errors == 1
    assert run("select 41 + 1")[0][0] == 42


def test_many_rows_in_one_call_are_one_run(watcher):
    with origin("test"), transaction() as session:
        session.execute(
            text("delete from projects where name = :name"), [{"name": str(n)} for n in range(20)]
        )
    assert seen(watcher, "delete from projects").timing.count == 1


def test_the_commit_is_timed_as_well(watcher):
    with origin("test"), transaction() as session:
        session.add(Project(name="Committed"))
    watcher.flush()
    statements = watcher.statistics.statements(utc_now() - timedelta(hours=1))
    assert [one.timing.count for one in statements if one.text == "COMMIT"] == [1]


def test_it_is_said_who_issued_it(watcher, client):
    client.get("/admin/sign-in")
    client.get("/health/db")
    figures = seen(watcher, "select alembic_version")
    origins = {caller.origin: caller.line for caller in figures.callers}
    assert origins["GET /health/db"].startswith("blueprints/operations/migrations.py:")


def test_callers_are_counted_by_samples_and_slow_runs_do_not_count_twice(make_app):
    with make_app(slow_query_ms=1).app_context():
        watcher = current_watcher()
        with origin("GET /often") as scope:
            for n in range(100):
                watcher.tracker.take("select often", scope, 0.5 if n % 2 else 0.0001, 1, None)
        figures = seen(watcher, "select often")
    assert (figures.timing.count, figures.slow_count) == (100, 50)
    assert sum(caller.count for caller in figures.callers) == 8 + 3 * 32  # the first eight, then each 32nd


def test_a_thread_is_named(watcher, app):
    def work():
        with app.app_context():
            run("select 1 as from_a_thread")

    thread = threading.Thread(target=work, name="counting")
    thread.start()
    thread.join()
    assert [caller.origin for caller in seen(watcher, "from_a_thread").callers] == ["thread counting"]


def test_what_is_ignored_is_not_seen(watcher):
    with ignored():
        run("select 7 as unseen")
    assert seen(watcher, "unseen") is None


def test_the_watcher_does_not_watch_itself(watcher):
    run("select 1 as something")
    watcher.flush()
    watcher.flush()
    assert seen(watcher, "query_statistics") is None


def test_a_cursor_that_is_closed_early_counts_what_was_read(watcher):
    with origin("test"), db.engine.connect() as connection:
        result = connection.execution_options(stream_results=True).execute(text(MANY))
        result.fetchmany(10)
        result.close()
    assert seen(watcher, "union all").rows >= 10


def test_a_result_that_nobody_reads_counts(watcher):
    run("select 1")  # SQLAlchemy asks an engine's first connection a question of its own
    with origin("test") as scope:
        for _ in range(3):
            db.session.execute(text("select 3 as unread"))
        db.session.rollback()
    assert scope.statements == 3
    gc.collect()  # SQLAlchemy's results are cycles
    assert seen(watcher, "as unread").timing.count == 3


def test_the_driver_s_own_iteration_is_timed(watcher):
    with origin("test"):
        connection = db.engine.raw_connection()
        cursor = connection.cursor()
        cursor.execute(MANY)
        count = sum(1 for _ in cursor)
        cursor.execute("select 5 as second")
        assert [cursor.fetchone()[0], cursor.fetchmany(3)] == [5, []]
        connection.close()
    assert seen(watcher, "union all").rows == count == 300_000
    assert seen(watcher, "as second").rows == 1


ENDLESS = {
    "sqlite": "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",
    "postgresql": "select pg_sleep(60)",
}


def test_a_read_over_its_time_is_ended_and_the_connection_lives(watcher, database):
    with origin("GET /slow", budget_seconds=0.2):
        with pytest.raises(DBAPIError):
            run(ENDLESS[database])
        assert run("select 41 + 1")[0][0] == 42
    assert seen(watcher, ENDLESS[database].split("(")[0]).errors == 1


def test_an_export_has_another_budget(watcher):
    with origin("GET /export", budget_seconds=0.001) as scope:
        with time_budget(60):
            assert len(run(MANY)) == 300_000
        assert scope.budget_seconds == 0.001
    with time_budget(1):  # nobody's request: there is nothing to change
        assert run("select 1")


def test_a_request_over_its_time_is_answered_503(make_app, database):
    app = make_app(read_budget_ms=200)
    app.add_url_rule("/endless", "endless", lambda: str(run(ENDLESS[database])))
    app.extensions["earmark_access"]["endless"] = "public"
    response = app.test_client().get("/endless")
    assert (response.status_code, response.get_json()["error"]["code"]) == (503, "query_timeout")
    assert response.headers["Retry-After"]
    assert "pg_sleep" not in response.text


@pytest.mark.parametrize(("sql", "expected"), [("SELECT 1", True), (" with x", True), ("update t", False)])
def test_what_a_read_is(sql, expected):
    assert is_read(sql) is expected


def test_more_than_the_queue_holds_is_dropped_and_said(watcher, monkeypatch):
    full = watcher.tracker.queue.maxlen
    with origin("test") as scope:
        for _ in range(full + 10):
            watcher.tracker.take("select one", scope, 0.001, 1, None)
    watcher.flush()
    assert watcher.collector.dropped == 1
    assert seen(watcher, "select one").timing.count == full


def test_an_application_without_tracking_takes_no_time(make_app):
    app = make_app(query_tracking=False)
    with app.app_context():
        watcher = current_watcher()
        run("select 1")
        assert watcher.tracking is False
        watcher.start()
        assert db.session.scalars(select(Project.id)).all() == []
        db.session.rollback()
        assert not watcher.tracker.queue
