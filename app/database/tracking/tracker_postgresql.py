"""Query tracking on psycopg: the same timed cursors, and the time budget as `statement_timeout`."""

from typing import Any

import psycopg
from sqlalchemy import Engine, event

from app.database.tracking.scope import current_scope
from app.database.tracking.timed import timed_connection, timed_cursor
from app.database.tracking.tracker import Tracker

_BUDGET = "earmark_budget_ms"


def track_postgresql(engine: Engine, tracker: Tracker) -> None:
    """Time every statement of an engine from its next connection on."""
    connection_class = timed_connection(psycopg.Connection, tracker.take)
    cursor_class = timed_cursor(psycopg.Cursor, tracker.take)
    server_cursor_class = timed_cursor(psycopg.ServerCursor, tracker.take)

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> Any:
        return connection_class.connect(*arguments, **options)

    @event.listens_for(engine, "connect")  # after SQLAlchemy's own questions to a new connection
    def _prepare(connection: Any, _record: Any) -> None:
        connection.cursor_factory = cursor_class
        connection.server_cursor_factory = server_cursor_class
        tracker.watch(connection)

    event.listen(engine, "checkout", _set_budget)


def _set_budget(connection: Any, record: Any, _proxy: Any) -> None:
    """Tell the server the time budget of whoever takes the connection, where it is another than before."""
    scope = current_scope()
    budget_ms = int(1000 * scope.budget_seconds) if scope else 0
    if record.info.get(_BUDGET, 0) == budget_ms:
        return
    cursor = psycopg.Cursor(connection)
    cursor.execute("select set_config('statement_timeout', %s, false)", [str(budget_ms)])
    cursor.close()
    psycopg.Connection.commit(connection)
    record.info[_BUDGET] = budget_ms
