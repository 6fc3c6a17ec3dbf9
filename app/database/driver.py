"""The driver's own cursor, for the few statements of every request.

What SQLAlchemy does around a statement (execution context, result, its metadata) takes several times as long
as SQLite takes for a row by its key.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def fetch(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """Run a statement and return its rows, as the driver gives them; none for one that returns no rows.

    Raises DBAPIError as SQLAlchemy does. Where somebody listens to the statements, SQLAlchemy runs it.
    """
    if connection.dispatch.before_cursor_execute:
        result = connection.exec_driver_sql(sql, tuple(parameters))
        return list(result.all()) if result.returns_rows else []
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
    except Exception as error:
        base = connection.dialect.loaded_dbapi.Error
        if not isinstance(error, base):
            raise
        raise DBAPIError.instance(sql, parameters, error, base, dialect=connection.dialect) from error
    finally:
        cursor.close()
