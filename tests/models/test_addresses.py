"""An e-mail's submissions are found by an index, by whoever looks for them."""

import pytest
from sqlalchemy import func, select

from app.clock import utc_now
from app.database.plans.explain import explain
from app.extensions import db
from app.models import Feedback
from app.models.erasure import Person
from app.models.inbox_filter import InboxFilter
from app.models.query import QueryContext, parse

INDEX = "ix_feedback_submissions_reporter"
JANA = Person("email", "jana@example.org").condition()
QUERIED = InboxFilter(query=parse("email:Jana@example.org"), context=QueryContext(utc_now()))
QUERIES = {
    "an erasure counts": select(func.count(), func.min(Feedback.created_at)).where(JANA),
    "an erasure and an export read": select(Feedback.id).where(JANA).order_by(Feedback.id).limit(200),
    "the query language": QUERIED.rows(),
    "the filter of a page": InboxFilter(reporter="Jana@example.org").rows(),
}


@pytest.mark.parametrize("name", QUERIES)
def test_an_address_is_looked_up_by_its_index(app, name):
    with app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # it reads an empty table sooner than any index
            connection.exec_driver_sql("set enable_seqscan = off")
        text = str(QUERIES[name].compile(db.engine, compile_kwargs={"literal_binds": True}))
        plan = explain(connection, text)
        assert INDEX in plan.indexes
        assert [finding for finding in plan.findings if finding.code == "full_scan"] == []
