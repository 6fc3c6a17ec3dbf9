"""Alerts: judged alike by every process, told once, with a cool-down."""

import logging
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from app.clock import utc_now
from app.database.gauges.alerts import (
    COOL_DOWN,
    EXTENSION,
    Alert,
    Alerts,
    attach,
    current_alerts,
    speaks,
    subscribe,
)
from app.database.gauges.conditions import STORM_LEAST, Condition, conditions, slow_statements
from app.database.gauges.measure import publish
from app.database.tracking.figures import ProcessFigures
from app.database.tracking.scope import origin
from app.database.tracking.watch import current_watcher

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DISK = {"total": 100_000_000_000, "used": 90, "free": 9_000_000_000}


def disk(level):
    return Condition("disk_database", level, f"The disk is {level}.")


def levels(alerts):
    return [(one.code, one.level) for one in alerts.current()]


@pytest.fixture
def alerts():
    return Alerts()


@pytest.fixture
def told(alerts):
    heard = []
    alerts.subscribe(lambda alert: heard.append(alert.level))
    return heard


def run(alerts, *steps):
    """Review one step after another: (minute, level)."""
    for minute, level in steps:
        alerts.review([disk(level)], NOW + timedelta(minutes=minute))


def test_what_is_well_is_no_alert(alerts, told):
    run(alerts, (0, "ok"), (1, "ok"))
    alerts.review([], NOW)
    assert alerts.current() == ()
    assert told == []


def test_a_level_is_told_once_while_it_lasts(alerts, told):
    run(alerts, *((minute / 6, "warning") for minute in range(600)))
    assert told == ["warning"]
    (alert,) = alerts.current()
    assert alert == Alert("disk_database", "warning", "The disk is warning.", NOW)


def test_what_becomes_critical_is_told_at_once(alerts, told):
    run(alerts, (0, "warning"), (1, "critical"))
    assert told == ["warning", "critical"]
    assert alerts.current()[0].since == NOW + timedelta(minutes=1)


def test_the_end_is_told_after_the_cool_down(alerts, told):
    run(alerts, (0, "warning"), (1, "ok"))
    assert alerts.current() == ()
    assert told == ["warning"]
    run(alerts, (14.9, "ok"), (15, "ok"), (16, "ok"))
    assert told == ["warning", "ok"]


def test_what_has_disappeared_is_well(alerts, told):
    run(alerts, (0, "critical"))
    alerts.review([], NOW + COOL_DOWN)
    assert alerts.current() == ()
    assert told == ["critical", "ok"]


@pytest.mark.parametrize("worst", ["warning", "critical"])
def test_a_level_that_flaps_is_not_told_each_time(alerts, worst):
    heard = []
    alerts.subscribe(lambda alert: heard.append((alert.since, alert.level)))
    run(alerts, *((tick / 6, worst if tick % 2 else "ok") for tick in range(6 * 120)))
    assert 1 <= len(heard) <= 2 * 120 / 15
    assert all(before != after for (_, before), (_, after) in pairwise(heard))


def test_the_worst_stands_first(alerts):
    found = [Condition("a", "warning", ""), Condition("b", "critical", ""), Condition("c", "ok", "")]
    alerts.review(found, NOW)
    assert levels(alerts) == [("b", "critical"), ("a", "warning")]


def test_a_process_that_does_not_speak_knows_but_does_not_tell(alerts, told):
    alerts.review([disk("warning")], NOW, tell=False)
    assert levels(alerts) == [("disk_database", "warning")]
    assert told == []
    alerts.review([disk("warning")], NOW + timedelta(seconds=10))  # it speaks now, and nobody had told it
    assert told == ["warning"]


def test_who_speaks_next_does_not_tell_it_again(alerts, told):
    first = Alerts()
    first.review([disk("warning")], NOW)
    alerts.learn(first.told())
    run(alerts, (1, "warning"))
    assert told == []
    run(alerts, (2, "critical"))
    assert told == ["critical"]
    alerts.learn(first.told())  # what is older changes nothing
    run(alerts, (3, "critical"))
    assert told == ["critical"]


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append((record.levelname, record.getMessage()))


def test_what_a_subscriber_raises_is_logged_and_the_others_are_told(alerts):
    heard, kept = [], Kept()

    def broken(_alert):
        raise ZeroDivisionError

    alerts.subscribe(broken)
    alerts.subscribe(heard.append)
    logger = logging.getLogger("earmark.alerts")
    logger.addHandler(kept)
    try:
        alerts.review([disk("critical")], NOW)
    finally:
        logger.removeHandler(kept)
    assert [one.level for one in heard] == ["critical"]
    assert kept.lines == [
        ("ERROR", "disk_database is critical: The disk is critical."),
        ("ERROR", "a subscriber of alerts failed"),
    ]


