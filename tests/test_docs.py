"""The documentation names every endpoint, command and code that there is, and nothing that is not there."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from app.blueprints.retention import data_map
from app.version import VERSION

API = Path("docs/api.md").read_text("utf-8")
PRIVACY = Path("docs/privacy.md").read_text("utf-8")
COMMANDS = Path("docs/commands.md").read_text("utf-8")
# Flask-Migrate's own group is documented by its three useful commands.
OTHERS = {"db"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_endpoint_is_documented_and_every_documented_one_is_there(app):
    ignored = {"HEAD", "OPTIONS"}
    routes = {
        f"{method} {re.sub(r'<[^:>]+:', '<', rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - ignored
    }
    written = set(re.findall(r"`((?:GET|POST|PATCH|DELETE) /[^`? ]*)", API))
    assert routes - written == set()
    assert written - routes == {"GET /widget.js"}, "served before Flask is reached"


def commands_of(group, prefix=""):
    for name, command in group.commands.items():
        if isinstance(command, click.Group) and name not in OTHERS:
            yield from commands_of(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_command_is_documented_with_its_options(app):
    for name, command in commands_of(app.cli):
        if name in OTHERS:
            continue
        lines = [line for line in COMMANDS.splitlines() if f"`earmark {name}" in line]
        assert lines, name
        for parameter in command.params:
            option = parameter.opts[0]
            if (
                isinstance(parameter, click.Option)
                and not parameter.hidden
                and option
                not in (
                    "--json",
                    "--output",
                    "-o",
                    "--format",
                    "--indent",
                )
            ):
                assert option in lines[0], (name, option)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_documented_command_is_there(app):
    known = {name for name, _ in commands_of(app.cli)} | {"db upgrade", "db downgrade", "db current"}
    for written in re.findall(r"`earmark ([a-z -]+?)(?: [A-Z\[-]|`)", COMMANDS):
        assert written.strip() in known


def codes_in(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ClientError":
            for argument in node.args[1:2]:
                if isinstance(argument, ast.Constant):
                    yield argument.value


def test_every_error_code_is_documented():
    used = {code for path in Path("app").rglob("*.py") for code in codes_in(path)}
    assert used
    assert {code for code in used if f"`{code}`" not in API} == set()


def test_the_version_is_one():
    assert f"version = {VERSION}\n" in Path("setup.cfg").read_text("utf-8")


def test_links_between_documents_lead_somewhere():
    for page in [*Path().glob("*.md"), *Path("docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), (page, target)


def test_files_that_documents_name_exist():
    for page in [*Path().glob("*.md"), *Path("docs").glob("*.md")]:
        for name in re.findall(
            r"`((?:app|tests|docs|benchmarks|migrations)/[\w/.-]+)`", page.read_text("utf-8")
        ):
            assert Path(name).exists(), (page, name)


def test_the_program_of_the_database_layer_runs(tmp_path):
    """Run the program that docs/database-layer.md shows, page through it, and ask what it saw."""
    shown = re.search(r"```python\n(.*?)```", Path("docs/database-layer.md").read_text("utf-8"), re.DOTALL)
    questions = """
app.testing = True
with app.app_context():
    db.session.add_all(Book(title=f"Book {n:03}") for n in range(120))
    db.session.commit()
client, seen, after = app.test_client(), [], None
while True:
    answer = client.get("/books", query_string={"after": after} if after else {}).get_json()
    seen += answer["books"]
    after = answer["next"]
    if after is None:
        break
assert seen == [f"Book {n:03}" for n in range(120)], seen
from datetime import timedelta
from app.clock import utc_now
from app.database.tracking.watch import current_watcher
with app.app_context():
    watcher = current_watcher()
    watcher.flush()
    (route,) = watcher.statistics.requests(utc_now() - timedelta(hours=1))
    print(route.route, route.timing.count, route.statements_max)
"""
    program = tmp_path / "program.py"
    program.write_text(shown[1] + questions, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "GET /books 3 1\n", done.stderr


def test_every_column_is_described_in_the_data_map():
    """A new column is described in app/blueprints/retention/data_columns.py: what it is, in a few words."""
    assert data_map.undescribed() == set()
    assert data_map.stale() == set()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_table_of_data_is_the_data_map_of_a_new_instance(app):
    written = [line for line in PRIVACY.splitlines() if line.startswith("| ")]
    with app.app_context():
        rows = [f"| {one.title} | {one.why} | {one.stays} | {one.place} |" for one in data_map.groups()]
    assert written == ["| data | why | stays | where |", "| --- | --- | --- | --- |", *rows]
