"""The proof of the audit log: whatever one changes, the check names that entry; retention leaves it whole."""

import itertools
import json
import random
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.models import AuditAnchor, AuditEntry, audit, audit_chain
from app.models.audit_chain import Place

COLUMNS = ("actor", "request_id", "action", "target", "outcome", "details", "previous_hash", "hash")
SQLITE_TRIGGERS = ("audit_entries_keep", "audit_entries_stay", "audit_entries_once", "audit_anchors_keep")


@pytest.fixture
def log(app):
    """A log of twelve entries, in the application's context."""
    with app.app_context():
        with audit.acting("jana@example.org", "request-1"), transaction() as session:
            for number in range(12):
                details = {"number": number, "words": "größer <b>", "share": 0.1}
                audit.record(session, "policy.change", target=f"policy:{number}", details=details)
        yield
        db.session.remove()


def unguard(database):
    """Do what somebody with the database in hand can do: take the triggers away."""
    with transaction() as session:
        if database == "sqlite":
            for name in SQLITE_TRIGGERS:
                session.execute(text(f"drop trigger {name}"))
        else:
            session.execute(text("alter table audit_entries disable trigger all"))
            session.execute(text("alter table audit_anchors disable trigger all"))


def force(statement):
    with transaction() as session:
        session.execute(statement)


def one_byte_changed(words, where):
    at = where % len(words)
    return words[:at] + ("x" if words[at] != "x" else "y") + words[at + 1 :]


def test_a_log_that_nobody_touched_is_intact(log):
    verdict = audit_chain.verify()
    assert (verdict.is_intact, verdict.entries, verdict.last.id) == (True, 12, 12)
    assert verdict.last.hash == db.session.scalar(select(AuditEntry.hash).where(AuditEntry.id == 12))


def test_one_changed_byte_is_found_at_exactly_that_entry(log, database):
    unguard(database)
    chosen = random.Random(7)
    for column, number in itertools.product(COLUMNS, (1, 5, 12)):
        before = db.session.scalar(select(getattr(AuditEntry, column)).where(AuditEntry.id == number))
        changed = one_byte_changed(before, chosen.randrange(1_000))
        force(update(AuditEntry).where(AuditEntry.id == number).values({column: changed}))
        assert audit_chain.verify().broken_at == number, changed
        force(update(AuditEntry).where(AuditEntry.id == number).values({column: before}))
        assert audit_chain.verify().is_intact


def test_another_time_is_found(log, database):
    unguard(database)
    microsecond = "1" if database == "sqlite" else "interval '1 microsecond'"
    force(text(f"update audit_entries set created_at = created_at + {microsecond} where id = 7"))
    assert audit_chain.verify().broken_at == 7


def test_an_entry_that_was_taken_out_is_named(log, database):
    unguard(database)
    for gone in (11, 6, 1):
        force(text(f"delete from audit_entries where id = {gone}"))
        verdict = audit_chain.verify()
        assert (verdict.broken_at, verdict.entries) == (gone, gone - 1)
        assert "missing" in verdict.reason


def test_a_log_that_was_cut_short_is_found_by_a_place_noted_before(log, database):
    noted = audit_chain.verify().last
    unguard(database)
    force(text("delete from audit_entries where id > 9"))
    assert audit_chain.verify().is_intact, "a chain alone cannot know how long it was"
    assert audit_chain.verify(noted).broken_at == 10
    assert audit_chain.verify(Place(9, "0" * 64)).broken_at == 9


def close_all_so_far():
    now = utc_now()
    with transaction() as session:
        return audit_chain.close_segment(session, now, now, 100)


def test_retention_closes_a_segment_and_the_rest_stays_provable(log):
    noted = audit_chain.verify().last
    assert close_all_so_far() == 12
    verdict = audit_chain.verify(noted)
    assert (verdict.is_intact, verdict.entries, verdict.last.id) == (True, 1, 13)
    (left,) = db.session.scalars(select(AuditEntry)).all()
    assert (left.action, json.loads(left.details)["entries"]) == ("audit.close", 12)
    assert close_all_so_far() == 0, (
        "an end of a segment alone is no segment: the log would never come to rest"
    )
    with transaction() as session:
        audit.record(session, "user.create")
    assert close_all_so_far() == 2
    assert audit_chain.verify().last.id == 15
    assert db.session.scalars(select(AuditAnchor.entries).order_by(AuditAnchor.through_id)).all() == [12, 2]
    assert audit_chain.close(utc_now() + timedelta(days=1), utc_now()) == 0


def test_nothing_is_closed_that_is_younger(log):
    assert audit_chain.close(utc_now() - timedelta(days=1), utc_now()) == 0
    assert audit_chain.verify().entries == 12


def test_a_segment_that_is_broken_is_not_closed(log, database):
    unguard(database)
    force(update(AuditEntry).where(AuditEntry.id == 3).values(actor="somebody"))
    with pytest.raises(ClientError, match="broken at entry 3"):
        close_all_so_far()
    assert db.session.scalar(select(AuditAnchor.through_id)) is None


def test_an_anchor_that_this_instance_did_not_sign_is_found(log, database):
    close_all_so_far()
    unguard(database)
    force(update(AuditAnchor).values(entries=3))
    assert audit_chain.verify().broken_at == 12


def test_a_long_log_is_closed_in_short_pieces(log):
    now = utc_now()
    gone = []
    for _ in range(4):
        with transaction() as session:
            gone.append(audit_chain.close_segment(session, now, now, 5))
        assert audit_chain.verify().is_intact
    assert gone == [5, 5, 2, 0]
    ends = select(AuditAnchor.through_id).order_by(AuditAnchor.through_id)
    assert db.session.scalars(ends).all() == [5, 10, 12]
    assert audit_chain.verify().last.id == 15


def test_an_export_is_verified_without_the_database_and_one_changed_byte_is_found(log):
    lines = list(audit_chain.export(utc_now()))
    found = audit_chain.verify_file(lines)
    assert (found.verdict.is_intact, found.verdict.entries, found.is_ours) == (True, 12, True)
    chosen = random.Random(4)
    for number in range(1, 13):
        at = chosen.randrange(len(lines[number]) - 1)
        changed = [*lines]
        changed[number] = one_byte_changed(lines[number].rstrip("\n"), at) + "\n"
        assert audit_chain.verify_file(changed).verdict.broken_at == number, changed[number]


def test_an_export_that_was_shortened_or_mixed_is_found(log):
    lines = list(audit_chain.export(utc_now()))
    assert audit_chain.verify_file(lines[:-1]).verdict.broken_at == 13
    assert audit_chain.verify_file([*lines[:-2], lines[-1]]).verdict.broken_at == 12
    assert audit_chain.verify_file([*lines[:3], *lines[4:]]).verdict.broken_at == 3
    assert audit_chain.verify_file([lines[0], lines[2], lines[1], *lines[3:]]).verdict.broken_at == 1
    assert audit_chain.verify_file([*lines, lines[1]]).verdict.broken_at == 13
    for nonsense in ([], ["[]"], ["nonsense"], ["{}"], lines[1:]):
        with pytest.raises(ValueError, match=r"audit log|Expecting"):
            audit_chain.verify_file(nonsense)


def test_an_export_of_a_closed_log_begins_at_its_anchor(log):
    close_all_so_far()
    found = audit_chain.verify_file(audit_chain.export(utc_now()))
    assert (found.verdict.is_intact, found.verdict.entries) == (True, 1)
