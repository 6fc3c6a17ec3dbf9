"""The plan of each filter's page on PostgreSQL: led by an index, and nothing longer than a page is sorted."""

import json

import pytest
from sqlalchemy import text

from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback
from tests.models.query.filters import (
    MERGED,
    OF_NOTHING,
    PAGE,
    PLAIN,
    add_pictures,
    fill,
    first_page,
    remembered,
    wanted,
)

PLANTED, TIMES = 400, 50
# What is not copied as it is.
_OF_EACH = {"id", "public_id", "created_at", "idempotency_key", "idempotency_digest"}
# A page of each box, or of each thing that leads, merged.
MOST_SORTED = 20 * (PAGE + 1)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("database", ["postgresql"])
def test_a_page_is_led_by_an_index_and_sorts_no_box(app):
    with app.app_context():
        _fill()
        costly = {}
        for status in (None, "resolved"):
            for query in (*PLAIN, *MERGED, *OF_NOTHING):
                faults = [fault for plan in _plans(query, status) for fault in _faults(plan)]
                if faults:
                    costly[query, status] = faults
        db.session.rollback()
    assert costly == {}


def _fill():
    """Plant a few submissions, and the same again and again, each time a week earlier."""
    fill(PLANTED)
    own = [column.name for column in Feedback.__table__.columns if column.name not in _OF_EACH]
    with transaction() as session:
        session.execute(
            text(
                f"insert into feedback_submissions (id, public_id, created_at, {', '.join(own)})"
                f" select id + again * {PLANTED}, public_id || '-' || again,"
                f" created_at - again * interval '1 week', {', '.join(own)}"
                f" from feedback_submissions, generate_series(1, {TIMES}) again"
            )
        )
        session.execute(
            text(
                f"insert into feedback_fts (rowid, words) select rowid + again * {PLANTED}, words"
                f" from feedback_fts, generate_series(1, {TIMES}) again"
            )
        )
        session.execute(
            text("update search_state set indexed_to = (select max(id) from feedback_submissions)")
        )
    add_pictures()
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("analyze"))


def _plans(query, status):
    """Ask for the first page; explain what was asked of submissions."""
    with remembered() as seen:
        first_page(wanted(query, status))
    connection = db.session.connection()
    for statement, parameters in seen:
        found = connection.exec_driver_sql(f"explain (analyze, format json) {statement}", parameters).scalar()
        yield (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


def _faults(step, *, ends_early=False):
    """Find what reads or sorts more than a page; a scan ends early that only looks for the first few.

    One that is never begun reads nothing.
    """
    kind = step["Node Type"]
    reads = kind == "Seq Scan" and step["Relation Name"] == "feedback_submissions"
    if reads and step["Actual Loops"] and not ends_early:
        yield f"reads all submissions, {step.get('Filter', '')}"
    if kind == "Sort" and (rows := step["Plans"][0]["Actual Rows"]) > MOST_SORTED:
        yield f"sorts {rows} rows by {step['Sort Key']}"
    for below in step.get("Plans", ()):
        yield from _faults(below, ends_early=kind == "Limit")
