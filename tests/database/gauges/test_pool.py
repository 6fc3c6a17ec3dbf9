"""The pool: what is in use, its health, and the waits for a connection."""

import threading

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from app.database.engine import engine_options
from app.database.gauges.pool import WatchedPool, health_score, pool_gauges
from app.database.gauges.waits import Waits


@pytest.fixture
def make_engine(settings):
    made = []

    def make(**options):
        url = settings.sqlalchemy_url
        made.append(create_engine(url, **{**engine_options(url), "poolclass": WatchedPool, **options}))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()


@pytest.mark.parametrize(
    ("use", "score"),
    [
        (0.0, 100), (0.25, 100), (0.5, 100), (0.5001, 80), (0.6, 70), (0.65, 65), (0.8, 50),
        (0.9, 25), (0.96, 10), (1.0, 0), (1.2, 0),
    ],
)  # fmt: skip
def test_health_by_the_part_in_use(use, score):
    assert health_score(use) == score


def test_health_never_rises_with_use():
    scores = [health_score(use / 1000) for use in range(1001)]
    assert scores == sorted(scores, reverse=True)


def test_what_is_in_use_and_what_idles(make_engine):
    engine = make_engine(pool_size=2, max_overflow=2, pool_timeout=3)
    empty = pool_gauges(engine)
    assert (empty.size, empty.max_overflow, empty.timeout_s, empty.capacity) == (2, 2, 3, 4)
    assert (empty.checked_out, empty.idle, empty.overflow, empty.use) == (0, 0, 0, 0)
    connections = [engine.connect() for _ in range(3)]
    busy = pool_gauges(engine)
    assert (busy.checked_out, busy.idle, busy.overflow, busy.use) == (3, 0, 1, 0.75)
    assert busy.health_score == 55
    for connection in connections:
        connection.close()
    after = pool_gauges(engine)
    assert (after.checked_out, after.idle, after.overflow, after.health_score) == (0, 2, 0, 100)
    assert after.waits == Waits()


def test_a_pool_without_a_limit_is_measured_by_its_size(make_engine):
    engine = make_engine(pool_size=2, max_overflow=-1)
    with engine.connect():
        found = pool_gauges(engine)
    assert (found.capacity, found.use) == (None, 0.5)


def test_a_wait_for_a_connection_is_counted(make_engine):
    engine = make_engine(pool_size=1, max_overflow=0)

    def use():
        engine.connect().close()

    with engine.connect():
        waiter = threading.Thread(target=use)
        waiter.start()
        waiter.join(0.05)
        assert waiter.is_alive()
    waiter.join()
    waits = pool_gauges(engine).waits
    assert (waits.count, waits.failed) == (1, 0)
    assert 30 < waits.longest_ms < 10_000
    use()
    assert pool_gauges(engine).waits.count == 1


def test_a_wait_in_vain_is_counted_and_raised(make_engine):
    engine = make_engine(pool_size=1, max_overflow=0, pool_timeout=0.02)
    with engine.connect():
        with pytest.raises(PoolTimeout):
            engine.connect()
    waits = pool_gauges(engine).waits
    assert (waits.count, waits.failed) == (1, 1)


def test_the_count_goes_on_when_the_connections_are_thrown_away(make_engine):
    engine = make_engine(pool_size=1, max_overflow=0, pool_timeout=0.02)
    with engine.connect():
        with pytest.raises(PoolTimeout):
            engine.connect()
    engine.dispose()
    assert pool_gauges(engine).waits.count == 1
    with engine.connect():
        with pytest.raises(PoolTimeout):
            engine.connect()
    assert pool_gauges(engine).waits.count == 2


def test_a_pool_without_a_size_cannot_be_measured(settings):
    engine = create_engine(settings.sqlalchemy_url, poolclass=NullPool)
    with pytest.raises(TypeError, match="NullPool"):
        pool_gauges(engine)
