"""A policy by last change looks at an index of its status, never at all that was not changed for so long."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from app.blueprints.retention import plan as plans
from app.blueprints.retention import sweep
from app.blueprints.retention.wanted import How, Wanted
from app.extensions import db
from app.models.feedback import ENDED
from tests.blueprints.retention.conftest import NOW


@contextmanager
def selects():
    """Selects of what is due by its last change that the body runs: text and parameters.

    Those of a batch name their submissions besides; they are found by their keys.
    """
    seen = []

    def note(_connection, _cursor, statement, parameters, *_more):
        is_due = statement.startswith("SELECT") and "feedback_submissions.updated_at <" in statement
        if is_due and not any(by_key in statement for by_key in ("json_each", "FOR UPDATE")):
            seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def plan_of(statement, parameters, database):
    with db.engine.connect() as connection:
        if database == "postgresql":
            connection.exec_driver_sql("set local enable_seqscan = off")
        how = "explain query plan " if database == "sqlite" else "explain "
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(how + statement, parameters))


@pytest.mark.parametrize("status", ENDED)
def test_a_policy_by_last_change_looks_only_at_what_is_due(context, plant, policies, database, status):
    policies({"status": status, "keep_days": 30, "since": "changed"}, {"keep_days": 365})
    for days in (10, 40, 50):
        plant(days, status=status)
        plant(days, status="open")
    with selects() as seen:
        plans.draw(db.session(), Wanted(), NOW)
        db.session.rollback()
        done = sweep.run(Wanted(), How(trigger="command", force=True), NOW)
    assert done.submissions == 2
    free = [one for one in seen if "ix_feedback_submissions_held" not in plan_of(*one, database)]
    assert len(free) >= 3, "plan, guard and run"
    for one in free:
        assert "ix_feedback_submissions_ended" in plan_of(*one, database)
