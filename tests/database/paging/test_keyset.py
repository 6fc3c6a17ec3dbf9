from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from app.database.paging import cursors
from app.database.paging.keyset import paginate
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.models import Feedback

START = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = 23


@pytest.fixture
def rows(app, project):
    """Submissions of which many share a moment, so that the id must break ties."""
    with app.app_context():
        with transaction() as session:
            for n in range(COUNT):
                session.add(
                    Feedback(
                        project_id=project.id,
                        category="bug",
                        description=str(n),
                        created_at=START + timedelta(minutes=n // 4),
                    )
                )
        yield


def listing():
    return select(Feedback.id, Feedback.created_at)


def order(descending):
    columns = (Feedback.created_at, Feedback.id)
    return [column.desc() if descending else column.asc() for column in columns]


def walk(forward, limit, descending):
    cursor, pages = None, []
    first = paginate(listing(), order=order(descending), cursor=None, limit=limit)
    if not forward:  # go to the end first
        last = first
        while last.next:
            last = paginate(listing(), order=order(descending), cursor=last.next, limit=limit)
        pages.append(last)
        cursor = last.prev
    else:
        pages.append(first)
        cursor = first.next
    while cursor:
        page = paginate(listing(), order=order(descending), cursor=cursor, limit=limit)
        pages.append(page)
        cursor = page.next if forward else page.prev
    return pages if forward else pages[::-1]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("forward", [True, False])
def test_the_pages_together_are_the_list(rows, forward, descending):
    expected = list(db.session.scalars(select(Feedback.id).order_by(*order(descending))))
    for limit in (*range(1, 12), COUNT, COUNT + 1):
        pages = walk(forward, limit, descending)
        assert [row.id for page in pages for row in page.rows] == expected
        assert pages[0].prev is None
        assert pages[-1].next is None


def test_rows_added_and_removed_between_pages_shift_nothing(rows, project):
    first = paginate(listing(), order=order(True), cursor=None, limit=5)
    with transaction() as session:
        session.add(Feedback(project_id=project.id, category="bug", description="new"))
        session.execute(text("delete from feedback_submissions where id = :id"), {"id": first.rows[4].id})
    second = paginate(listing(), order=order(True), cursor=first.next, limit=5)
    assert not {row.id for row in first.rows} & {row.id for row in second.rows}
    assert second.rows[0].id == first.rows[4].id - 1


def test_an_empty_list_has_one_page(app):
    with app.app_context():
        page = paginate(listing(), order=order(True), cursor=None, limit=5)
    assert (list(page.rows), page.next, page.prev) == ([], None, None)


def refused(cursor, code="cursor_invalid", **other):
    given = {"select": listing(), "order": order(True), "limit": 5} | other
    query = given.pop("select")
    with pytest.raises(ClientError) as caught:
        paginate(query, cursor=cursor, **given)
    assert (caught.value.status, caught.value.code) == (400, code)


def test_a_cursor_belongs_to_its_list_order_and_scope(rows):
    cursor = paginate(listing(), order=order(True), cursor=None, limit=5).next
    refused(cursor, order=order(False))
    refused(cursor, scope="somebody else")
    refused(cursor, select=listing().where(Feedback.category == "bug"))
    assert paginate(listing(), order=order(True), cursor=cursor, limit=7).rows


def test_a_changed_cursor_is_refused(rows):
    cursor = paginate(listing(), order=order(True), cursor=None, limit=5).next
    for place in range(len(cursor)):
        refused(cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :])
        refused(cursor[:place] + cursor[place + 1 :])


@pytest.mark.parametrize("cursor", ["", "x", ".", "a.b.c", "é", "x" * 513, "\0", "null"])
def test_a_cursor_that_is_none_is_refused(rows, cursor):
    refused(cursor)


def test_an_old_cursor_is_refused(rows, monkeypatch):
    cursor = paginate(listing(), order=order(True), cursor=None, limit=5).next
    monkeypatch.setattr(cursors, "CURSOR_SECONDS", -1)
    refused(cursor, "cursor_expired")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_deep_page_is_found_by_an_index(rows):
    page = paginate(listing(), order=order(True), cursor=None, limit=5)
    seen = []
    from sqlalchemy import event

    def remember(_connection, _cursor, statement, parameters, *_):
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", remember)
    paginate(listing(), order=order(True), cursor=page.next, limit=5)
    event.remove(db.engine, "before_cursor_execute", remember)
    statement, parameters = seen[-1]
    plan = db.session.connection().exec_driver_sql("explain query plan " + statement, parameters).all()
    text_of_plan = " ".join(row[3] for row in plan)
    assert "SEARCH" in text_of_plan
    assert "SCAN" not in text_of_plan
    assert "TEMP B-TREE" not in text_of_plan
