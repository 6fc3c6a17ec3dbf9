"""Finding submissions by their words, whether they are indexed, waiting to be, changed, or gone."""

import threading

import pytest
from sqlalchemy import func, select

from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, search
from app.models.inbox_filter import InboxFilter
from app.models.intake import submit
from app.models.query import QueryContext, parse
from app.models.removal import remove
from app.models.search.finding import page_of_matches, text_of
from app.models.search.keeping import state, touched
from app.models.search.led import RANKED
from tests.models.test_intake import NOW, submission

TEXTS = {
    "bag": "The basket is empty, add to BASKET does nothing",
    "size": "Größe falsch, bitte prüfen",
    "tower": "東京タワーの写真が見えない",
    "korea": "한국어 검색이 안 됩니다",
    "name": "مُحَمَّد لا يعمل الزر",
    "love": "love it ❤️",
    "code": "C++ says 'x' AND \"y\" NOT (z) OR NEAR/2 a*",
}


@pytest.fixture
def sent(app, project):
    with app.app_context():
        for text in TEXTS.values():
            submit(submission(project, description=text))
        yield project


def page(text, *, sort="newest", cursor=None, limit=50, **wanted):
    query = parse(text)
    chosen = InboxFilter(query=query, context=QueryContext(NOW), sort=sort, **wanted)
    found = text_of(query)
    assert found is not None
    result = page_of_matches(
        db.session(), chosen, found, columns=[Feedback.description], cursor=cursor, limit=limit, scope="test"
    )
    db.session.rollback()
    return result


def names(text, **wanted):
    keys = {value: key for key, value in TEXTS.items()}
    return [keys.get(row.description, row.description) for row in page(text, **wanted).rows]


def by_condition(text):
    query = parse(text)
    wanted = InboxFilter(query=query, context=QueryContext(NOW))
    rows = db.session.scalars(
        select(Feedback.description).where(*wanted.conditions()).order_by(Feedback.id.desc())
    )
    keys = {value: key for key, value in TEXTS.items()}
    found = [keys[row] for row in rows]
    db.session.rollback()
    return found


def index_all():
    while search.index_some(3):
        pass


FOUND = {
    "basket": ["bag"],
    "BASKET": ["bag"],
    "bask*": ["bag"],
    '"add to basket"': ["bag"],
    '"to add"': [],
    "basket size": [],
    "basket OR bitte": ["size", "bag"],
    "(basket OR bitte) -falsch": ["bag"],
    "größe": ["size"],
    "東京": ["tower"],
    "京タワ": ["tower"],
    "真": ["tower"],
    "東写": [],
    "검색": ["korea"],
    "❤": ["love"],
    '"NOT (z) OR"': ["code"],
    "near": ["code"],
    "url:*cart*": [],
}


def test_a_submission_is_found_the_moment_it_is_acknowledged(sent):
    assert {text: names(text) for text in FOUND} == FOUND
    assert {text: by_condition(text) for text in FOUND} == FOUND


def test_and_the_same_once_it_is_indexed(sent):
    index_all()
    assert db.session.scalar(select(state.c.indexed_to)) == db.session.scalar(select(func.max(Feedback.id)))
    assert {text: names(text) for text in FOUND} == FOUND
    assert {text: by_condition(text) for text in FOUND} == FOUND
    # Without accents and points, as SQLite finds it directly too.
    assert [names("grosse"), names("محمد"), names("GRÖSSE")] == [["size"], ["name"], ["size"]]


def test_hostile_texts_are_found_or_not_but_never_fail(sent):
    index_all()
    for text in (
        '"',
        "'; drop table x --",
        "a AND",
        "NEAR(a b)",
        "^a",
        "{x}: y",
        "a + b",
        "\\",
        "%_",
        "x:*y",
        "\u202ea",
    ):
        quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + 'q"'
        assert names(quoted) == []


def test_changed_texts_are_found_anew_and_no_longer_as_before(sent):
    index_all()
    with transaction() as session:
        found = session.scalar(select(Feedback).where(Feedback.description == TEXTS["bag"]))
        found.change(session, NOW, admin_notes="voucher twice")
    index_all()
    assert names("voucher") == ["bag"]
    with transaction() as session:
        session.scalar(select(Feedback).where(Feedback.description == TEXTS["bag"])).change(
            session, NOW, admin_notes=""
        )
    index_all()
    assert names("voucher") == []
    assert db.session.scalar(select(func.count()).select_from(touched)) == 0


def test_what_is_removed_is_forgotten_and_its_number_found_anew(sent):
    index_all()
    with transaction() as session:
        last = session.scalar(select(func.max(Feedback.id)))
        remove(session, [last])
    assert names("near") == []
    submit(submission(sent, description=TEXTS["bag"]))  # SQLite gives it the same number
    assert names("basket") == ["bag", "bag"]
    index_all()
    assert names("basket") == ["bag", "bag"]
    assert names("near") == []


def test_several_processes_index_at_once(sent, make_app):
    other = make_app()
    for number in range(40):
        submit(submission(sent, description=f"word{number} basket"))

    def work():
        with other.app_context():
            search.catch_up(20)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    index_all()
    assert len(page("basket").rows) == 41
    assert len(page("word17").rows) == 1


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_pages_lead_through_everything_forwards_and_back(sent, sort):
    for number in range(20):
        submit(submission(sent, description=f"voucher {number}"))
        if number == 14:
            index_all()  # five wait to be indexed
    forward, cursor, seen = [], None, []
    while True:
        found = page("voucher", sort=sort, cursor=cursor, limit=6)
        seen.append([row.description for row in found.rows])
        forward += seen[-1]
        if found.next is None:
            break
        cursor = found.next
    expected = [f"voucher {number}" for number in range(20)]
    assert forward == (expected if sort == "oldest" else expected[::-1])
    back = page("voucher", sort=sort, cursor=found.prev, limit=6)
    assert [row.description for row in back.rows] == seen[-2]


def test_relevance_puts_what_says_it_more_often_first_and_pages(sent):
    for number in range(8):
        submit(
            submission(
                sent, description="voucher " * (1 + number % 4) + "and other words " * (4 - number % 4)
            )
        )
    index_all()
    first = page("voucher", sort="relevance", limit=5)
    counts = [row.description.count("voucher") for row in first.rows]
    assert counts == [4, 4, 3, 3, 2]
    assert RANKED >= 1_000
    second = page("voucher", sort="relevance", limit=5, cursor=first.next)
    assert [row.description.count("voucher") for row in second.rows] == [2, 1, 1]
    assert second.next is None
    assert [row.id for row in page("voucher", sort="relevance", limit=5, cursor=second.prev).rows] == [
        row.id for row in first.rows
    ]


def test_a_page_of_matches_is_one_statement(sent, assert_statements):
    index_all()
    page("basket")
    with assert_statements(1):
        page("basket", status="open")
