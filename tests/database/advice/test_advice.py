"""Advice on a shop of two tables, on both databases: what is offered, what is not, and building it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from app.database.advice import choosing
from app.database.advice.advise import Advice, Search, advise, build_index, how_proven
from app.database.advice.expert import expert_candidates
from app.database.engine import sqlite
from app.database.plans.catalog import TableShape
from app.database.tracking.figures import StatementFigures, Timing
from app.errors import ClientError
from app.extensions import db

CUSTOMERS = 500
ORDERS = 30_000
ROWS = {
    "sqlite": "with recursive n(i) as (select 1 union all select i + 1 from n where i < :rows)"
    " insert into {into} select {values} from n",
    "postgresql": "insert into {into} select {values} from generate_series(1, :rows) as n(i)",
}
LATEST_OF_A_STATE = "select * from orders where state = {0} order by placed desc, id desc limit {0}"
OF_A_CUSTOMER = "select * from orders where customer_id = {0}"
BY_NUMBER = "select * from orders where id = {0}"


@pytest.fixture
def engine(app, database):
    with app.app_context():
        with db.engine.begin() as connection:
            connection.execute(text("create table customers (id integer primary key, name text not null)"))
            connection.execute(
                text(
                    "create table orders (id integer primary key, customer_id integer not null"
                    " references customers, state text not null, placed integer not null,"
                    " coupon text, note text)"
                )
            )
            fill(connection, database, "customers", CUSTOMERS, "i, 'customer ' || i")
            fill(
                connection,
                database,
                "orders",
                ORDERS,
                f"i, 1 + (i * 7919) % {CUSTOMERS}, 'state ' || ((i * 31) % 11), i,"
                " case when i % 10 = 0 then 'coupon ' || i end, 'a note of some length on the order'",
            )
        analyse(db.engine)
        yield db.engine


def fill(connection, database, into, rows, values):
    connection.execute(text(ROWS[database].format(into=into, values=values)), {"rows": rows})


def analyse(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))


def tracked(engine, sql, *, rows=50, runs=1000, avg_ms=8.0):
    """Figures of a statement; `{0}` in it is the driver's placeholder."""
    sql = sql.format("?" if engine.dialect.name == "sqlite" else "%s")
    timing = Timing(runs, runs * avg_ms, avg_ms, avg_ms, avg_ms, avg_ms, avg_ms, avg_ms)
    return StatementFigures(
        fingerprint=f"{hash(sql) & 0xFFFFFFFFFFFF:012x}",
        text=sql,
        timing=timing,
        rows=rows * runs,
        errors=0,
        slow_count=0,
        share=0.5,
        last_seen=datetime(2026, 11, 1, tzinfo=UTC),
        callers=(),
    )


def offered(engine, *statements):
    return {(advice.table, advice.columns) for advice in advise(engine, statements).offers}


def test_an_index_is_offered_with_all_that_is_known_of_it(engine):
    statement = tracked(engine, LATEST_OF_A_STATE)
    (advice,) = advise(engine, [statement]).offers
    assert (advice.table, advice.columns) == ("orders", ("state", "placed", "id"))
    assert advice.name == "ix_orders_state_placed_id"
    how = "create index" if engine.dialect.name == "sqlite" else "create index concurrently"
    assert advice.ddl == f"{how} {advice.name} on orders (state, placed, id)"
    (gain,) = advice.gains
    assert gain.fingerprint == statement.fingerprint
    assert advice.name in gain.after.indexes
    assert advice.name not in gain.before.indexes
    assert gain.before.findings
    assert gain.rows_after * 2 <= gain.rows_before <= ORDERS * 1.1
    assert (advice.rows_before, advice.rows_after) == (gain.rows_before, gain.rows_after)
    assert 0 < gain.ms_after < gain.ms_before == statement.timing.avg_ms
    assert advice.proof == how_proven(engine)
    assert "Tried" in advice.proof


def test_each_statement_gets_its_own_and_none_is_offered_twice(engine):
    statements = [tracked(engine, LATEST_OF_A_STATE), tracked(engine, OF_A_CUSTOMER, rows=60)]
    assert offered(engine, *statements, *statements) == {
        ("orders", ("state", "placed", "id")),
        ("orders", ("customer_id",)),
    }


def test_one_index_serves_two_statements_where_it_can(engine):
    both = tracked(engine, "select * from orders where customer_id = {0} and state = {0}", rows=1)
    assert offered(engine, tracked(engine, OF_A_CUSTOMER, rows=60), both) == {("orders", ("customer_id",))}


