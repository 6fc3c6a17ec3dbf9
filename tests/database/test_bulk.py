import tracemalloc

import pytest
from sqlalchemy import func, select

from app.database.bulk import bulk_insert, bulk_update, in_batches
from app.database.transactions import transaction
from app.extensions import db
from tests.database.paging.test_keyset_orders import rows
from tests.database.samples import Author, Book, stored, things

C = things.c


@pytest.fixture
def stock(app):
    with stored(app, things, rows()):
        yield


def test_rows_come_back_as_they_were_inserted(stock):
    kept = db.session.execute(select(things).order_by(C.id)).mappings().all()
    assert [dict(row) for row in kept] == rows()


def test_more_than_a_batch_is_inserted_from_a_generator(app):
    with stored(app):
        with transaction() as session:
            given = ({"id": n, "word": "x"} for n in range(2_500))
            assert bulk_insert(session.connection(), things, given) == 2_500
        assert db.session.scalar(select(func.count()).select_from(things)) == 2_500


def test_no_row_is_no_statement(stock):
    with transaction() as session:
        assert bulk_insert(session.connection(), things, []) == 0
        assert bulk_update(session.connection(), things, []) == 0


@pytest.mark.parametrize(
    "given",
    [
        [{"id": 90, "word": "a"}, {"id": 91, "word": "b", "rank": 1}],
        [{"id": 90, "word": "a"}, {"id": 91}],
        [{"id": 90, "words": "a"}],
    ],
)
def test_rows_of_other_columns_are_refused(stock, given):
    with pytest.raises(ValueError, match="column"), transaction() as session:
        bulk_insert(session.connection(), things, given)


def test_rows_are_updated_by_their_key(stock):
    with transaction() as session:
        given = [{"id": n, "word": f"new {n}", "rank": None} for n in (1, 2, 999)]
        assert bulk_update(session.connection(), things, given) == 2
    found = db.session.execute(select(C.id, C.word, C.rank).where(C.word.like("new %")).order_by(C.id))
    assert [tuple(row) for row in found] == [(1, "new 1", None), (2, "new 2", None)]


@pytest.mark.parametrize("given", [[{"word": "x"}], [{"id": 1}], [{"id": 1, "no": 2}]])
def test_an_update_without_key_or_value_is_refused(stock, given):
    with pytest.raises(ValueError, match=r"column|row to update"), transaction() as session:
        bulk_update(session.connection(), things, given)


@pytest.mark.parametrize("size", [1, 2, 5, 36, 37, 38])
def test_batches_together_are_the_list(stock, size):
    found = list(in_batches(select(C.id, C.word), size))
    assert [row.id for batch in found for row in batch] == list(range(1, 38))
    assert all(len(batch) == size for batch in found[:-1])
    order = [C.rank.desc().nulls_last(), C.id.asc()]
    expected = db.session.scalars(select(C.id).order_by(*order)).all()
    assert [row.id for batch in in_batches(select(C.id), size, order=order) for row in batch] == expected


def test_batches_of_joined_rows_and_of_nothing(app):
    with stored(app, Author.__table__, [{"id": 1, "name": "a"}]):
        with transaction() as session:
            bulk_insert(
                session.connection(),
                Book.__table__,
                [{"id": n, "title": "t", "author_id": 1} for n in (1, 2, 3)],
            )
        query = select(Author.name, Book.id).join(Author.books)
        assert [len(batch) for batch in in_batches(query, 2)] == [2, 1]
        assert list(in_batches(query.where(Book.id > 9), 2)) == []
        with pytest.raises(ValueError, match="apart"):
            next(in_batches(select(Author.id, C.id), 2))


def test_memory_does_not_grow_with_the_list(app):
    with stored(app):
        with transaction() as session:
            bulk_insert(session.connection(), things, ({"id": n, "word": "x" * 500} for n in range(20_000)))

        def peak(least):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            for _ in in_batches(select(C.id, C.word).where(C.id >= least), 200):
                pass
            return tracemalloc.get_traced_memory()[1] - before

        tracemalloc.start()
        try:
            peak(19_000)  # what is kept for every later run
            assert peak(0) < 2 * peak(19_000)
        finally:
            tracemalloc.stop()
