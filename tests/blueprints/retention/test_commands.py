"""Every command of the sweep and of policies: help, refusals, exit codes, JSON."""

import json

import pytest
from sqlalchemy import select

from app.blueprints.retention import reports
from app.blueprints.retention.plan import Line, Plan
from app.extensions import db
from app.models import RetentionPolicy, RetentionRun
from app.models.retention import Rule
from tests.blueprints.retention.conftest import NOW, there

# The sweep itself is tested on both databases; what commands take and say has nothing to do with them.
pytestmark = [
    pytest.mark.usefixtures("context"),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]
COMMANDS = ("status", "plan", "run", "apply", "policies list", "policies set", "policies remove")
DAY = 24 * 3600


@pytest.fixture
def earmark(app):
    def run(*words, text=None):
        return app.test_cli_runner().invoke(args=["retention", *words], input=text)

    return run


@pytest.fixture
def rows(plant, policies):
    """Nineteen new ones and one that is due: by the clock of the command, and not of the tests."""
    from app.clock import utc_now

    shift = (NOW - utc_now()).total_seconds() / DAY
    policies({"name": "Spam", "status": "spam", "keep_days": 30}, {"name": "Everything", "keep_days": 365})
    for _ in range(19):
        plant(shift)
    return plant(shift + 40, status="spam", picture=50)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_with_an_example(earmark, name):
    done = earmark(*name.split(), "--help")
    assert done.exit_code == 0
    assert f"Example: earmark retention {name}" in " ".join(done.output.split())


def test_the_plan_is_what_a_dry_run_says_and_what_the_run_does(earmark, rows):
    plan = json.loads(earmark("plan", "--json").output)
    assert (plan["submissions"], plan["screenshots"], plan["held"]) == (1, 1, 0)
    dry = json.loads(earmark("run", "--dry-run", "--json").output)
    assert {**dry, "at": None} == {**plan, "at": None}
    assert rows in there()
    done = earmark("run", "--yes", "--json")
    result = json.loads(done.output)
    assert done.exit_code == 0
    assert (result["outcome"], result["submissions_deleted"]) == ("done", 1)
    assert result["bytes_freed"] == plan["bytes"]
    assert rows not in there()
    assert "1 submission deleted" in earmark("status").output


@pytest.mark.parametrize(
    ("count", "summary", "result"),
    [
        (
            1,
            "1 submission goes, 1 is changed, 1 other row goes",
            "1 submission deleted, 1 changed, 1 other row; 1 picture,",
        ),
        (
            2_000,
            "2,000 submissions go, 2,000 are changed, 2,000 other rows go",
            "2,000 submissions deleted, 2,000 changed, 2,000 other rows; 2,000 pictures,",
        ),
    ],
)
def test_one_is_said_otherwise_than_many(count, summary, result):
    of = ("submissions", "delete"), ("submissions", "anonymise"), ("audit", "delete")
    lines = tuple(Line(Rule(kind=kind, action=action), count) for kind, action in of)
    assert reports.summary(Plan(NOW, lines)) == f"{summary}; that frees 0 bytes."
    counts = dict.fromkeys(("submissions", "changed", "others", "screenshots", "batches"), count)
    run = RetentionRun(trigger="command", started_at=NOW, seen_at=NOW, outcome="done", **counts)
    told = list(reports.run_lines(run))
    assert told[0] == f"Done: {result} 0 bytes freed."
    assert f", {count:,} batch{'' if count == 1 else 'es'}, longest" in told[1]


def test_a_run_asks_and_no_is_no(earmark, rows):
    done = earmark("run", text="n\n")
    assert done.exit_code == 1
    assert "1 submission goes; that frees" in done.output
    assert rows in there()


