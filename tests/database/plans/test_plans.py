"""Plans as a tree with findings, of statements whose values are unknown, on both databases."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, text

from app.clock import utc_now
from app.database.plans.explain import explain
from app.database.plans.plan import Finding, Node, Plan, plan_of_json
from app.database.tracking.watch import current_watcher
from app.database.transactions import begin_write, writing_connection
from app.errors import ClientError
from app.extensions import db

ROWS = 5_000
TABLES = """
create table books (id bigint primary key, shelf int, place int, pages int, title text, removed int);
create table loans (id bigint primary key, book_id int, reader int);
create table few (id bigint primary key, name text);
create index ix_books_shelf on books (shelf, place);
create index ix_books_title on books (title);
create view thick as select * from books where pages > 500;
"""
FILLED = """
insert into books with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
select i, mod(i, 50), mod(i, 7), i, 'Title ' || i, 0 from n;
insert into loans select id, id, id from books;
insert into few select id, title from books where id <= 5;
"""


@pytest.fixture
def engine(app: Flask, database: str) -> Engine:
    """The application's engine, on a database with three tables of our own."""
    with app.app_context():
        engine = db.engine
    with writing_connection(engine) as connection:
        for statement in (TABLES + FILLED).split(";")[:-1]:
            with begin_write(connection):
                connection.exec_driver_sql(statement)
        with begin_write(connection):
            connection.exec_driver_sql("analyze")
    return engine


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def mark(database: str) -> str:
    """How the driver writes a value."""
    return "?" if database == "sqlite" else "%s"


def nodes_of(plan: Plan) -> list[Node]:
    found, waiting = [], list(plan.nodes)
    while waiting:
        node = waiting.pop(0)
        found.append(node)
        waiting = [*node.children, *waiting]
    return found


def finding(plan: Plan, code: str) -> Finding:
    found = [finding for finding in plan.findings if finding.code == code]
    assert len(found) == 1, plan.findings
    return found[0]


def codes(plan: Plan) -> set[str]:
    return {finding.code for finding in plan.findings}


def test_a_full_scan_says_its_rows_and_which_index_is_missing(connection, mark):
    plan = explain(connection, f"select title from books where pages = {mark} and removed > {mark}")
    found = finding(plan, "full_scan")
    assert found.level == "bad"
    assert found.cost.startswith("Reads about 5,000 rows (")
    assert found.cure == "Add an index on books (pages, removed)."
    assert (found.table, found.columns) == ("books", ("pages", "removed"))


def test_a_scan_of_a_small_table_is_a_note(connection, mark):
    assert (
        finding(explain(connection, f"select id from few where name = {mark}"), "full_scan").level == "note"
    )


def test_a_lookup_by_an_index_has_no_findings(connection, mark):
    plan = explain(connection, f"select * from books where shelf = {mark} and place = {mark}")
    assert plan.findings == ()
    assert plan.indexes == {"ix_books_shelf"}
    assert {node.table for node in nodes_of(plan)} - {None} == {"books"}


def test_an_index_that_another_connection_built_meanwhile_is_seen(connection, engine, mark):
    sql = f"select id from loans where reader = {mark}"
    assert explain(connection, sql).indexes == set()
    connection.rollback()
    with writing_connection(engine) as writing, begin_write(writing):
        writing.exec_driver_sql("create index ix_loans_reader on loans (reader)")
    assert explain(connection, sql).indexes == {"ix_loans_reader"}


def test_the_planners_estimates_stand_at_the_steps(connection, mark):
    plan = explain(connection, f"select * from books where shelf = {mark}")
    rows = [node.rows for node in nodes_of(plan) if node.table == "books"]
    assert rows == [pytest.approx(100, rel=0.1)]
    assert all(node.cost for node in nodes_of(plan) if node.table == "books")


def test_named_values_are_unknown_values_too(connection, database):
    name = ":shelf" if database == "sqlite" else "%(shelf)s::INTEGER"
    plan = explain(connection, f"select * from books where shelf = {name} and place < {name}")
    assert plan.indexes == {"ix_books_shelf"}


def test_sorting_names_the_index_that_would_return_the_order(connection, mark):
    plan = explain(connection, f"select * from books where shelf = {mark} order by pages")
    found = finding(plan, "temp_btree")
    assert (found.level, found.columns) == ("note", ("shelf", "pages"))
    assert found.cost == "Holds and sorts about 100 rows before the first is returned."
    whole = finding(explain(connection, "select * from books order by pages, id desc limit 5"), "temp_btree")
    assert (whole.level, whole.columns) == ("bad", ("pages", "id desc"))


