"""The report on a shop's indexes, on both databases; and what is read out of a statement's text."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from app.database.advice.indexes import index_report
from app.database.advice.predicates import reads, written_table
from app.database.advice.readings import Reader, steps_of
from app.database.advice.samples import Sample, draw
from app.database.plans.catalog import read_catalog
from app.database.tracking.figures import StatementFigures, Timing
from app.extensions import db

TABLES = (
    "create table customers (id integer primary key, email text not null unique)",
    "create table orders (id integer primary key, customer_id integer not null references customers,"
    " state text not null, placed integer not null, coupon text)",
    "create index ix_orders_customer on orders (customer_id)",
    "create index ix_orders_state on orders (state)",
    "create index ix_orders_state_placed on orders (state, placed desc)",
    "create index ix_orders_placed on orders (placed)",
    "create index ix_orders_placed_too on orders (placed)",
    "create index ix_orders_coupon on orders (coupon) where coupon is not null",
    "create index ix_orders_open on orders (id) where state = 'open'",
)


@pytest.fixture
def engine(app):
    with app.app_context():
        with db.engine.begin() as connection:
            for ddl in TABLES:
                connection.execute(text(ddl))
        yield db.engine


def fill(engine):
    rows = [{"i": i, "state": f"s{i % 7}", "coupon": f"c{i}" if i % 5 == 0 else None} for i in range(1, 3001)]
    with engine.begin() as connection:
        connection.execute(text("insert into customers values (:i, 'c' || :state || :i)"), rows)
        connection.execute(text("insert into orders values (:i, :i, :state, :i, :coupon)"), rows)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))


def tracked(fingerprint, sql, engine):
    sql = sql.format("?" if engine.dialect.name == "sqlite" else "%s")
    timing = Timing(10, 100.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0)
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    return StatementFigures(fingerprint, sql, timing, 10, 0, 0, 0.1, moment, ())


def reported(engine, *statements):
    found = index_report(engine, statements)
    return {one.name: one for one in found if one.table in ("orders", "customers")}


def test_an_index_that_a_plan_uses_is_used(engine):
    fill(engine)
    report = reported(engine, tracked("aa", "select * from orders where coupon = {0}", engine))
    assert report["ix_orders_coupon"].verdict == "used"
    assert report["ix_orders_coupon"].used_by == ("aa",)
    assert report["ix_orders_coupon"].columns == ("coupon",)
    assert not report["ix_orders_coupon"].unique


def test_an_index_that_no_plan_uses_is_unused(engine):
    fill(engine)
    report = reported(engine, tracked("aa", "select * from orders where coupon = {0}", engine))
    assert report["ix_orders_state_placed"].verdict == "unused"
    assert report["ix_orders_state_placed"].used_by == ()
    assert "1 tracked statement" in report["ix_orders_state_placed"].because


def test_one_that_keeps_values_unique_is_never_unused(engine):
    report = reported(engine, tracked("aa", "select * from orders where id = {0}", engine))
    unique = [one for one in report.values() if one.table == "customers" and one.columns == ("email",)]
    assert [(one.unique, one.verdict) for one in unique] == [(True, "used")]


def test_one_of_two_equal_ones_is_a_duplicate(engine):
    report = reported(engine, tracked("aa", "select * from orders where placed > {0}", engine))
    duplicates = {name for name, one in report.items() if one.verdict == "duplicate"}
    assert duplicates == {"ix_orders_placed_too"}
    assert "ix_orders_placed " in report["ix_orders_placed_too"].because


def test_one_that_another_begins_with_is_redundant(engine):
    report = reported(engine, tracked("aa", "select * from orders where state = {0}", engine))
    assert report["ix_orders_state"].verdict == "redundant"
    assert "ix_orders_state_placed" in report["ix_orders_state"].because


def test_a_foreign_keys_index_is_not_called_unused(engine):
    report = reported(engine, tracked("aa", "select * from orders where id = {0}", engine))
    assert report["ix_orders_customer"].verdict == "unknown"


def test_an_index_on_some_values_is_unknown_where_nothing_counts_its_use(engine, database):
    report = reported(engine, tracked("aa", "select * from customers where id = {0}", engine))
    assert report["ix_orders_open"].verdict == ("unknown" if database == "sqlite" else "unused")


def test_without_statements_nothing_is_known(engine):
    report = reported(engine)
    assert report["ix_orders_state_placed"].verdict == "unknown"
    assert all(one.verdict != "unused" for one in report.values())


def test_statements_that_have_no_plan_are_passed_over(engine):
    fill(engine)
    report = reported(
        engine,
        tracked("aa", "begin", engine),
        tracked("bb", "select * from gone", engine),
        tracked("cc", "select * from orders where (((", engine),
        tracked("dd", "create table more (a int)", engine),
        *(tracked(f"e{n}", "select * from orders where coupon = {0}", engine) for n in range(9)),
    )
    assert len(report["ix_orders_coupon"].used_by) == 9


def test_sizes_are_near_the_real_ones(engine, database):
    fill(engine)
    size = reported(engine)["ix_orders_state_placed"].size_bytes
    # 3,000 entries of two short values; PostgreSQL's begin at two pages of 8 KB.
    assert 3_000 * 8 <= size <= 3_000 * 60


def test_sqlite_says_nothing_of_an_empty_tables_size(engine, database):
    size = reported(engine)["ix_orders_state"].size_bytes
    assert size is None if database == "sqlite" else size == 8192


def test_a_sample_estimates_what_the_table_holds(engine):
    fill(engine)
    with engine.connect() as connection:
        catalog = read_catalog(connection)
        sample = draw(connection, catalog, {"orders": {"id", "state", "coupon"}})["orders"]
    assert sample.rows == 3000
    assert sample.matching(["state"]) == pytest.approx(3000 / 7, rel=0.02)
    assert sample.matching(["id"]) == pytest.approx(1, rel=0.02)
    assert sample.matching(["coupon"]) == pytest.approx(1, rel=0.02)
    assert sample.null_share("coupon") == pytest.approx(0.8, rel=0.02)
    assert sample.a_key(["coupon"]) == pytest.approx(3000 / 601, rel=0.02)


def test_a_large_table_is_drawn_from_not_counted(engine, database):
    rows = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)"
    series = "generate_series(1, 60000) as n(i)" if database == "postgresql" else "n"
    with engine.begin() as connection:
        connection.execute(text("insert into customers values (1, 'one')"))
        connection.execute(
            text(
                ("" if database == "postgresql" else rows.replace("with", "insert into orders with", 1))
                + ("insert into orders " if database == "postgresql" else "")
                + f" select i, 1, 's' || (i % 40), i, null from {series}"
            )
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    with engine.connect() as connection:
        sample = draw(connection, read_catalog(connection), {"orders": {"id", "state"}})["orders"]
    assert len(sample.drawn) <= 8000
    assert sample.rows == pytest.approx(60_000, rel=0.05)
    assert sample.matching(["state"]) == pytest.approx(1500, rel=0.1)
    assert sample.matching(["id"]) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select * from orders where state = ?", {"equals": ["state"]}),
        ("select * from orders where ? = state", {"equals": ["state"]}),
        ('select * from "orders" as o where o."state" in (?)', {"equals": ["state"]}),
        ("SELECT * FROM public.orders WHERE orders.state IS ?", {"equals": ["state"]}),
        ("select * from orders where placed between ? and ? and state = ?", {"equals": ["state"]}),
        ("select * from orders where placed >= ?", {"ranges": ["placed"]}),
        ("select * from orders where (placed, id) < (?, ?)", {"ranges": ["placed"]}),
        (
            "select * from orders where (state = ? and placed < ?)",
            {"equals": ["state"], "ranges": ["placed"]},
        ),
        ("select * from orders where state = ? or placed = ?", {}),
        ("select * from orders where lower(state) = ?", {}),
        ("select * from orders where not state = ?", {}),
        ("select * from orders where state <> ?", {}),
        ("select * from orders where state is not null", {}),
        ("select * from orders where placed = id", {}),
        ("select * from orders order by placed desc, id", {"order": [("placed", True), ("id", False)]}),
        ("select * from orders order by lower(state)", {}),
        ("select state, count(*) from orders group by state", {"order": [("state", False)]}),
        ("select * from orders limit ?", {"limited": True}),
        ("select * from orders -- where state = ?", {}),
        ("select 'where state = 1' from orders", {}),
        ("update orders set placed = ? where state = ?", {"equals": ["state"]}),
        ("delete from orders where coupon = ?", {"equals": ["coupon"]}),
    ],
)
def test_a_statements_reads(engine, sql, expected):
    with engine.connect() as connection:
        (read,) = reads(sql, read_catalog(connection))
    found = {name: getattr(read, name) for name in ("equals", "joins", "ranges", "order", "limited")}
    if "between" in sql:
        assert found.pop("ranges") == ["placed"]
        found["ranges"] = []
    assert found == {"equals": [], "joins": {}, "ranges": [], "order": [], "limited": False} | expected


def test_joins_and_subqueries_are_read_each(engine):
    sql = (
        "select c.id, (select count(*) from orders where orders.customer_id = ?) from customers as c"
        " left outer join orders as o on o.customer_id = c.id and o.state = ? where c.email = ?"
    )
    with engine.connect() as connection:
        found = {read.alias: read for read in reads(sql, read_catalog(connection))}
    assert found["o"].joins == {"customer_id": "c"}
    assert found["o"].equals == ["state"]
    assert (found["c"].equals, found["c"].joins) == (["email"], {"id": "o"})
    assert found["orders"].equals == ["customer_id"]


@pytest.mark.parametrize("sql", ["", "(" * 5000, ")" * 50, "select", "where from", "update", "\0", "'" * 99])
def test_text_that_is_no_statement_reads_nothing(engine, sql):
    with engine.connect() as connection:
        assert reads(sql, read_catalog(connection)) == []


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("insert into orders (id) values (?)", "orders"),
        ("INSERT OR IGNORE INTO orders DEFAULT VALUES", "orders"),
        ('update "orders" set id = 1', "orders"),
        ("delete from public.orders", "orders"),
        ("select 1", None),
    ],
)
def test_the_table_that_is_written(sql, table):
    assert written_table(sql) == table


SAMPLES = {"orders": Sample(10_000, ("state", "placed"), tuple((i % 10, i) for i in range(1_000)))}


@pytest.mark.parametrize(
    ("sql", "lines", "rows", "sorted_rows"),
    [
        ("select * from orders where state = ?", ["SCAN orders"], 10_000, 0),
        ("select * from orders where state = ?", ["SEARCH orders USING INDEX i (state=?)"], 1_000, 0),
        ("select * from orders where id = ?", ["SEARCH orders USING INTEGER PRIMARY KEY (rowid=?)"], 1, 0),
        (
            "select * from orders where state = ? order by placed",
            ["SEARCH orders USING INDEX i (state=?)", "USE TEMP B-TREE FOR ORDER BY"],
            1_000,
            1_000,
        ),
        # Ten are wanted, and every tenth row is one of them.
        (
            "select * from orders where state = ? order by placed limit ?",
            ["SCAN orders USING INDEX i"],
            100,
            0,
        ),
        ("select min(placed) from orders", ["SEARCH orders USING COVERING INDEX i"], 1, 0),
        (
            "select * from orders where placed > ?",
            ["SEARCH orders USING AUTOMATIC COVERING INDEX (placed>?)"],
            12_500,
            0,
        ),
    ],
)
def test_rows_read_are_estimated_from_the_plan(sql, lines, rows, sorted_rows, app):
    with app.app_context(), db.engine.begin() as connection:
        for ddl in TABLES:
            connection.execute(text(ddl))
        read = reads(sql, read_catalog(connection))
    reader = Reader(read, SAMPLES, {"orders": "id"}, 10)
    found = reader.read(steps_of([(n + 1, 0, 0, line) for n, line in enumerate(lines)]))
    assert found.rows == pytest.approx(rows, rel=0.02)
    assert found.sorted == pytest.approx(sorted_rows, rel=0.02)
