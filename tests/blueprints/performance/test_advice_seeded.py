"""Three of Earmark's own indexes are dropped; its traffic makes the advice name exactly those."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text

from app.clock import utc_now
from app.database.advice import choosing
from app.database.advice.advise import advise
from app.database.tracking.watch import current_watcher
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Project

PROJECTS = 12
SUBMISSIONS = 24_000
STATUSES = ("open", "in_progress", "resolved", "closed", "rejected", "spam", "trash")
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
DROPPED = {
    "ix_feedback_submissions_box": ("status", "created_at", "id"),
    "ix_feedback_submissions_project_box": ("project_id", "status", "created_at", "id"),
    "ix_feedback_submissions_session": ("session_id",),
}
# A session's list stands in the order of ids, which SQLite's own index has without naming it; PostgreSQL
# sorts a session's few rows as cheaply.
ADVISED = {
    "sqlite": DROPPED | {"ix_feedback_submissions_session": ("session_id", "id")},
    "postgresql": DROPPED,
}


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Which indexes are offered shall not hang on how quick the machine is."""
    monkeypatch.setattr(choosing, "BUDGET_SECONDS", 60.0)


@pytest.fixture
def seeded(app):
    """A thousand visits' worth of submissions, and the three indexes gone."""
    with app.app_context():
        with transaction() as session:
            projects = [Project(name=f"Project {number}") for number in range(PROJECTS)]
            session.add_all(projects)
            session.flush()
            keys = [(project.id, project.public_key) for project in projects]
            session.execute(
                insert(Feedback.__table__), [submission(number, keys) for number in range(SUBMISSIONS)]
            )
            for name in DROPPED:
                session.execute(text(f"drop index {name}"))
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("analyze"))
        # Only what is asked from now on counts.
        assert current_watcher().flush()
        current_watcher().statistics.forget()
    return [key for _, key in keys]


def submission(number, keys):
    created = FIRST_DAY + timedelta(minutes=7 * number)
    return {
        "public_id": f"P{number:019}",
        "project_id": keys[number * 5 % PROJECTS][0],
        "category": "bug" if number % 3 else "idea",
        "status": STATUSES[number * 11 % len(STATUSES)],
        "description": f"The button {number} does nothing. " * 4,
        "session_id": f"session-{number // 4:08}" if number % 4 == 0 else None,
        "has_screenshot": False,
        "has_annotation": False,
        "screenshot_scale": 1.0,
        "created_at": created,
        "updated_at": created + timedelta(minutes=number * 13 % 9001),
        "is_read": number % 2 == 0,
        "is_archived": number % 20 == 0,
        "admin_notes": "",
    }


@pytest.fixture
def traffic(app, seeded, bearer):
    """Ask for the lists that the three indexes are there for, forwards through some pages."""
    headers = bearer("admin")
    client = app.test_client()
    lists = [
        *({"status": status} for status in STATUSES),
        *({"status": "open", "project": key} for key in seeded),
        *({"session_id": f"session-{number:08}"} for number in range(8)),
    ]
    for asked in lists:
        cursor = None
        for _ in range(3):
            query = asked | ({"cursor": cursor} if cursor else {})
            answer = client.get("/admin/api/feedback", query_string=query, headers=headers)
            assert answer.status_code == 200, answer.json
            cursor = answer.json["page"]["next"]
            if cursor is None:
                break


# With no more than seven equally frequent statuses PostgreSQL reads the newest submissions one by one until
# it has enough, also when the index on the status is there; so there it is not offered.
PROVEN = {
    "sqlite": set(DROPPED),
    "postgresql": set(DROPPED) - {"ix_feedback_submissions_box"},
}


def test_the_advice_names_exactly_the_three_that_are_missing(app, traffic, database):
    with app.app_context():
        watcher = current_watcher()
        assert watcher.flush()
        statements = watcher.statistics.statements(utc_now() - timedelta(hours=1))
        advice = advise(db.engine, statements).offers
    found = {(one.table, one.columns) for one in advice}
    assert found == {("feedback_submissions", ADVISED[database][name]) for name in PROVEN[database]}
    for one in advice:
        assert all(one.name in gain.after.indexes for gain in one.gains)
        assert one.rows_after * 2 <= one.rows_before


def test_with_its_indexes_there_earmark_wants_no_other(app, project, bearer, seeded, traffic):
    with app.app_context():
        watcher = current_watcher()
        restore(watcher.engine)
        assert watcher.flush()
        statements = watcher.statistics.statements(utc_now() - timedelta(hours=1))
        assert statements
        assert db.session.scalar(select(Feedback.id).limit(1))
        db.session.rollback()
        assert advise(db.engine, statements).offers == ()


def restore(engine):
    indexes = {index.name: index for index in Feedback.__table__.indexes}
    for name in DROPPED:
        indexes[name].create(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
