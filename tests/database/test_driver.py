"""What goes to the driver's own cursor behaves as what goes through SQLAlchemy."""

import pytest
from sqlalchemy import bindparam, event, select, text
from sqlalchemy.exc import OperationalError

from app.database.driver import fetch
from app.database.prepared_select import PreparedSelect
from app.extensions import db
from app.models import Project

BY_NAME = select(Project.id, Project.name, Project.created_at).where(Project.name == bindparam("name"))


def test_rows_are_those_of_sqlalchemy(app, project):
    with app.app_context():
        connection = db.session.connection()
        rows = PreparedSelect(BY_NAME).rows(connection, name=project.name)
        assert [tuple(row) for row in rows] == [
            tuple(row) for row in connection.execute(BY_NAME, {"name": project.name})
        ]
        assert rows[0].created_at == project.created_at
        assert rows[0].created_at.utcoffset().total_seconds() == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_driver_error_is_sqlalchemys(app):
    wrong = "select nothing from nowhere where 1 = ?"
    with app.app_context():
        connection = db.session.connection()
        with pytest.raises(OperationalError) as ours:
            fetch(connection, wrong, (1,))
        with pytest.raises(OperationalError) as theirs:
            connection.exec_driver_sql(wrong, (1,))
        assert str(ours.value) == str(theirs.value)
        assert ours.value.orig.sqlite_errorcode == theirs.value.orig.sqlite_errorcode
        assert connection.execute(text("select 1")).scalar() == 1


def test_who_listens_to_statements_hears_of_each(app, project):
    heard = []
    with app.app_context():
        listen = lambda *told: heard.append(told[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        PreparedSelect(BY_NAME).rows(db.session.connection(), name=project.name)
        event.remove(db.engine, "before_cursor_execute", listen)
        PreparedSelect(BY_NAME).rows(db.session.connection(), name=project.name)
    assert sum("FROM projects" in statement for statement in heard) == 1


def test_the_tracker_counts_what_the_driver_runs(app, project, assert_statements):
    with app.app_context(), assert_statements(1):
        PreparedSelect(BY_NAME).rows(db.session.connection(), name=project.name)
