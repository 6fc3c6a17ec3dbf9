"""Tables and indexes as the database's own catalogue has them: names, columns, uniqueness.

Tables of the database itself and the shadow tables of virtual ones are left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class IndexShape:
    """One index. An expression stands as `""` among its columns; `descending` has one flag a column.

    `origin` is `c` (made by hand), `u` (a UNIQUE constraint) or `pk`; `where` is a partial index's condition.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    descending: tuple[bool, ...]
    unique: bool
    where: str | None
    origin: str


@dataclass(frozen=True)
class TableShape:
    """One table. `rowid` is the column that is SQLite's row number itself, where there is one.

    `keyed` says that rows are found by their primary key alone (WITHOUT ROWID); `references` holds the first
    columns of its foreign keys.
    """

    name: str
    columns: tuple[str, ...]
    not_null: frozenset[str]
    rowid: str | None
    keyed: bool
    indexes: tuple[IndexShape, ...]
    references: frozenset[str]


Catalog = dict[str, TableShape]


def read_catalog(connection: Connection) -> Catalog:
    """Read the tables of the database (PostgreSQL: of the schemas in the search path), by name."""
    read = _sqlite_tables if connection.dialect.name == "sqlite" else _postgresql_tables
    return {table.name: table for table in read(connection)}


def _sqlite_tables(connection: Connection) -> Iterable[TableShape]:
    tables = connection.exec_driver_sql(
        "select name, wr from pragma_table_list"
        " where schema = 'main' and type = 'table' and name not like 'sqlite#_%' escape '#'"
    )
    for name, without_rowid in tables.all():
        columns = connection.execute(
            text('select name, type, pk, "notnull" from pragma_table_info(:table)'), {"table": name}
        ).all()
        keys = [column for column in columns if column.pk]
        alone = len(keys) == 1 and keys[0].type.upper() == "INTEGER" and not without_rowid
        yield TableShape(
            name=name,
            columns=tuple(column.name for column in columns),
            not_null=frozenset(column.name for column in columns if column.notnull or column.pk),
            rowid=keys[0].name if alone else None,
            keyed=bool(without_rowid),
            indexes=tuple(_sqlite_indexes(connection, name)),
            references=_sqlite_references(connection, name),
        )


def _sqlite_indexes(connection: Connection, table: str) -> Iterable[IndexShape]:
    found = connection.execute(
        text(
            'select l.name, l."unique" as one, l.origin, s.sql from pragma_index_list(:table) as l'
            " left join sqlite_schema as s on s.type = 'index' and s.name = l.name order by l.name"
        ),
        {"table": table},
    )
    for name, unique, origin, ddl in found.all():
        parts = connection.execute(
            text('select name, "desc" as down from pragma_index_xinfo(:name) where key order by seqno'),
            {"name": name},
        ).all()
        yield IndexShape(
            name=name,
            table=table,
            columns=tuple(part.name or "" for part in parts),
            descending=tuple(bool(part.down) for part in parts),
            unique=bool(unique),
            where=_condition(ddl),
            origin=origin,
        )


def _sqlite_references(connection: Connection, table: str) -> frozenset[str]:
    found = connection.execute(
        text('select "from" from pragma_foreign_key_list(:table) where seq = 0'), {"table": table}
    )
    return frozenset(found.scalars())


def _condition(ddl: str | None) -> str | None:
    # SQLite keeps the text of CREATE INDEX; a condition follows the closing bracket of the columns.
    head, found, condition = (ddl or "").rpartition(")")
    if condition.strip().lower().startswith("where "):
        return condition.strip()[6:]
    return _condition(head) if found else None


_POSTGRESQL_TABLES = """
select c.oid, c.relname as name,
    array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
        and not a.attisdropped order by a.attnum) as columns,
    array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
        and not a.attisdropped and a.attnotnull) as not_null,
    array(select a.attname::text from pg_constraint f
        join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
        where f.conrelid = c.oid and f.contype = 'f') as referring
from pg_class c
where c.relkind = 'r' and pg_table_is_visible(c.oid)
    and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
order by c.relname
"""
_POSTGRESQL_INDEXES = """
select i.indrelid as table_oid, c.relname as name, i.indisunique as one,
    pg_get_expr(i.indpred, i.indrelid) as condition,
    case when i.indisprimary then 'pk' when exists (
        select 1 from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('u', 'x')
    ) then 'u' else 'c' end as origin,
    array(select coalesce(a.attname::text, '') from generate_series(0, i.indnkeyatts - 1) as n
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[n]
            and i.indkey[n] > 0 order by n) as columns,
    array(select (i.indoption[n] & 1) = 1 from generate_series(0, i.indnkeyatts - 1) as n
        order by n) as descending
from pg_index i join pg_class c on c.oid = i.indexrelid
where i.indisvalid order by c.relname
"""


def _postgresql_tables(connection: Connection) -> Iterable[TableShape]:
    indexes = connection.exec_driver_sql(_POSTGRESQL_INDEXES).all()
    for table in connection.exec_driver_sql(_POSTGRESQL_TABLES).all():
        yield TableShape(
            name=table.name,
            columns=tuple(table.columns),
            not_null=frozenset(table.not_null),
            rowid=None,
            keyed=False,
            indexes=tuple(
                IndexShape(
                    name=index.name,
                    table=table.name,
                    columns=tuple(index.columns),
                    descending=tuple(index.descending),
                    unique=index.one,
                    where=index.condition,
                    origin=index.origin,
                )
                for index in indexes
                if index.table_oid == table.oid
            ),
            references=frozenset(table.referring),
        )
