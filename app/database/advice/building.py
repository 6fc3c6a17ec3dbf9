"""Building an index that was advised, beside the program's own work as far as the database lets it."""

import re
from contextlib import suppress

from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError

from app.database.advice.candidates import Candidate
from app.database.plans.catalog import Catalog, read_catalog
from app.database.tracking.scope import ignored
from app.database.transactions import begin_write, writing_connection
from app.errors import ClientError

_NAME = r'(?:"(?:[^"]|"")+"|\w+)'
_DDL = re.compile(
    rf"create index (?:concurrently )?{_NAME} on (?P<table>{_NAME})"
    rf" \((?P<columns>{_NAME}(?: desc)?(?:, {_NAME}(?: desc)?)*)\)(?P<partial> where {_NAME} is not null)?"
)


def building_ddl(candidate: Candidate, dialect: Dialect) -> str:
    """Return the statement that builds an index on this database."""
    how = "create index" if dialect.name == "sqlite" else "create index concurrently"
    return candidate.ddl(dialect.identifier_preparer.quote, how)


def build_index(engine: Engine, ddl: str) -> None:
    """Build an advised index; `ddl` is `IndexAdvice.ddl`, to the letter.

    Runs only what advice on these tables could have said: anything else is ClientError 422
    `index_not_advised`, an index that is there is 409 `index_exists`. On SQLite writers wait until it is
    built, about a second for a million rows; on PostgreSQL it is built beside them.
    """
    with ignored():
        with engine.connect() as connection:
            catalog = read_catalog(connection)
        candidate = _read(ddl, catalog)
        if candidate is None or building_ddl(candidate, engine.dialect) != ddl:
            raise ClientError(422, "index_not_advised", "Only an index that the advice offers is built.")
        if candidate.name in {index.name for table in catalog.values() for index in table.indexes}:
            raise ClientError(409, "index_exists", "There is an index of that name already.")
        build = _build_sqlite if engine.dialect.name == "sqlite" else _build_postgresql
        build(engine, candidate)


def _read(ddl: str, catalog: Catalog) -> Candidate | None:
    found = _DDL.fullmatch(ddl)
    if found is None or _plain(found["table"]) not in catalog:
        return None
    table = catalog[_plain(found["table"])]
    columns = tuple(
        (_plain(part.removesuffix(" desc")), part.endswith(" desc"))
        for part in re.findall(rf"{_NAME}(?: desc)?", found["columns"])
    )
    if not {name for name, _ in columns} <= set(table.columns):
        return None
    return Candidate(table.name, columns, not_null=bool(found["partial"]))


def _build_sqlite(engine: Engine, candidate: Candidate) -> None:
    quote = engine.dialect.identifier_preparer.quote
    with writing_connection(engine) as connection, begin_write(connection):
        connection.exec_driver_sql(building_ddl(candidate, engine.dialect))
        analysed = connection.exec_driver_sql(
            "select 1 from sqlite_schema where name = 'sqlite_stat1'"
        ).first()
        # Where the table has statistics the planner needs the new index's too.
        if analysed and _is_analysed(connection, candidate.table):
            connection.exec_driver_sql(f"analyze {quote(candidate.name)}")


def _is_analysed(connection: Connection, table: str) -> bool:
    found = connection.exec_driver_sql("select 1 from sqlite_stat1 where tbl = ?", (table,))
    return found.first() is not None


def _build_postgresql(engine: Engine, candidate: Candidate) -> None:
    name = engine.dialect.identifier_preparer.quote(candidate.name)
    with engine.connect() as pooled:
        connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.exec_driver_sql(building_ddl(candidate, engine.dialect))
        except DBAPIError:
            # What a build that failed leaves behind is written to and never read.
            with suppress(DBAPIError):
                connection.exec_driver_sql(f"drop index concurrently if exists {name}")
            raise


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
