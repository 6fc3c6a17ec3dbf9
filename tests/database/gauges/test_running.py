"""Statements that run for long: found and ended, on both databases."""

import secrets
import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

from app.clock import utc_now
from app.database.engine import engine_options
from app.database.gauges.running import end_statement, long_running
from app.database.tracking.scope import origin
from app.database.tracking.watch import current_watcher
from app.errors import ClientError

COUNTING = "with recursive n(i) as (select 1 union all select i + 1 from n)"
FOREVER = {
    "sqlite": f"{COUNTING} select count(*) from n where i > :n",
    "postgresql": "select pg_sleep(:n)",
}


@pytest.fixture
def watcher(app):
    with app.app_context():
        yield current_watcher()


class Runner:
    """A thread that runs a statement without end, until it is ended."""

    def __init__(self, watcher):
        self.watcher = watcher
        self.error = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        sql = FOREVER[self.watcher.engine.dialect.name]
        with origin("GET /slow"), self.watcher.engine.connect() as connection:
            try:
                connection.execute(text(sql), {"n": 600}).all()
            except OperationalError as error:
                self.error = error

    def found(self, least_seconds=1.0):
        deadline = time.monotonic() + 10
        while True:
            self.watcher.flush()  # publishes what this process runs
            found = long_running(self.watcher.engine, self.watcher, least_seconds)
            if found:
                return found
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def ended(self):
        deadline = time.monotonic() + 10
        while self.thread.is_alive():
            assert time.monotonic() < deadline
            self.watcher.collector.look()  # as its thread does each second
            self.thread.join(0.05)
        return self.error


@pytest.fixture
def runner(watcher):
    runner = Runner(watcher)
    yield runner
    for one in long_running(watcher.engine, watcher, 0) if runner.thread.is_alive() else ():
        end_statement(watcher.engine, watcher.statistics, one.id)
    runner.ended()


def test_a_long_statement_is_found_without_its_values(watcher, runner):
    (found,) = runner.found()
    assert found.text.startswith(("with recursive", "select pg_sleep"))
    assert "600" not in found.text
    assert 1 <= found.seconds < 12
    assert found.worker
    assert timedelta(seconds=1) <= utc_now() - found.started_at < timedelta(seconds=15)
    assert long_running(watcher.engine, watcher, least_seconds=60) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_issued_it_is_known(runner):
    (found,) = runner.found()
    assert found.origin == "GET /slow"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_it_waits_for_is_known(runner):
    (found,) = runner.found(0.0)
    assert found.waits_for == "Timeout PgSleep"


def test_a_long_statement_is_ended_once(watcher, runner):
    (found,) = runner.found()
    end_statement(watcher.engine, watcher.statistics, found.id)
    assert isinstance(runner.ended(), OperationalError)
    watcher.flush()
    assert long_running(watcher.engine, watcher, 0) == []
    with pytest.raises(ClientError) as refused:
        end_statement(watcher.engine, watcher.statistics, found.id)
    assert (refused.value.status, refused.value.code) == (404, "not_found")


def test_another_process_ends_it(make_app, runner):
    (found,) = runner.found()
    with make_app().app_context():
        other = current_watcher()
        assert [one.id for one in long_running(other.engine, other)] == [found.id]
        end_statement(other.engine, other.statistics, found.id)
    assert isinstance(runner.ended(), OperationalError)


@pytest.mark.parametrize(
    "statement_id",
    ["", "1", "1-1", "0-0", "-", "1-" + "9" * 40, "'; select 1 --", "\0", "٣-٣", "x" * 5000, "%s", "\ud800"],
)
def test_an_id_that_names_nothing_is_not_found(watcher, statement_id):
    with pytest.raises(ClientError) as refused:
        end_statement(watcher.engine, watcher.statistics, statement_id)
    assert refused.value.status == 404


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_id_of_an_earlier_run_ends_nothing(watcher, runner):
    (found,) = runner.found(0.0)
    pid, start = found.id.split("-")
    with pytest.raises(ClientError):
        end_statement(watcher.engine, watcher.statistics, f"{pid}-{int(start) - 1}")
    assert runner.thread.is_alive()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_role_without_the_right_may_not_end_another_s_statement(watcher, runner):
    role = f"earmark_test_{secrets.token_hex(6)}"
    limited = create_engine(watcher.engine.url, **engine_options(str(watcher.engine.url)))
    event.listen(limited, "begin", lambda connection: connection.exec_driver_sql(f"set role {role}"))
    with watcher.engine.begin() as connection:
        connection.execute(text(f"create role {role}"))
        connection.execute(text(f"grant pg_read_all_stats to {role}"))
    try:
        (found,) = runner.found(0.0)
        with pytest.raises(ClientError) as refused:
            end_statement(limited, watcher.statistics, found.id)
        assert (refused.value.status, refused.value.code) == (403, "forbidden")
        assert runner.thread.is_alive()
    finally:
        limited.dispose()
        with watcher.engine.begin() as connection:
            connection.execute(text(f"drop role {role}"))