@pytest.mark.parametrize(
    "sql",
    [
        BY_NUMBER,
        "select * from orders",
        "select count(*) from orders",
        "select * from customers where name = 'customer ' || id",
        "select * from orders order by id desc limit {0}",
        "select nonsense from orders where nonsense = {0}",
        "select * from nowhere where a = {0}",
        "select * from orders where (((",
        "begin",
        "",
    ],
)
def test_nothing_is_offered_where_nothing_helps(engine, sql):
    assert advise(engine, [tracked(engine, sql)]).offers == ()


def test_nothing_is_offered_for_a_small_table(engine):
    with engine.begin() as connection:
        connection.execute(text("create table colours (id integer primary key, name text)"))
        connection.execute(text("insert into colours values (1, 'red'), (2, 'blue')"))
    assert advise(engine, [tracked(engine, "select * from colours where name = {0}", rows=1)]).offers == ()


def test_an_index_that_is_there_is_not_offered_again(engine):
    statement = tracked(engine, LATEST_OF_A_STATE)
    (advice,) = advise(engine, [statement]).offers
    build_index(engine, advice.ddl)
    assert advise(engine, [statement]).offers == ()


def test_a_column_that_is_mostly_null_gets_a_partial_index(engine):
    (advice,) = advise(engine, [tracked(engine, "select * from orders where coupon = {0}", rows=1)]).offers
    assert advice.columns == ("coupon",)
    assert advice.ddl.endswith(" (coupon) where coupon is not null")


def test_a_mixed_order_keeps_its_directions(engine):
    sql = "select * from orders order by state, placed desc limit {0}"
    (advice,) = advise(engine, [tracked(engine, sql)]).offers
    assert advice.ddl.endswith(" on orders (state, placed desc)")


def test_the_foreign_key_of_a_join_is_found(engine):
    sql = "select o.id from customers as c join orders as o on o.customer_id = c.id where c.id = {0}"
    assert offered(engine, tracked(engine, sql, rows=60)) == {("orders", ("customer_id",))}


def test_an_update_and_a_delete_are_read_too(engine):
    update = tracked(engine, "update orders set note = {0} where coupon = {0}", rows=0, runs=10)
    delete = tracked(engine, "delete from orders where customer_id = {0}", rows=0, runs=10)
    assert offered(engine, update, delete) == {("orders", ("coupon",)), ("orders", ("customer_id",))}


def test_an_index_that_costs_more_to_write_than_it_saves_is_not_offered(engine):
    read = tracked(engine, OF_A_CUSTOMER, rows=60, runs=1)
    written = tracked(engine, "insert into orders (id) values ({0})", runs=1_000_000)
    assert offered(engine, read) == {("orders", ("customer_id",))}
    assert advise(engine, [read, written]).offers == ()


def test_what_it_costs_to_write_is_said(engine):
    read = tracked(engine, OF_A_CUSTOMER, rows=60)
    written = tracked(engine, "insert into orders (id) values ({0})", runs=300)
    (advice,) = advise(engine, [read, written]).offers
    assert advice.writes == 300
    # The primary key's index is the table itself on SQLite.
    assert advice.write_percent == (100 if engine.dialect.name == "sqlite" else 50)


def test_an_index_that_becomes_superfluous_is_named(engine):
    with engine.begin() as connection:
        connection.execute(text("create index ix_orders_state on orders (state)"))
    analyse(engine)
    (advice,) = advise(engine, [tracked(engine, LATEST_OF_A_STATE)]).offers
    assert advice.columns[0] == "state"
    assert advice.replaces == ("ix_orders_state",)


def test_the_estimated_size_is_near_the_built_one(engine, database):
    (advice,) = advise(engine, [tracked(engine, LATEST_OF_A_STATE)]).offers
    before = bytes_of_database(engine, database)
    build_index(engine, advice.ddl)
    built = bytes_of_database(engine, database) - before
    assert 0.7 * built <= advice.size_bytes <= 1.4 * built


def bytes_of_database(engine, database):
    with engine.connect() as connection:
        if database == "postgresql":
            return connection.execute(text("select pg_indexes_size('orders')")).scalar_one()
        pages = connection.execute(text("pragma page_count")).scalar_one()
        free = connection.execute(text("pragma freelist_count")).scalar_one()
        return (pages - free) * connection.execute(text("pragma page_size")).scalar_one()