@pytest.mark.parametrize("age", ["-5", "0", "1.5", "1e3", "36501", "999999999999", "ten", "", "٣"])
@pytest.mark.parametrize("command", ["run", "plan"])
def test_an_age_that_is_none_is_refused_in_a_line(earmark, rows, command, age):
    done = earmark(command, "--older-than", age)
    assert done.exit_code == 2
    assert "is no age: write whole days, from 1 to 36,500" in done.output
    assert rows in there()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "--status", "gone", "--yes"), 2, "is not one of"),
        (("run", "--max-seconds", "0", "--yes"), 2, "range"),
        (("run", "--policy", "Nope", "--yes"), 1, "This policy does not exist"),
        (("run", "--project", "Nope", "--yes"), 2, "there is no project"),
        (("run", "--policy", "Spam", "--older-than", "3"), 2, "leave --policy out"),
        (("run", "--older-than", "30", "--status", "spam", "--project", "Shop", "--yes"), 0, "1 submission"),
        (("run", "--policy", "Everything", "--yes"), 0, "0 submissions"),
        (("policies", "remove", "Nope", "--yes"), 1, "does not exist"),
        (("policies", "set", "Twin", "--status", "spam", "--keep-days", "3"), 1, "neither more specific"),
        (("policies", "set", "Empty"), 1, "one of keep_days"),
        (("policies", "set", "Blank", "--keep-days", "3", "--action", "anonymise"), 1, "fields"),
        (("policies", "set", "Query", "--keep-days", "3", "--query", "nope:x"), 1, "nope"),
        (("policies", "set", "Off", "--keep-days", "-3"), 2, "is no age"),
        (("apply", "/nowhere/retention.toml"), 2, "does not exist"),
    ],
)
def test_refusals_and_exit_codes(earmark, rows, words, code, said):
    done = earmark(*words)
    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_more_than_a_fifth_is_refused_with_exit_code_1(earmark, rows):
    done = earmark("run", "--older-than", "1", "--yes")
    assert done.exit_code == 0
    done = earmark("run", "--older-than", "1", "--yes", "--force")
    assert done.exit_code == 0


def test_a_policy_is_made_changed_and_removed(earmark, rows):
    made = earmark("policies", "set", "Pictures", "--action", "drop_screenshots", "--keep-days", "60")
    assert (
        made.output
        == "Pictures: Pictures of submissions of every project are dropped 60 days after they arrive.\n"
    )
    changed = json.loads(earmark("policies", "set", "Pictures", "--keep-submissions", "10", "--json").output)
    assert (changed["keep_days"], changed["keep_submissions"]) == (None, 10)
    assert earmark("policies", "remove", "Pictures", "--dry-run").output == "Would remove Pictures.\n"
    assert earmark("policies", "remove", "Pictures", "--yes").output == "Removed Pictures.\n"
    assert "Pictures" not in earmark("policies", "list").output


FILE = """
[[policy]]
name = "Spam"
status = "spam"
keep_days = 3

[[policy]]
name = "Names"
action = "anonymise"
fields = ["reporter", "address"]
keep_days = 90
"""


def test_a_file_is_applied_once_and_a_second_time_changes_nothing(earmark, rows, tmp_path):
    file = tmp_path / "retention.toml"
    file.write_text(FILE, "utf-8")
    assert "would be created: Names" in earmark("apply", str(file), "--dry-run").output
    assert db.session.scalar(select(RetentionPolicy.keep_days).where(RetentionPolicy.name == "Spam")) == 30
    db.session.rollback()
    first = json.loads(earmark("apply", str(file), "--json").output)
    assert (first["created"], first["changed"], first["removed"]) == (["Names"], ["Spam"], [])
    second = json.loads(earmark("apply", str(file), "--json").output)
    assert second["unchanged"] == ["Spam", "Names"]
    pruned = json.loads(earmark("apply", str(file), "--prune", "--yes", "--json").output)
    assert pruned["removed"] == ["Everything"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("policy = 3", "[[policy]] tables"),
        ("[[policy]\n", "is no TOML"),
        ("[[policy]]\nkeep_days = 3", "policy 1: name"),
        ('[[policy]]\nname = "A"\nkeep_days = 0', "policy 1: keep_days"),
        ('[[policy]]\nname = "A"\nkeep_days = 3\nnonsense = 1', "policy 1: nonsense"),
        ('[[policy]]\nname = "A"\nkeep_days = 3\n[[policy]]\nname = "A"\nkeep_days = 4', "twice"),
        (
            '[[policy]]\nname = "A"\nkeep_days = 3\n[[policy]]\nname = "B"\nkeep_days = 4',
            "neither more specific",
        ),
    ],
)
def test_a_file_that_is_wrong_changes_nothing(earmark, rows, tmp_path, content, said):
    file = tmp_path / "retention.toml"
    file.write_text(content, "utf-8")
    done = earmark("apply", str(file))
    assert (done.exit_code, said in done.output) == (1, True), done.output
    assert set(db.session.scalars(select(RetentionPolicy.name))) == {"Spam", "Everything"}
    db.session.rollback()
