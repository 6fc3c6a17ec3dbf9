"""Who may use the performance API, and what it refuses: one code for each fault, never a 500."""

import json
import re

import pytest
from sqlalchemy import inspect, text

from app.blueprints.performance import ACCESS
from app.extensions import db
from app.models.user import ROLES, role_covers

PATH = "/api/performance"
ROUTES = [
    ("GET", "list_queries", "/queries"),
    ("DELETE", "forget_queries", "/queries"),
    ("GET", "get_query", "/queries/0123456789ab"),
    ("GET", "list_slow", "/slow"),
    ("GET", "list_requests", "/requests"),
    ("POST", "query_plan", "/query-plan"),
    ("GET", "list_indexes", "/indexes"),
    ("POST", "build_index", "/indexes"),
    ("GET", "get_resources", "/resources"),
    ("GET", "get_pool", "/pool"),
    ("DELETE", "end_statement", "/pool/statements/none"),
]
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def api(client, bearer):
    headers = bearer("admin")

    def call(method, path, **options):
        return client.open(PATH + path, method=method, headers=headers, **options)

    return call


def code(answer):
    assert answer.json["success"] is False
    return answer.status_code, answer.json["error"]["code"]


@one_database
def test_the_list_above_names_every_endpoint_and_method(app):
    rules = {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("performance_api.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert rules == {(method, f"performance_api.{name}") for method, name, _ in ROUTES}
    assert {endpoint for _, endpoint in rules} <= set(ACCESS)


@one_database
def test_openapi_describes_every_endpoint_and_its_answer(client):
    description = client.get("/openapi.json").json
    schemas = description["components"]["schemas"]
    for method, name, path in ROUTES:
        address = re.sub("0123456789ab", "{fingerprint}", re.sub("/none$", "/{statement_id}", PATH + path))
        operation = description["paths"][address][method.lower()]
        answers = {status: one for status, one in operation["responses"].items() if status < "300"}
        (answer,) = [one for one in answers.values() if "content" in one]
        reference = answer["content"]["application/json"]["schema"]["$ref"]
        assert reference.removeprefix("#/components/schemas/") in schemas, name
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(description)))
    assert references - set(schemas) == set()


@pytest.mark.parametrize("role", ROLES)
@one_database
def test_only_admins_read_or_change_anything(role, client, bearer):
    headers = bearer(role)
    for method, _, path in ROUTES:
        answer = client.open(PATH + path, method=method, headers=headers, json={})
        assert (answer.status_code == 403) is not role_covers(role, "admin"), (method, path)
        assert answer.status_code < 500, (method, path)


@one_database
def test_nobody_reads_anything_without_signing_in(client):
    for method, _, path in ROUTES:
        answer = client.open(PATH + path, method=method, json={})
        assert code(answer) == (401, "unauthenticated"), (method, path)


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("GET", "/queries?sort=fastest", "sort"),
        ("GET", "/queries?sort=", "sort"),
        ("GET", "/queries?limit=0", "limit"),
        ("GET", "/queries?limit=201", "limit"),
        ("GET", "/queries?limit=ten", "limit"),
        ("GET", "/queries?since=yesterday", "since"),
        ("GET", "/queries?since=0h", "since"),
        ("GET", "/queries?since=-1h", "since"),
        ("GET", "/queries?since=2026-13-01T00:00:00Z", "since"),
        ("GET", "/queries?since=2026-11-21T09:30:00", "since"),
        ("GET", "/queries?since=0001-01-01T00:00:00%2B23:59", "since"),
        ("GET", "/queries?page=2", "page"),
        ("GET", "/queries?limit=1&limit=2", "limit"),
        ("GET", f"/queries?search={'x' * 201}", "search"),
        ("GET", "/queries/0123456789ab?since=ever", "since"),
        ("GET", "/requests?sort=rows", "sort"),
        ("GET", "/slow?fingerprint=no", "fingerprint"),
        ("GET", "/slow?limit=-1", "limit"),
        ("GET", "/indexes?since=1y", "since"),
        ("POST", "/query-plan", "sql"),
    ],
)
@one_database
def test_a_wrong_parameter_is_named(api, method, path, field):
    answer = api(method, path, **({"json": {}} if method == "POST" else {}))
    assert code(answer) == (422, "validation_failed")
    assert [fault["field"] for fault in answer.json["error"]["details"]] == [field]


