"""Keys taken before their rows are written, so that rows of several tables can name each other in bulk."""

from collections.abc import Sequence

from sqlalchemy import Connection, Table, text


def take_keys(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Return so many ascending integer keys that nothing else gets, inside a write transaction."""
    (column,) = table.primary_key.columns
    if connection.dialect.name == "postgresql":
        sequence = text(
            "select nextval(pg_get_serial_sequence(:name, :column)) from generate_series(1, :count)"
        )
        given = {"name": table.name, "column": column.name, "count": count}
        return sorted(connection.scalars(sequence, given))
    # Nobody else writes meanwhile. A key that AUTOINCREMENT gave is not given again once its row is gone.
    sql = f"select coalesce(max({column.name}), 0) from {table.name}"  # noqa: S608  # names of our own tables
    last = connection.exec_driver_sql(sql).scalar_one()
    if table.dialect_options["sqlite"]["autoincrement"]:
        kept = text("select seq from sqlite_sequence where name = :name")
        last = max(last, connection.scalar(kept, {"name": table.name}) or 0)
    return range(last + 1, last + 1 + count)
