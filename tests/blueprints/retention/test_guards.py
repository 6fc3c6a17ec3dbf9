"""What a sweep refuses, and that it then touches nothing; one run at a time; stopped, it goes on."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.blueprints.retention import archive, guards, sweep, timetable
from app.blueprints.retention import plan as plans
from app.blueprints.retention.sweep import WORK_SECONDS, Busy, next_size
from app.blueprints.retention.wanted import How, Wanted
from app.clock import utc_now
from app.database.sole import AlreadyHeld, sole
from app.database.transactions import transaction
from app.extensions import db
from app.models import (
    ArchivePart,
    AuditEntry,
    Feedback,
    RetentionRun,
    UserSession,
    event,
    search,
)
from app.models.forgetting import FORGOTTEN
from app.models.message import Message
from app.models.query import QueryContext, parse
from app.models.retention_schedule import is_due, next_run, time_before
from tests.blueprints.retention.conftest import NOW, there

BY_HAND = How(trigger="command")
DAILY = How(trigger="timetable", few=guards.FEW, leave_out=True)


@pytest.fixture
def rows(plant, policies):
    policies({"keep_days": 30})
    for number in range(20):
        plant(40 if number < 4 else 0)


def outcomes():
    found = [run.outcome for run in db.session.scalars(select(RetentionRun).order_by(RetentionRun.id))]
    db.session.rollback()
    return found


def test_a_fifth_of_a_project_may_go_and_not_one_more(rows, plant):
    extra = plant(40)
    with pytest.raises(guards.Refused, match="5 of 21 of Shop"):
        sweep.run(Wanted(), BY_HAND, NOW)
    assert len(there()) == 21
    assert outcomes() == ["refused"]
    plant(0), plant(0), plant(0), plant(0)  # 5 of 25
    assert sweep.run(Wanted(), BY_HAND, NOW).submissions == 5
    assert extra not in there()


def test_force_deletes_more_than_a_fifth(plant, policies):
    policies({"keep_days": 30})
    plant(40), plant(40), plant(0)
    done = sweep.run(Wanted(), How(trigger="command", force=True), NOW)
    assert (done.outcome, done.submissions) == ("done", 2)


def test_the_timetable_leaves_a_project_out_and_does_the_rest(plant, policies, project):
    from app.models import Project

    policies({"keep_days": 30})
    with transaction() as session:
        other = Project(name="Other")
        session.add(other)
        session.flush()
        other_id = other.id
    for number in range(30):
        plant(40 if number < 25 else 0)
        plant(40 if number < 3 else 0, project_id=other_id)
    done = sweep.run(Wanted(), DAILY, NOW)
    assert done.submissions == 3
    assert "Shop (83 %)" in done.message
    assert len(there()) == 57


@pytest.mark.parametrize("years", [10, -10])
def test_a_clock_that_jumped_deletes_nothing_without_force(rows, years):
    then = NOW + timedelta(days=365 * years)
    before = there()
    for how in (BY_HAND, DAILY):
        with pytest.raises(guards.Refused, match="clock"):
            sweep.run(Wanted(), how, then)
    assert there() == before
    # What was refused at the wrong time is no sign of the time; at the right one all goes on.
    assert sweep.run(Wanted(), BY_HAND, NOW).submissions == 4


def test_a_run_of_yesterday_is_a_sign_of_the_time(plant, policies):
    policies({"keep_days": 30})
    sweep.run(Wanted(), BY_HAND, NOW)
    plant(45)
    assert sweep.run(Wanted(), How(trigger="command", few=1), NOW + timedelta(days=1)).submissions == 1


def test_a_second_run_says_that_the_first_is_at_work(rows):
    with sole(db.engine, sweep.NAME):
        with pytest.raises(Busy):
            sweep.run(Wanted(), BY_HAND, NOW)
        with pytest.raises(AlreadyHeld), sole(db.engine, sweep.NAME):
            pass
    assert outcomes() == []
    assert sweep.run(Wanted(), BY_HAND, NOW).submissions == 4


def test_of_two_runs_at_once_one_does_it_all(context, rows):
    results, barrier = [], threading.Barrier(2)

    def go():
        with context.app_context():
            barrier.wait(30)
            try:
                results.append(sweep.run(Wanted(), BY_HAND, NOW).submissions)
            except Busy:
                results.append(None)

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    # One was refused, or came when the other had ended and found nothing left.
    assert sorted(results, key=str) in ([4, None], [0, 4])
    assert len(there()) == 16


def test_a_run_stops_at_its_budget_and_the_next_goes_on_as_the_same(plant, policies):
    policies({"keep_days": 30})
    for number in range(60):
        plant(40 - number / 100)
    force = How(trigger="command", force=True, max_seconds=0.000001)
    first = sweep.run(Wanted(), force, NOW)
    assert (first.outcome, first.submissions) == ("stopped", 0)
    last = sweep.run(Wanted(), How(trigger="command", force=True), NOW)
    assert (last.public_id, last.outcome, last.submissions) == (first.public_id, "done", 60)
    assert last.lines[0]["rows"] == 60
    assert there() == set()


def test_another_wish_is_another_run(plant, policies):
    policies({"keep_days": 30})
    plant(40, status="spam")
    stopped = sweep.run(Wanted(), How(trigger="command", force=True, max_seconds=1e-6), NOW)
    other = sweep.run(Wanted(statuses=("spam",)), How(trigger="command", force=True), NOW)
    assert stopped.public_id != other.public_id
    assert other.submissions == 1


def test_a_run_is_written_down_and_audited(rows):
    done = sweep.run(Wanted(), BY_HAND, NOW)
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.target, entry.outcome) == ("retention.run", f"run:{done.public_id}", "done")
    assert '"submissions":4' in entry.details
    assert done.batches >= 1
    assert done.duration_ms >= done.longest_lock_ms


def test_what_is_held_stays_and_is_counted_as_held_back(plant, policies):
    policies({"keep_days": 30})
    held = plant(50, held=True)
    plant(50)
    drawn = plans.draw(db.session(), Wanted(), NOW)
    assert (drawn.submissions, drawn.held) == (1, 1)
    sweep.run(Wanted(), How(trigger="command", force=True), NOW)
    assert there() == {held}


def test_an_age_takes_whatever_is_older_also_of_what_policies_would_keep(plant, policies):
    policies({"keep_days": 300})
    young = plant(5)
    plant(10), plant(10, status="resolved")
    done = sweep.run(Wanted(older_than=7), How(trigger="command", force=True), NOW)
    assert (done.submissions, there()) == (2, {young})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_batches_grow_and_shrink_by_steps(database):
    assert next_size(200, 0.001) == 300
    assert next_size(200, WORK_SECONDS) == 200
    assert next_size(1_000, 5.0) == 500
    assert next_size(75, 5.0) == 50
    assert next_size(2_000, 0.0) == 2_000


def test_a_day_is_due_once_and_a_missed_one_is_caught_up(plant, policies, context):
    policies({"keep_days": 30})
    session = db.session()
    begun = utc_now()
    tomorrow = time_before(begun, "03:00") + timedelta(days=1, minutes=1)
    assert not is_due(session, begun, "03:00"), "policies made just now wait for the next time"
    assert is_due(session, tomorrow, "03:00")
    session.rollback()
    sweep.run(Wanted(), How(trigger="timetable", force=True), tomorrow)
    assert not is_due(session, tomorrow + timedelta(hours=23), "03:00")
    assert is_due(session, tomorrow + timedelta(days=4), "03:00")
    assert next_run(session, tomorrow, "03:00") == tomorrow + timedelta(days=1, minutes=-1)
    session.rollback()


def test_the_timetable_goes_on_with_what_was_stopped(plant, policies, context):
    policies({"keep_days": 30})
    plant(40)
    now = utc_now()
    sweep.run(Wanted(), How(trigger="timetable", force=True, max_seconds=1e-6), now)
    assert is_due(db.session(), now, "03:00")
    db.session.rollback()
    timetable.sweep_daily()
    assert there() == set()
    assert outcomes() == ["done"]


def test_a_text_that_goes_goes_from_the_thread_and_the_search_index_too(plant, policies):
    policies({"keep_days": 30, "action": "anonymise", "fields": ["text"]})
    plant(0)
    old = plant(40, description="Aubergine and nothing else")
    with transaction() as session:
        moment = event.add(session, old, "note", actor="Jana")
        session.add(Message(feedback_id=old, event_id=moment, kind="note", text="She is Ms Aubergine"))
    search.catch_up(30)
    sweep.run(Wanted(), BY_HAND, NOW)
    search.catch_up(30)
    conditions = parse("aubergine").conditions(QueryContext(NOW))
    assert list(db.session.scalars(select(Feedback.id).where(*conditions))) == []
    assert db.session.scalar(select(Message.text)) == FORGOTTEN
    assert db.session.scalar(select(Feedback.description).where(Feedback.id == old)) == FORGOTTEN


def test_other_kinds_go_by_their_age(plant, policies, make_user):
    policies(
        *({"name": kind, "kind": kind, "keep_days": 30} for kind in ("statistics", "slow_log", "sessions"))
    )
    user = make_user()
    with transaction() as session:
        for days in (1, 40, 50):
            UserSession.start(session, user, user_agent="x", now=NOW - timedelta(days=days), days=90)
    done = sweep.run(Wanted(), How(trigger="command", force=True), NOW)
    assert (done.others, done.submissions) == (2, 0)
    assert db.session.scalar(select(func.count()).select_from(UserSession)) == 1


def test_what_changes_between_its_archiving_and_its_turn_stays_for_the_next_run(plant, policies):
    policies({"keep_days": 30, "archive": True})
    ids = [plant(40 + number / 100) for number in range(sweep.FIRST_BATCH + 20)]
    last = ids[0]  # the youngest of them goes last
    changed = []

    def change_once(_rows):
        if not changed:
            changed.append(last)
            with transaction() as session:
                found = session.get_one(Feedback, last)
                found.change(session, utc_now(), admin_notes="Wait")

    forced = How(trigger="command", force=True)
    run = sweep.run(Wanted(), forced, NOW, change_once)
    assert (run.submissions, there()) == (len(ids) - 1, {last})
    # Read ahead: not a part for each small batch.
    assert db.session.scalar(select(func.count()).select_from(ArchivePart)) == 1
    db.session.rollback()
    assert sweep.run(Wanted(), forced, utc_now() + timedelta(hours=1)).submissions == 1
    kept = [line for part in archive.parts(select(ArchivePart)) for line in archive.lines_of(part)]
    assert len(kept) == len(ids) + 1
    assert b'"Wait"' in kept[-1].text
    assert there() == set()