def test_a_page_in_the_order_of_an_index_has_no_findings(connection, mark):
    assert explain(connection, f"select * from books order by shelf, place limit {mark}").findings == ()


def test_grouping_and_distinct_by_a_temporary_b_tree(connection, database):
    grouped = explain(connection, "select pages, count(*) from books where removed = 0 group by pages")
    distinct = explain(connection, "select distinct pages from books where removed = 0")
    if database == "postgresql":  # it uses a hash table, which is no sort
        assert codes(grouped) | codes(distinct) == {"full_scan"}
        return
    assert [finding(plan, "temp_btree").level for plan in (grouped, distinct)] == ["bad", "bad"]
    assert "EXISTS" in finding(distinct, "temp_btree").cure


def test_an_index_made_for_one_run(connection, database):
    sql = "select books.title, loans.reader from books join loans on loans.book_id = books.pages"
    plan = explain(connection, sql)
    if database == "postgresql":
        assert "full_scan" in codes(plan)  # it hashes a table instead
        return
    found = finding(plan, "automatic_index")
    assert found.level == "bad"
    assert "over about 5,000 rows at each run" in found.cost
    assert found.columns in (("book_id",), ("pages",))
    assert not any(node.index for node in nodes_of(plan) if "AUTOMATIC" in node.detail)


def test_a_correlated_subquery_says_how_often_it_runs(connection):
    sql = "select id, (select max(reader) from loans where loans.book_id = books.id) from books"
    plan = explain(connection, sql)
    found = finding(plan, "correlated_subquery")
    assert (found.level, found.cost) == ("bad", "Runs once for each of 5,000 rows.")
    assert "for each of about 5,000 rows" in finding(plan, "full_scan").cost
    assert finding(plan, "full_scan").columns == ("book_id",)


def test_a_subquery_that_runs_once_is_not_correlated(connection):
    plan = explain(connection, "select id from books where shelf = (select max(reader) from loans)")
    assert "correlated_subquery" not in codes(plan)


def test_a_covering_index_that_is_nearly_there(connection, mark):
    sql = f"select shelf, pages from books where shelf = {mark}"
    found = finding(explain(connection, sql), "covering_index_missing")
    assert (found.level, found.columns) == ("note", ("shelf", "place", "pages"))
    for other in ("select * from books", "select shelf, pages, title, removed from books"):
        assert "covering_index_missing" not in codes(explain(connection, f"{other} where shelf = {mark}"))


def test_like_looks_at_every_row(connection, mark):
    plan = explain(connection, f"select id from books where title like {mark}")
    assert finding(plan, "like_without_index").columns == ("title",)
    assert "full-text" in finding(plan, "like_without_index").cure


def test_a_function_keeps_an_index_from_being_used(connection, mark):
    plan = explain(connection, f"select id from books where lower(title) = {mark}")
    found = finding(plan, "function_on_index")
    assert (found.table, found.columns) == ("books", ("title",))
    assert "ix_books_title cannot be used" in found.cost
    without = explain(connection, f"select id from books where abs(pages) = {mark}")
    assert "function_on_index" not in codes(without)


@pytest.mark.parametrize(
    ("sql", "level", "cure"),
    [
        ("select count(pages) from books", "bad", "LIMIT"),
        ("select name from few", "note", "LIMIT"),
        ("update books set removed = 1", "bad", "batches"),
        ("delete from few", "bad", "batches"),
    ],
)
def test_a_missing_where(connection, sql, level, cure):
    found = finding(explain(connection, sql), "missing_where")
    assert found.level == level
    assert cure in found.cure


def test_a_limit_alone_reads_no_more_than_it_returns(connection):
    assert explain(connection, "select * from books limit 10").findings == ()


def test_tables_that_nothing_joins(connection):
    found = finding(
        explain(connection, "select books.id from books, loans where books.pages > 3"), "cartesian_join"
    )
    assert (found.level, found.cost) == ("bad", "Pairs every row with every row: about 25,000,000 rows.")


@pytest.mark.parametrize(
    "sql",
    [
        "select b.id from books b join few f on f.id = b.pages + 1",
        "select b.id from books b join few f using (id)",
        "select b.id from books b natural join few f",
        "select b.id from books b, few f where f.name || 'x' = b.title",
        "select b.id from few f left join books b on lower(b.title) = lower(f.name)",
    ],
)
def test_joined_tables_are_no_cartesian_join(connection, sql):
    assert "cartesian_join" not in codes(explain(connection, sql))


