"""Reads the plan of one stranger's statement, in a process that can do nothing else.

Runs alone (`python -I -S child.py`), so it imports the standard library only. It limits its own CPU
time, memory and files before it reads anything, makes an empty copy of the schema in memory with the
planner's statistics, and prepares the statement behind an authorizer that lets reads through. The reason is
in SQLite: preparing `EXPLAIN QUERY PLAN PRAGMA …` takes effect, and a chain of WITH can take gigabytes to
prepare, where neither a progress handler nor an interrupt ends it.
"""

import importlib.machinery
import importlib.util
import json
import os
import re
import resource
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import Any

    Value = str | int | float | bytes | None
    Step = tuple[int, int, int, str]

CPU_SECONDS = 1
MEMORY_BYTES = 400 * 1024**2
OPEN_FILES = 16
MOST_STEPS = 1_000
LONGEST_ANSWER = 1_000_000
LONGEST_MESSAGE = 300
# Codes of sqlite3_set_authorizer: a SELECT, a column read, a function, a recursive SELECT.
READING = frozenset({21, 20, 31, 33})
OK, DENY = 0, 1
_WANTED = re.compile(r"uses (\d+), and there")


class _Unknown(dict[str, None]):
    """NULL for every name: a value that the planner does not know."""

    def __missing__(self, _name: str) -> None:
        return None


def plan_steps(
    connection: "sqlite3.Connection", sql: str, params: "Mapping[str, Value] | Sequence[Value] | None" = None
) -> "list[Step]":
    """Return rows (id, parent, 10·log2 of the cost, text) of EXPLAIN QUERY PLAN, at most MOST_STEPS.

    Values that are not given are unknown. Raises the driver's errors.
    """
    asked = "explain query plan " + sql
    if params is not None:
        return connection.execute(asked, params).fetchmany(MOST_STEPS)
    try:
        return connection.execute(asked, _Unknown()).fetchmany(MOST_STEPS)
    except Exception as error:
        if "has no name" not in str(error):
            raise
    # Question marks are bound by number, and how many there are only the database's own parser knows.
    try:
        return connection.execute(asked, ()).fetchmany(MOST_STEPS)
    except Exception as error:
        wanted = _WANTED.search(str(error))
        if wanted is None:
            raise
    return connection.execute(asked, (None,) * int(wanted[1])).fetchmany(MOST_STEPS)


def fill(
    connection: "sqlite3.Connection",
    ddl: "Sequence[str]",
    statistics: "Mapping[str, Sequence[Sequence[Value]]]",
) -> None:
    """Make the tables, indexes and views of a schema in an empty database, with the planner's statistics.

    What this library cannot make (a function or a tokenizer of another program) is left out.
    """
    for statement in ddl:
        _tried(connection, statement)
    if not statistics:
        return
    connection.execute("analyze")  # makes the tables of statistics, which cannot be made by hand
    for table, rows in statistics.items():
        marks = ", ".join("?" * len(rows[0])) if rows else ""
        _tried(connection, f"delete from {table}")  # noqa: S608  one of our two names
        for row in rows:
            _tried(connection, f"insert into {table} values ({marks})", row)  # noqa: S608
    connection.execute("analyze sqlite_master")  # only reads them again


def _tried(connection: "sqlite3.Connection", sql: str, params: "Sequence[Value]" = ()) -> None:
    try:
        connection.execute(sql, params)
    except MemoryError:
        raise
    except Exception as error:
        if type(error).__name__ not in ("OperationalError", "DatabaseError"):
            raise


def _limit() -> None:
    for kind, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        resource.setrlimit(kind, (most, most))


def _driver(file: str) -> "ModuleType":
    """Return the SQLite library that the program uses: an extension module's file, or the standard one."""
    if not file:
        import sqlite3

        return sqlite3
    loader = importlib.machinery.ExtensionFileLoader("_sqlite3", file)
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec("_sqlite3", loader, origin=file))
    loader.exec_module(module)
    return module


def _only_reads(action: int, *_about: object) -> int:
    return OK if action in READING else DENY


def _answer(asked: "dict[str, Any]") -> "dict[str, object]":
    """Return the steps, or why there are none: `refused` with the database's words, or `expensive`."""
    driver = _driver(asked["driver"])
    connection: sqlite3.Connection = driver.connect(":memory:", isolation_level=None)
    statistics = {
        table: [[bytes.fromhex(v["hex"]) if isinstance(v, dict) else v for v in row] for row in rows]
        for table, rows in asked["statistics"].items()
    }
    fill(connection, asked["ddl"], statistics)
    connection.set_authorizer(_only_reads)
    try:
        steps = plan_steps(connection, asked["sql"], asked["params"])
    except MemoryError:
        return {"expensive": "memory"}
    except Exception as error:  # whatever a statement does to the driver is the statement's fault
        return {"refused": str(error)[:LONGEST_MESSAGE], "kind": type(error).__name__}
    return {"steps": steps}


def main() -> None:
    """Answer the question on standard input, as JSON."""
    _limit()
    asked = json.load(sys.stdin.buffer)
    try:
        answer = json.dumps(_answer(asked))
    except MemoryError:
        answer = '{"expensive": "memory"}'
    if len(answer) > LONGEST_ANSWER:
        answer = '{"expensive": "steps"}'
    sys.stdout.write(answer)
    sys.stdout.flush()
    os._exit(0)  # nothing is worth tidying up


if __name__ == "__main__":
    main()
