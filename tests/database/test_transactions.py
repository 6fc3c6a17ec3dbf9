import threading
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.database.transactions import begin_write, transaction, writing_connection
from app.database.types import UtcTime
from app.extensions import db
from app.models import Project, User


def names():
    found = db.session.scalars(text("select name from projects order by name")).all()
    db.session.rollback()
    return found


def test_a_transaction_commits(app):
    with app.app_context():
        with transaction() as session:
            session.add(Project(name="Kept"))
        assert names() == ["Kept"]


def test_an_exception_rolls_everything_back(app):
    with app.app_context():
        with pytest.raises(RuntimeError):
            with transaction() as session:
                session.add(Project(name="Lost"))
                session.flush()
                raise RuntimeError
        assert names() == []


def test_a_write_connection_rolls_back_as_well(app):
    with app.app_context():
        with pytest.raises(RuntimeError):
            with writing_connection(db.engine) as connection, begin_write(connection):
                connection.execute(text("delete from projects"))
                raise RuntimeError
        with writing_connection(db.engine) as connection, begin_write(connection):
            assert connection.execute(text("select count(*) from projects")).scalar() == 0


def test_no_update_is_lost_between_threads(app):
    with app.app_context(), transaction() as session:
        session.add(User(email="a@example.org", name="0", role="viewer"))

    def add_one():
        for _ in range(20):
            with app.app_context(), transaction() as session:
                query = "select name from users"
                if session.get_bind().dialect.name == "postgresql":
                    query += " for update"
                value = int(session.scalar(text(query)))
                session.execute(text("update users set name = :name"), {"name": str(value + 1)})

    threads = [threading.Thread(target=add_one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert db.session.scalar(text("select name from users")) == "120"


def test_both_databases_refuse_the_same_values(app):
    with app.app_context():
        with pytest.raises(IntegrityError), transaction() as session:
            session.add(User(email="a@example.org", name="A", role="owner"))
        with transaction() as session:
            session.add(Project(name="Shop"))
        with pytest.raises(DBAPIError), transaction() as session:
            session.execute(text("update projects set stored_bytes = 'many'"))


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        UtcTime().process_bind_param(datetime(2026, 1, 1), None)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_is_set_up_as_documented(app):
    with app.app_context(), db.engine.connect() as connection:

        def pragma(name):
            return connection.exec_driver_sql(f"pragma {name}").scalar()

        assert pragma("journal_mode") == "wal"
        assert pragma("synchronous") == 2
        assert pragma("foreign_keys") == 1
        assert pragma("trusted_schema") == 0
        tables = connection.exec_driver_sql("select name, strict from pragma_table_list where type='table'")
        ours = {n: strict for n, strict in tables if not n.startswith(("sqlite_", "alembic_"))}
        assert ours
        assert all(ours.values()), ours
