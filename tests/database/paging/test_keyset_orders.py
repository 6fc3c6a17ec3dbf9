import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import sqlakeyset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from app.database.loading import load_with
from app.database.paging.keyset import paginate
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Project
from tests.database.samples import Author, Book, stored, things

COUNT = 37
C = things.c
START = datetime(2026, 1, 1, tzinfo=UTC)


def rows():
    """Rows of which every column but the id repeats, and is NULL now and then."""
    pick = random.Random(7)

    def maybe(value):
        return None if pick.random() < 0.25 else value

    return [
        {
            "id": n,
            "word": pick.choice("abc"),
            "rank": maybe(pick.randrange(4)),
            "score": maybe(pick.choice([0.1, 1 / 3, 1e300, -2.5])),
            "price": maybe(Decimal(pick.choice(["0.10", "12345678.91", "-3.00"]))),
            "flag": maybe(pick.random() < 0.5),
            "seen_at": maybe(START + timedelta(microseconds=pick.randrange(3))),
            "noted_at": maybe(datetime(2026, 1, 1) + timedelta(days=pick.randrange(3))),
            "token": maybe(UUID(int=pick.randrange(3))),
            "raw": maybe(bytes([pick.randrange(3), 0, 255])),
            "kind": maybe(pick.choice(["red", "green", "blue"])),
        }
        for n in range(1, COUNT + 1)
    ]


@pytest.fixture
def stock(app):
    with stored(app, things, rows()):
        yield


def pages(query, order, limit, forward=True):
    page = paginate(query, order=order, cursor=None, limit=limit)
    found = [page]
    while page.next:
        page = paginate(query, order=order, cursor=page.next, limit=limit)
        found.append(page)
    if forward:
        return found
    found = [page]
    while page.prev:
        page = paginate(query, order=order, cursor=page.prev, limit=limit)
        found.insert(0, page)
    return found


def check(query, order, limits=range(1, 12)):
    expected = list(map(tuple, db.session.execute(query.order_by(*order))))
    assert expected
    for limit in limits:
        for forward in (True, False):
            found = pages(query, order, limit, forward)
            assert [tuple(row) for page in found for row in page.rows] == expected, (limit, forward)
            assert (found[0].prev if forward else found[-1].next) is None


