"""Figures of several processes: merged, kept over a restart, bounded, pruned."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select, text, update

from app.clock import utc_now
from app.database.paging.keyset import paginate
from app.database.tracking import collector as collecting
from app.database.tracking import sums
from app.database.tracking.scope import origin
from app.database.tracking.statistics import SORTS
from app.database.tracking.sums import OTHERS, RouteSum, StatementSum, Window
from app.database.tracking.tables import HOUR, MINUTE
from app.database.tracking.tracker import Running
from app.database.tracking.watch import current_watcher
from app.database.tracking.writer import MINUTES_KEPT, prune, statement_id
from app.database.transactions import begin_write, transaction, writing_connection
from app.extensions import db
from app.models import Project


def hour_ago():
    return utc_now() - timedelta(hours=1)


@pytest.fixture
def watcher(app):
    with app.app_context():
        yield current_watcher()


def take(watcher, sql, *milliseconds, name="GET /", rows=1):
    with origin(name) as scope:
        for duration in milliseconds:
            watcher.tracker.take(sql, scope, duration / 1000, rows, None)


def counts(watcher):
    return {one.text: one.timing.count for one in watcher.statistics.statements(hour_ago())}


def test_two_processes_are_added_and_kept_over_a_restart(make_app):
    first, second = make_app(), make_app()
    for app, durations in ((first, (1, 2, 3)), (second, (4, 50))):
        with app.app_context():
            take(current_watcher(), "select a", *durations)
            assert current_watcher().flush()
    with make_app().app_context():  # a process that has seen nothing itself
        (figures,) = (
            one for one in current_watcher().statistics.statements(hour_ago()) if one.text[-1] == "a"
        )
    assert (figures.timing.count, figures.rows) == (5, 5)
    assert figures.timing.total_ms == pytest.approx(60)
    assert (figures.timing.min_ms, figures.timing.max_ms) == (1, 50)
    assert figures.timing.p50_ms == pytest.approx(3, rel=0.011)
    assert figures.timing.p99_ms == pytest.approx(50, rel=0.011)


def test_a_write_that_is_repeated_counts_once(watcher):
    take(watcher, "select a", 1, 2)
    watcher.flush()
    take(watcher, "select a", 3)
    for _ in range(3):
        watcher.flush()
    assert counts(watcher)["select a"] == 3


def test_a_busy_database_delays_it_and_nothing_is_lost(watcher, database):
    take(watcher, "select a", 1)
    refuse = {"on": True}

    def refusing(*_):
        if refuse["on"]:
            raise db_error()

    event.listen(watcher.engine, "begin", refusing)
    assert watcher.flush() is False
    assert watcher.flush() is False
    refuse["on"] = False
    take(watcher, "select a", 1)
    assert watcher.flush() is True
    event.remove(watcher.engine, "begin", refusing)
    assert counts(watcher)["select a"] == 2


def db_error():
    from sqlalchemy.exc import OperationalError

    return OperationalError("BEGIN", None, Exception("busy"))


def test_sorting_searching_and_limiting(watcher):
    take(watcher, "select cheap", *[1] * 9)
    take(watcher, "select dear", 50, rows=100)
    watcher.flush()
    statistics = watcher.statistics
    firsts = {sort: statistics.statements(hour_ago(), sort=sort, limit=1)[0].text for sort in SORTS}
    assert firsts["count"] == "select cheap"
    assert {firsts[sort] for sort in ("total", "avg", "p95", "p99", "max", "rows")} == {"select dear"}
    assert [one.text for one in statistics.statements(hour_ago(), search="CHEAP")] == ["select cheap"]
    assert sum(one.share for one in statistics.statements(hour_ago())) == pytest.approx(1)


def test_one_statement_with_its_histogram_series_and_callers(watcher):
    take(watcher, "select a", 1, 1, 100, name="GET /one")
    take(watcher, "select a", 1, name="job two")
    watcher.flush()
    (figures,) = watcher.statistics.statements(hour_ago(), search="select a")
    detail = watcher.statistics.statement(figures.fingerprint, hour_ago())
    assert detail.figures == figures
    assert sum(column.count for column in detail.histogram) == 4
    assert [point.count for point in detail.series] == [4]
    assert {caller.origin: caller.count for caller in figures.callers} == {"GET /one": 3, "job two": 1}
    assert watcher.statistics.statement("0" * 12, hour_ago()) is None
    assert watcher.statistics.statement("", hour_ago()) is None


def test_routes_count_their_statements_and_errors(client, watcher):
    client.get("/health/db")
    client.get("/health/db")
    client.get("/nowhere")
    watcher.flush()
    routes = {one.route: one for one in watcher.statistics.requests(hour_ago())}
    health = routes["GET /health/db"]
    assert (health.timing.count, health.errors) == (2, 0)
    assert health.statements_avg <= health.statements_max
    assert 0 < health.database_avg_ms < health.timing.max_ms
    assert routes["GET (no route)"].timing.count == 1
    overview = watcher.statistics.overview(hour_ago())
    assert (overview.requests.count, overview.request_errors) == (3, 0)
    assert overview.statements.count >= 2
    assert overview.kinds == len(watcher.statistics.statements(hour_ago()))


def test_a_failed_request_is_an_error(app, watcher):
    def fail():
        raise RuntimeError

    app.add_url_rule("/broken", "broken", fail)
    app.extensions["earmark_access"]["broken"] = "public"
    assert app.test_client().get("/broken").status_code == 500
    watcher.flush()
    assert [one.errors for one in watcher.statistics.requests(hour_ago())] == [1]


def test_a_statement_once_a_row_is_named_with_its_line(app, watcher):
    def repeating():
        for n in range(8):
            db.session.scalars(select(Project.name).where(Project.id == n)).all()
        return "done"

    app.add_url_rule("/repeating", "repeating", repeating)
    app.extensions["earmark_access"]["repeating"] = "public"
    app.test_client().get("/repeating")
    app.test_client().get("/health")
    watcher.flush()
    routes = {one.route: one.repeats for one in watcher.statistics.requests(hour_ago())}
    assert routes["GET /health"] == ()
    (repeat,) = routes["GET /repeating"]
    assert (repeat.most, repeat.requests) == (8, 1)
    assert "FROM projects" in repeat.text


def test_the_slow_log_has_who_what_and_the_plan_but_no_values(make_app, database):
    app = make_app(slow_query_ms=1)
    with app.app_context():
        watcher = current_watcher()
        with transaction() as session:
            session.add(Project(name="Searched"))
        sql = "select id from projects where name = :name and :n < (select count(*) from t) "
        sql = sql.replace("t)", "users)")
        with origin("GET /slow", request_id="r-1") as scope:
            watcher.tracker.take(sql.replace(":name", "'secret'").replace(":n", "4"), scope, 0.5, 3, None)
        watcher.flush()
        page = paginate(watcher.statistics.slow(), order=watcher.statistics.slow_order, cursor=None, limit=50)
        entry = next(row for row in page.rows if row.request_id == "r-1")
        assert "secret" not in entry.text
        assert (entry.origin, entry.duration_ms, entry.rows) == ("GET /slow", 500, 3)
        assert entry.plan["nodes"]
        (slowest,) = watcher.statistics.slowest(entry.fingerprint, hour_ago())
        assert slowest.id == entry.id


def test_a_thousand_kinds_of_statement_become_one_beyond_the_most(watcher, monkeypatch):
    monkeypatch.setattr(sums, "MOST_STATEMENTS", 10)
    take(watcher, "select common", *[1] * 50)
    for n in range(100):
        take(watcher, f"select rare_{n}", 1)
    watcher.flush()
    found = counts(watcher)
    assert found["select common"] == 50
    assert found[OTHERS] >= 80
    assert sum(found.values()) == 150


def test_a_database_that_is_away_for_long_costs_bounded_memory(watcher, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_WINDOWS", 4)
    now = utc_now()
    monkeypatch.setattr(watcher._writer, "write", lambda *_: False)
    for minute in range(10):
        monkeypatch.setattr(collecting, "utc_now", lambda minute=minute: now + timedelta(minutes=minute))
        take(watcher, "select a", 1)
        watcher.flush()
    assert len(watcher.collector._windows) <= 4
    assert watcher.collector.dropped > 0


def test_old_figures_are_pruned_and_the_rest_stays(watcher):
    take(watcher, "select old", 1)
    watcher.flush()
    table = watcher.tables.statements
    old = utc_now() - MINUTES_KEPT - timedelta(hours=1)
    with writing_connection(watcher.engine) as connection, begin_write(connection):
        connection.execute(update(table).values(start=old))
    take(watcher, "select new", 1)
    watcher.flush()
    prune(watcher.engine, watcher.tables, utc_now())
    with watcher.engine.connect() as connection:
        left = connection.execute(
            select(table.c.seconds, func.count()).where(table.c.start == old).group_by(table.c.seconds)
        ).all()
    assert dict(left).get(MINUTE) is None
    assert dict(left)[HOUR] > 0
    assert "select new" in counts(watcher)


def test_the_slow_log_is_bounded(make_app, monkeypatch):
    from app.database.tracking import writer

    monkeypatch.setattr(writer, "SLOW_KEPT", 5)
    with make_app().app_context():
        watcher = current_watcher()
        take(watcher, "select slow", *[200] * 12)
        watcher.flush()
        watcher.prune()
        with watcher.engine.connect() as connection:
            assert len(connection.execute(watcher.statistics.slow()).all()) == 5


def test_starting_afresh_forgets_statements_and_keeps_samples(watcher):
    take(watcher, "select a", 500)
    watcher.statistics.sample({"database_bytes": 1}, utc_now())
    watcher.flush()
    assert watcher.statistics.since() is not None
    watcher.statistics.forget()
    assert watcher.statistics.statements(hour_ago()) == []
    assert watcher.statistics.since() is None
    assert [one.values for one in watcher.statistics.samples(hour_ago())] == [{"database_bytes": 1}]


def test_a_statement_that_comes_again_after_starting_afresh_has_its_text(watcher):
    take(watcher, "select a", 500)
    watcher.flush()
    watcher.statistics.forget()
    take(watcher, "select a", 500)
    watcher.flush()
    assert "select a" in counts(watcher)


def test_a_process_says_what_it_is_and_what_watching_costs(watcher):
    take(watcher, "select a", 1)
    watcher.add_gauge("answer", lambda: 42)
    watcher.flush()
    (process,) = watcher.statistics.processes(utc_now())
    assert process.gauges["answer"] == 42
    assert 0 <= process.monitor_share < 1
    assert process.monitor_us_a_statement > 0
    assert watcher.statistics.processes(utc_now() + timedelta(minutes=1)) == []


def test_a_statement_is_ended_on_request(watcher):
    watcher.flush()
    (process,) = watcher.statistics.processes(utc_now())

    class Endless:
        ended = False

        def interrupt(self):
            self.ended = True

    one, other = Endless(), Endless()
    running = [Running(one, "select 1", "job", 5.0, 1.0), Running(other, "select 2", "job", 4.0, 2.0)]
    watcher._writer.end_wanted(running)
    assert [one.ended, other.ended] == [False, False]
    assert watcher.statistics.ask_to_end(process.worker, statement_id(running[1]))
    watcher._writer.end_wanted([])
    watcher._writer.end_wanted(running)
    assert [one.ended, other.ended] == [False, True]
    other.ended = False
    watcher._writer.end_wanted(running)
    assert other.ended is False, "it was asked for once"
    assert not watcher.statistics.ask_to_end("nobody", "x")


def test_browsers_timings_are_kept_by_page_and_metric(watcher):
    for value_ms in (100, 200, 300):
        watcher.record_browser("/admin/", "LCP", value_ms)
    watcher.flush()
    (found,) = watcher.statistics.browser(hour_ago())
    assert (found.page, found.metric, found.timing.count) == ("/admin/", "LCP", 3)
    assert found.timing.p50_ms == pytest.approx(200, rel=0.011)


def test_sums_of_windows_are_exact():
    one, other = Window(), Window()
    one.statements["a"] = StatementSum(1, 10, 10, 10, rows=1, callers={("x", "y"): 1})
    other.statements["a"] = StatementSum(2, 5, 2, 3, rows=2, errors=1, callers={("x", "y"): 2})
    one.routes["/"] = RouteSum(repeats={"f": [1, 7, ""]})
    other.routes["/"] = RouteSum(repeats={"f": [2, 9, "a.py:3"]})
    one.merge(other)
    whole = one.statements["a"]
    assert (whole.count, whole.total_us, whole.min_us, whole.max_us) == (3, 15, 2, 10)
    assert (whole.rows, whole.errors, whole.callers) == (3, 1, {("x", "y"): 3})
    assert one.routes["/"].repeats == {"f": [3, 9, "a.py:3"]}


def test_in_development_the_answer_carries_its_timing(app):
    app.debug = True
    header = app.test_client().get("/health/db").headers["Server-Timing"]
    assert header.startswith("total;dur=")
    assert re.search(r'db;dur=[0-9.]+;desc="[1-9][0-9]* statements"', header)
    app.debug = False
    assert "Server-Timing" not in app.test_client().get("/health").headers


def test_the_statistics_are_read_in_few_statements(app, watcher, assert_statements):
    take(watcher, "select a", 1)
    watcher.flush()
    with assert_statements(0):  # they are not tracked themselves
        watcher.statistics.overview(hour_ago())
    with assert_statements(2):
        db.session.execute(text("select 1")).all()
        db.session.execute(text("select 2")).all()
