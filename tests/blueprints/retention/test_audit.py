"""The audit log as people read it: the API's pages and filters, the commands, the page."""

import json

import pytest
from sqlalchemy import text

from app.blueprints.retention import audit_log
from app.database.plans.explain import explain
from app.database.tracking.scope import origin
from app.database.transactions import transaction
from app.extensions import db
from app.models import audit

HOSTILE = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "\u202egnp.exe"]


@pytest.fixture
def entries(app):
    """Sixty entries of two people and three actions."""
    with app.app_context(), transaction() as session:
        for number in range(60):
            who = "jana@example.org" if number % 3 else "job:sweep"
            action = ("policy.create", "token.create", "export.run")[number % 3]
            with audit.acting(who, f"request-{number}"):
                audit.record(session, action, target=f"thing:{number % 5}", details={"number": number})


def data(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json["data"]


def test_pages_hold_every_entry_once_the_newest_first(client, bearer, entries):
    headers, seen, cursor = bearer(), [], None
    while True:
        query = {"limit": 25} | ({"cursor": cursor} if cursor else {})
        answer = client.get("/admin/api/audit", query_string=query, headers=headers)
        seen += [entry["id"] for entry in data(answer)]
        cursor = answer.json["page"]["next"]
        if cursor is None:
            break
    assert seen == list(range(60, 0, -1))


FILTERS = [
    ({"actor": "jana@example.org"}, 40),
    ({"action": "export.run"}, 20),
    ({"target": "thing:3"}, 12),
    ({"actor": "jana@example.org", "action": "token.create", "target": "thing:1"}, 4),
    ({"outcome": "refused"}, 0),
    ({"from": "2020-01-01", "to": "2020-02-01"}, 0),
    ({"from": "2020-01-01"}, 60),
]


def test_each_filter_narrows_the_list(client, bearer, entries):
    headers = bearer()
    for query, count in FILTERS:
        answer = client.get("/admin/api/audit", query_string=query | {"limit": 200}, headers=headers)
        assert len(data(answer)) == count, query


def test_a_wrong_filter_is_refused_with_its_field(client, bearer):
    headers = bearer()
    for query in ("limit=0", "limit=x", "from=yesterday", "who=jana", "action=a&action=b"):
        answer = client.get(f"/admin/api/audit?{query}", headers=headers)
        assert answer.status_code == 422
        assert answer.json["error"]["details"][0]["field"] == query.partition("=")[0]


def test_only_admins_read_it(client, bearer):
    headers = bearer("agent")
    for address in ("/admin/api/audit", "/admin/api/audit/verify", "/admin/audit"):
        assert client.get(address, headers=headers).status_code == 403


def test_each_list_is_read_by_an_index(app, database):
    with app.app_context(), db.engine.connect() as connection:
        for wanted in ({}, {"actor": "a"}, {"action": "b"}, {"target": "c"}):
            query = audit_log.Wanted(**wanted).select().order_by(*audit_log.ORDER).limit(50)
            plan = explain(connection, str(query.compile(db.engine)))
            assert [finding.code for finding in plan.findings if finding.level == "bad"] == []
            if database == "sqlite":
                assert plan.indexes == {f"ix_audit_entries_{next(iter(wanted), 'created')}"}


def test_the_api_says_whether_the_chain_holds(client, bearer, entries):
    found = data(client.get("/admin/api/audit/verify", headers=bearer()))
    assert (found["intact"], found["entries"], found["broken_at"]) == (True, 60, None)


def run(app, *words, code=0):
    done = app.test_cli_runner().invoke(args=["audit", *words])
    assert done.exit_code == code, done.output
    return done.output


def test_the_commands_list_verify_and_export(app, entries, tmp_path):
    assert "export.run" in run(app, "list", "--action", "export.run", "--limit", "3")
    listed = json.loads(run(app, "list", "--actor", "job:sweep", "--limit", "1000", "--json"))
    assert len(listed) == 20
    assert run(app, "list", "--target", "nothing") == "No entry matches.\n"
    said = run(app, "verify")
    assert said.startswith("60 entries, every link holds.")
    place = said.split()[-1]
    assert json.loads(run(app, "verify", "--expect", place, "--json"))["intact"] is True
    file = tmp_path / "audit.jsonl"
    run(app, "export", "--output", str(file))
    assert run(app, "export").count("\n") == 62
    assert "Signed by this instance" in run(app, "verify", str(file))


def test_a_broken_log_is_exit_code_1_and_names_the_entry(app, entries, tmp_path, database):
    file = tmp_path / "audit.jsonl"
    file.write_text(run(app, "export").replace('"number":20', '"number":29', 1))
    assert "Broken at entry 21:" in run(app, "verify", str(file), code=1)
    with app.app_context(), transaction() as session:
        if database == "sqlite":
            session.execute(text("drop trigger audit_entries_keep"))
        else:
            session.execute(text("alter table audit_entries disable trigger all"))
        session.execute(text("update audit_entries set actor = 'x' where id = 33"))
    assert "Broken at entry 33:" in run(app, "verify", code=1)
    assert json.loads(run(app, "verify", "--json", code=1))["broken_at"] == 33


WRONG = [
    (["verify", "nowhere.jsonl"], 2),
    (["verify", "--expect", "7"], 2),
    (["verify", __file__], 1),
    (["list", "--since", "yesterday"], 2),
    (["list", "--limit", "0"], 2),
    (["export", "--output", "/nowhere/audit.jsonl"], 2),
]


def test_wrong_words_are_refused_in_a_line(app):
    for words, code in WRONG:
        assert "Traceback" not in run(app, *words, code=code)


def test_each_command_has_help_with_an_example(app):
    for command in ("list", "verify", "export"):
        assert f"Example: earmark audit {command}" in run(app, command, "--help")


def test_a_name_cannot_steer_the_terminal(app):
    with app.app_context(), audit.acting("\x1b[2Jjana\u202e"), transaction() as session:
        audit.record(session, "policy.create", details={"a": "\x07\r\nfake line"})
    said = run(app, "list")
    assert said.count("\n") == 1
    assert not set(said) & set("\x1b\x07\r\u202e")


@pytest.fixture
def page(client, bearer):
    """Read the page as an admin."""
    headers = bearer()

    def read(**query):
        return client.get("/admin/audit", query_string=query, headers=headers)

    return read


def test_the_page_shows_entries_and_keeps_its_filters_over_pages(page, entries):
    first = page(actor="jana@example.org", limit="9")
    assert first.status_code == 200
    assert "jana@example.org" in first.text
    assert 'value="jana@example.org"' in first.text
    whole = page()
    assert 'rel="next"' in whole.text
    address = whole.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "cursor=" in address


def test_the_page_says_what_is_wrong_with_a_time_and_starts_again_from_a_strange_cursor(page, entries):
    wrong = page(**{"from": "yesterday"})
    assert (wrong.status_code, "Write a day such as" in wrong.text) == (422, True)
    assert (
        page(cursor="nonsense", action="export.run").headers["Location"] == "/admin/audit?action=export.run"
    )
    assert "No entry matches." in page(actor="nobody").text


def test_what_strangers_wrote_is_only_ever_text(app, page):
    for payload in HOSTILE:
        with app.app_context(), audit.acting(payload, "r"), transaction() as session:
            audit.record(session, "policy.create", target=payload, details={payload: payload})
    for shown in (page().text, *(page(actor=payload, target=payload).text for payload in HOSTILE)):
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert ">49<" not in shown


def test_reading_the_page_takes_few_statements(app, page, entries):
    page()
    with origin("counted") as scope:
        page()
    assert scope.statements <= 7, "begin, who, entries, actions, projects, end"
