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
