"""`earmark doctor`: what is wrong, with its cure; and roll-ups recounted and put right."""

import json
from datetime import timedelta

import pytest
from flask_migrate import downgrade

from app.blueprints.operations import doctor_checks as doctoring
from app.blueprints.operations.migrations import FOLDER
from app.clock import utc_now
from app.database.transactions import transaction
from app.models import STATISTICS, rollup
from app.models.intake import submit
from tests.models.test_intake import submission


@pytest.fixture
def doctor(app):
    def go(*arguments):
        return app.test_cli_runner().invoke(args=["doctor", *arguments])

    return go


def findings(done):
    return {one["check"]: one for one in json.loads(done.stdout)["findings"]}


def test_a_sound_installation_without_a_server_has_one_thing_to_do(doctor):
    done = doctor("--json")
    assert done.exit_code == 0, done.output
    found = findings(done)
    assert set(found) == set(doctoring.CHECKS) == set(doctoring.CURES)
    assert {name for name, one in found.items() if one["level"] != "ok"} <= {"worker", "disk", "sqlite"}
    assert "earmark serve" in found["worker"]["cure"]


def test_every_finding_is_one_line_with_its_cure(doctor):
    lines = doctor().stdout.splitlines()
    assert len(lines) == len(doctoring.CHECKS)
    assert all(" → " in line for line in lines if not line.startswith("ok"))


def test_a_database_that_is_not_migrated_is_a_problem_and_stops_no_other_check(doctor, app):
    with app.app_context():
        downgrade(directory=str(FOLDER), revision="base")
    done = doctor("--json")
    assert done.exit_code == 1
    found = findings(done)
    assert found["migrations"]["level"] == found["rollups"]["level"] == "problem"
    assert found["blobs"]["level"] == "ok"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_blobs_that_cannot_be_written_are_a_problem(doctor, app, settings):
    blobs = settings.instance_path / "blobs"
    blobs.mkdir(exist_ok=True)
    (blobs / "doctor").write_text("a file where a folder should be", "utf-8")
    done = doctor("--json")
    assert (done.exit_code, findings(done)["blobs"]["level"]) == (1, "problem")


@pytest.mark.parametrize(
    ("version", "level"), [((3, 46, 1), "warning"), ((3, 51, 3), "ok"), ((3, 6, 23), "ok")]
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_sqlite_with_the_wal_reset_bug_is_named(doctor, monkeypatch, version, level):
    monkeypatch.setattr(doctoring.sqlite, "sqlite_version_info", version)
    assert findings(doctor("--json"))["sqlite"]["level"] == level


@pytest.fixture
def report(app):
    """Have a process of a kind report, begun so many seconds ago."""

    def reported(kind, seconds):
        now = utc_now()
        row = {"worker": f"{kind}-{seconds}", "kind": kind, "pid": 1, "seen_at": now, "gauges": {}}
        with app.app_context(), transaction() as session:
            started_at = now - timedelta(seconds=seconds)
            session.execute(STATISTICS.processes.insert().values(**row, started_at=started_at))

    return reported


def test_a_server_that_has_just_begun_is_not_said_to_be_without_its_worker(doctor, report):
    report("web", 3)
    found = findings(doctor("--json"))["worker"]
    assert (found["level"], found["cure"]) == ("ok", "")
    assert "still to report" in found["message"]
    report("web", 600)
    done = doctor("--json")
    assert (done.exit_code, findings(done)["worker"]["level"]) == (1, "problem")
    report("worker", 1)
    assert "2 server processes" in findings(doctor("--json"))["worker"]["message"]


def test_a_worker_that_nobody_tracks_is_not_missed(make_app):
    done = make_app(query_tracking=False).test_cli_runner().invoke(args=["doctor", "--json"])
    assert findings(done)["worker"]["level"] == "ok"


def test_roll_ups_that_differ_are_named_put_right_and_then_exact(doctor, app, project):
    with app.app_context():
        for url in ("https://shop.example/a", "https://shop.example/b"):
            submit(submission(project, url=url))
        rollup.fold_all()
    assert "Exact" in doctor("--rollups").stdout
    with app.app_context(), transaction() as session:
        session.connection().exec_driver_sql("update fact_counts set submissions = 7 where fact = 'page'")
    done = doctor("--rollups")
    assert done.exit_code == 1
    assert "fact_counts page, 2026-11-21, " in done.stdout
    assert "shop.example/a: 7, a count gives 1" in done.stdout
    done = doctor("--rollups", "--repair", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["repaired"], len(told["differences"])) == (0, True, 2)
    told = json.loads(doctor("--rollups", "--json").stdout)
    assert (told["exact"], told["submissions"]) == (True, 2)


def test_repair_alone_is_wrong_usage(doctor):
    assert doctor("--repair").exit_code == 2
