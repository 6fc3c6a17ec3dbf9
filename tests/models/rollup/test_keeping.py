"""Whatever happens to submissions, each roll-up is what a count of all of them gives."""

import os
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import delete, func, select, update

from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, removal, rollup
from app.models.feedback import STATUSES, settling
from app.models.rollup import check
from app.models.rollup.keeping import counted_to, tail
from app.models.rollup.ledger import Ledger, browser_of, bucket_of, middle_of, page_of
from tests.models.test_intake import submission

STEPS = int(os.environ.get("PROVE_ROLLUPS", "60"))
SEED = int(os.environ.get("PROVE_SEED", "20261128"))
START = datetime(2026, 10, 24, 21, 40, tzinfo=UTC)
PAGES = (
    "https://shop.example/basket",
    "https://shop.example/",
    "https://help.example/a?b=1",
    None,
    "nonsense",
)


class Story:
    """A random life of a few submissions, through the same doors as the program's."""

    def __init__(self, send, seed):
        self.send, self.rng, self.now = send, Random(seed), START

    def step(self):
        self.now += timedelta(minutes=self.rng.randrange(1, 600))
        self.rng.choice(
            (self.sent, self.sent, self.changed, self.in_bulk, self.answered, self.removed, self.folded)
        )()

    def sent(self):
        self.send(
            created_at=self.now,
            category=self.rng.choice(("bug", "idea")),
            url=self.rng.choice(PAGES),
            browser=self.rng.choice(("Chrome 141", "Mobile Safari 18.2", None)),
            os=self.rng.choice(("Windows 11", None)),
            custom=self.rng.choice((None, {}, {"release": "web-1"})),
            rating=self.rng.choice((None, 1, 5)),
        )

    def some(self, session, most):
        ids = session.scalars(select(Feedback.id).order_by(Feedback.id)).all()
        return self.rng.sample(ids, min(len(ids), self.rng.randrange(1, most + 1)))

    def changed(self):
        with transaction() as session:
            for key in self.some(session, 1):
                values = {"status": self.rng.choice(STATUSES), "is_read": self.rng.random() < 0.5}
                session.get(Feedback, key).change(session, self.now, **values)

    def in_bulk(self):
        status = self.rng.choice(STATUSES)
        values = {"status": status, "is_archived": self.rng.random() < 0.2} | settling(status, self.now)
        with transaction() as session:
            ids = self.some(session, 5)
            with rollup.following(session.connection(), ids, facts=False):
                session.execute(update(Feedback).where(Feedback.id.in_(ids)).values(values))

    def answered(self):
        with transaction() as session:
            for key in self.some(session, 1):
                found = session.get(Feedback, key)
                with found.counted(session):
                    found.first_answered_at = found.first_answered_at or self.now

    def removed(self):
        with transaction() as session:
            ids = self.some(session, 3)
            if self.rng.random() < 0.5:
                removal.remove(session, ids)
            else:
                with rollup.following(session.connection(), ids):
                    session.execute(delete(Feedback).where(Feedback.id.in_(ids)))

    def folded(self):
        rollup.fold(self.rng.randrange(1, 4))


@pytest.mark.parametrize("offset", range(2))
def test_any_life_of_submissions_leaves_every_roll_up_equal_to_a_recount(send, offset):
    story = Story(send, SEED + offset)
    for _ in range(STEPS):
        story.step()
        assert check.recount().differences == (), f"PROVE_SEED={SEED + offset}"
    rollup.fold_all()
    found = check.recount()
    assert found.submissions == db.session.scalar(select(func.count(Feedback.id)))
    assert found.differences == ()
    with check.snapshot(db.engine) as connection:
        assert list(tail(connection)) == []


