"""earmark performance: what the commands print for people and for scripts, and their exit codes."""

import json

import pytest
from sqlalchemy import text

from app.blueprints.performance.commands import performance
from app.database.advice import choosing
from app.database.tracking.scope import origin
from app.database.tracking.watch import current_watcher
from app.extensions import db

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()

    def go(*arguments, **options):
        found = runner.invoke(args=["performance", *arguments], **options)
        if "--json" in arguments and found.exit_code == 0:
            return json.loads(found.stdout)
        return found

    return go


@pytest.fixture
def traffic(app):
    with app.app_context():
        for number in range(4):
            with origin("GET /made-up"), db.engine.connect() as connection:
                connection.execute(text(f"select {number}\nas needle")).all()
        assert current_watcher().flush()


def test_every_command_has_an_example():
    for command in performance.commands.values():
        assert f"Example: earmark performance {command.name}" in command.help


def test_top_lists_statements_for_people_one_a_line(run, traffic):
    found = run("top", "--limit", "200", "--sort", "count", "--since", "1h")
    assert found.exit_code == 0
    heading, *lines = found.output.splitlines()
    assert heading.split() == [
        "share",
        "count",
        "avg",
        "ms",
        "p95",
        "ms",
        "p99",
        "ms",
        "slow",
        *heading.split()[9:],
    ]
    (needle,) = [line for line in lines if line.endswith("as needle")]
    assert needle.split()[2] == "4"
    assert len({line.index("  ", len(line) - len(line.lstrip())) for line in lines}) >= 1


def test_top_prints_the_same_as_the_api_for_scripts(run, traffic, client, bearer):
    listed = run("top", "--json", "--limit", "200")
    (needle,) = [row for row in listed if row["text"].endswith("as needle")]
    answer = client.get("/api/performance/queries?search=needle", headers=bearer("admin"))
    assert answer.json["data"] == [needle]
    assert needle["count"] == 4


def test_top_says_so_when_nothing_ran(run):
    assert run("top", "--since", "2999-01-01T00:00:00Z").output == "No statement ran in that span.\n"
    assert run("top", "--since", "2999-01-01T00:00:00Z", "--json") == []


def test_plan_draws_the_tree_with_what_is_wrong(run):
    sql = "select * from feedback_submissions where description like '%x%'"
    found = run("plan", sql)
    assert found.exit_code == 0
    assert found.output.startswith("Scan")
    answer = run("plan", sql, "--json")
    assert answer["plan"][0]["table"] == "feedback_submissions"
    for finding in answer["findings"]:
        assert finding["cost"] in found.output
        assert finding["cure"] in found.output


def test_plan_reads_standard_input(run):
    assert run("plan", "-", input="select 1").exit_code == 0
    assert run("plan", "-", "--json", input="select * from users")["plan"][0]["table"] == "users"


def test_indexes_are_listed_with_their_use(run, traffic):
    listed = run("indexes", "--json", "--since", "7d")
    names = {row["name"] for row in listed["indexes"]}
    assert any(name.startswith("ix_feedback_submissions") for name in names)
    printed = run("indexes").output
    for name in names:
        assert name in printed


def test_a_search_for_indexes_that_was_cut_short_says_so(run, ask_for_things, monkeypatch):
    ask_for_things()
    assert "Time was over" not in run("indexes").output
    monkeypatch.setattr(choosing, "BUDGET_SECONDS", -1.0)
    printed = run("indexes").output
    assert "Time was over before all was tried: 0 of " in printed
    assert "No index is missing." not in printed
    assert run("indexes", "--json")["search"]["cut_short"] is True


def test_resources_are_listed_with_their_levels(run, database):
    found = run("resources")
    assert found.exit_code == 0
    assert f"{database} " in found.output
    assert "disk of the screenshots" in found.output
    assert "No server runs." in found.output
    answer = run("resources", "--json")
    assert answer["database"]["database"] == database
    assert answer["process"]["rss_bytes"] > 0


def test_resources_show_each_process_of_the_server(run, app):
    with app.app_context():
        watcher = current_watcher()
        watcher.start("web")
        assert watcher.flush()
    printed = run("resources").output
    assert printed.splitlines()[-1].endswith("web")
    assert "No server runs." not in printed
    watcher.collector.stop()


def test_text_that_would_move_the_cursor_is_escaped(run, app):
    with app.app_context():
        with origin("GET /made-up"), db.engine.connect() as connection:
            connection.execute(text('select 1 as "evil\x1b[2Jname"')).all()
        assert current_watcher().flush()
    printed = run("top", "--limit", "200").output
    assert "\x1b" not in printed
    assert "evil\\x1b[2Jname" in printed


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["top", "--since", "yesterday"], 2),
        (["top", "--since", "0h"], 2),
        (["top", "--sort", "fastest"], 2),
        (["top", "--limit", "0"], 2),
        (["top", "--limit", "201"], 2),
        (["indexes", "--since", "-1h"], 2),
        (["plan"], 2),
        (["plan", ""], 2),
        (["plan", "x" * 20_001], 2),
        (["plan", "delete from users"], 1),
        (["plan", "select 1; select 2"], 1),
        (["plan", "select from"], 1),
        (["plan", "select * from no_such_table"], 1),
        (["resources", "--since", "1h"], 2),
        (["slowest"], 2),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run, arguments, code):
    found = run(*arguments)
    assert found.exit_code == code
    assert "Traceback" not in found.output
    assert len([line for line in found.stderr.splitlines() if line.startswith("Error:")]) == 1
