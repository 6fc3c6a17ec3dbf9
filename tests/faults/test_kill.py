"""`kill -9`, whatever is going on: nothing that was acknowledged is lost, doubled or torn (docs/security.md).

PROVE_KILLS is the number of rounds of the first test, the others take their share of it; PROVE_SEED varies
the moments. Each test prints its figures (`pytest -rP` shows them).
"""

import json
import os
import random
import statistics
import subprocess
import sys
import time

import psutil
import pytest
from sqlalchemy import func, inspect, select, text

from app.blueprints.intake.screenshots import remove_orphans, take_up_owed_screenshots
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Project, Screenshot, User
from app.storage import storage
from tests.faults import audit
from tests.faults.crowd import Crowd, write_letter
from tests.faults.victim import Victim, until

KILLS = int(os.environ.get("PROVE_KILLS", "10"))
SEED = int(os.environ.get("PROVE_SEED", "20261121"))
FEW = max(2, KILLS // 10)
# A sweep takes up so many at once (Screenshot.owed).
SWEEP = 100

pytestmark = pytest.mark.timeout(180 + 20 * KILLS)

# What has nothing to do with the database.
only_once = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def victim(settings):
    """A server that is not started yet; whatever is left of it ends with the test."""
    server = Victim(settings)
    yield server
    if server._process is not None and server._process.poll() is None:
        server.kill()


def test_killing_everything_loses_nothing_and_doubles_nothing(victim, make_app, database):
    chance = random.Random(SEED)
    began = time.monotonic()
    victim.start()
    crowd = Crowd(victim.port, victim.project_key, SEED)
    crowd.start()
    ready_again = [_round(victim, crowd, chance) for _ in range(KILLS)]
    crowd.up.set()
    crowd.dismiss()
    victim.kill()  # the moment after the last answer

    with make_app().app_context():
        found = audit.rows()
        at_rest = _all_faults(crowd.ledger, found)
        orphans_before = audit.orphans(found)
        audit.let_leases_run_out()
        stranded = audit.pending()
        victim.start()
        _catch_up()
        victim.stop()
        remove_orphans(utc_now())
        settled = audit.rows()
        afterwards = _all_faults(crowd.ledger, settled)
        orphans_after = audit.orphans(settled)
    _report(
        database,
        kills=KILLS,
        acknowledged=len(crowd.ledger.acknowledged),
        breaks=crowd.ledger.breaks,
        recovered=crowd.ledger.recovered,
        asked_again=crowd.ledger.repeated,
        pictures=sum(row.screenshot_id is not None for row in settled),
        owed_at_rest=stranded,
        orphans=[len(orphans_before), len(orphans_after)],
        ready_again_ms=_percentiles(ready_again),
        seconds=round(time.monotonic() - began),
        **{name: len(faults) for name, faults in afterwards.items()},
    )
    assert crowd.ledger.surprises == []
    assert not any(at_rest.values()), at_rest
    assert not any(afterwards.values()), afterwards
    assert orphans_after == []
    assert len(crowd.ledger.acknowledged) > KILLS


def test_a_killed_job_worker_strands_no_picture(victim, make_app, database):
    ledger = _send_pictures(victim, 4 * FEW + 8)
    with make_app().app_context():
        kills = _kill_workers_at_work(victim)
        audit.let_leases_run_out()
        _catch_up()
        twice = db.session.scalar(select(func.count()).where(Screenshot.attempts > 1))
        found = audit.rows()
        faults = _all_faults(ledger, found)
        remove_orphans(utc_now())
        orphans = audit.orphans(found)
    _report(database, worker_kills=kills, taken_up_again=twice, orphans_after=len(orphans))
    assert twice >= 1
    assert not any(faults.values()), faults
    assert orphans == []


def test_a_killed_web_process_is_replaced_and_loses_nothing(victim, make_app, database):
    chance = random.Random(SEED)
    victim.start()
    crowd = Crowd(victim.port, victim.project_key, SEED)
    crowd.start()
    crowd.up.set()
    for _ in range(FEW):
        crowd.ledger.wait_for_more(chance.randint(20, 100))
        _replace_oldest_web_process(victim)
        crowd.ledger.wait_for_more(20)
    crowd.dismiss()
    victim.kill()
    with make_app().app_context():
        faults = _all_faults(crowd.ledger, audit.rows())
    _report(database, web_kills=FEW, acknowledged=len(crowd.ledger.acknowledged), breaks=crowd.ledger.breaks)
    assert crowd.ledger.surprises == []
    assert not any(faults.values()), faults


def test_killed_during_its_very_first_start_it_starts_the_next_time(victim, settings, make_app, database):
    chance = random.Random(SEED)
    left = []
    for _ in range(FEW + 1):
        left.append(_killed_first_start(victim, settings, make_app, chance))
        victim.start()
        assert victim.answers()
        _send_pictures(victim, 1)
        victim.kill()
        with make_app().app_context():
            assert db.session.scalar(select(func.count(User.id))) == 1
            assert db.session.scalar(select(func.count(Project.id))) == 1
            assert audit.database_faults() == []
            audit.let_go()
    _report(database, killed_first_starts=len(left), tables_found=sorted(left))


@only_once
def test_killed_while_it_publishes_its_files_it_serves_them_the_next_time(victim, settings):
    for build in (settings.instance_path / "static").iterdir():
        build.rename(settings.instance_path / "elsewhere")
    victim.launch()
    until(victim.drafts_of_static_files, "a draft of the static files")
    victim.kill()
    victim.start()
    assert victim.get("/widget.js")[0] == 200


@only_once
def test_the_janitor_removes_what_a_killed_put_left_behind(app, settings):
    folder = settings.instance_path / "blobs"
    script = "import sys; from obstore.store import LocalStore; import obstore\n"
    script += "while True: obstore.put(LocalStore(sys.argv[1]), 'screenshots/01K/x', bytes(1 << 25))"
    while not list(folder.rglob("*#*")):  # the kill may have come between two puts
        with subprocess.Popen([sys.executable, "-c", script, str(folder)]) as writer:
            until(lambda: list(folder.rglob("*#*")), "an unfinished blob")
            writer.kill()
    with app.app_context():
        remove_orphans(utc_now())
        assert audit.orphans([]) == []


def test_the_janitor_removes_the_upload_of_a_picture_whose_worker_was_killed_as_it_failed(app, project):
    """The row says `failed` before the upload is deleted; a kill between the two leaves the upload."""
    with app.app_context():
        storage().put("screenshots/01K/x", b"not a picture")
        with transaction() as session:
            sent = Feedback(project_id=project.id, category="bug", description="x", has_screenshot=True)
            session.add(sent)
            session.flush()
            session.add(
                Screenshot(
                    feedback_id=sent.id,
                    blob_key="screenshots/01K/x",
                    media_type="image/png",
                    size_bytes=0,
                    state="failed",
                    failure="broken",
                )
            )
        remove_orphans(utc_now())
        assert audit.orphans(audit.rows()) == []


def _round(victim, crowd, chance):
    """Let them send, kill everything at some moment, start again; returns the seconds until it was ready."""
    crowd.up.set()
    crowd.ledger.wait_for_more(chance.randint(0, 120))
    if chance.random() < 0.5:  # pictures are few, and have two places to be half kept in
        crowd.sends_picture.clear()
        assert crowd.sends_picture.wait(60), "nobody sends a picture"
    time.sleep(chance.uniform(0, 0.02))  # a moment that no condition names: in the midst of anything
    crowd.up.clear()
    victim.kill()
    if chance.random() < 0.1:
        victim.launch()
        time.sleep(chance.uniform(0, 2))
        victim.kill()
    started = time.monotonic()
    victim.start()
    return time.monotonic() - started


def _all_faults(ledger, found):
    return {
        **audit.compare(ledger, found),
        "without_picture": audit.broken_pictures(ledger, found),
        "integrity": audit.database_faults(),
        **audit.wrong_counts(found),
    }


def _catch_up():
    """Sweep as the timetable does every minute, until the worker has settled every picture."""
    while (owed := audit.pending()) > 0:
        take_up_owed_screenshots()
        until(
            lambda owed=owed: audit.pending() <= max(0, owed - SWEEP),
            f"{owed} owed pictures settled",
            seconds=180,
        )


def _send_pictures(victim, count):
    """Start the server where it is not up, send pictures, and return the ledger."""
    if victim._process is None or victim._process.poll() is not None:
        victim.start()
    crowd = Crowd(victim.port, victim.project_key, SEED, senders=1)
    crowd.up.set()
    chance = random.Random(SEED)
    sender = crowd._senders[0]
    for number in range(count):
        sender.deliver(write_letter(victim.project_key, f"picture-{number}", chance, picture=True))
    sender.close()
    assert crowd.ledger.surprises == []
    return crowd.ledger


def _kill_workers_at_work(victim):
    """Kill the worker in the midst of pictures until at least one was left half done; returns the kills."""
    kills = 0
    while kills < FEW or not audit.leased():
        until(lambda: audit.leased() and victim.worker(), "a picture at work")
        worker = victim.worker()
        worker.kill()
        kills += 1
        psutil.wait_procs([worker], 60)
        until(lambda: victim.worker() is not None, "another worker in its place")
    return kills


def _replace_oldest_web_process(victim):
    # The oldest, because granian ends altogether when one dies within 5.5 s of having been replaced.
    before = sorted(victim.web_processes(), key=psutil.Process.create_time)
    before[0].kill()
    until(
        lambda: (
            len(set(victim.web_processes()) - set(before)) == 1 and len(victim.web_processes()) == len(before)
        ),
        "another web process in its place",
    )


def _killed_first_start(victim, settings, make_app, chance):
    """Begin with no database, kill while it is being made; returns how many tables there were by then."""
    _forget_everything(settings, make_app)
    victim.launch()
    # Migration, first admin and first project follow; together they take some 300 to 500 ms.
    until((settings.instance_path / "migrate.lock").exists, "the migration begun")
    time.sleep(chance.uniform(0, 0.5))
    victim.kill()
    with make_app().app_context():
        tables = len(inspect(db.engine).get_table_names())
        audit.let_go()
    return tables


def _forget_everything(settings, make_app):
    with make_app().app_context():
        if db.engine.dialect.name == "postgresql":
            with db.engine.begin() as connection:
                connection.execute(text("drop schema public cascade"))
                connection.execute(text("create schema public"))
        audit.let_go()
    for path in settings.instance_path.iterdir():
        if path.is_file():
            path.unlink()


def _percentiles(seconds):
    cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
    return {"p50": round(cuts[49] * 1000), "p99": round(cuts[98] * 1000)}


def _report(database, **figures):
    print(json.dumps({"database": database, **figures}))
