"""The index gives back the room of what was deleted when it is told to, and not before."""

from sqlalchemy import text

from app.database.search.index import TextIndex, indexed
from app.database.transactions import begin_write, writing_connection
from app.extensions import db

INDEX = TextIndex("tried_index")
ROWS, BATCH = 3_000, 100


def blocks(connection):
    return connection.scalar(text("select coalesce(sum(length(block)), 0) from tried_index_data"))


def found(connection):
    if db.engine.dialect.name == "postgresql":
        return connection.scalar(text("select count(*) from tried_index where words @@ 'basket'::tsquery"))
    return connection.scalar(text("select count(*) from tried_index where tried_index match 'basket'"))


def test_what_is_deleted_goes_by_merging_and_the_rest_is_found(app):
    with app.app_context(), writing_connection(db.engine) as connection:
        with begin_write(connection):
            INDEX.create(connection)
            INDEX.defer_merging(connection)
        for first in range(1, ROWS, BATCH):
            rows = [
                (key, indexed([f"basket number {key} and {key * 7919} more"], {}))
                for key in range(first, first + BATCH)
            ]
            with begin_write(connection):
                INDEX.put(connection, rows)
        is_sqlite = db.engine.dialect.name == "sqlite"
        full = blocks(connection) if is_sqlite else 0
        connection.rollback()
        with begin_write(connection):
            INDEX.forget(connection, range(1, ROWS - BATCH + 1))
        assert found(connection) == BATCH
        if is_sqlite:
            told = connection.scalar(text("select v from tried_index_config where k = 'deletemerge'"))
            assert told == 0, "a deletion merges nothing"
        connection.rollback()
        steps = 0
        while True:
            with begin_write(connection):
                if not INDEX.merge_deleted(connection, 16):
                    break
            steps += 1
            assert steps < ROWS
        assert found(connection) == BATCH
        assert bool(steps) is is_sqlite
        if is_sqlite:
            assert blocks(connection) < full / 5
            connection.execute(text("insert into tried_index (tried_index) values ('integrity-check')"))
        connection.rollback()
