"""A browser's own timings: what is counted and under what name, and everything that is refused."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.blueprints.performance.timings import METRICS
from app.blueprints.performance.vitals import MOST_BYTES
from app.clock import utc_now
from app.database.tracking.watch import current_watcher

ADDRESS = "/api/performance/vitals"
TIMINGS = [
    {"metric": "LCP", "value": 812.5},
    {"metric": "CLS", "value": 0.05},
    {"metric": "TTFB", "value": 0},
]


def send(
    client, page="/admin/sign-in", timings=TIMINGS, *, raw=None, kind="text/plain;charset=UTF-8", **more
):
    data = json.dumps({"page": page, "timings": timings}).encode() if raw is None else raw
    return client.post(ADDRESS, data=data, content_type=kind, **more)


def counted(app):
    """What was counted, by page and metric: how often, and the largest value in milliseconds."""
    with app.app_context():
        watcher = current_watcher()
        assert watcher.flush()
        found = watcher.statistics.browser(utc_now() - timedelta(hours=1))
    return {(one.page, one.metric): (one.timing.count, one.timing.max_ms) for one in found}


def refused(answer, status, code):
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code), answer.json
    assert answer.json["success"] is False
    return answer.json["error"]


def test_timings_are_counted_under_the_route_of_their_page(app, client):
    assert send(client).status_code == 204
    assert (
        send(client, timings=[{"metric": "LCP", "value": 2000}], kind="application/json").status_code == 204
    )
    found = counted(app)
    assert found[("/admin/sign-in", "LCP")] == (2, pytest.approx(2000, rel=0.011))
    assert found[("/admin/sign-in", "CLS")] == (1, pytest.approx(50, rel=0.011))
    assert found[("/admin/sign-in", "TTFB")] == (1, pytest.approx(0, abs=0.01))
    assert len(found) == 3


def test_a_beacon_is_answered_without_a_body_and_without_a_cookie(client):
    answer = send(client)
    assert answer.data == b""
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("page", "route"),
    [("/f/secret-token-of-somebody", "/f/<token>"), ("/f/a%20b", "/f/<token>"), ("/report/pk_1", None)],
)
def test_no_address_of_a_visitor_is_kept_only_its_route(app, client, page, route):
    assert send(client, page).status_code == 204
    pages = {page for page, _ in counted(app)}
    assert pages == {route or "/report/<public_key>"}


def test_what_the_route_is_called_is_what_the_servers_figures_call_it(app, client, bearer):
    headers = bearer("viewer")
    client.get("/admin/", headers=headers)
    assert send(client, "/admin/", headers=headers).status_code == 204
    assert ("/admin/", "LCP") in counted(app)
    with app.app_context():
        routes = {one.route for one in current_watcher().statistics.requests(utc_now() - timedelta(hours=1))}
    assert "GET /admin/" in routes


def test_a_page_that_the_sender_may_not_open_is_not_spoken_of(app, client, bearer):
    refused(send(client, "/admin/"), 401, "unauthenticated")
    refused(send(client, "/admin/projects", headers=bearer("viewer")), 403, "forbidden")
    assert counted(app) == {}
    assert send(client, "/admin/projects", headers=bearer("admin")).status_code == 204


@pytest.mark.parametrize(
    "page",
    ["/nothing/here", "/admin", "/%ff", "//evil.example/admin/", "/api/feedback", "/static/x.js", "/..//"],
)
def test_an_address_that_is_no_page_is_refused(app, client, page):
    error = refused(send(client, page), 422, "validation_failed")
    assert error["details"] == [{"field": "page", "message": "is no page of Earmark"}]
    assert counted(app) == {}


WRONG = {
    "no page": {"timings": TIMINGS},
    "no timings": {"page": "/admin/sign-in", "timings": []},
    "an unknown metric": {"page": "/admin/sign-in", "timings": [{"metric": "lcp", "value": 1}]},
    "a metric of another type": {"page": "/admin/sign-in", "timings": [{"metric": ["LCP"], "value": 1}]},
    "a metric twice": {"page": "/admin/sign-in", "timings": [TIMINGS[0], TIMINGS[0]]},
    "too many": {"page": "/admin/sign-in", "timings": TIMINGS * 5},
    "a negative value": {"page": "/admin/sign-in", "timings": [{"metric": "LCP", "value": -1}]},
    "a value of a week": {"page": "/admin/sign-in", "timings": [{"metric": "LCP", "value": 6e8}]},
    "a value in words": {"page": "/admin/sign-in", "timings": [{"metric": "LCP", "value": "12"}]},
    "a value that is true": {"page": "/admin/sign-in", "timings": [{"metric": "LCP", "value": True}]},
    "no value": {"page": "/admin/sign-in", "timings": [{"metric": "LCP", "value": None}]},
    "a further field": {"page": "/admin/sign-in", "timings": TIMINGS, "user": "me"},
    "a query": {"page": "/admin/sign-in?next=/x", "timings": TIMINGS},
    "a page of another type": {"page": 7, "timings": TIMINGS},
    "a page that is too long": {"page": "/" + "a" * 2048, "timings": TIMINGS},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_wrong_timings_are_refused_whole(app, client, wrong):
    error = refused(send(client, raw=json.dumps(wrong).encode()), 422, "validation_failed")
    assert error["details"]
    assert counted(app) == {}


@pytest.mark.parametrize(
    "raw",
    [
        b" ",
        b"[]",
        b"null",
        b"{",
        b'{"page": "/f/x", "page": "/f/y"}',
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": "\\u0000"}',
    ],
)
def test_what_is_not_strict_json_is_malformed(client, raw):
    refused(send(client, raw=raw), 400, "malformed_body")


def test_a_large_a_compressed_a_foreign_or_a_boundless_body_is_refused(client):
    refused(send(client, raw=b" " * (MOST_BYTES + 1)), 413, "payload_too_large")
    refused(send(client, kind="application/x-www-form-urlencoded"), 415, "unsupported_media_type")
    refused(send(client, headers={"Content-Encoding": "gzip"}), 415, "unsupported_media_type")
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    refused(send(client, environ_overrides=chunked), 411, "length_required")


@pytest.mark.parametrize("ended_by_server", [False, True])
def test_a_cut_body_is_refused(app, client, ended_by_server):
    cut = {"CONTENT_LENGTH": "500", "wsgi.input_terminated": ended_by_server}
    assert send(client, environ_overrides=cut).status_code == 400
    assert counted(app) == {}


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_only_our_own_pages_may_send(app, client, headers, taken):
    answer = send(client, headers=headers)
    if taken:
        assert answer.status_code == 204
    else:
        refused(answer, 403, "origin_not_allowed")
    assert bool(counted(app)) is taken


def test_one_address_may_send_as_much_as_the_flood_limit_allows(make_app):
    client = make_app(flood_rate_limit="2 per hour").test_client()
    assert [send(client).status_code for _ in range(3)] == [204, 204, 429]
    answer = send(client)
    refused(answer, 429, "rate_limited")
    assert int(answer.headers["Retry-After"]) > 0
    other = send(client, environ_overrides={"REMOTE_ADDR": "192.0.2.9"})
    assert other.status_code == 204


def test_a_limits_store_that_is_away_stops_no_timings(app, client):
    limits = app.extensions["earmark_limits"].storage
    limits.path.unlink(missing_ok=True)
    limits.path.mkdir()
    assert send(client).status_code == 204


def test_without_tracking_nothing_is_counted(make_app):
    app = make_app(query_tracking=False)
    assert send(app.test_client()).status_code == 204
    assert counted(app) == {}


@pytest.mark.parametrize(
    ("changes", "address", "percent"),
    [
        ({}, "/admin/sign-in", 10),
        ({"vitals_percent": 100}, "/admin/sign-in", 100),
        ({}, "/admin/", 100),
        ({"vitals_percent": 0}, "/admin/", 0),
        ({"vitals_percent": 0}, "/admin/sign-in", 0),
        ({"query_tracking": False}, "/admin/", 0),
        ({"vitals_percent": 100}, "/nothing/here", 0),
    ],
)
def test_a_page_is_told_how_many_visits_report(make_app, changes, address, percent):
    app = make_app(**changes)
    with app.test_request_context(address):
        assert app.jinja_env.globals["vitals_percent"]() == percent


def test_every_timing_has_words_and_only_known_ones_are_documented(app):
    shown = app.api_doc["components"]["schemas"]["VitalsTiming"]["properties"]["metric"]["enum"]
    assert shown == list(METRICS)
    assert all(metric.words for metric in METRICS.values())
    assert ADDRESS in app.api_doc["paths"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@hypothesis_settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    page=st.text(max_size=40) | st.text(alphabet="/%.\\?#:@af0", max_size=12).map(lambda text: "/" + text),
    value=st.floats() | st.integers() | st.none() | st.text(max_size=3),
    metric=st.sampled_from(list(METRICS)) | st.text(max_size=5),
)
def test_whatever_is_sent_is_counted_or_refused_and_never_a_defect(client, page, value, metric):
    raw = json.dumps({"page": page, "timings": [{"metric": metric, "value": value}]}).encode()
    assert send(client, raw=raw).status_code in (204, 400, 401, 403, 422)
