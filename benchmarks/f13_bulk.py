"""F13: inserting 1,000 rows at once, beside the driver's `executemany` of the same rows.

The rows are dictionaries, as a program has them; the driver takes them by name, or as tuples made before the
clock starts, which is less work than anybody has who begins with dictionaries.
Each insert is one transaction, rolled back, so that neither waits for the disk nor finds a larger table.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, MetaData, String, Table, create_engine

from app.database.bulk import bulk_insert
from app.database.engine import engine_options, prepare
from app.database.transactions import writing_connection
from benchmarks.rounds import heading, timed, verdict

GOAL = 0.9
ROWS = 1_000
FIRST_US = 1_767_225_600_000_000  # 2026-01-01
COLUMNS = ("id", "public_id", "created_at", "updated_at", "status", "url", "note")
table = Table(
    "rows",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("public_id", String, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False, index=True),
    *(Column(name, String, nullable=False) for name in COLUMNS[4:]),
    Index("ix_rows_box", "status", "created_at", "id"),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rounds", type=int, default=400, help="inserts of each")
    rounds = parser.parse_args().rounds

    def work() -> None:
        heading(f"F13  insert {ROWS:,} rows of {len(COLUMNS)} columns")
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/bulk.sqlite3"
            engine = create_engine(url, **engine_options(url))
            prepare(engine)
            with writing_connection(engine) as connection:
                _compare(connection, rounds)
            engine.dispose()

    timed(work)


def _compare(connection: Connection, rounds: int) -> None:
    with connection.begin():
        table.create(connection)
    rows = [_row(n) for n in range(ROWS)]
    marks = ", ".join(f":{name}" for name in COLUMNS)
    text = f"insert into rows ({', '.join(COLUMNS)}) values ({marks})"
    positional = f"insert into rows ({', '.join(COLUMNS)}) values ({', '.join('?' for _ in COLUMNS)})"
    tuples = [tuple(row.values()) for row in rows]
    driver = connection.connection.cursor()
    works: dict[str, Callable[[], object]] = {
        "raw executemany": lambda: driver.executemany(text, rows),
        "raw, ready tuples": lambda: driver.executemany(positional, tuples),
        "Earmark": lambda: bulk_insert(connection, table, rows),
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(_seconds(connection, work))
    medians = {name: statistics.median(times[rounds // 10 :]) for name, times in taken.items()}
    for name, seconds in medians.items():
        print(f"{name:18}{seconds * 1e6:8,.0f} µs{ROWS / seconds:12,.0f} rows/s")
    print()
    verdict("rows a second, Earmark / raw", medians["raw executemany"] / medians["Earmark"], GOAL)
    verdict("  / raw with ready tuples", medians["raw, ready tuples"] / medians["Earmark"], GOAL)


def _seconds(connection: Connection, work: Callable[[], object]) -> float:
    with connection.begin() as begun:
        began = time.perf_counter()
        work()
        seconds = time.perf_counter() - began
        begun.rollback()
    return seconds


def _row(n: int) -> dict[str, Any]:
    return {
        "id": n,
        "public_id": f"{n:020d}",
        "created_at": FIRST_US + n,
        "updated_at": FIRST_US + n,
        "status": "open" if n % 3 else "closed",
        "url": "https://shop.example/cart",
        "note": "The total is wrong when a voucher is used twice. " * 10,
    }


if __name__ == "__main__":
    main()
