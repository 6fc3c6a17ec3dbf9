"""Page-cache hits: counted by SQLite, for every connection that goes back to the pool."""

import sqlite3
import threading

import pytest
from sqlalchemy import create_engine

from app.database.engine import engine_options, prepare
from app.database.gauges.page_cache import CacheHits, cache_hits, page_cache_of, watch_page_cache

PAGES = 300


@pytest.fixture(params=["ours", "standard"])
def engine(tmp_path, request):
    url = f"sqlite:///{tmp_path / 'pages.sqlite3'}"
    options = engine_options(url) | ({"module": sqlite3} if request.param == "standard" else {})
    engine = create_engine(url, **options)
    prepare(engine)
    watch_page_cache(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("create table pages (body text)")
        connection.exec_driver_sql(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) "
            "insert into pages select hex(zeroblob(2000)) from n",
            (PAGES,),
        )
        connection.commit()
    engine.dispose()
    yield engine
    engine.dispose()


def read(engine):
    with engine.connect() as connection:
        connection.exec_driver_sql("select sum(length(body)) from pages").scalar()


def counted(engine, work):
    before = page_cache_of(engine).figures()
    work(engine)
    after = page_cache_of(engine).figures()
    return after.hits - before.hits, after.misses - before.misses


def test_the_first_read_misses_and_the_second_hits(engine):
    hits, misses = counted(engine, read)
    assert misses >= PAGES
    again_hits, again_misses = counted(engine, read)
    assert again_hits >= PAGES > hits
    assert again_misses < 5
    figures = page_cache_of(engine).figures()
    assert figures.share == pytest.approx(figures.hits / (figures.hits + figures.misses))


def test_connections_of_many_threads_are_added(engine):
    def work(engine):
        threads = [threading.Thread(target=read, args=(engine,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    hits, misses = counted(engine, work)
    assert misses >= PAGES
    assert hits + misses >= 8 * PAGES


@pytest.mark.parametrize("invalidated", [True, False])
def test_a_connection_that_somebody_closed_is_not_asked(engine, invalidated):
    # Without a reset the pool takes the closed connection back unseen.
    other = create_engine(
        engine.url, **engine_options(str(engine.url)), pool_reset_on_return=None, isolation_level="AUTOCOMMIT"
    )
    watch_page_cache(other)
    connection = other.connect()
    connection.exec_driver_sql("select count(*) from pages").scalar()
    connection.rollback()
    connection.connection.driver_connection.close()
    if invalidated:
        connection.invalidate()
    connection.close()
    assert page_cache_of(other).figures() == CacheHits(0, 0, None)
    other.dispose()


def test_another_engine_on_the_same_file_has_its_own_count(engine):
    other = create_engine(engine.url, **engine_options(str(engine.url)))
    watch_page_cache(other)
    read(engine)
    assert page_cache_of(other).figures() == CacheHits(0, 0, None)
    read(other)
    assert page_cache_of(other).figures().misses >= PAGES
    other.dispose()


def test_watching_twice_counts_once(engine):
    cache = page_cache_of(engine)
    watch_page_cache(engine)
    assert page_cache_of(engine) is cache
    assert counted(engine, read)[1] < 2 * PAGES


def test_what_is_no_sqlite_has_no_such_count():
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1/nothing")
    watch_page_cache(engine)
    assert page_cache_of(engine) is None


def test_the_share_of_no_reads_is_unknown():
    assert cache_hits(0, 0).share is None
    assert cache_hits(3, 1).share == 0.75
