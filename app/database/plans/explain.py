"""Plans: what the planner will do with a statement, as a tree with findings; the statement is never run.

`explain` is for statements of the program itself, whose text is trusted and whose values are unknown.
`explain_untrusted` is for what a person typed: preparing a stranger's SQL is not harmless
(`app/database/plans/child.py`), so it happens where it can do nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, Engine

from app.database.engine import sqlite
from app.database.plans import postgresql as plans_postgresql
from app.database.plans import sandbox as plan_sandbox
from app.database.plans import tree_postgresql as plan_tree_postgresql
from app.database.plans.catalog import Catalog, read_catalog
from app.database.plans.child import plan_steps
from app.database.plans.findings import Known, know
from app.database.plans.plan import Plan
from app.database.plans.sandbox import Params, refused
from app.database.plans.schema_copy import Sizes, clone_schema, table_sizes
from app.database.plans.sqlite import Step, names_read, plan_of_steps
from app.database.plans.statement_text import verb
from app.database.plans.tree_postgresql import Explained
from app.database.tracking.scope import ignored

# Only these have a plan, and only these are harmless to prepare: `EXPLAIN QUERY PLAN PRAGMA …` takes effect.
PLANNED = frozenset({"select", "with", "values", "insert", "replace", "update", "delete", "merge"})


def explain(
    connection: Connection, sql: str, *, catalog: Catalog | None = None, sizes: Sizes | None = None
) -> Plan:
    """Read the plan of one of our own statements; placeholders stand for values that are not known.

    `catalog` spares reading it; `sizes` takes the place of what the database says, for an empty copy of it.
    Raises ClientError `query_refused` (422) for a statement without a plan, or that the database refuses.
    """
    if verb(sql) not in PLANNED:
        raise refused("Only a statement that reads or writes rows has a plan.")
    with ignored():
        if connection.dialect.name == "sqlite":
            return _sqlite_plan(connection, sql, _steps(connection, sql), catalog, sizes)
        explained = plans_postgresql.generic_plan(connection, sql)
        return _postgresql_plan(connection, sql, explained, catalog, sizes)


def explain_untrusted(engine: Engine, sql: str, params: Params = None) -> Plan:
    """Read the plan of one statement that a person typed: reads only, bounded in time and memory.

    `params` are values for its placeholders; None leaves them unknown.
    Raises ClientError `query_refused` or `query_too_expensive` (422), `query_timeout` (503) when the turn of
    another statement takes too long.
    """
    plan_sandbox.check(sql, params)
    with ignored():
        if engine.dialect.name != "sqlite":
            explained = plans_postgresql.untrusted_plan(engine, sql, params)
            with engine.connect() as connection:
                return _postgresql_plan(connection, sql, explained)
        with engine.connect() as connection:
            schema = clone_schema(connection)
        # The connection is given back meanwhile: others may have the child's turn first.
        steps = plan_sandbox.steps_in_child(engine, schema, sql, params)
        with engine.connect() as connection:
            return _sqlite_plan(connection, sql, steps)


def _steps(connection: Connection, sql: str) -> list[Step]:
    """Plan against the tables and indexes of now.

    EXPLAIN does not notice that another connection changed them, and the driver keeps what it prepared: a
    read brings the schema up to date, and its version makes the text another one.
    """
    version = connection.exec_driver_sql("select schema_version from pragma_schema_version").scalar_one()
    connection.exec_driver_sql("select 1 from sqlite_schema limit 1").first()
    try:
        return plan_steps(connection.connection.driver_connection, f"/* {version} */ {sql}")  # type: ignore[arg-type]
    except (sqlite.Error, sqlite.Warning, ValueError) as error:  # ValueError: NUL, half a character
        raise refused(str(error)) from None


def _sqlite_plan(
    connection: Connection,
    sql: str,
    steps: Sequence[Step],
    catalog: Catalog | None = None,
    sizes: Sizes | None = None,
) -> Plan:
    return plan_of_steps(steps, _known(connection, sql, names_read(steps), catalog, sizes))


def _postgresql_plan(
    connection: Connection,
    sql: str,
    explained: Explained,
    catalog: Catalog | None = None,
    sizes: Sizes | None = None,
) -> Plan:
    names = plan_tree_postgresql.names_read(explained)
    return plan_tree_postgresql.plan_of(explained, _known(connection, sql, names, catalog, sizes))


def _known(
    connection: Connection, sql: str, names: Sequence[str], catalog: Catalog | None, sizes: Sizes | None
) -> Known:
    known = know(sql, read_catalog(connection) if catalog is None else catalog, sizes or {})
    if sizes is not None:
        return known
    tables = [table.name for name in names if (table := known.table(name)) is not None]
    return replace(known, sizes=table_sizes(connection, tables))
