import pytest
from sqlalchemy import text

from app.database import transactions
from app.database.engine import sqlite
from app.database.transactions import transaction
from app.errors import ClientError, FieldError
from app.extensions import db

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def shape(response):
    body = response.get_json()
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message", "details", "request_id"}
    assert body["error"]["request_id"] == response.headers["X-Request-ID"]
    return body["error"]


def test_an_unknown_address(client):
    assert shape(client.get("/nowhere"))["code"] == "not_found"


def test_a_method_that_is_not_taken_names_those_that_are(client):
    response = client.delete("/health")
    assert (response.status_code, shape(response)["code"]) == (405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


def test_a_page_is_answered_to_a_browser(client):
    response = client.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert response.mimetype == "text/html"
    assert response.headers["X-Request-ID"] in response.text


def _route(app, view):
    app.add_url_rule("/probe", "probe", view)
    app.extensions["earmark_access"]["probe"] = "public"
    return app.test_client()


def test_a_client_error_carries_its_fields_and_headers(app):
    def view():
        raise ClientError(429, "rate_limited", "Later.", [FieldError("a", "b")], retry_after=7)

    response = _route(app, view).get("/probe")
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "7"
    assert shape(response)["details"] == [{"field": "a", "message": "b"}]


def test_a_defect_answers_500_without_a_traceback_path_or_sql(app):
    app.testing = False

    def view():
        db.session.execute(text("select * from nothing_here"))

    response = _route(app, view).get("/probe")
    assert response.status_code == 500
    assert shape(response)["code"] == "internal_error"
    for leaked in ("Traceback", "nothing_here", "select", ".py", "/"):
        assert leaked not in response.get_json()["error"]["message"]


def test_a_locked_database_answers_503_and_says_when_to_try_again(app, settings, monkeypatch):
    monkeypatch.setattr(transactions, "TURN_TIMEOUT_SECONDS", 0.05)

    def view():
        with transaction() as session:
            session.execute(text("update users set name = name"))
        return "written"

    client = _route(app, view)
    with app.app_context(), transactions._engine(db.session()).connect():
        pass
    with app.app_context():
        turn = transactions.turn_of(db.engine)
    with turn.taken(1):
        response = client.get("/probe")
    assert (response.status_code, shape(response)["code"]) == (503, "storage_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert client.get("/probe").text == "written"


def test_a_lock_that_takes_no_turns_answers_503_too(app, settings):
    def view():
        db.session.connection().exec_driver_sql("pragma busy_timeout = 20")
        db.session.rollback()
        with transaction() as session:
            session.execute(text("update users set name = name"))
        return "written"

    client = _route(app, view)
    other = sqlite.connect(settings.instance_path / "earmark.sqlite3", isolation_level=None)
    other.execute("begin immediate")
    response = client.get("/probe")
    assert (response.status_code, shape(response)["code"]) == (503, "storage_unavailable")
    other.execute("rollback")
    other.close()
    assert client.get("/probe").text == "written"
