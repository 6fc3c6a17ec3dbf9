import threading
import time

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.database.group_commit import GroupCommit, WriteTimeout
from app.database.transactions import turn_of
from app.extensions import db


@pytest.fixture
def table(app):
    with app.app_context():
        with db.engine.connect() as connection, connection.begin():
            connection.execute(text("create table things (n integer primary key)"))
        yield db.engine


@pytest.fixture
def make():
    """Make group commits that are closed with the test."""
    made = []

    def make_one(engine, write):
        made.append(GroupCommit(lambda: engine, write))
        return made[-1]

    yield make_one
    for group in made:
        group.close()


class Writer:
    """Writes numbers and remembers how they were grouped."""

    def __init__(self):
        self.batches = []

    def __call__(self, connection, items):
        self.batches.append(list(items))
        if "boom" in items:
            raise RuntimeError("boom")
        results = []
        for item in items:
            if item == "refused":
                results.append(ValueError("refused"))
                continue
            connection.execute(text("insert into things values (:n)"), {"n": item})
            results.append(item * 2)
        return results


def kept(engine):
    with engine.connect() as connection:
        return list(connection.scalars(text("select n from things order by n")))


def submit_all(group, items):
    answers = {}

    def one(place, item):
        try:
            answers[place] = group.submit(item, 10)
        except Exception as error:
            answers[place] = error

    threads = [threading.Thread(target=one, args=entry) for entry in enumerate(items)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[place] for place in range(len(items))]


def test_an_answer_comes_after_the_commit(table, make):
    group = make(table, Writer())
    assert group.submit(21, 10) == 42
    assert kept(table) == [21]


def test_what_arrives_together_shares_a_transaction(table, make):
    writer = Writer()

    def slow(connection, items):
        time.sleep(0.05)
        return writer(connection, items)

    group = make(table, slow)
    assert submit_all(group, range(40)) == [2 * n for n in range(40)]
    assert kept(table) == list(range(40))
    assert len(writer.batches) <= 4


def test_an_item_that_is_refused_does_not_spoil_the_others(table, make):
    group = make(table, Writer())
    answers = submit_all(group, [1, "refused", 2])
    assert answers[0] == 2
    assert isinstance(answers[1], ValueError)
    assert kept(table) == [1, 2]


def test_an_item_that_breaks_the_batch_is_the_only_one_that_fails(table, make):
    writer = Writer()

    def slow(connection, items):
        time.sleep(0.02)
        return writer(connection, items)

    group = make(table, slow)
    answers = submit_all(group, [1, 2, 2, "boom", 3])
    assert sum(isinstance(answer, IntegrityError) for answer in answers) == 1
    assert isinstance(answers[3], RuntimeError)
    assert kept(table) == [1, 2, 3]


def test_a_write_that_was_not_begun_in_time_is_withdrawn(table, make):
    release = threading.Event()
    writer = Writer()

    def held(connection, items):
        release.wait(5)
        return writer(connection, items)

    group = make(table, held)
    first = threading.Thread(target=group.submit, args=(1, 10))
    first.start()
    time.sleep(0.05)
    with pytest.raises(WriteTimeout):
        group.submit(2, 0.05)
    release.set()
    first.join()
    assert group.submit(3, 10) == 6
    assert kept(table) == [1, 3]


def test_an_idle_writer_ends_and_another_begins(table, make, monkeypatch):
    monkeypatch.setattr("app.database.group_commit.IDLE_SECONDS", 0.01)
    group = make(table, Writer())
    group.submit(1, 10)
    thread = group._thread
    if thread is not None:
        thread.join(5)
        assert not thread.is_alive()
    assert group.submit(2, 10) == 4


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_busy_file_fails_every_waiting_item_and_keeps_none(table, make, monkeypatch):
    monkeypatch.setattr("app.database.transactions.TURN_TIMEOUT_SECONDS", 0.05)
    group = make(table, Writer())
    with turn_of(table).taken(1):
        answers = submit_all(group, [1, 2])
    assert all("locked" in str(answer) for answer in answers)
    assert kept(table) == []


def test_it_can_be_closed_and_used_again(table, make):
    group = make(table, Writer())
    group.close()
    assert group.submit(1, 10) == 2
    group.close()
    assert group._thread is None or not group._thread.is_alive()
    assert group.submit(2, 10) == 4


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_without_a_connection_all_who_wait_are_told(table, make):
    nowhere = create_engine("postgresql+psycopg://postgres@127.0.0.1:1/none")
    group = make(nowhere, Writer())
    answers = submit_all(group, [1, 2, 3])
    assert all(isinstance(answer, OperationalError) for answer in answers)