ORDERS = {
    "one way": [C.word.desc(), C.id.desc()],
    "two ways": [C.word.desc(), C.id.asc()],
    "three ways": [C.word.asc(), C.rank.desc(), C.id.asc()],
    "nulls where the database puts them": [C.rank.asc(), C.id.asc()],
    "nulls first": [C.rank.asc().nulls_first(), C.id.asc()],
    "nulls last": [C.rank.desc().nulls_last(), C.id.desc()],
    "nulls within ties": [C.word.asc(), C.rank.asc().nulls_last(), C.id.desc()],
    "nulls twice": [C.rank.desc().nulls_first(), C.score.asc().nulls_last(), C.id.asc()],
    "expression": [func.coalesce(C.rank, 9).label("place").desc(), C.id.asc()],
    "expression that is NULL": [(C.rank * 2).desc(), C.id.desc()],
    "plain column": [C.id],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
def test_pages_of_every_size_are_the_list_both_ways(stock, order):
    check(select(C.id, C.word), order)


@pytest.mark.parametrize("name", ["score", "price", "flag", "seen_at", "noted_at", "token", "raw", "kind"])
def test_values_of_every_type_come_back_exactly(stock, name):
    for order in ([C[name].desc(), C.id.desc()], [C[name].asc().nulls_last(), C.id.desc()]):
        check(select(things), order, [1, 4])


def test_a_filter_with_a_list_and_an_expression_is_paged(stock):
    for words in (["a"], ["a", "b"], ["c", "b", "a"]):
        query = select(C.id, func.upper(C.word).label("large")).where(C.word.in_(words), C.id > 3)
        check(query, [func.substr(C.word, 1, len(words)).desc(), C.id.asc()], [2, 5])


def test_the_same_select_with_other_values_reads_other_rows(stock):
    for least in (1, 10, 30):
        page = paginate(select(C.id).where(C.id >= least), order=[C.id.asc()], cursor=None, limit=3)
        assert [row.id for row in page.rows] == [least, least + 1, least + 2]


def test_groups_are_paged_by_their_sums(stock):
    total = func.count().label("total")
    check(select(C.word, total).group_by(C.word), [total.desc(), C.word.asc()], [1, 2])


def test_distinct_rows_are_paged(stock):
    check(select(C.id, C.word).distinct(), [C.word.asc(), C.id.desc()], [4])


@pytest.fixture
def library(app):
    with stored(app):
        with transaction() as session:
            session.add_all(Author(id=n, name=f"author {n % 2}") for n in range(1, 6))
            session.flush()
            session.add_all(Book(id=n, title=f"title {n % 3}", author_id=n % 6 or None) for n in range(1, 24))
        yield


def test_joined_rows_are_paged_by_a_column_of_the_other_table(library):
    inner = select(Book.id, Author.name).join(Book.author)
    check(inner, [Author.name.desc(), Book.id.asc()], [1, 4])
    outer = select(Book.title, Author.id).outerjoin(Book.author)
    check(outer, [Author.id.asc().nulls_first(), Book.id.asc()], [1, 4])
    many = select(Author.name, Book.title).join(Author.books)
    check(many, [Author.name.asc(), Book.id.desc()], [1, 4])


def test_entities_are_paged_with_what_is_loaded_with_them(library):
    query = load_with(select(Author), "books")
    check(query, [Author.name.desc(), Author.id.asc()], [1, 2])
    page = paginate(query, order=[Author.id.asc()], cursor=None, limit=2)
    assert [(row.Author.id, len(row[0].books)) for row in page.rows] == [(1, 4), (2, 4)]
    check(load_with(select(Book, Author.name).outerjoin(Book.author), "author"), [Book.id.desc()], [5])


NOT_PAGED = {
    "ends in no key": lambda: (select(Book.id), [Book.title.asc()]),
    "multiplied by a join": lambda: (select(Author.id).join(Author.books), [Author.id.asc()]),
    "of two tables without a join": lambda: (select(Author.id, C.id), [Author.id.asc()]),
    "ends in a key that may be left out": lambda: (select(Book.id).outerjoin(Book.author), [Author.id.asc()]),
    "has an order of its own": lambda: (select(Book.id).order_by(Book.id), [Book.id.asc()]),
    "has a limit of its own": lambda: (select(Book.id).limit(5), [Book.id.asc()]),
    "has no order": lambda: (select(Book.id), []),
    "is ordered by a name": lambda: (select(Book.id), ["id"]),
}


@pytest.mark.parametrize("case", NOT_PAGED.values(), ids=NOT_PAGED.keys())
def test_what_cannot_be_paged_is_an_error_at_the_call(library, case):
    query, order = case()
    with pytest.raises(ValueError, match=r"page|order|rows"):
        paginate(query, order=order, cursor=None, limit=5)


def test_a_list_of_the_inbox_keeps_its_shape(app, project):
    with app.app_context():
        with transaction() as session:
            session.add(Feedback(project_id=project.id, category="bug", description="one"))
        query = select(Feedback.id, Project.name).join(Feedback.project)
        page = paginate(query, order=[Feedback.created_at.desc(), Feedback.id.desc()], cursor=None, limit=5)
        assert list(page.rows[0]._mapping) == list(db.session.execute(query).keys())
        assert page.rows[0].name == page.rows[0][1] == "Shop"


def test_rows_added_and_removed_shift_nothing_in_a_mixed_order(stock):
    order = [C.rank.desc().nulls_last(), C.id.asc()]
    whole = [row.id for row in db.session.execute(select(C.id).order_by(*order))]
    first = paginate(select(C.id), order=order, cursor=None, limit=9)
    with transaction() as session:
        session.execute(delete(things).where(C.id == whole[8]))
        session.execute(things.insert(), [{"id": 100 + n, "word": "z", "rank": 9} for n in range(5)])
    second = paginate(select(C.id), order=order, cursor=first.next, limit=50)
    assert [row.id for row in second.rows] == whole[9:]


def test_a_page_sees_what_the_session_has_not_written_yet(library):
    db.session.add(Author(id=90, name="new"))
    page = paginate(select(Author.id), order=[Author.id.desc()], cursor=None, limit=1)
    assert page.rows[0].id == 90
    db.session.rollback()


@pytest.mark.filterwarnings("ignore:Ordering by nullable")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ways=st.lists(st.sampled_from(["asc", "desc"]), min_size=3, max_size=3),
    limit=st.integers(1, 15),
    least=st.integers(0, COUNT),
)
def test_pages_agree_with_sqlakeyset(stock, ways, limit, least):
    columns = [C.word, func.length(C.word), C.id]
    order = [getattr(column, way)() for column, way in zip(columns, ways, strict=True)]
    query = select(C.id, C.word).where(C.id > least)
    theirs = sqlakeyset.select_page(db.session(), query.order_by(*order), per_page=limit)
    ours = paginate(query, order=order, cursor=None, limit=limit)
    while True:
        assert list(map(tuple, ours.rows)) == list(map(tuple, theirs))
        assert (ours.next is not None) == theirs.paging.has_next
        if ours.next is None:
            return
        ours = paginate(query, order=order, cursor=ours.next, limit=limit)
        marker = theirs.paging.bookmark_next
        theirs = sqlakeyset.select_page(db.session(), query.order_by(*order), per_page=limit, page=marker)
