from sqlalchemy import select

from app.database.among import among
from app.extensions import db
from app.models import Project


def test_it_finds_the_keys_that_are_there(app, project):
    with app.app_context():
        for keys, found in (([project.id, 10**15], [project.id]), ([], []), (range(2_000, 9_000), [])):
            assert list(db.session.scalars(select(Project.id).where(among(Project.id, keys)))) == found


def test_its_text_is_the_same_for_any_number_of_keys(app):
    with app.app_context():
        texts = {
            str(select(Project.id).where(among(Project.id, keys)).compile(db.engine))
            for keys in ([], [1], range(5_000))
        }
    assert len(texts) == 1


def test_it_is_found_by_the_key(app, database):
    with app.app_context(), db.engine.connect() as connection:
        query = select(Project.name).where(among(Project.id, [1, 2])).compile(db.engine)
        if database == "sqlite":
            sql, values = f"explain query plan {query}", ("[1, 2]",)
        else:
            connection.exec_driver_sql("set local enable_seqscan = off")
            sql, values = f"explain {query}", {name: [1, 2] for name in query.params}
        found = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(sql, values))
    assert "SEARCH projects USING INTEGER PRIMARY KEY" in found or "pk_projects" in found, found