@pytest.mark.parametrize(
    "since", ["1m", "99999d", "2026-11-21t09:30:00.123456+02:00", "9999-12-31T23:59:59Z"]
)
@one_database
def test_every_length_and_moment_is_taken(api, since):
    assert api("GET", "/queries", query_string={"since": since}).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [
        (b"[]", 400, "malformed_body"),
        (b'{"sql": "select 1", "sql": "select 2"}', 400, "malformed_body"),
        (b'{"sql": "select \\u0000"}', 400, "malformed_body"),
        (b'{"sql": "\\ud800"}', 400, "malformed_body"),
        (b'{"sql": 1}', 422, "validation_failed"),
        (b'{"sql": ""}', 422, "validation_failed"),
        (b'{"sql": null}', 422, "validation_failed"),
        (b'{"sql": "select 1", "analyze": true}', 422, "validation_failed"),
        (b'{"sql": "select ?", "params": "a"}', 422, "validation_failed"),
        (b'{"sql": "select ?", "params": [[]]}', 422, "validation_failed"),
        (b'{"sql": "' + b"x" * 20_001 + b'"}', 422, "validation_failed"),
        (b'{"sql": "' + b"x" * 70_000 + b'"}', 413, "payload_too_large"),
    ],
)
@one_database
def test_a_body_that_is_not_right_is_refused(api, body, status, name):
    answer = api("POST", "/query-plan", data=body, content_type="application/json")
    assert code(answer) == (status, name)


@one_database
def test_a_form_is_no_body(api):
    assert code(api("POST", "/query-plan", data={"sql": "select 1"})) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "path",
    ["/queries/0123456789ab", "/queries/nonsense", "/queries/%00", "/queries/*", "/queries/" + "a" * 64],
)
def test_a_statement_that_never_ran_does_not_exist(api, path):
    assert code(api("GET", path)) == (404, "not_found")


def test_a_statement_that_does_not_run_cannot_be_ended(api):
    for statement_id in ("none", "0", "1-1", "%00", "a" * 128, "' or 1=1 --"):
        assert code(api("DELETE", f"/pool/statements/{statement_id}")) == (404, "not_found")


@pytest.mark.parametrize(
    "ddl",
    [
        "drop table users",
        "create index ix_users_name on users (name)",
        "create index ix_users_name on users (name); drop table users",
        "select 1",
    ],
)
def test_only_an_index_that_is_advised_is_built(app, api, ddl):
    assert code(api("POST", "/indexes", json={"ddl": ddl})) == (422, "index_not_advised")
    with app.app_context():
        assert "ix_users_name" not in {index["name"] for index in inspect(db.engine).get_indexes("users")}


@pytest.mark.parametrize(
    "sql",
    [
        "delete from users",
        "update users set name = 'x'",
        "drop table users",
        "select 1; delete from users",
        "pragma query_only = off",
        "explain select 1",
        "vacuum",
        "select * from no_such_table",
        "select no_such_column from users",
        "select from where",
        "not sql at all",
        ";",
        "--",
    ],
)
def test_what_is_not_one_read_is_refused_and_does_nothing(app, api, make_user, sql):
    user = make_user("viewer", "kept@example.org")
    answer = api("POST", "/query-plan", json={"sql": sql})
    assert code(answer) == (422, "query_refused")
    assert "/" not in answer.json["error"]["message"]
    with app.app_context():
        names = db.session.execute(text("select name from users where email = 'kept@example.org'")).scalars()
        assert list(names) == [user.name]
        db.session.rollback()
