"""The one query language: what the page, the API, export, bulk acts and saved views are asked in.

`parse` reads a text into a tree of terms; `str` prints it so that it reads back the same; `conditions` makes
SQL of it. Whatever is typed gives a `Query` or a `QueryError`, never anything else.
"""

from app.models.query.conditions import QueryContext
from app.models.query.errors import QueryError
from app.models.query.parser import parse
from app.models.query.query import Query

__all__ = ["Query", "QueryContext", "QueryError", "parse"]
