"""Transactions: one way to write.

Every write of the program happens inside `transaction()` or `begin_write()`, which take the turn of
the SQLite file and begin IMMEDIATE, so that a write never fails half-way for want of a lock.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from flask import current_app
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.database.engine import WRITE_OPTION, sqlite, turn_of
from app.database.turn import TurnTimeout

# Longer than any write of ours and than SQLite's own busy time-out; after it the caller answers 503.
TURN_TIMEOUT_SECONDS = 8.0


@contextmanager
def transaction() -> Iterator[Session]:
    """Run the body in one write transaction of the request's session; roll back on any exception.

    What the session read before is forgotten first, so the body sees the newest state.
    Raises OperationalError (busy) when the turn is not free in time.
    """
    session = current_session()
    session.rollback()
    with _turn(_engine(session)):
        session.connection(execution_options={WRITE_OPTION: True})
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


@contextmanager
def writing_connection(engine: Engine) -> Iterator[Connection]:
    """Hold a connection whose transactions are write transactions; begin each with `begin_write`."""
    with engine.connect() as pooled:
        yield pooled.execution_options(**{WRITE_OPTION: True})


@contextmanager
def begin_write(connection: Connection) -> Iterator[None]:
    """Run the body in one write transaction of a `writing_connection`, and commit it."""
    with _turn(connection.engine), connection.begin():
        yield


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Hold a connection whose reads all see one moment, whatever is committed meanwhile."""
    # In WAL mode a SQLite transaction reads one moment anyway (sqlite.org/isolation.html).
    wanted = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect() as pooled, pooled.execution_options(**wanted) as connection:
        yield connection


def current_session() -> Session:
    """Return the session of the application at work (Flask-SQLAlchemy's scoped session)."""
    session: Session = current_app.extensions["sqlalchemy"].session()
    return session


def _engine(session: Session) -> Engine:
    bind = session.get_bind()
    return bind.engine if isinstance(bind, Connection) else bind


def _turn(engine: Engine) -> AbstractContextManager[Any]:
    turn = turn_of(engine)
    return nullcontext() if turn is None else _translated(turn.taken(TURN_TIMEOUT_SECONDS))


@contextmanager
def _translated(taken: AbstractContextManager[None]) -> Iterator[None]:
    try:
        with taken:
            yield
    except TurnTimeout:
        busy = sqlite.OperationalError("database is locked")
        busy.sqlite_errorcode = 5  # SQLITE_BUSY
        raise OperationalError("BEGIN IMMEDIATE", None, busy) from None
