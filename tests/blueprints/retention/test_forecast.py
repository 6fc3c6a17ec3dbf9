"""The coming nights: what is foreseen is what the sweeps of those nights then do."""

from datetime import timedelta

import pytest

from app.blueprints.retention import forecast, sweep
from app.blueprints.retention.wanted import How, Wanted
from app.extensions import db
from tests.blueprints.retention.conftest import NOW


@pytest.fixture
def rows(plant):
    for number in range(30):
        plant(
            number * 2.1, changed=number, status="resolved" if number % 3 else "open", picture=number % 2 * 20
        )


def test_each_night_deletes_what_was_foreseen(rows, policies):
    policies({"status": "resolved", "keep_days": 20, "since": "changed"}, {"keep_days": 40})
    foreseen = forecast.nights(db.session(), NOW, 20)
    db.session.rollback()
    assert sum(night.rows for night in foreseen) > 15
    for night in foreseen:
        done = sweep.run(Wanted(), How(trigger="timetable", force=True), night.at)
        assert (done.submissions, done.freed_bytes) == (night.rows, night.bytes), night.at
        assert dict(night.by_policy) == {line["name"]: line["rows"] for line in done.lines if line["rows"]}


def test_weeks_are_sums_of_seven_nights(rows, policies):
    policies({"keep_days": 5})
    coming = forecast.nights(db.session(), NOW)
    weeks = forecast.weeks(coming)
    assert [week.at for week in weeks] == [coming[0].at + timedelta(days=7 * n) for n in range(6)]
    assert sum(week.rows for week in weeks) == sum(night.rows for night in coming)


def test_a_run_of_the_timetable_makes_the_next_one_tomorrow(rows, policies):
    policies({"keep_days": 300})
    before = forecast.status(db.session(), NOW)
    assert before.last is None
    assert not before.has_failed
    sweep.run(Wanted(), How(trigger="timetable"), NOW)
    after = forecast.status(db.session(), NOW)
    assert after.next_run == NOW.replace(hour=3) + timedelta(days=1)
    assert after.last_daily.outcome == "done"
    assert not after.running
