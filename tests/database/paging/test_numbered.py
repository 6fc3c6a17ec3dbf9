import pytest
from sqlalchemy import func, select

from app.database.paging.numbered import capped_count, paginate_numbered
from app.errors import ClientError
from tests.database.samples import stored, things

C = things.c
COUNT = 23


@pytest.fixture
def stock(app):
    with stored(app, things, [{"id": n, "word": "abc"[n % 3]} for n in range(COUNT)]):
        yield


@pytest.mark.parametrize("limit", [1, 5, 22, 23, 24])
def test_the_pages_together_are_the_list(stock, limit):
    first = paginate_numbered(select(C.id), order=[C.id], page=1, limit=limit)
    assert (first.total, first.capped, first.pages) == (COUNT, False, -(-COUNT // limit))
    found = [
        row.id
        for page in range(1, first.pages + 1)
        for row in paginate_numbered(select(C.id), order=[C.id], page=page, limit=limit).rows
    ]
    assert found == list(range(COUNT))
    assert paginate_numbered(select(C.id), order=[C.id], page=first.pages + 1, limit=limit).rows == []


def test_numbers_end_at_the_cap(stock):
    page = paginate_numbered(select(C.id), order=[C.id], page=2, limit=6, cap=10)
    assert ([row.id for row in page.rows], page.total, page.capped, page.pages) == ([6, 7, 8, 9], 10, True, 2)
    assert not paginate_numbered(select(C.id), order=[C.id], page=1, limit=6, cap=COUNT).capped


@pytest.mark.parametrize("page", [0, -1, 3, 10**30])
def test_a_page_beyond_the_cap_is_refused(stock, page):
    with pytest.raises(ClientError) as caught:
        paginate_numbered(select(C.id), order=[C.id], page=page, limit=6, cap=10)
    assert (caught.value.status, caught.value.code) == (400, "page_invalid")


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (select(C.id), 10),
        (select(C.id).where(C.id < 4).order_by(C.word), 4),
        (select(C.word, func.count()).group_by(C.word), 3),
        (select(C.word).distinct(), 3),
        (select(C.id).where(C.id > 99), 0),
    ],
)
def test_a_count_stops_at_its_cap(stock, query, rows):
    assert capped_count(query, 10) == rows
