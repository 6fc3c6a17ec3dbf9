"""`checked(condition)`: a condition that is looked at row by row, and never found by an index of its own.

SQLite's planner knows averages only. Given an index for one of a list's conditions and another for its order
it may sort a whole box of a million rows for a page of 50. PostgreSQL knows the values and needs no hint.
"""

from typing import Any

from sqlalchemy import Boolean, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal


class Checked(ColumnElement[bool]):
    """The condition; made by `checked`."""

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012  # as SQLAlchemy's own elements declare it
        ("condition", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, condition: ColumnElement[bool]) -> None:
        self.condition = condition

    def self_group(self, against: Any = None) -> "Checked":  # noqa: ARG002
        """Stand as it is: it brings its own parentheses."""
        return self


def checked(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition so that no index answers it on SQLite."""
    return Checked(condition.self_group())


@compiles(Checked)
def _plain(element: Checked, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.condition, **options)})"


@compiles(Checked, "sqlite")
def _unindexed(element: Checked, compiler: SQLCompiler, **options: Any) -> str:
    # A unary plus disqualifies a term (sqlite.org/optoverview.html, 6.3).
    return f"+({compiler.process(element.condition, **options)})"
