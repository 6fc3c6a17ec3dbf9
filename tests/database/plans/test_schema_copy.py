"""The copy of a schema with its statistics: it plans as the original does."""

import pytest
from sqlalchemy import StaticPool, create_engine

from app.database.engine import sqlite
from app.database.plans.child import plan_steps
from app.database.plans.explain import explain
from app.database.plans.schema_copy import clone_schema, table_sizes
from app.extensions import db
from tests.database.plans.test_plans import engine  # noqa: F401  a fixture

STATEMENTS = (
    "select * from books where shelf = ? order by pages",
    "select shelf, count(*) from books group by shelf",
    "select * from books where title = 'x' and shelf = 3",
    "select * from loans join books on loans.book_id = books.id where books.shelf = ?",
    "select * from thick where title > ?",
)


@pytest.fixture
def database():
    """Copies are made of SQLite only."""
    return "sqlite"


def test_the_copy_plans_as_the_original(engine):  # noqa: F811
    with engine.connect() as connection:
        copy = clone_schema(connection).open_copy()
        try:
            for sql in STATEMENTS:
                original = connection.connection.driver_connection
                assert plan_steps(copy, sql) == plan_steps(original, sql), sql
        finally:
            copy.close()


def test_the_copy_has_every_table_of_the_application_and_no_row(app):
    with app.app_context(), db.engine.connect() as connection:
        schema = clone_schema(connection)
        names = (
            connection.exec_driver_sql("select name from sqlite_schema where type <> 'trigger' order by name")
            .scalars()
            .all()
        )
    copy = schema.open_copy()
    try:
        there = {name for (name,) in copy.execute("select name from sqlite_schema")}
        # Statistics and counters come into being with the first of their rows.
        assert {name for name in names if not name.startswith("sqlite_stat")} <= there
        assert copy.execute("select count(*) from projects").fetchone() == (0,)
    finally:
        copy.close()


def test_full_text_tables_come_with_their_shadows():
    source = create_engine("sqlite://", module=sqlite, poolclass=StaticPool)
    with source.connect() as connection:
        connection.exec_driver_sql("create virtual table words using fts5 (body)")
        schema = clone_schema(connection)
    source.dispose()
    assert len(schema.ddl) == 1
    copy = schema.open_copy()
    assert [row[3] for row in plan_steps(copy, "select * from words where words match ?")] == [
        "SCAN words VIRTUAL TABLE INDEX 0:M1"
    ]
    copy.close()


def test_what_another_library_made_is_left_out():
    source = create_engine("sqlite://", module=sqlite, poolclass=StaticPool)
    with source.connect() as connection:
        driver = connection.connection.driver_connection
        driver.create_function("secret", 1, abs, deterministic=True)
        connection.exec_driver_sql("create table t (a int, b int)")
        connection.exec_driver_sql("create index ix_a on t (secret(a))")
        connection.exec_driver_sql("create index ix_b on t (b)")
        schema = clone_schema(connection)
    source.dispose()
    copy = schema.open_copy()
    names = [name for (name,) in copy.execute("select name from sqlite_schema order by name")]
    copy.close()
    assert names == ["ix_b", "t"]


def test_sizes_come_from_the_statistics_and_else_from_the_last_row(engine):  # noqa: F811
    with engine.connect() as connection:
        books = table_sizes(connection, ["books"])["books"]
        assert books.rows == 5_000
        assert books.keys["ix_books_shelf"][1] == 100
        assert 5_000 * 15 < books.size_bytes < 5_000 * 60
        connection.exec_driver_sql("delete from sqlite_stat1")
        assert table_sizes(connection, ["books"])["books"].rows == 5_000
        assert table_sizes(connection, ["nowhere", "thick"])["nowhere"].rows is None
        connection.rollback()


def test_row_numbers_far_apart_are_not_taken_for_rows(engine):  # noqa: F811
    with engine.connect() as connection:
        connection.exec_driver_sql("create table sparse (id integer primary key, a int)")
        connection.exec_driver_sql("insert into sparse values (1, 1), (9000000000000000000, 1)")
        pages = connection.exec_driver_sql("pragma page_count").scalar_one()
        assert table_sizes(connection, ["sparse"])["sparse"].rows <= pages * 4096 / 12
        connection.rollback()


def test_sizes_given_take_the_place_of_an_empty_copys(engine):  # noqa: F811
    with engine.connect() as connection:
        connection.exec_driver_sql("delete from sqlite_stat1")
        sizes = table_sizes(connection, ["books"])
        copy = clone_schema(connection).open_copy()
        connection.rollback()
    copied = create_engine("sqlite://", module=sqlite, creator=lambda: copy, poolclass=StaticPool)
    with copied.connect() as connection:
        found = explain(connection, "select * from books where pages = ?", sizes=sizes).findings
    copied.dispose()
    assert found[0].cost.startswith("Reads about 5,000 rows (")
