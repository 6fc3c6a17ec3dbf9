"""Migrations: up and down with data, and no drift between models and migrations, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import column, inspect, select, text
from sqlalchemy.schema import CreateIndex

from app.blueprints.operations.migrations import FOLDER, at_head, migrate_to_head
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Project


def include_name(name, kind, _parents):
    return kind != "table" or not (name.startswith("sqlite_") or "_fts" in name)


# SQLAlchemy leaves out indexes on an expression of SQLite; the test reads their text.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping")
def test_the_models_are_what_the_migrations_make(app):
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": include_name, "compare_type": False}
        )
        found = compare_metadata(context, db.metadata)
        if connection.dialect.name == "sqlite":
            # SQLAlchemy reads names and rules of foreign keys from the table's text, and not those that stand
            # behind their column, as an added column's do. SQLite itself knows all of them.
            found = [step for step in found if step[0] not in ("add_fk", "remove_fk")]
            assert _foreign_keys(connection) == _wanted_foreign_keys()
            on_expressions = [index for index in _indexes() if not index.columns]
            assert on_expressions
            for index in on_expressions:
                there = select(text("sql from sqlite_schema")).where(column("name") == index.name)
                assert connection.scalar(there) == str(CreateIndex(index).compile(connection)).strip()
        assert found == []


def _indexes():
    return [index for table in db.metadata.tables.values() for index in table.indexes]


def _foreign_keys(connection):
    query = text(
        'select m.name, f."from", f."table", f.on_delete from sqlite_schema m,'
        " pragma_foreign_key_list(m.name) f where m.type = 'table'"
    )
    return {tuple(row) for row in connection.execute(query)}


def _wanted_foreign_keys():
    return {
        (table.name, key.parent.name, key.column.table.name, key.ondelete or "NO ACTION")
        for table in db.metadata.tables.values()
        for key in table.foreign_keys
    }


def test_each_step_goes_down_and_up_again_with_data_beside_it(app, project):
    with app.app_context():
        with transaction() as session:
            session.add(Feedback(project_id=project.id, category="bug", description="kept?"))
        tables = set(inspect(db.engine).get_table_names())
        db.session.remove()
        downgrade(directory=str(FOLDER), revision="base")
        assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}
        assert not at_head()
        upgrade(directory=str(FOLDER))
        assert at_head()
        assert set(inspect(db.engine).get_table_names()) == tables
        with transaction() as session:
            session.add(Project(name="Again"))
        assert db.session.scalars(select(Project.name)).all() == ["Again"]


def test_a_database_that_is_not_migrated_is_unwell_until_it_is(app, client):
    with app.app_context():
        downgrade(directory=str(FOLDER), revision="base")
    response = client.get("/health/db")
    assert (response.status_code, response.get_json()["error"]["code"]) == (503, "storage_unavailable")
    assert response.headers["Retry-After"]
    with app.app_context():
        migrate_to_head()
        migrate_to_head()
    assert client.get("/health/db").status_code == 200


def test_a_database_that_is_away_is_unwell(app, client, settings, database):
    if database == "sqlite":
        file = settings.instance_path / "earmark.sqlite3"
        with app.app_context():
            db.engine.dispose()
        for path in settings.instance_path.glob("earmark.sqlite3*"):
            path.unlink()
        file.mkdir()
    else:
        from tests.conftest import _drop

        with app.app_context():
            _drop(db.engine.url.database)
    assert client.get("/health/db").status_code == 503
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_keeps_moments_with_their_zone_and_json_as_jsonb(app):
    query = text(
        "select column_name, data_type from information_schema.columns"
        " where table_name = 'feedback_submissions'"
    )
    with app.app_context():
        types = dict(tuple(row) for row in db.session.execute(query))
    assert types["created_at"] == "timestamp with time zone"
    assert types["api_state"] == "jsonb"
    assert types["id"] == "bigint"
