"""The performance API: what each endpoint answers of real traffic, and in which shape."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.blueprints.performance import shapes
from app.clock import rfc3339, utc_now
from app.database.tracking.scope import origin
from app.database.tracking.watch import current_watcher
from app.extensions import db
from app.security import ACCESS as GUARDED

PATH = "/api/performance"
# Over a million steps: longer than a millisecond on any machine.
SLOW = (
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < {steps}) "
    "select count(*) from n where i <> {value}"
)
FIGURES = {
    "fingerprint", "text", "count", "total_ms", "avg_ms", "min_ms", "max_ms", "p50_ms", "p95_ms", "p99_ms",
    "rows", "slow_count", "errors", "share", "last_seen", "callers",
}  # fmt: skip


@pytest.fixture
def app(make_app):
    return make_app(slow_query_ms=1)


@pytest.fixture
def api(client, bearer):
    headers = bearer("admin")

    def call(method, path, **options):
        return client.open(PATH + path, method=method, headers=headers, **options)

    return call


@pytest.fixture
def run(app):
    """Issue a statement as a route would, and have the collector write what it saw."""

    def go(sql, times=1, name="GET /made-up"):
        with app.app_context():
            for _ in range(times):
                with origin(name, "req-1"), db.engine.connect() as connection:
                    connection.execute(text(sql)).all()
            assert current_watcher().flush()

    return go


def data(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json["data"]


def found(rows, part):
    return [row for row in rows if part in row["text"]]


def test_statements_have_every_figure_and_where_they_are_issued(api, run):
    run("select 1 as one_of_three", times=3)
    answer = api("GET", "/queries")
    shapes.StatementList.model_validate(answer.json)
    assert answer.json["page"] == {"limit": 50, "next": None, "prev": None}
    (row,) = found(data(answer), "one_of_three")
    assert set(row) == FIGURES
    assert (row["count"], row["rows"], row["errors"]) == (3, 3, 0)
    assert 0 < row["min_ms"] <= row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] <= row["max_ms"]
    assert row["avg_ms"] == pytest.approx(row["total_ms"] / 3, abs=0.001)
    assert row["callers"][0]["origin"] == "GET /made-up"
    assert row["last_seen"].endswith("Z")
    assert sum(row["share"] for row in data(answer)) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("total", "total_ms"),
        ("total_ms", "total_ms"),
        ("avg", "avg_ms"),
        ("p95_ms", "p95_ms"),
        ("p99", "p99_ms"),
        ("max", "max_ms"),
        ("count", "count"),
        ("rows", "rows"),
        ("slow_count", "slow_count"),
        ("errors", "errors"),
        ("last_seen", "last_seen"),
    ],
)
def test_statements_stand_in_the_order_asked_for(api, run, sort, key):
    run("select 1 as quick", times=5)
    run(SLOW.format(steps=200_000, value=7))
    values = [row[key] for row in data(api("GET", f"/queries?sort={sort}"))]
    assert len(values) > 2
    assert values == sorted(values, reverse=True)


def test_statements_can_be_searched_and_cut(api, run):
    run("select 1 as needle")
    assert len(data(api("GET", "/queries?search=NEEDLE"))) == 1
    assert data(api("GET", "/queries?search=nowhere_at_all")) == []
    assert len(data(api("GET", "/queries?limit=2"))) == 2


def test_a_span_leaves_out_what_is_older(api, run):
    run("select 1 as old_one")
    for since in ("1h", "24h", "7d", rfc3339(utc_now() - timedelta(hours=2)), "2026-01-01T00:00:00Z"):
        assert found(data(api("GET", "/queries", query_string={"since": since})), "old_one"), since
    tomorrow = rfc3339(utc_now() + timedelta(days=1))
    assert data(api("GET", f"/queries?since={tomorrow}")) == []
    assert data(api("GET", f"/requests?since={tomorrow}")) == []
    assert data(api("GET", f"/slow?since={tomorrow}")) == []


def test_one_statement_shows_its_runs_its_callers_and_its_plan_but_no_value(api, run):
    sql = "select count(*) as slow_one from feedback_submissions a, feedback_submissions b where a.id = 4711"
    run(sql, times=2)
    run(sql, name="command export")
    (row,) = found(data(api("GET", "/queries")), "slow_one")
    answer = api("GET", f"/queries/{row['fingerprint']}")
    shapes.OneStatement.model_validate(answer.json)
    one = data(answer)
    assert set(one) == FIGURES | {"routes", "histogram", "series", "samples", "plan", "advice", "search"}
    assert sum(column["count"] for column in one["histogram"]) == 3
    assert sum(step["count"] for step in one["series"]) == 3
    assert one["routes"] == [
        {"origin": "GET /made-up", "count": 2},
        {"origin": "command export", "count": 1},
    ]
    assert {finding["code"] for finding in one["plan"]["findings"]} >= {"cartesian_join"}
    assert "4711" not in answer.text


def test_the_slowest_runs_of_a_statement_come_first_with_their_plans(api, run):
    for steps in (100_000, 400_000, 200_000):
        run(SLOW.format(steps=steps, value=4711))
    (row,) = found(data(api("GET", "/queries")), "recursive")
    assert row["slow_count"] == 3
    answer = api("GET", f"/queries/{row['fingerprint']}")
    samples = data(answer)["samples"]
    assert len(samples) == 3
    times = [sample["duration_ms"] for sample in samples]
    assert times == sorted(times, reverse=True)
    assert {sample["request_id"] for sample in samples} == {"req-1"}
    assert "4711" not in answer.text


def test_the_statistics_start_afresh(api, run):
    run(SLOW.format(steps=200_000, value=7))
    answer = api("DELETE", "/queries")
    shapes.Afresh.model_validate(answer.json)
    for path in ("/queries", "/slow"):
        assert not found(data(api("GET", path)), "recursive")


def test_the_slow_log_pages_both_ways_newest_first(api, run):
    for _ in range(5):
        run(SLOW.format(steps=200_000, value=7))
    (row,) = found(data(api("GET", "/queries")), "recursive")
    path = f"/slow?fingerprint={row['fingerprint']}&limit=2"
    first = api("GET", path).json
    shapes.SlowList.model_validate(first)
    second = api("GET", f"{path}&cursor={first['page']['next']}").json
    third = api("GET", f"{path}&cursor={second['page']['next']}").json
    seen = [one["created_at"] for page in (first, second, third) for one in page["data"]]
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)
    assert third["page"]["next"] is None
    again = api("GET", f"{path}&cursor={third['page']['prev']}").json
    assert again["data"] == second["data"]
    assert "id" not in first["data"][0]


def test_the_slow_log_says_who_ran_what_for_how_long(api, run):
    run(SLOW.format(steps=200_000, value=7))
    (one,) = found(data(api("GET", "/slow")), "recursive")
    assert (one["origin"], one["request_id"], one["rows"], one["error"]) == ("GET /made-up", "req-1", 1, None)
    assert one["duration_ms"] >= 1


def test_a_span_ends_the_slow_log_and_keeps_its_cursors(api, run):
    for _ in range(3):
        run(SLOW.format(steps=200_000, value=7))
    rows = found(data(api("GET", "/slow")), "recursive")
    since = rows[1]["created_at"]
    page = api("GET", f"/slow?fingerprint={rows[0]['fingerprint']}&limit=2&since={since}").json
    assert [one["created_at"] for one in page["data"]] == [row["created_at"] for row in rows[:2]]
    path = f"/slow?fingerprint={rows[0]['fingerprint']}&limit=2&since="
    page = api("GET", path + rows[0]["created_at"]).json
    assert (len(page["data"]), page["page"]["next"]) == (1, None)
    moved = api("GET", f"{path}7d&cursor={api('GET', path + '1h').json['page']['next']}").json
    assert [one["created_at"] for one in moved["data"]] == [rows[2]["created_at"]]


def test_a_cursor_of_another_statement_is_refused(api, run):
    for _ in range(3):
        run(SLOW.format(steps=200_000, value=7))
    cursor = api("GET", "/slow?limit=1").json["page"]["next"]
    for query in (f"fingerprint={'0' * 12}&cursor={cursor}", "cursor=nonsense", f"cursor={'x' * 600}"):
        answer = api("GET", f"/slow?{query}")
        assert (answer.status_code, answer.json["error"]["code"]) == (400, "cursor_invalid")


def test_routes_say_what_they_repeat_and_what_browsers_saw(app, api, client):
    def repeats(name):
        for _ in range(9):
            db.session.execute(text("select 1 as again")).all()
        return "done"

    app.add_url_rule("/repeats/<name>", "repeats", repeats)
    app.extensions[GUARDED]["repeats"] = "public"
    for name in ("a", "b"):
        assert client.get(f"/repeats/{name}").status_code == 200
    with app.app_context():
        current_watcher().record_browser("/repeats/<name>", "LCP", 1200)
        assert current_watcher().flush()
    answer = api("GET", "/requests")
    shapes.RouteList.model_validate(answer.json)
    (row,) = [row for row in data(answer) if row["route"] == "GET /repeats/<name>"]
    assert (row["count"], row["errors"], row["statements_max"]) == (2, 0, row["statements_avg"])
    assert row["statements_avg"] >= 9
    (repeat,) = row["repeats"]
    assert (repeat["most"], repeat["requests"], repeat["text"]) == (9, 2, "select ? as again") or repeat[
        "text"
    ].endswith("as again")
    assert [(one["metric"], one["count"]) for one in row["browser"]] == [("LCP", 1)]
    assert row["browser"][0]["p50_ms"] == pytest.approx(1200, rel=0.01)


def test_resources_have_sizes_and_levels(api, app, tmp_path, database):
    with app.app_context():
        assert current_watcher().flush()
    answer = api("GET", "/resources")
    shapes.Resources.model_validate(answer.json)
    found = data(answer)
    assert found["process"]["rss_bytes"] > 10_000_000
    assert found["process"]["vms_bytes"] >= found["process"]["rss_bytes"]
    assert 0 < found["process"]["percent"] < 100
    assert set(found["disks"]) == {"database", "screenshots", "logs"}
    assert (found["disks"]["database"] is None) is (database == "postgresql")
    for disk in filter(None, found["disks"].values()):
        assert disk["total"] >= disk["used"] + disk["free"] * 0.5 > 0
        assert disk["level"] == level_of(disk["percent"])
    assert found["database"]["database"] == database
    assert found["database"]["size_bytes"] > 100_000
    assert found["database"]["level"] in ("ok", "warning", "critical")
    assert "growth_bytes_a_day" in found["database"]
    assert str(tmp_path) not in answer.text


def level_of(percent):
    return "critical" if percent >= 95 else "warning" if percent >= 85 else "ok"


def test_growth_is_read_from_samples_an_hour_apart(api, app):
    now = utc_now()
    with app.app_context():
        for hours, size in ((48, 1_000_000), (24, 3_000_000), (0, 5_000_000)):
            current_watcher().statistics.sample({"used_bytes": size}, now - timedelta(hours=hours))
    database = data(api("GET", "/resources"))["database"]
    assert database["growth_bytes_a_day"] == pytest.approx(2_000_000, rel=0.01)


def test_the_pool_says_its_settings_and_its_health(api, app):
    with app.app_context():
        assert current_watcher().flush()
        size = db.engine.pool.size()
    answer = api("GET", "/pool")
    shapes.Pool.model_validate(answer.json)
    found = data(answer)
    assert found["settings"]["size"] == size
    assert found["health_score"] == 100
    assert found["checked_out"] >= 0
    assert found["statements"] == []


def test_the_pool_is_unwell_when_it_is_used_up(api, app):
    with app.app_context():
        capacity = data(api("GET", "/pool"))["settings"]["capacity"]
        held = [db.engine.connect() for _ in range(capacity - 1)]
        try:
            answer = api("GET", "/pool")
        finally:
            for connection in held:
                connection.close()
    found = data(answer)
    assert found["health_score"] < 50
    assert found["checked_out"] >= capacity - 1


def test_a_moment_is_written_as_rfc_3339(api):
    since = data(api("DELETE", "/queries"))["since"]
    assert abs(datetime.fromisoformat(since) - datetime.now(UTC)) < timedelta(minutes=1)