def test_advice_changes_nothing_and_runs_nothing(engine):
    def state():
        with engine.connect() as connection:
            rows = connection.execute(text("select count(*) from orders")).scalar_one()
            names = "sqlite_schema" if engine.dialect.name == "sqlite" else "pg_class"
            column = "name" if engine.dialect.name == "sqlite" else "relname"
            return rows, sorted(connection.execute(text(f"select {column} from {names}")).scalars())

    before = state()
    assert advise(engine, [tracked(engine, "delete from orders where coupon = {0}")]).offers
    assert state() == before


def test_a_table_that_was_never_analysed_gets_advice_too(engine, database):
    with engine.begin() as connection:
        connection.execute(text("create table visits (id integer primary key, page text)"))
        fill(connection, database, "visits", 20_000, "i, 'page ' || (i % 4000)")
    statement = tracked(engine, "select * from visits where page = {0}", rows=5)
    assert offered(engine, statement) == {("visits", ("page",))}


def test_advice_is_the_same_when_asked_again(engine):
    statements = [tracked(engine, LATEST_OF_A_STATE), tracked(engine, OF_A_CUSTOMER, rows=60)]
    assert advise(engine, statements) == advise(engine, statements)


def test_a_search_whose_time_is_over_says_how_far_it_came(engine, monkeypatch):
    statements = [tracked(engine, LATEST_OF_A_STATE), tracked(engine, OF_A_CUSTOMER, rows=60)]
    monkeypatch.setattr(choosing, "BUDGET_SECONDS", 60.0)
    whole = advise(engine, statements).search
    assert whole == Search(whole.possible, whole.possible, cut_short=False)
    assert whole.possible > 1
    monkeypatch.setattr(choosing, "BUDGET_SECONDS", -1.0)
    assert advise(engine, statements) == Advice((), Search(whole.possible, 0, cut_short=True))


def test_no_more_are_offered_than_asked_for(engine):
    statements = [tracked(engine, LATEST_OF_A_STATE), tracked(engine, OF_A_CUSTOMER, rows=60)]
    assert len(advise(engine, statements, limit=1).offers) == 1


def test_a_statement_that_was_never_run_counts_as_once(engine):
    asked = replace(tracked(engine, OF_A_CUSTOMER), timing=Timing(0, 0, 0, 0, 0, 0, 0, 0), rows=0)
    (advice,) = advise(engine, [asked]).offers
    assert (advice.gains[0].runs, advice.gains[0].ms_before) == (0, 0)


@pytest.mark.parametrize(
    "ddl",
    [
        "drop table orders",
        "create index a on orders (state); drop table orders",
        "create index ix_orders_state on orders (state) where 1 = 1",
        "create index ix_orders_state on orders (lower(state))",
        "create index anything on orders (state)",
        "create index concurrently anything on orders (state)",
        "create index ix_orders_nothing on orders (nothing)",
        "create index ix_nowhere_a on nowhere (a)",
        "create unique index ix_orders_state on orders (state)",
        "",
    ],
)
def test_only_what_was_advised_is_built(engine, ddl):
    with pytest.raises(ClientError) as refused:
        build_index(engine, ddl)
    assert (refused.value.status, refused.value.code) == (422, "index_not_advised")


def test_an_index_is_built_once(engine):
    (advice,) = advise(engine, [tracked(engine, OF_A_CUSTOMER, rows=60)]).offers
    build_index(engine, advice.ddl)
    with pytest.raises(ClientError) as refused:
        build_index(engine, advice.ddl)
    assert (refused.value.status, refused.value.code) == (409, "index_exists")


def test_sqlites_expert_program_names_candidates_and_leaves_out_what_it_cannot_read():
    orders = TableShape("orders", ("id", "state", "placed"), frozenset(), "id", False, (), frozenset())
    copy = sqlite.connect(":memory:")
    copy.execute("create table orders (id integer primary key, state text, placed integer)")
    asked = ["select * from nowhere", "select * from orders where state = ? order by placed desc"]
    found = expert_candidates(copy, asked, {"orders": orders})
    copy.close()
    assert ("state", "placed") in {one.names for one in found}
    assert {one.source for one in found} == {"expert"}
    # An order that only descends is read backwards: the candidate is the one that we would make.
    assert not any(down for one in found for _, down in one.columns)
