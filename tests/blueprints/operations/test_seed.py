"""Demo data: its figures, that counts and bytes are exact, and that a seed gives the same again."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from app.blueprints.operations.seed.moments import moments
from app.blueprints.operations.seed.outcomes import outcomes
from app.blueprints.operations.seed.rows import Place, rows
from app.blueprints.operations.seed.team import LEFT, TAGS, Person, TagOf, Team
from app.database.transactions import transaction
from app.extensions import db
from app.models import (
    DailyCount,
    Event,
    Feedback,
    FeedbackTag,
    Message,
    Project,
    Screenshot,
    Tag,
    search,
)
from app.models.feedback import SETTLED
from app.models.inbox_filter import InboxFilter
from app.models.intake import submit
from app.models.query import QueryContext, parse
from app.models.rollup.check import recount
from app.storage import storage
from tests.models.test_intake import submission

UNTIL = datetime(2026, 11, 21, 14, 20, tzinfo=UTC)
PLACE = Place(1, "Shop", ("bug", "idea", "question", "praise", "other"), 1)
COUNT = 3809
TEAM = Team(
    [Person("Ana", 1), Person("Ben", 2), Person("Cleo", None)],
    [TagOf(at, name) for at, name in enumerate(TAGS, 1)],
)


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()

    def go(*arguments):
        return runner.invoke(args=["demo", "seed", *arguments])

    return go


def made(count=COUNT, seed=1, until=UNTIL):
    return list(rows(count, [PLACE], TEAM, until, Random(seed)))


@pytest.mark.parametrize("count", [1, 2, 50, COUNT])
def test_moments_rise_through_the_year_and_are_as_many_as_asked(count):
    found = list(moments(count, UNTIL, Random(1)))
    assert len(found) == count
    assert found == sorted(found)
    assert UNTIL - timedelta(days=365) <= found[0] <= found[-1] <= UNTIL


def test_weekends_and_nights_are_quiet_and_the_last_month_is_the_busiest():
    found = list(moments(COUNT, UNTIL, Random(1)))
    recent = [moment for moment in found if moment >= UNTIL - timedelta(days=30)]
    weekend = [moment for moment in found if moment.weekday() >= 5]
    night = [moment for moment in found if moment.hour < 6]
    assert len(recent) == 891
    assert len(weekend) < COUNT / 7
    assert len(night) < COUNT / 10


@pytest.mark.parametrize("count", [1, 30, COUNT])
def test_every_box_has_its_share(count):
    found = list(outcomes(count, Random(1)))
    assert len(found) == count
    if count == COUNT:
        boxes = {status: sum(one.status == status for one in found) for status in ("open", "trash", "closed")}
        assert boxes == {"open": 128, "trash": 23, "closed": 611}
        assert sum(one.status == "open" and not one.is_read for one in found) == 41


def test_the_same_seed_gives_the_same_rows_and_another_others():
    assert made(200) == made(200)
    assert made(200) != made(200, seed=2)


def test_texts_are_short_long_from_right_to_left_and_without_spaces():
    texts = [life.row["description"] for life in made()]
    assert all(1 <= len(text) <= 10_000 and text == text.strip() for text in texts)
    assert min(map(len, texts)) < 5
    assert max(map(len, texts)) > 5_000
    assert any("\u0600" <= sign <= "\u06ff" for text in texts for sign in text), "Arabic"
    assert any("\u4e00" <= sign <= "\u9fff" for text in texts for sign in text), "Chinese or Japanese"
    assert not any("{" in text for text in texts)
    assert len(set(texts)) > len(texts) * 0.6


def test_a_life_is_in_order_and_its_row_is_what_its_acts_made_of_it():
    lives = made()
    for life in lives:
        row, moments = life.row, [act.at for act in life.acts]
        assert moments == sorted(moments)
        assert all(row["created_at"] <= moment <= UNTIL for moment in moments)
        assert row["updated_at"] == (moments[-1] if moments else row["created_at"])
        assert row["version"] == 1 + sum(not act.said for act in life.acts)
        replies = [act.at for act in life.acts if act.said == "reply"]
        assert row["first_answered_at"] == (replies[0] if replies else None)
        moves = [act for act in life.acts if act.kind == "status"]
        assert row["status"] == (moves[-1].details["to"] if moves else row["status"])
        assert row["settled_at"] == (moves[-1].at if row["status"] in SETTLED else None)
    assert sum(bool(life.tag_ids) for life in lives) > COUNT / 10
    assert sum(life.row["is_archived"] for life in lives) > COUNT / 100
    assert max(len(life.acts) for life in lives) > 8
    assert {act.said for life in lives for act in life.acts} == {"", "reply", "note", "reporter"}
    asked_again = [life for life in lives if life.acts and not life.row["is_read"]]
    assert asked_again
    assert all(life.acts[-1].said == "reporter" for life in asked_again)


def test_counts_and_bytes_equal_a_recount(run, app):
    done = run("--count", "2500", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["submissions"] == 2500
    with app.app_context():
        assert counted() == recounted()
        for project in db.session.scalars(select(Project)):
            of_it = select(Feedback.description).where(Feedback.project_id == project.id)
            assert project.stored_bytes == sum(len(text.encode()) for text in db.session.scalars(of_it))
        db.session.rollback()


def test_threads_tags_and_history_are_planted_and_every_figure_is_exact(run, app, make_user):
    agent, viewer = make_user("agent"), make_user("viewer")
    assert run("--count", "400").exit_code == 0
    assert run("--count", "100", "--seed", "2").exit_code == 0
    with app.app_context():
        assert recount().differences == ()
        events, messages = amount(Event), amount(Message)
        assert messages > 300
        assert events > messages
        assert amount(FeedbackTag) > 50
        # The tags' own list is made once.
        assert db.session.scalar(select(func.count()).select_from(Tag)) == len(TAGS)
        assert amount(Feedback, Feedback.assignee_id == agent.id) > 20
        assert amount(Feedback, Feedback.assignee_id == viewer.id) == 0
        assert amount(Event, Event.actor.in_(LEFT), Event.actor_id.is_(None)) > 20
        stray = select(Message.id).join(Event, Event.id == Message.event_id)
        assert db.session.scalars(stray.where(Event.feedback_id != Message.feedback_id)).all() == []
        db.session.rollback()
        while search.index_some(500):
            pass
        assert found("tag:checkout has:reply") > 0
        assert found("counted voice") == found('"counted your voice"') > 0  # of a reply


def test_what_comes_after_the_planted_gets_numbers_of_its_own(run, app, project):
    assert run("--count", "50", "--project", project.public_key).exit_code == 0
    with app.app_context():
        submit(submission(project))
        with transaction() as session:
            last = session.scalars(select(Feedback).order_by(Feedback.id.desc()).limit(1)).unique().one()
            last.change(session, UNTIL, status="resolved")
        assert amount(Event, Event.feedback_id == last.id) == 1
        db.session.rollback()
    assert run("--count", "50", "--seed", "3", "--project", project.public_key).exit_code == 0


def amount(entity, *conditions):
    return db.session.scalar(select(func.count()).select_from(entity).where(*conditions))


def found(text):
    wanted = InboxFilter(query=parse(text), context=QueryContext(UNTIL))
    count = amount(Feedback, *wanted.conditions())
    db.session.rollback()
    return count


def test_pictures_are_there_counted_and_independent_of_each_other(run, app):
    assert run("--count", "60", "--screenshots").exit_code == 0
    with app.app_context():
        shots = db.session.scalars(select(Screenshot)).all()
        assert 20 < len(shots) < 60
        assert storage().exists(shots[0].thumbnail_key)
        storage().delete(shots[0].blob_key)
        assert storage().get(shots[1].blob_key)[8:12] == b"WEBP"
        assert len(storage().get(shots[1].blob_key)) == shots[1].size_bytes
        assert {info.key for info in storage().list_keys("screenshots/demo")} == set()
        counted = db.session.scalar(select(func.sum(DailyCount.screenshots)))
        assert counted == len(shots)
        texts = db.session.scalars(select(Feedback.description))
        stored = sum(len(text.encode()) for text in texts) + sum(shot.size_bytes for shot in shots)
        assert db.session.scalar(select(func.sum(Project.stored_bytes))) == stored
        db.session.rollback()


def counted():
    found = db.session.scalars(select(DailyCount).where(DailyCount.submissions != 0))
    return {
        (row.project_id, row.day.isoformat(), row.category, row.status, row.is_archived): (
            row.submissions,
            row.unread,
        )
        for row in found
    }


def recounted():
    found: dict = {}
    for row in db.session.scalars(select(Feedback)):
        day = row.created_at.date().isoformat()
        key = (row.project_id, day, row.category, row.status, row.is_archived)
        submissions, unread = found.get(key, (0, 0))
        found[key] = (submissions + 1, unread + (not row.is_read))
    return found


def test_a_project_is_named_or_refused(run, app, project):
    assert run("--count", "20", "--project", project.public_key).exit_code == 0
    refused = run("--count", "20", "--project", "Nowhere")
    assert refused.exit_code == 1
    assert "The project Nowhere" in refused.output
    with app.app_context():
        assert db.session.scalars(select(Project.name)).all() == [project.name]
        assert db.session.scalar(select(func.count(Feedback.id))) == 20
        db.session.rollback()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "wrong",
    [
        ("--count", "0"),
        ("--count", "-5"),
        ("--count", "many"),
        ("--count", "999999999999"),
        ("--seed", "-1"),
        ("--until", "2999-01-01"),
        ("--until", "yesterday"),
    ],
)
def test_nonsense_is_refused_before_anything_is_touched(run, app, wrong):
    done = run(*wrong)
    assert done.exit_code == 2
    with app.app_context():
        assert db.session.scalar(select(func.count(Project.id))) == 0
        db.session.rollback()


def test_the_same_data_is_not_added_twice(run):
    assert run("--count", "30", "--until", "2026-11-01", "--screenshots").exit_code == 0
    again = run("--count", "30", "--until", "2026-11-01", "--screenshots")
    assert again.exit_code == 1
    assert "choose another --seed" in again.output
    assert run("--count", "30", "--until", "2026-11-01", "--seed", "2").exit_code == 0
