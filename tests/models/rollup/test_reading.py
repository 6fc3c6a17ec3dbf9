"""Figures of the roll-ups are those of the rows, in any time zone, before and after they are folded."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.database.transactions import snapshot, transaction
from app.extensions import db
from app.models import Feedback, rollup
from app.models.intake import write
from app.models.rollup.ledger import facts_of
from app.models.rollup.periods import midnight, periods
from app.models.rollup.reading import AGES, Reader
from tests.models.test_intake import submission

STOCKHOLM, KOLKATA, KATHMANDU = map(ZoneInfo, ("Europe/Stockholm", "Asia/Kolkata", "Asia/Kathmandu"))
ZONES = (
    ZoneInfo("UTC"),
    STOCKHOLM,
    KOLKATA,
    KATHMANDU,
    ZoneInfo("Pacific/Auckland"),
    ZoneInfo("America/St_Johns"),
)
NOW = datetime(2026, 11, 3, 14, 20, tzinfo=UTC)


def hours(zone, day):
    now = midnight(day + timedelta(days=1), zone) - timedelta(seconds=1)
    return len(periods(1, zone, now, "hour").starts)


def test_days_are_as_long_as_the_clock_says():
    assert hours(STOCKHOLM, date(2026, 3, 29)) == 23
    assert hours(STOCKHOLM, date(2026, 3, 30)) == 24
    assert hours(STOCKHOLM, date(2026, 10, 25)) == 25


def test_days_begin_at_the_viewers_midnight():
    assert periods(2, KOLKATA, NOW, "day").starts == (
        datetime(2026, 11, 1, 18, 30, tzinfo=UTC),
        datetime(2026, 11, 2, 18, 30, tzinfo=UTC),
    )
    over = periods(4, STOCKHOLM, datetime(2026, 10, 27, 8, tzinfo=UTC), "day")
    assert [start.hour for start in over.starts] == [22, 22, 23, 23]
    assert over.before() == datetime(2026, 10, 19, 22, tzinfo=UTC)


def test_weeks_begin_on_monday_and_months_on_the_first_and_the_range_at_its_own_day():
    weeks = [start.date().isoformat() for start in periods(20, STOCKHOLM, NOW, "week").local_starts]
    assert weeks == ["2026-10-15", "2026-10-19", "2026-10-26", "2026-11-02"]
    months = [start.date().isoformat() for start in periods(40, STOCKHOLM, NOW, "month").local_starts]
    assert months == ["2026-09-25", "2026-10-01", "2026-11-01"]


def test_a_day_begins_when_the_clock_leaps_over_midnight():
    # Lebanon goes from 00:00 to 01:00 on the last Sunday of March.
    assert midnight(date(2026, 3, 29), ZoneInfo("Asia/Beirut")) == datetime(2026, 3, 28, 22, tzinfo=UTC)


@pytest.fixture
def sent(context, project):
    """Send 160 submissions over two weeks around the change of the clocks, some settled, some junk."""
    rng = Random(11)
    wanted = []
    for _ in range(160):
        created = NOW - timedelta(minutes=rng.randrange(0, 14 * 24 * 60))
        one = submission(
            project,
            created_at=created,
            updated_at=created,
            category=rng.choice(("bug", "idea")),
            url=f"https://shop.example/{rng.choice('abc')}",
            browser="Chrome 141",
            os=rng.choice(("Windows 11", "Linux")),
            rating=rng.choice((None, 4)),
            custom=rng.choice((None, {"release": "web-1"})),
        )
        wanted.append(one)
    with transaction() as session:
        write(session.connection(), wanted)
    rollup.fold(120)
    with transaction() as session:
        for found in session.scalars(select(Feedback)).unique():
            status = rng.choice(("open", "open", "in_progress", "resolved", "spam"))
            found.change(session, found.created_at + timedelta(hours=rng.randrange(1, 60)), status=status)
    return rows()


def rows():
    found = db.session.execute(select(Feedback.__table__)).all()
    db.session.rollback()
    return [row for row in found if row.status not in ("spam", "trash")]


def reading(read):
    with snapshot(db.engine) as connection:
        return read(Reader(connection))


@pytest.mark.parametrize("folded", [False, True])
def test_submissions_over_time_are_those_of_the_rows_in_every_zone_and_step(sent, folded):
    if folded:
        rollup.fold_all()
    for zone in ZONES:
        for days, step in ((12, "day"), (3, "hour"), (14, "week"), (10, "month")):
            over = periods(days, zone, NOW, step)
            expected = Counter()
            for row in sent:
                index = over.index(row.created_at)
                expected[row.category, index] += index >= 0
            got = reading(lambda reader, over=over: reader.submissions(over))
            assert {
                (name, at): n for name, counts in got.items() for at, n in enumerate(counts) if n
            } == dict(+expected), (zone, step)


@pytest.mark.parametrize("folded", [False, True])
def test_what_submissions_say_of_themselves_is_counted_from_the_viewers_midnight(sent, folded):
    if folded:
        rollup.fold_all()
    for zone in ZONES:
        since = periods(9, zone, NOW).since
        told = reading(lambda reader, since=since: reader.told(since)).counts
        of_range = [row for row in sent if row.created_at >= since]
        expected = Counter(fact for row in of_range for fact in facts_of(row))
        assert {
            (name, value): n
            for name in ("page", "browser", "release", "rating")
            for value, n in told[name].items()
        } == dict(expected)
        assert told["status"] == Counter(row.status for row in of_range)


def test_ages_and_boxes_are_those_of_the_open_rows(sent):
    rollup.fold_all()
    waiting = [row.created_at for row in sent if row.status in ("open", "in_progress")]
    bounds = [NOW, *(NOW - timedelta(days=days) for days in AGES), datetime.min.replace(tzinfo=UTC)]
    expected = [
        sum(old <= moment < new or (new == NOW and moment == NOW) for moment in waiting)
        for new, old in pairwise(bounds)
    ]
    assert reading(lambda reader: reader.ages(NOW)) == expected
    assert reading(lambda reader: reader.oldest()) == min(waiting)
    boxes = reading(lambda reader: reader.boxes())
    assert boxes["open"][0] + boxes["in_progress"][0] == len(waiting)


def test_medians_are_within_two_and_a_half_percent(sent):
    rollup.fold_all()
    took = sorted((row.settled_at - row.created_at).total_seconds() for row in sent if row.settled_at)
    found = reading(lambda reader: reader.responses(date(2026, 10, 1))).median(
        "settle", date(2026, 10, 1), date(2026, 12, 1)
    )
    assert found == pytest.approx(took[(len(took) - 1) // 2], rel=0.025)


def test_a_release_is_dated_by_its_first_submission(sent):
    rollup.fold_all()
    first = min(row.created_at for row in sent if (row.custom or {}).get("release"))
    assert reading(lambda reader: reader.releases(first)) == {"web-1": first.date()}
    assert reading(lambda reader: reader.releases(first + timedelta(days=1))) == {}
