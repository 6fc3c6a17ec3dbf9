"""Asking PostgreSQL for a plan: EXPLAIN (FORMAT JSON), for our own statements and for a stranger's.

A statement is prepared (parsed, not planned) over the extended protocol, which takes a single statement, and
then explained with a generic plan, where its values are unknown. EXPLAIN without ANALYZE runs nothing; but
the planner computes what is constant, so a stranger's statement is looked at before.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import errors
from psycopg import sql as composed
from sqlalchemy import Connection, Engine, NestedTransaction
from sqlalchemy.exc import DBAPIError, OperationalError

from app.database.plans.sandbox import READS, READS_ONLY, Params, no_turn, refused, too_expensive
from app.database.plans.statement_text import RESERVED, references, verb
from app.database.plans.statement_text import read as read_text
from app.database.plans.tree_postgresql import Explained, text_of, walk
from app.errors import Unavailable

NAME = "earmark_plan"
TIMEOUT_MS = 1_000
LOCK_TIMEOUT_MS = 500
TURN_TIMEOUT_MS = 3_000
ONE_AT_A_TIME = 0x6561726D61726B  # the key of an advisory lock: "earmark"
# A subquery is merged into what is around it, and each mention of its column is a copy of the column's
# expression. No interrupt ends that; so the product of mentions, which bounds the copies, is bounded before.
MOST_COPIES = 100_000
MOST_BRACKETS = 16
# Nor does an interrupt end the planning of many SELECTs: 1,100 joined by EXCEPT took 14 s.
MOST_SELECTS = 64
# Functions of constants that the planner computes: these make much of little, or read whole tables.
_GROWING = re.compile(
    r"\b(?:repeat|lpad|rpad|replace|regexp_replace|array_fill|format|quote_\w+|encode|\w+_to_xml\w*)\s*\(",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"""(?P<kept>'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?(?:\*/|$))|%(?:(?P<percent>%)|\((?P<name>\w+)\)s|s(?!\w))""",
    re.DOTALL,
)
_NUMBERED = re.compile(r"\$(\d{1,4})")

# Words that are repeated without being columns; RESERVED has the others.
_REPEATED = RESERVED | {
    "by",
    "asc",
    "desc",
    "case",
    "then",
    "else",
    "end",
    "null",
    "true",
    "false",
    "offset",
    "interval",
}
_EXPENSIVE = (
    errors.QueryCanceled,
    errors.LockNotAvailable,
    errors.OutOfMemory,
    errors.InsufficientResources,
    errors.ProgramLimitExceeded,
)


def generic_plan(connection: Connection, sql: str) -> Explained:
    """Return the first step of a plan that fits any values; the caller's transaction stays as it was.

    Raises ClientError `query_refused` (422).
    """
    text, names = _numbered(sql)
    return _explained(connection, text, ["null"] * len(names), "force_generic_plan")


def untrusted_plan(engine: Engine, sql: str, params: Params) -> Explained:
    """Return the first step of the plan of a stranger's statement that `plan_sandbox.check` has passed.

    In a transaction that only reads, with a time limit, one at a time, and, where the login may, as a role
    that can do nothing but read. Raises ClientError `query_refused` or `query_too_expensive` (422),
    `query_timeout` (503) when the turn of another statement takes too long.
    """
    _require_small(sql)
    text, names = _numbered(sql)
    with engine.connect() as connection:
        arguments = _arguments(connection, names, params)
        _take_turn(connection)
        _give_up_rights(connection)
        mode = "force_generic_plan" if params is None else "force_custom_plan"
        explained = _explained(connection, text, arguments, mode)
        if any(text_of(step, "Node Type") in ("ModifyTable", "LockRows") for step in walk(explained)):
            raise refused(READS_ONLY)
        return explained


def _require_small(sql: str) -> None:
    if verb(sql) not in READS:
        raise refused(READS_ONLY)
    if _GROWING.search(sql):
        raise refused(
            "Functions that make large values (repeat, lpad, format and such) are not explained here."
        )
    depth = deepest = 0
    for sign in re.findall(r"[()]", sql):
        depth += 1 if sign == "(" else -1
        deepest = max(deepest, depth)
    scopes = read_text(sql, {}).scopes if deepest <= MOST_BRACKETS else ()
    copies = math.prod(_most_mentions(scope.words) for scope in scopes[:MOST_SELECTS])
    if not 0 < len(scopes) <= MOST_SELECTS or copies > MOST_COPIES:
        raise too_expensive()


