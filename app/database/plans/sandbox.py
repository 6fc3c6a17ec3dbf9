"""The child process in which a stranger's statement is prepared on SQLite: started, asked, ended in time.

One at a time for all processes that share the database file. What the child may do is in
`app/database/plans/child.py`; a child that dies or is late has met a statement that costs too much.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.database.engine import sqlite
from app.database.plans import child as plan_child
from app.database.plans.schema_copy import Schema, Value
from app.database.plans.sqlite import Step
from app.database.plans.statement_text import LONGEST, verb
from app.database.turn import Turn, TurnTimeout
from app.errors import ClientError, Unavailable

# The child has 1 s of CPU time; what it needs beyond that is spent waiting for a busy machine.
TIMEOUT_SECONDS = 1.2
TURN_TIMEOUT_SECONDS = 3.0
MOST_PARAMS = 1_000

Params = Mapping[str, object] | Sequence[object] | None
# The library's words for a statement that does more than read, and for one that is not a single statement.
_FORBIDDEN = ("not authorized", "prohibited", "one statement at a time")
READS = frozenset({"select", "with", "values"})
READS_ONLY = "Only one statement that reads can be explained: SELECT, WITH or VALUES."


def refused(message: str) -> ClientError:
    """Make the error for a statement that is not taken; `message` is a sentence or the database's words."""
    return ClientError(422, "query_refused", message[:1].upper() + message[1:])


def too_expensive() -> ClientError:
    """Make the error for a statement whose planning alone takes too long or too much memory."""
    message = "Planning this statement alone takes more time or memory than it may have."
    return ClientError(422, "query_too_expensive", message)


def no_turn() -> ClientError:
    """Make the error for a statement that came while others were explained."""
    message = "Other statements are being explained; try again in a moment."
    return ClientError(503, "query_timeout", message, retry_after=2)


def check(sql: str, params: Params) -> None:
    """Refuse what no database takes: an empty text, NUL, half a character, values that are not plain.

    Raises ClientError `query_refused` (422).
    """
    if not sql.strip():
        raise refused("There is no statement.")
    if len(sql) > LONGEST:
        raise refused(f"A statement may have {LONGEST:,} characters.")
    values = list(params.values()) if isinstance(params, Mapping) else list(params or ())
    if len(values) > MOST_PARAMS or not all(_is_plain(value) for value in values):
        raise refused(f"Values are texts, numbers below 2^63, true, false or null, at most {MOST_PARAMS:,}.")
    names = list(params) if isinstance(params, Mapping) else []
    for text in (sql, *names, *(value for value in values if isinstance(value, str))):
        if "\0" in text or not _is_unicode(text):
            raise refused("The statement holds a character that no text may have.")


def steps_in_child(engine: Engine, schema: Schema, sql: str, params: Params) -> list[Step]:
    """Return the rows of EXPLAIN QUERY PLAN of a statement that `check` has passed.

    Raises ClientError as `explain_untrusted` does.
    """
    question = json.dumps(
        {
            "driver": _driver_file(),
            "ddl": schema.ddl,
            "statistics": {
                table: [[_plain(value) for value in row] for row in rows]
                for table, rows in schema.statistics.items()
            },
            "sql": sql,
            "params": dict(params) if isinstance(params, Mapping) else params,
        }
    )
    with _one_at_a_time(engine):
        answer = _ask(question.encode())
    if "refused" in answer:
        said = str(answer["refused"])
        forbidden = any(word in said for word in _FORBIDDEN)
        raise refused(READS_ONLY if forbidden else said)
    if "steps" not in answer:
        raise too_expensive()
    if verb(sql) not in READS:  # VACUUM asks no authorizer, and has no steps
        raise refused(READS_ONLY)
    return [(number, parent, cost, text) for number, parent, cost, text in answer["steps"]]


def _ask(question: bytes) -> dict[str, Any]:
    # -I -S: nothing of the environment, the working folder or the installed packages is looked at.
    command = [sys.executable, "-I", "-S", plan_child.__file__]
    try:
        done = subprocess.run(
            command,
            input=question,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS,
            check=False,
            cwd="/",
            env={},
        )
    except subprocess.TimeoutExpired:
        raise too_expensive() from None
    except OSError:
        raise Unavailable("The server cannot start another process now; try again in a moment.") from None
    if done.returncode != 0:
        raise too_expensive()
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    """Wait for the turn. Raises ClientError `query_timeout` (503)."""
    file = engine.url.database
    if not file or file == ":memory:":
        yield
        return
    try:
        with _turn(file).taken(TURN_TIMEOUT_SECONDS):
            yield
    except TurnTimeout:
        raise no_turn() from None


@cache
def _turn(file: str) -> Turn:
    return Turn(Path(file + "-plan-turn"))


def _driver_file() -> str:
    """Return the file of the SQLite library that the program uses, "" for the standard one."""
    if sqlite.__name__.partition(".")[0] == "sqlite3":
        return ""
    module = importlib.import_module(sqlite.__name__.partition(".")[0] + "._sqlite3")
    return str(module.__file__)


def _plain(value: Value) -> object:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def _is_plain(value: object) -> bool:
    return isinstance(value, str | float | None) or (isinstance(value, int) and -(2**63) <= value < 2**63)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
