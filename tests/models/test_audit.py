"""The audit log: who acted is known, the chain is exact whoever writes, and nothing in it can be changed."""

import json
import os
import subprocess
import sys
import threading

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from app.database.transactions import transaction
from app.extensions import db
from app.models import AuditAnchor, AuditEntry, audit


def add(action="policy.create", **options):
    with transaction() as session:
        audit.record(session, action, **options)


def entries():
    return db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()


def test_an_entry_says_who_did_what_to_what_and_how_it_ended(app):
    with app.app_context():
        with audit.acting("jana@example.org", "request-1"):
            add(target="policy:7", outcome="refused", details={"days": 90, "at": audit.utc_now()})
        found = entries()[0]
        assert (found.id, found.actor, found.request_id) == (1, "jana@example.org", "request-1")
        assert (found.action, found.target, found.outcome) == ("policy.create", "policy:7", "refused")
        assert json.loads(found.details)["days"] == 90
        assert found.previous_hash == audit.GENESIS


def test_who_acts_is_named_by_the_innermost_and_keeps_the_request(app):
    with app.app_context():
        with audit.acting("job:sweep", "run-1"):
            with audit.acting("jana@example.org"):
                add()
            add()
        add()
        found = [(entry.actor, entry.request_id) for entry in entries()]
    assert found[:2] == [("jana@example.org", "run-1"), ("job:sweep", "run-1")]
    assert found[2][0].startswith("command:")


def test_an_entry_stands_only_if_the_act_is_committed(app):
    with app.app_context():
        with pytest.raises(RuntimeError), transaction() as session:
            audit.record(session, "policy.create")
            raise RuntimeError
        add("policy.delete")
        assert [(entry.id, entry.action) for entry in entries()] == [(1, "policy.delete")]


def test_any_name_can_be_kept(app):
    names = ["a\0b", "\ud800", "x" * 5_000, "<script>alert(1)</script>", "عربي"]
    with app.app_context():
        for name in names:
            with audit.acting(name):
                add(target=name, details={"name": name})
        found = entries()
        assert [json.loads(entry.details)["name"] for entry in found] == names
        assert max(len(entry.actor) for entry in found) == audit.LONGEST


CHANGES = [
    update(AuditEntry).values(actor="somebody else"),
    update(AuditEntry).where(AuditEntry.id == 1).values(details="{}"),
    delete(AuditEntry),
    delete(AuditEntry).where(AuditEntry.id == 2),
    update(AuditAnchor).values(hash="0"),
    delete(AuditAnchor),
]


def _anchor(through_id):
    now = audit.utc_now()
    return insert(AuditAnchor).values(
        through_id=through_id,
        hash="a",
        entries=1,
        last_at=now,
        closed_at=now,
        previous_hash="b",
        signature="c",
    )


def test_the_database_refuses_to_change_or_remove_entries(app):
    with app.app_context():
        add()
        add()
        with transaction() as session:
            session.execute(_anchor(0))  # covers nothing
        for statement in CHANGES:
            with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
                session.execute(statement)
        assert len(entries()) == 2


def test_the_database_refuses_to_write_over_an_entry(app, database):
    over = "insert or replace into" if database == "sqlite" else "insert into"
    columns = "id, created_at, actor, action, outcome, details, previous_hash, hash"
    moment = "0" if database == "sqlite" else "now()"
    with app.app_context():
        add()
        with pytest.raises(DBAPIError), transaction() as session:
            session.execute(
                text(f"{over} audit_entries ({columns}) values (1, {moment}, 'x', 'x', 'x', '', '', '')")
            )
        if database == "postgresql":
            with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
                session.execute(text("truncate audit_entries"))
        assert entries()[0].action == "policy.create"


def test_what_an_anchor_covers_can_go_and_nothing_else(app):
    with app.app_context():
        add()
        add()
        with transaction() as session:
            session.execute(_anchor(1))
            session.execute(delete(AuditEntry).where(AuditEntry.id <= 1))
        with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
            session.execute(delete(AuditEntry))
        assert [entry.id for entry in entries()] == [2]


def test_writers_at_one_time_make_one_chain(app):
    each, failures = 15, []

    def write(name):
        with app.app_context():
            try:
                for number in range(each):
                    with audit.acting(name):
                        add(target=f"{name}:{number}")
            except BaseException as error:  # told to the test
                failures.append(error)
            db.session.remove()

    threads = [threading.Thread(target=write, args=(f"writer-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with app.app_context():
        found = entries()
        assert [entry.id for entry in found] == list(range(1, 6 * each + 1))
        previous = audit.GENESIS
        for entry in found:
            assert entry.previous_hash == previous
            assert entry.hash == audit.link(previous, audit.document(vars(entry)))
            previous = entry.hash
        per_actor = select(AuditEntry.actor, func.count()).group_by(AuditEntry.actor)
        assert {count for _, count in db.session.execute(per_actor)} == {each}


WRITER = """
import sys
from app import create_app
from app.database.transactions import transaction
from app.models import audit
app = create_app()
with app.app_context():
    for number in range(int(sys.argv[2])):
        with audit.acting(sys.argv[1]), transaction() as session:
            audit.record(session, "policy.create", target=str(number))
"""


def test_processes_at_one_time_make_one_chain(app, settings):

    environment = os.environ | {
        "EARMARK_INSTANCE_PATH": str(settings.instance_path),
        "EARMARK_SECRET_KEY": settings.secret_key,
    }
    if settings.database_url:
        environment["EARMARK_DATABASE_URL"] = settings.database_url
    command = [sys.executable, "-c", WRITER]
    running = [subprocess.Popen([*command, f"process-{n}", "10"], env=environment) for n in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    with app.app_context():
        found = entries()
        assert [entry.id for entry in found] == list(range(1, 21))
        previous = [audit.GENESIS, *(entry.hash for entry in found)][:-1]
        assert [entry.previous_hash for entry in found] == previous
