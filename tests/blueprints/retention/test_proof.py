"""Many submissions with all that hangs on them: a run removes what the plan said, every count is a recount.

`PROVE_RETENTION=1000000 pytest tests/blueprints/retention/test_proof.py -k sqlite -rP` is the long form.
"""

import os
import time
from collections import Counter
from contextlib import contextmanager

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select, text
from sqlalchemy import types as kinds

from app.blueprints.retention import plan as plans
from app.blueprints.retention import sweep
from app.blueprints.retention.wanted import How, Wanted
from app.clock import utc_now
from app.database.transactions import snapshot, transaction
from app.extensions import db
from app.models import Feedback, hold, rollup
from app.models.hold import Scope, Terms
from app.models.rollup import check, pruning
from tests.blueprints.retention.many import blobs_on_disk, plant_many
from tests.faults import audit

COUNT = int(os.environ.get("PROVE_RETENTION", "600"))
FORCED = How(trigger="command", force=True)
HELD = Scope(status="resolved", category="praise")
CHILDREN = ("feedback_screenshots", "submission_events", "messages", "feedback_tags", "held_submissions")
DUE = Table("proof_due", MetaData(), Column("id", kinds.BigInteger, primary_key=True))

pytestmark = pytest.mark.timeout(300 + COUNT // 200)


@contextmanager
def told(what):
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s")


def number(sql):
    with db.engine.connect() as connection:
        return connection.scalar(text(sql))


def children():
    return {name: number(f"select count(*) from {name}") for name in CHILDREN}


def children_of_due():
    return {
        name: number(f"select count(*) from {name} where feedback_id in (select id from proof_due)")
        for name in CHILDREN
    }


def write_down_due(work):
    """Keep the ids that are due before the run, each once."""
    with transaction() as session:
        session.connection().execute(text("create table proof_due (id bigint primary key)"))
        for due in work.dues:
            session.execute(insert(DUE).from_select(["id"], select(Feedback.id).where(*due.free)))


def place_hold():
    now = utc_now()
    with transaction() as session:
        made = hold.place_on(session, HELD, Terms(reason="A case", placed_by="Jana"), now).id
    return hold.spread(made, now)


def figures(lines):
    """Rows, pictures and bytes by policy, of those by which anything goes."""
    return {name: tuple(counts) for name, *counts in lines if counts[0]}


def blobs_named():
    """Keys on the disk that a picture's row names."""
    there = blobs_on_disk()
    with db.engine.connect() as connection:
        rows = connection.execute(text("select blob_key, thumbnail_key from feedback_screenshots"))
        return {key for row in rows for key in row if key in there}


def wrong_counts():
    """What the program counts as it goes and a recount of the rows says otherwise; each must be empty."""
    with snapshot(db.engine) as connection:
        bytes_kept = connection.execute(
            text(
                "select p.id, p.stored_bytes, coalesce(sum(octet_length(f.description)"
                " + coalesce(s.size_bytes, 0)), 0) as counted from projects p"
                " left join feedback_submissions f on f.project_id = p.id"
                " left join feedback_screenshots s on s.feedback_id = f.id group by p.id, p.stored_bytes"
            )
        ).all()
    submissions, indexed = "select id from feedback_submissions", "select rowid from feedback_fts"
    return {
        "rollups": check.recount().differences,
        "stored_bytes": [row for row in bytes_kept if row.stored_bytes != row.counted],
        "not in the search index": number(f"select count(*) from ({submissions} except {indexed}) as s"),
        "in the search index and gone": number(f"select count(*) from ({indexed} except {submissions}) as s"),
        "pictures": number(
            "select count(*) from feedback_submissions f where has_screenshot"
            " <> exists (select 1 from feedback_screenshots s where s.feedback_id = f.id)"
        ),
        "owed": number("select count(*) from blob_outbox"),
        "database": audit.database_faults(),
    }


def test_a_run_removes_exactly_what_the_plan_said_and_every_count_is_a_recount(app, database):
    with app.app_context():
        with told(f"{database}: planted"):
            total = plant_many(COUNT)
        assert not any(wrong_counts().values())
        held = place_hold()
        now = utc_now()
        with told("plan"):
            planned = plans.draw(db.session(), Wanted(), now)
            db.session.rollback()
        write_down_due(plans.find_work(db.session(), Wanted(), now))
        db.session.rollback()
        before, theirs, blobs = children(), children_of_due(), blobs_on_disk()
        assert planned.submissions == number("select count(*) from proof_due") > COUNT // 4
        assert planned.held

        with told("run"):
            done = sweep.run(Wanted(), FORCED, now)

        assert done.outcome == "done"
        assert figures((one.rule.name, one.rows, one.screenshots, one.bytes) for one in planned.lines) == (
            figures((one["name"], one["rows"], one["screenshots"], one["bytes"]) for one in done.lines)
        )
        assert (done.submissions, done.screenshots, done.freed_bytes) == (
            planned.submissions, planned.screenshots, planned.bytes
        )  # fmt: skip
        assert number("select count(*) from feedback_submissions") == total - planned.submissions
        assert number("select count(*) from feedback_submissions where id in (select id from proof_due)") == 0
        assert number("select count(*) from feedback_submissions where held") == held
        assert Counter(children()) == Counter(before) - Counter(theirs)
        with told("recounted"):
            wrong = wrong_counts()
        assert not any(wrong.values()), wrong
        assert len(blobs) > len(blobs_on_disk()) > 0
        assert blobs_on_disk() == blobs_named(), "no blob without a row"
        print(
            f"{total:,} submissions, {done.submissions:,} went with {done.screenshots:,} pictures"
            f" ({len(blobs) - len(blobs_on_disk()):,} files) and {done.freed_bytes:,} bytes,"
            f" {planned.held:,} kept by a hold; {done.batches:,} batches in {done.duration_ms / 1000:.1f} s,"
            f" longest lock {done.longest_lock_ms} ms"
        )
        gone = rollup.prune(600)
        assert gone > 0, "days whose submissions are all gone stand in no roll-up"
        assert check.recount().differences == ()
        for table in pruning.TABLES:
            assert number(f"select count(*) from {table.name} where submissions = 0") == 0, table.name
