"""Conditions and ranks as SQLAlchemy's own elements: each database gets the form that it reads."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Boolean, ColumnElement, Double, String, bindparam, func
from sqlalchemy.dialects.postgresql import TSVECTOR, array
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator

from app.database.search.index import TextIndex, indexed
from app.database.search.match import Match, as_json, fts5, holds, tsquery
from app.database.search.postgresql import FUNCTION as WORDS

FUNCTION = "earmark_holds"
# A match that is filled in at each run, by what reads it.
_INDEXED, _DIRECTLY = "asked_of_the_index", "asked_directly"


class _Asked(TypeDecorator[Match]):
    """A match as a parameter: for FTS5 on SQLite, for tsquery on PostgreSQL."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Match | None, dialect: Dialect) -> Any:
        """Write the match as the database reads it."""
        assert value is not None
        return tsquery(value) if dialect.name == "postgresql" else fts5(value)


class _AskedDirectly(TypeDecorator[Match]):
    """A match as a parameter of the function `directly` calls."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Match | None, _dialect: Dialect) -> Any:
        """Write the match as `holds` reads it."""
        assert value is not None
        return as_json(value)


class Matches(ColumnElement[bool]):
    """The condition on the index's table that a row holds what is asked for."""

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012  # as SQLAlchemy's own elements declare it
        ("words", InternalTraversal.dp_clauseelement),
        ("asked", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, words: ColumnElement[Any], asked: ColumnElement[Any]) -> None:
        self.words, self.asked = words, asked

    def self_group(self, against: Any = None) -> "Matches":  # noqa: ARG002
        """Stand as it is: FTS5 refuses a MATCH that is compared with 1."""
        return self


class Rank(Matches):
    """How well a row that matches does so; smaller is better."""

    inherit_cache = True
    type: Any = Double()


class Directly(ColumnElement[bool]):
    """The condition that a row which is not indexed yet holds what is asked for."""

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012
        ("ours", InternalTraversal.dp_clauseelement),
        ("theirs", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, ours: ColumnElement[bool], theirs: ColumnElement[bool]) -> None:
        self.ours, self.theirs = ours, theirs


def matches(index: TextIndex, match: Match | None) -> Matches:
    """Return the condition that a row of the index matches.

    Here and below, without a match it is a parameter that `asking` fills.
    """
    return Matches(index.table.c.words, _asked(match))


def rank(index: TextIndex, match: Match | None) -> ColumnElement[float]:
    """Return bm25 on SQLite, ts_rank turned round on PostgreSQL; only beside `matches` of the same."""
    return Rank(index.table.c.words, _asked(match))  # type: ignore[return-value]


def directly(
    match: Match | None, texts: Sequence[ColumnElement[Any]], facts: Mapping[str, ColumnElement[Any]]
) -> ColumnElement[bool]:
    """Return the condition that a row's own texts and facts hold what is asked for.

    Exactly as the index would: on SQLite by a function of ours (`register`), on PostgreSQL by one of the
    database's own (`postgresql`).
    """
    spec = json.dumps(list(facts))
    told = bindparam(_DIRECTLY, type_=_AskedDirectly()) if match is None else as_json(match)
    ours = getattr(func, FUNCTION)(told, spec, *texts, *facts.values(), type_=Boolean)
    held = getattr(func, WORDS)(array(texts), array(list(facts)), array(facts.values()), type_=TSVECTOR)
    return Directly(ours, Matches(held, _asked(match)))


def asking(match: Match) -> dict[str, Match]:
    """Return the values that fill in a match which a statement was built without."""
    return {_INDEXED: match, _DIRECTLY: match}


def _asked(match: Match | None) -> BindParameter[Any]:
    if match is None:
        return bindparam(_INDEXED, type_=_Asked())
    return bindparam("asked", match, type_=_Asked(), unique=True)


def register(connection: Any) -> None:
    """Give a SQLite connection the function that `directly` calls."""
    connection.create_function(FUNCTION, -1, _holds, deterministic=True)


def _holds(match: str, names: str, *values: str | None) -> bool:
    facts = json.loads(names)
    texts = values[: len(values) - len(facts)]
    held = indexed(texts, dict(zip(facts, values[len(texts) :], strict=True)))
    return holds(json.loads(match), held)


@compiles(Matches)
def _match(element: Matches, compiler: SQLCompiler, **options: Any) -> str:
    return f"{_table(element)} match {compiler.process(element.asked, **options)}"


@compiles(Matches, "postgresql")
def _at(element: Matches, compiler: SQLCompiler, **options: Any) -> str:
    words, asked = (compiler.process(part, **options) for part in (element.words, element.asked))
    return f"{words} @@ cast({asked} as tsquery)"


@compiles(Rank)
def _bm25(element: Rank, _compiler: SQLCompiler, **_options: Any) -> str:
    return f"bm25({_table(element)})"


@compiles(Rank, "postgresql")
def _ts_rank(element: Rank, compiler: SQLCompiler, **options: Any) -> str:
    words, asked = (compiler.process(part, **options) for part in (element.words, element.asked))
    return f"-ts_rank({words}, cast({asked} as tsquery))"


@compiles(Directly)
def _exactly(element: Directly, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.ours, **options)


@compiles(Directly, "postgresql")
def _by_the_database(element: Directly, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.theirs, **options)


def _table(element: Matches) -> str:
    return str(element.words.table.name)