def test_a_repair_puts_right_whatever_is_wrong_and_nothing_else(send):
    for minute in range(5):
        send(created_at=START + timedelta(minutes=20 * minute), url=PAGES[minute])
    rollup.fold_all()
    with transaction() as session:
        for sentence in (
            "update quarter_counts set submissions = submissions + 3, q86 = 7, q90 = 2",
            "update fact_counts set submissions = 40 where fact = 'page'",
            "delete from fact_counts where fact = 'browser'",
            "insert into response_counts (measure, day, project_id, bucket, submissions)"
            " select 'answer', day, project_id, 9, 2 from quarter_counts",
            "update daily_counts set submissions = 1, unread = 9",
        ):
            session.connection().exec_driver_sql(sentence)
    found = check.recount().differences
    assert {difference.table for difference in found} == {
        "daily_counts", "fact_counts", "quarter_counts", "response_counts"
    }  # fmt: skip
    send(created_at=START)
    check.repair(found)
    assert check.recount().differences == ()


def test_a_submission_that_gets_the_id_of_a_removed_one_is_counted(send):
    send(created_at=START)
    last = send(created_at=START)
    rollup.fold_all()
    with transaction() as session:
        removal.remove(session, [Feedback.by_public_id(session, last).id])
    send(created_at=START)
    rollup.fold_all()
    with check.snapshot(db.engine) as connection:
        assert counted_to(connection) == connection.scalar(select(func.max(Feedback.id)))
    assert check.recount().differences == ()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_fold_does_not_pass_an_id_that_is_not_committed_yet(send, project):
    send(created_at=START)
    with db.engine.connect() as other:
        values = submission(project).values
        other.execute(Feedback.__table__.insert().values({k: v for k, v in values.items() if v is not None}))
        assert rollup.fold() == 0, "it waits for who is writing, and tries again later"
        other.commit()
    assert rollup.fold() == 2


def test_a_settled_submission_keeps_its_time_until_it_is_open_again(send):
    public_id = send(created_at=START)

    def to(status, hours):
        with transaction() as session:
            found = Feedback.by_public_id(session, public_id)
            found.change(session, START + timedelta(hours=hours), status=status)
            return found.settled_at and (found.settled_at - START) / timedelta(hours=1)

    assert [to("resolved", 1), to("closed", 2), to("trash", 3), to("rejected", 4)] == [1, 1, 1, 1]
    assert [to("in_progress", 5), to("trash", 6), to("closed", 7)] == [None, None, 7]


def test_spam_and_trash_stand_in_no_figure(send):
    class Row:
        id, project_id, category, created_at = 1, 1, "bug", START
        url = browser = os = custom = rating = first_answered_at = settled_at = None
        status = "spam"

    assert Ledger.of(Row()) == Ledger()
    Row.status = "open"
    ledger = Ledger.of(Row())
    assert ledger.quarters == {(START.date(), 1, "bug", 86): 1}
    assert {fact: value for fact, _, _, value in ledger.facts} == dict.fromkeys(
        ("page", "browser", "release", "rating"), ""
    )


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://Shop.example/basket?id=1#top", "shop.example/basket"),
        ("http://shop.example", "shop.example/"),
        ("javascript:alert(1)", ""),
        ("https://[::1", ""),
        (None, ""),
    ],
)
def test_a_page_is_named_by_its_host_and_path(url, page):
    assert page_of(url) == page


@pytest.mark.parametrize(
    ("browser", "system", "named"),
    [
        ("Chrome 141", "Windows 11", "Chrome, Windows"),
        ("Mobile Safari 18.2", "iOS 18.2.1", "Mobile Safari, iOS"),
        ("Firefox", None, "Firefox"),
        (None, "Linux", ""),
        ("1 2", "3 4", "1, 3"),
    ],
)
def test_a_browser_is_named_without_its_version(browser, system, named):
    assert browser_of(browser, system) == named


@pytest.mark.parametrize("seconds", [2, 59, 3_600, 11_400, 86_400 * 2.4, 86_400 * 365])
def test_a_bucket_stands_for_its_durations_to_within_two_and_a_half_percent(seconds):
    assert middle_of(bucket_of(seconds)) == pytest.approx(seconds, rel=0.025)
