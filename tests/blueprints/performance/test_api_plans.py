"""Plans, indexes and running statements by the performance API: what is proven is offered, built, ended."""

import threading
from itertools import pairwise

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from app.blueprints.performance import shapes
from app.database.advice import choosing
from app.database.tracking.scope import origin
from app.database.tracking.watch import current_watcher
from app.extensions import db

PATH = "/api/performance"
# Never ends by itself within a test.
ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"


@pytest.fixture
def api(client, bearer):
    headers = bearer("admin")

    def call(method, path, **options):
        return client.open(PATH + path, method=method, headers=headers, **options)

    return call


def data(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json["data"]


def code(answer):
    return answer.status_code, answer.json["error"]["code"]


def nodes_of(tree):
    for node in tree:
        yield node
        yield from nodes_of(node["children"])


def test_a_plan_is_a_tree_with_what_is_wrong_and_what_would_help(api, things, database):
    answer = api("POST", "/query-plan", json={"sql": "select id from things where colour = 'colour 17'"})
    shapes.OnePlan.model_validate(answer.json)
    found = data(answer)
    assert set(found) == {"database", "plan", "findings", "indexes", "search"}
    assert found["database"] == database
    assert "things" in {node["table"] for node in nodes_of(found["plan"])}
    (finding,) = [one for one in found["findings"] if one["code"] == "full_scan"]
    assert (finding["table"], finding["level"]) == ("things", "bad")
    assert [(one["table"], one["columns"]) for one in found["indexes"]] == [("things", ["colour"])]
    (gain,) = found["indexes"][0]["gains"]
    assert gain["rows_after"] < gain["rows_before"] / 100
    assert "colour 17" not in str(found["indexes"])


def test_a_good_plan_has_nothing_wrong(api, things):
    found = data(api("POST", "/query-plan", json={"sql": "select colour from things where id = 5"}))
    assert [one for one in found["findings"] if one["level"] == "bad"] == []
    assert found["indexes"] == []


@pytest.mark.parametrize("named", [True, False])
def test_values_may_be_given_by_name_or_in_order(api, things, database, named):
    name = ":colour" if database == "sqlite" else "%(colour)s"
    place = "?" if database == "sqlite" else "%s"
    body = {
        "sql": f"select id from things where colour = {name if named else place}",
        "params": {"colour": "colour 17"} if named else ["colour 17"],
    }
    assert data(api("POST", "/query-plan", json=body))["plan"]
    assert code(api("POST", "/query-plan", json=body | {"params": []})) == (422, "query_refused")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # PostgreSQL plans each name once
def test_what_costs_too_much_to_plan_is_refused(api):
    names = [f"t{number}" for number in range(12)]
    ten_times = " union all ".join(["select a from {}"] * 10)
    steps = [f"{name} as ({ten_times.replace('{}', before)})" for before, name in pairwise(names)]
    sql = f"with t0 as (select 1 as a), {', '.join(steps)} select * from {names[-1]}"
    assert code(api("POST", "/query-plan", json={"sql": sql})) == (422, "query_too_expensive")


def test_an_index_is_advised_built_and_then_used(app, api, ask_for_things):
    ask_for_things()
    answer = api("GET", "/indexes")
    shapes.Indexes.model_validate(answer.json)
    (advice,) = [one for one in data(answer)["advice"] if one["table"] == "things"]
    assert data(answer)["search"]["cut_short"] is False
    assert advice["columns"] == ["colour"]
    assert advice["size_bytes"] > 0
    built = api("POST", "/indexes", json={"ddl": advice["ddl"], "since": "1h"})
    shapes.BuiltIndex.model_validate(built.json)
    assert data(built, 201) == {"ddl": advice["ddl"]}
    with app.app_context():
        assert [index["column_names"] for index in inspect(db.engine).get_indexes("things")] == [["colour"]]
    found = data(api("GET", "/indexes"))
    (index,) = [one for one in found["indexes"] if one["name"] == advice["name"]]
    assert (index["columns"], index["used"], index["verdict"]) == (["colour"], True, "used")
    assert [one for one in found["advice"] if one["table"] == "things"] == []
    assert code(api("POST", "/indexes", json={"ddl": advice["ddl"]})) == (422, "index_not_advised")


def test_indexes_say_whether_they_are_used(api):
    rows = data(api("GET", "/indexes?since=7d"))["indexes"]
    assert rows
    for row in rows:
        assert row["used"] is bool(row["used_by"])
        assert row["because"]


def test_a_statement_that_runs_for_long_is_listed_and_ended(app, api):
    ended = []

    def run():
        with app.app_context(), origin("command endless"), db.engine.connect() as connection:
            try:
                connection.execute(text(ENDLESS)).all()
            except OperationalError as error:
                ended.append(error)

    with app.app_context():
        watcher = current_watcher()
        watcher.start("web")
    thread = threading.Thread(target=run)
    thread.start()
    row = await_running(api, watcher)
    assert row["origin"] in ("command endless", "")
    assert data(api("DELETE", f"/pool/statements/{row['id']}"), 202) == {"id": row["id"]}
    while thread.is_alive():
        watcher.collector.look()
        thread.join(0.05)
    assert len(ended) == 1
    watcher.collector.stop()
    assert code(api("DELETE", f"/pool/statements/{row['id']}")) == (404, "not_found")


def await_running(api, watcher):
    while True:
        watcher.flush()
        for row in data(api("GET", "/pool"))["statements"]:
            if "recursive n" in row["text"]:
                return row


def test_advice_that_ran_out_of_time_says_so(api, ask_for_things, monkeypatch):
    ask_for_things()
    monkeypatch.setattr(choosing, "BUDGET_SECONDS", -1.0)
    found = data(api("GET", "/indexes"))
    assert (found["advice"], found["search"]["tried"], found["search"]["cut_short"]) == ([], 0, True)
    assert found["search"]["possible"] > 0
    asked = data(api("POST", "/query-plan", json={"sql": "select id from things where colour = 'colour 17'"}))
    assert (asked["indexes"], asked["search"]["cut_short"]) == ([], True)
