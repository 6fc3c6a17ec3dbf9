"""An archive whose process is killed: whole parts or none, and the next run writes what is missing.

PROVE_ARCHIVE_KILLS is the number of rounds, PROVE_SEED varies the moments.
"""

import os
import random
import subprocess
import sys
import time
from datetime import timedelta

from sqlalchemy import func, select

from app.blueprints.retention import archive
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import ArchivedSubmission, ArchivePart, Feedback
from app.storage import storage
from tests.faults.victim import let_sent_statements_end

KILLS = int(os.environ.get("PROVE_ARCHIVE_KILLS", "3"))
SEED = int(os.environ.get("PROVE_SEED", "1"))
SUBMISSIONS = 120
# Writes parts of a few submissions for ever, so that a kill at any moment meets one half-way.
VICTIM = """
from itertools import cycle
from sqlalchemy import delete, select
from app import create_app
from app.blueprints.retention import archive
from app.database.transactions import transaction
from app.extensions import db
from app.models import ArchivedSubmission, Feedback
app = create_app()
with app.app_context():
    ids = db.session.scalars(select(Feedback.id).order_by(Feedback.id)).all()
    print("ready", flush=True)
    for number in cycle(range(0, len(ids), 4)):
        if number == 0:
            with transaction() as session:
                session.execute(delete(ArchivedSubmission))
        archive.store(ids[number : number + 4])
"""


def whole_parts():
    """Every part has its blobs and is what was written; every other blob is one that the janitor takes."""
    named = {key for part in db.session.scalars(select(ArchivePart)) for key in part.keys}
    db.session.rollback()
    assert named <= {info.key for info in storage().list_keys("archives")}
    faults = [fault for _, fault in archive.verify() if fault]
    assert faults == []
    archive.remove_orphans(utc_now() + timedelta(days=1))
    assert {info.key for info in storage().list_keys("archives")} == named


def test_a_killed_archive_leaves_whole_parts_and_goes_on(app, settings, project):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
        "EARMARK_INSTANCE_PATH": str(settings.instance_path),
        "EARMARK_SECRET_KEY": settings.secret_key,
        "EARMARK_LOG_LEVEL": "ERROR",
    }
    if settings.database_url:
        environment["EARMARK_DATABASE_URL"] = settings.database_url
    chance = random.Random(SEED)
    with app.app_context():
        with transaction() as session:
            session.add_all(
                Feedback(project_id=project.id, category="bug", description="x" * 200)
                for _ in range(SUBMISSIONS)
            )
        for _ in range(KILLS):
            victim = subprocess.Popen(
                [sys.executable, "-c", VICTIM], env=environment, stdout=subprocess.PIPE, text=True
            )
            assert victim.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, 0.5))  # the moment of the kill, not a wait for anything
            victim.kill()
            victim.wait(60)
            victim.stdout.close()
            let_sent_statements_end()
            whole_parts()
        ids = db.session.scalars(select(Feedback.id)).all()
        archive.store(ids)
        assert db.session.scalar(select(func.count()).select_from(ArchivedSubmission)) == SUBMISSIONS
        whole_parts()
