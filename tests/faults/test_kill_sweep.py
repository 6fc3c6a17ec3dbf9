"""A sweep that is killed at random moments: resumed, nothing half deleted, no orphan, no held row gone."""

import multiprocessing
import os
import random
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from app import create_app
from app.blueprints.retention import archive, sweep
from app.blueprints.retention.wanted import How, Wanted
from app.clock import utc_now
from app.config import current_settings
from app.database.transactions import transaction
from app.extensions import db
from app.models import (
    ArchivedSubmission,
    BlobOutbox,
    Feedback,
    Project,
    RetentionRun,
    Screenshot,
    blob_outbox,
    daily_count,
    hold,
)
from app.models.hold import Terms
from app.models.identifiers import new_public_id
from app.models.rollup.check import recount
from app.storage import new_key, storage
from tests.faults import audit
from tests.faults.victim import let_sent_statements_end

KILLS = int(os.environ.get("PROVE_KILLS", "10"))
SEED = int(os.environ.get("PROVE_SEED", "20261128"))
A_ROUND = 300  # a few batches
HELD = 10
OLD = Wanted(older_than=30, archive=True)
FORCED = How(trigger="command", force=True)
PATIENCE_SECONDS = 300.0
LONGEST_WORK_SECONDS = 0.2

pytestmark = pytest.mark.timeout(180 + 20 * KILLS)
# A clean process that has imported everything: each victim is a fork of it, and begins within moments.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["app", "app.blueprints.retention.sweep"])


def sweep_in_a_process(settings):
    with create_app(settings).app_context():
        sweep.run(OLD, FORCED, utc_now())


def plant(project, count):
    """Add so many old submissions with pictures, counted as intake counts them; returns their ids."""
    old = utc_now() - timedelta(days=90)
    with transaction() as session:
        made = [
            Feedback(project_id=project.id, category="bug", description=f"Zahl {n}", has_screenshot=True,
                     created_at=old + timedelta(seconds=n), updated_at=old)
            for n in range(count)
        ]  # fmt: skip
        session.add_all(made)
        session.flush()
        pictures = [_picture(row.id) for row in made]
        session.execute(insert(Screenshot), pictures)
        daily_count.add(session.connection(), [daily_count.delta(row, 1) for row in made])
        size = sum(len(row.description) for row in made) + sum(one["size_bytes"] for one in pictures)
        session.get_one(Project, project.id).stored_bytes += size
        return [row.id for row in made]


def _picture(feedback_id):
    key = new_key("screenshots")
    for name in (key, key + ".thumb"):
        file = current_settings().instance_path / "blobs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(new_public_id().encode())
    return {"feedback_id": feedback_id, "blob_key": key, "thumbnail_key": key + ".thumb", "size_bytes": 26,
            "media_type": "image/webp", "state": "ready", "attempts": 1, "width": 9, "height": 9,
            "created_at": utc_now()}  # fmt: skip


def killed_at_work(settings, seconds):
    """Start a sweep and kill it so long after its first batch; tells whether it was still at it."""
    before = batches()
    process = processes.Process(target=sweep_in_a_process, args=(settings,))
    process.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    # A killed run stays "running" in its row, and is gone on with: only another batch tells that this one is.
    while batches() == before and process.is_alive():
        assert time.monotonic() < deadline, "the sweep never began"
        time.sleep(0.002)
    process.join(seconds)
    at_it = process.exitcode is None
    process.kill()
    process.join(PATIENCE_SECONDS)
    process.close()
    let_sent_statements_end()
    return at_it


def batches():
    return count(select(func.sum(RetentionRun.batches))) or 0


def count(query):
    found = db.session.scalar(query)
    db.session.rollback()
    return found


def faults(planted, held):
    """What is wrong at this moment, whatever was killed; every value must be empty."""
    found = audit.rows()
    there = {row.public_id for row in found}
    archived = set(db.session.scalars(select(ArchivedSubmission.public_id)))
    owed = {key for keys in db.session.scalars(select(BlobOutbox.blob_keys)) for key in keys}
    swept = count(select(func.sum(RetentionRun.submissions))) or 0
    missing = [row.blob_key for row in found if not storage().exists(row.blob_key)]
    return {
        **audit.wrong_counts(found),
        "rollups": recount().differences,
        "held and gone": held - there,
        "gone and not archived": planted - there - archived,
        "not told by runs": [] if swept == len(planted) - len(there) else [swept, len(planted) - len(there)],
        "without blob": missing,
        "orphans that nothing names": [
            key for key in audit.orphans(found) if key not in owed and not key.startswith("archives/")
        ],
        "database": audit.database_faults(),
    }


def public_ids():
    found = set(db.session.scalars(select(Feedback.public_id)))
    db.session.rollback()
    return found


def test_a_killed_sweep_leaves_nothing_half_done_and_goes_on(make_app, settings, database, project):
    chance = random.Random(SEED)
    kills = KILLS if database == "sqlite" else max(2, KILLS // 3)
    with make_app().app_context():
        for feedback_id in plant(project, HELD):
            with transaction() as session:
                found = session.get_one(Feedback, feedback_id)
                hold.place(session, found, Terms(reason="A case", placed_by="Jana"), utc_now())
        held = planted = public_ids()
        at_work = 0
        for number in range(kills):
            before = public_ids()
            plant(project, A_ROUND)
            planted = planted | (public_ids() - before)
            # The first at once after a batch: a quick machine is done with the rest within moments.
            at_work += killed_at_work(settings, chance.random() * LONGEST_WORK_SECONDS * number / kills)
            wrong = faults(planted, held)
            assert not any(wrong.values()), wrong
        last = sweep.run(OLD, FORCED, utc_now())
        blob_outbox.work_off(storage())
        archive.remove_orphans(utc_now() + timedelta(days=1))
        wrong = faults(planted, held)
        assert not any(wrong.values()), wrong
        assert last.outcome == "done"
        assert public_ids() == held
        assert count(select(func.count()).select_from(BlobOutbox)) == 0
        outcomes = set(db.session.scalars(select(RetentionRun.outcome)))
        assert outcomes <= {"done", "killed"}
    print(f"\nsweep on {database}: {kills} kills, {at_work} of them at work, {len(planted)} submissions")
    assert at_work
