"""`among(column, keys)`: a condition on thousands of keys as one parameter of a constant text.

An IN list of a thousand keys is a thousand parameters to render, and another text for every length. Here
SQLite reads the keys from one JSON array (json_each) and PostgreSQL from one array.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Boolean, ColumnElement, String, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator, TypeEngine


class Keys(TypeDecorator[Sequence[int]]):
    """Integer keys as one parameter: JSON on SQLite, bigint[] on PostgreSQL."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the parameter's type by database."""
        postgresql = dialect.name == "postgresql"
        return dialect.type_descriptor(ARRAY(BigInteger) if postgresql else String())

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        """Write the keys as the database reads them."""
        keys = list(value or ())
        return keys if dialect.name == "postgresql" else json.dumps(keys)


class Among(ColumnElement[bool]):
    """The condition; made by `among`."""

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012  # as SQLAlchemy's own elements declare it
        ("column", InternalTraversal.dp_clauseelement),
        ("keys", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[int], keys: ColumnElement[Any]) -> None:
        self.column, self.keys = column, keys

    def self_group(self, against: Any = None) -> "Among":  # noqa: ARG002
        """Stand as it is: compared with 1, as SQLAlchemy would on SQLite, it is found by no index."""
        return self


def among(
    column: "ColumnElement[int] | InstrumentedAttribute[int]", keys: "Sequence[int] | BindParameter[Any]"
) -> Among:
    """Return the condition that an integer column's value is one of the keys; none match an empty list.

    For a statement that is built once, `keys` is a parameter of the type `Keys`.
    """
    given: BindParameter[Any]
    given = keys if isinstance(keys, BindParameter) else bindparam("among", keys, type_=Keys(), unique=True)
    return Among(column.expression if isinstance(column, InstrumentedAttribute) else column, given)


@compiles(Among)
def _members(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(part, **options) for part in (element.column, element.keys))
    return f"{column} in (select value from json_each({keys}))"  # noqa: S608  # compiled parts


@compiles(Among, "postgresql")
def _any(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(part, **options) for part in (element.column, element.keys))
    return f"{column} = any({keys})"