def test_a_name_that_with_gives_hides_the_table(connection):
    plan = explain(connection, "with few as (select 1 as id) select * from few")
    assert plan.findings == ()


def test_the_worst_finding_comes_first(connection, mark):
    sql = f"select id from few where name = {mark} union all select id from books where pages = {mark}"
    levels = [finding.level for finding in explain(connection, sql).findings]
    assert levels == ["bad", "note"]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from thick where shelf = 3",
        "select shelf from books union select reader from loans order by 1",
        "select shelf from books where shelf = 1 or id = 3",
        "select s.k from (select shelf, count(*) as k from books group by shelf) s where s.k > 2",
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 9) select * from n",
        "select max(pages) over (partition by shelf order by place) from books",
        "insert into loans (id, book_id) select id + 9000, id from books where shelf = 1",
        "insert into loans (id) values (100001)",
        "update loans set reader = 1 where id in (select id from books where shelf = 2)",
        'select "id" from "books" where "shelf" = 1 -- a remark',
        "select 1",
        "with one as (select 1) select * from one",
        "values (1), (2)",
    ],
)
def test_every_kind_of_statement_has_a_tree_in_words(connection, database, sql):
    plan = explain(connection, sql)
    assert plan.database == database
    assert nodes_of(plan)
    assert all(node.words and node.detail for node in nodes_of(plan))
    assert plan_of_json(json.loads(json.dumps(plan.as_json()))) == plan


def test_nothing_is_run_and_the_transaction_goes_on(engine, mark):
    with writing_connection(engine) as connection, begin_write(connection):
        connection.exec_driver_sql("update few set name = 'kept' where id = 1")
        explain(connection, "delete from few")
        with pytest.raises(ClientError):
            explain(connection, "select * from nowhere")
        explain(connection, f"select * from few where id = {mark}")
    with engine.connect() as connection:
        names = connection.execute(text("select name from few order by id")).scalars().all()
    assert (len(names), names[0]) == (5, "kept")


def test_a_driver_that_prepares_by_itself_is_no_hindrance(engine, mark):
    with writing_connection(engine) as connection, begin_write(connection):
        for _ in range(8):  # psycopg prepares a statement when it has come five times
            connection.exec_driver_sql(f"update few set name = 'kept' where id = {mark}", (1,))
        for _ in range(8):
            assert explain(connection, f"select * from few where id = {mark}").nodes
    with engine.connect() as connection:
        assert connection.execute(text("select name from few where id = 1")).scalar() == "kept"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_keeps_no_prepared_statement_and_no_setting(connection):
    explain(connection, "select * from few where id = %s")
    with pytest.raises(ClientError):
        explain(connection, "select nothing from few")
    assert connection.exec_driver_sql("select count(*) from pg_prepared_statements").scalar() == 0
    assert connection.exec_driver_sql("show plan_cache_mode").scalar() == "auto"


@pytest.mark.parametrize(
    "sql",
    [
        "pragma query_only = 1",
        "begin",
        "commit",
        "explain select 1",
        "create table x (a int)",
        "drop table few",
        "vacuum",
        "attach 'x' as y",
        "set role none",
        "",
        "-- nothing",
        "select * from nowhere",
        "selec 1",
        "select 1; drop table few",
        "select '\0'",
    ],
)
def test_what_has_no_plan_is_refused_without_being_prepared(connection, sql, database):
    with pytest.raises(ClientError) as refusal:
        explain(connection, sql)
    assert (refusal.value.status, refusal.value.code) == (422, "query_refused")
    assert "/" not in refusal.value.message
    if database == "sqlite":
        assert connection.exec_driver_sql("pragma query_only").scalar() == 0
    assert connection.execute(text("select count(*) from few")).scalar() == 5


def test_explaining_leaves_no_trace_in_the_statistics(app, engine):
    with app.app_context():
        current_watcher().flush()
        current_watcher().statistics.forget()
        with engine.connect() as connection:
            explain(connection, "select id from books where removed = 1")
            connection.exec_driver_sql("select 1 as tracked").all()
        current_watcher().flush()
        texts = [
            found.text for found in current_watcher().statistics.statements(utc_now() - timedelta(hours=1))
        ]
    assert [found for found in texts if "tracked" in found]
    assert not [found for found in texts if "explain" in found.lower() or "books" in found]
