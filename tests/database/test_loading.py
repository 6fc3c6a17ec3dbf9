import pytest
from sqlalchemy import event, select

from app.database.loading import load_with
from app.database.transactions import transaction
from app.extensions import db
from tests.database.samples import Author, Book, stored


@pytest.fixture
def statements(app):
    """The statements issued; a library of four authors with three books each stands in the database."""
    with stored(app):
        with transaction() as session:
            session.add_all(Author(id=n, name=str(n)) for n in range(1, 5))
            session.flush()
            session.add_all(Book(id=n, title=str(n), author_id=1 + n % 4) for n in range(12))
        seen = []

        def remember(_connection, _cursor, statement, *_):
            if statement.startswith("SELECT"):
                seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", remember)
        yield seen
        event.remove(db.engine, "before_cursor_execute", remember)


def test_a_collection_is_one_more_statement_for_all_rows(statements):
    authors = db.session.scalars(load_with(select(Author).order_by(Author.id), "books")).all()
    assert [len(author.books) for author in authors] == [3, 3, 3, 3]
    assert len(statements) == 2


def test_a_single_entity_is_a_join(statements):
    books = db.session.scalars(load_with(select(Book), "author")).all()
    assert {book.author.name for book in books} == {"1", "2", "3", "4"}
    assert len(statements) == 1
    assert "JOIN authors" in statements[0]


def test_a_path_goes_from_one_to_the_next(statements):
    authors = db.session.scalars(load_with(select(Author), "books.author")).all()
    assert all(book.author is author for author in authors for book in author.books)
    assert len(statements) == 2


@pytest.mark.parametrize("query", [select(Author), select(Author.id), select(Author.__table__.c.id)])
def test_what_is_no_relationship_is_refused(query):
    with pytest.raises(ValueError, match="relationship"):
        load_with(query, "name")
    with pytest.raises(ValueError, match="relationship"):
        load_with(query, "books.nothing")