def _most_mentions(words: Sequence[str]) -> int:
    """Return how often the column that is mentioned most is mentioned in one SELECT; `t.*` mentions t."""
    counts = Counter(column for _, column in references(words) if column not in _REPEATED)
    whole = (words[i] for i in range(len(words) - 2) if words[i + 1 : i + 3] == (".", "*"))
    counts.update(whole)
    return max(counts.values(), default=1)


def _take_turn(connection: Connection) -> None:
    """Begin to read only, one statement at a time. Raises ClientError `query_timeout` (503)."""
    connection.exec_driver_sql("set transaction read only")
    connection.exec_driver_sql(f"set local lock_timeout = {TURN_TIMEOUT_MS}")
    try:
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({ONE_AT_A_TIME})")
    except OperationalError as error:
        if isinstance(error.orig, errors.LockNotAvailable):
            raise no_turn() from None
        raise


def _give_up_rights(connection: Connection) -> None:
    """Limit what planning may take, and become a role that only reads, where the login may be it."""
    connection.exec_driver_sql(f"set local lock_timeout = {LOCK_TIMEOUT_MS}")
    connection.exec_driver_sql(f"set local statement_timeout = {TIMEOUT_MS}")
    may = "select pg_has_role(current_user, 'pg_read_all_data', 'member')"
    if connection.exec_driver_sql(may).scalar():
        connection.exec_driver_sql("set local role pg_read_all_data")


def _numbered(sql: str) -> tuple[str, list[str]]:
    """Turn `%s`, `%(name)s` into `$1`, …; return the text and each value's name ("1" for the first `%s`)."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found["kept"] is not None:
            return found[0]
        if found["percent"]:
            return "%"
        name = found["name"] or str(len(names) + 1)
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    text = _PLACEHOLDER.sub(number, sql)
    highest = max((int(digits) for digits in _NUMBERED.findall(text)), default=0)
    names += [str(place) for place in range(len(names) + 1, min(highest, 1_000) + 1)]
    return text, names


def _arguments(connection: Connection, names: Sequence[str], params: Params) -> list[str]:
    if params is None:
        return ["null"] * len(names)
    given = (
        params if isinstance(params, Mapping) else {str(i): value for i, value in enumerate(params, start=1)}
    )
    if set(given) != set(names):
        raise refused(f"The statement takes {len(names)} values, {len(given)} are given.")
    driver = connection.connection.driver_connection
    return [composed.Literal(given[name]).as_string(driver) for name in names]


def _explained(connection: Connection, text: str, arguments: Sequence[str], mode: str) -> Explained:
    """Prepare, explain and forget a statement, inside a savepoint that is undone."""
    savepoint = connection.begin_nested()
    cursor = connection.connection.cursor()
    prepared = False
    values = f"({', '.join(arguments)})" if arguments else ""
    try:
        # Asked for in binary form, a command goes over the extended protocol: a second statement is refused.
        cursor.execute(f"prepare {NAME} as {text}", binary=True, prepare=False)  # type: ignore[call-arg]
        prepared = True
        cursor.execute(f"set local plan_cache_mode = {mode}")
        cursor.execute(f"explain (format json) execute {NAME}{values}", prepare=False)  # type: ignore[call-arg]
        plan: Explained = cursor.fetchall()[0][0][0]["Plan"]
    except RecursionError:  # a plan too deep to be read
        raise too_expensive() from None
    except psycopg.Error as error:
        raise _said(error) from None
    else:
        return plan
    finally:
        _forget(connection, savepoint, prepared=prepared)


def _forget(connection: Connection, savepoint: NestedTransaction, *, prepared: bool) -> None:
    try:
        savepoint.rollback()
        # It outlives its transaction; but psycopg, at a rollback, may have deallocated all there are.
        left = f"select 1 from pg_prepared_statements where name = '{NAME}'"  # noqa: S608
        if prepared and connection.exec_driver_sql(left).scalar():
            connection.exec_driver_sql(f"deallocate {NAME}")
    except DBAPIError:  # planning was not interrupted, and its time is up only now; or the server is away
        connection.invalidate()


def _said(error: psycopg.Error) -> Exception:
    """Return what a failed explanation means for the client."""
    if isinstance(error, _EXPENSIVE):
        return too_expensive()
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return Unavailable("The database does not answer; try again in a moment.")
    said = error.diag.message_primary or str(error).partition("\n")[0]
    if isinstance(error, errors.InsufficientPrivilege):
        said += "; statements are explained by a role that only reads"
    return refused(said)
