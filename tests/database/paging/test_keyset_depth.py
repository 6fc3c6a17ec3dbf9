"""The last page of a million rows costs what the first costs: counted, not timed."""

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, event, select

from app.database.paging import cursors
from app.database.paging.keyset import paginate
from app.database.paging.listing import listing_of
from app.database.transactions import transaction
from app.extensions import db

COUNT = 1_000_000
deep = Table(
    "deep",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("day", Integer, nullable=False),
    Column("rank", Integer),
)
D = deep.c
# The day ties seven rows; the rank is NULL for a third.
FILL = {
    "sqlite": f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {COUNT})"
    " insert into deep select i, i / 7, case when i % 3 then i / 5 end from n",
    "postgresql": f"insert into deep select i, i / 7, case when mod(i, 3) > 0 then i / 5 end"
    f" from generate_series(1, {COUNT}) i",
}
ORDERS = {
    "one way": ("day, id", [D.day.desc(), D.id.desc()]),
    "two ways": ("day desc, id asc", [D.day.desc(), D.id.asc()]),
    "nulls last": ("rank, id", [D.rank.asc().nulls_last(), D.id.asc()]),
    "nulls first": ("rank, id", [D.rank.desc().nulls_first(), D.id.desc()]),
}


@pytest.fixture
def rows(app, database):
    with app.app_context():
        with transaction() as session:
            connection = session.connection()
            deep.create(connection)
            connection.exec_driver_sql(FILL[database])
            for name, (columns, _) in ORDERS.items():
                if name != "nulls first":  # the index of the NULLs last serves both
                    connection.exec_driver_sql(f"create index {name.replace(' ', '_')} on deep ({columns})")
            connection.exec_driver_sql("analyze")
        yield


def steps_of(work):
    """Count the virtual machine's steps of the statements of `work` (SQLite)."""
    connection = db.session.connection().connection.dbapi_connection
    counted = [0]

    def count():
        counted[0] += 1
        return 0

    connection.set_progress_handler(count, 1)
    work()
    connection.set_progress_handler(None, 0)
    return counted[0]


def buffers_of(work):
    """Sum the blocks that the statements of `work` touch (PostgreSQL)."""
    seen = []

    def remember(_connection, _cursor, statement, parameters, *_):
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", remember)
    work()
    event.remove(db.engine, "before_cursor_execute", remember)
    plans = [
        db.session.connection().exec_driver_sql("explain (analyze, buffers, format json) " + text, values)
        for text, values in seen
    ]
    found = [plan.scalar()[0]["Plan"] for plan in plans]
    return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in found)


@pytest.mark.timeout(300)
def test_the_last_page_costs_what_the_first_costs(rows, database):
    cost = steps_of if database == "sqlite" else buffers_of

    def page(cursor, order):
        return paginate(select(D.id, D.day), order=order, cursor=cursor, limit=50)

    for name, (_, order) in ORDERS.items():
        first = page(None, order)
        # Values are compared with values: the stretch of the NULLs is one seek, theirs up to two.
        start = _cursor(order, [COUNT // 5, COUNT]) if name == "nulls first" else first.next
        second = page(start, order)
        last = _near_the_end(order)
        shallow = cost(lambda o=order, c=start: page(c, o))
        far = cost(lambda o=order, c=last: page(c, o))
        # Rows of one page may lie on one leaf and its heap block more.
        assert far <= shallow * 1.1 + (2 if database == "postgresql" else 0), (name, shallow, far)
        assert len(second.rows) == 50


def _listing(order):
    return listing_of(db.session(), select(D.id, D.day), order)


def _cursor(order, values):
    return cursors.write(_listing(order).context(""), [1, *values])


def _near_the_end(order):
    """Return the cursor of a page two before the end of the list, found from the end."""
    listing = _listing(order).listing
    statement = listing.statements(False, None)[0]
    found, whole = listing.read(db.session(), statement, {"_page_limit": 130})
    assert len(found) == 130
    return _cursor(order, listing.place(whole[-1]))