def process(worker="a", pid=1, started_at=NOW, **gauges):
    return ProcessFigures(worker, "web", pid, started_at, NOW, gauges, 0.0, 0.0, 0)


def pool(use):
    return {"use": use, "checked_out": round(use * 32), "capacity": 32, "size": 16, "waits": {"count": 3}}


def judged(processes, slow=0):
    return {one.code: one.level for one in conditions(processes, slow)}


def test_a_disk_is_judged_by_the_worst_that_a_process_says():
    processes = [
        process(disks={"database": DISK | {"percent": 80.0, "level": "ok"}}),
        process(disks={"database": DISK | {"percent": 91.0, "level": "warning"}}),
        process(disks={"screenshots": DISK | {"percent": 96.0, "level": "critical"}}),
        process(),
    ]
    assert judged(processes) == {
        "disk_database": "warning",
        "disk_screenshots": "critical",
        "slow_statements": "ok",
    }
    assert conditions(processes, 0)[0].message == "The disk of the database is 91 % full; 9.0 GB are free."


@pytest.mark.parametrize(
    ("use", "level"), [(0.0, "ok"), (0.79, "ok"), (0.8, "warning"), (0.94, "warning"), (0.95, "critical")]
)
def test_the_fullest_pool_is_judged(use, level):
    assert judged([process(pool=pool(0.1)), process(pool=pool(use))])["pool"] == level


@pytest.mark.parametrize(
    ("slow", "level"), [(0, "ok"), (29, "ok"), (30, "warning"), (299, "warning"), (300, "critical")]
)
def test_many_slow_statements_are_a_storm(slow, level):
    assert judged([], slow)["slow_statements"] == level


def test_the_process_that_has_run_longest_speaks():
    older, younger = process("b", 1, NOW), process("a", 2, NOW + timedelta(seconds=1))
    assert speaks([younger, older], 1)
    assert not speaks([younger, older], 2)
    assert speaks([], 7)


@pytest.fixture
def watcher(app):
    with app.app_context():
        watcher = current_watcher()
        if EXTENSION not in app.extensions:
            attach(app, watcher)
            publish(watcher)
        yield watcher


def test_a_process_that_is_too_young_to_have_looked_looks_once(watcher, make_app, assert_statements):
    set_disk(watcher, 91.0, "warning")
    assert watcher.flush()
    (known,) = current_alerts()
    assert watcher.flush()
    with (command := make_app()).app_context():
        if EXTENSION not in command.extensions:
            attach(command, current_watcher())
        heard = []
        subscribe(heard.append)
        with assert_statements(0):
            (seen,) = current_alerts()
        assert seen == known  # with the moment that it began
        assert heard == []


def set_disk(watcher, percent, level):
    watcher.add_gauge("disks", lambda: {"database": DISK | {"percent": percent, "level": level}})


def be_slow(watcher, times):
    with origin("GET /slow") as scope:
        for _ in range(times):
            watcher.tracker.take("select 1", scope, 0.5, 1, None)


def test_a_full_disk_becomes_an_alert_of_every_process(watcher, make_app):
    set_disk(watcher, 91.0, "warning")
    heard = []
    subscribe(heard.append)
    assert watcher.flush()
    assert [(one.code, one.level) for one in current_alerts()] == [("disk_database", "warning")]
    assert watcher.flush()  # what was told stands in its row now
    assert [one.level for one in heard] == ["warning"]
    with (other := make_app()).app_context():
        if EXTENSION not in other.extensions:
            attach(other, current_watcher())
        subscribe(heard.append)
        assert current_watcher().flush()
        assert [one.code for one in current_alerts()] == ["disk_database"]
    assert len(heard) == 1
    set_disk(watcher, 50.0, "ok")
    assert watcher.flush()
    assert current_alerts() == ()


def test_a_storm_of_slow_statements_becomes_an_alert(watcher):
    be_slow(watcher, 29)
    assert watcher.flush()
    assert current_alerts() == ()
    be_slow(watcher, 1)
    assert watcher.flush()
    assert [(one.code, one.level) for one in current_alerts()] == [("slow_statements", "warning")]
    assert slow_statements(watcher.statistics, utc_now()) == 30
    assert slow_statements(watcher.statistics, utc_now() + timedelta(minutes=6)) == 0


def test_a_storm_is_counted_no_further_than_it_matters(watcher):
    for _ in range(4):
        be_slow(watcher, 100)
        assert watcher.flush()
    assert slow_statements(watcher.statistics, utc_now()) == STORM_LEAST["critical"]


def test_a_review_that_the_database_refuses_changes_nothing(watcher):
    set_disk(watcher, 91.0, "warning")
    assert watcher.flush()
    before = current_alerts()
    with watcher.engine.begin() as connection:
        connection.execute(text("alter table slow_queries rename to elsewhere"))
    watcher.flush()
    assert current_alerts() == before
