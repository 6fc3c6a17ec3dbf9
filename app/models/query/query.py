"""A query that was read: its tree, its text, its conditions, and changing a part of it."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement

from app.models.query.conditions import QueryContext, condition
from app.models.query.counted import asks_the_counts, counted
from app.models.query.tree import All, Node, Not, Term


@dataclass(frozen=True)
class Query:
    """What is asked for; no tree asks for everything."""

    tree: Node | None = None

    def __str__(self) -> str:
        return "" if self.tree is None else str(self.tree)

    def __bool__(self) -> bool:
        return self.tree is not None

    @property
    def parts(self) -> tuple[Node, ...]:
        """What must hold together, each part by itself."""
        if isinstance(self.tree, All):
            return self.tree.items
        return () if self.tree is None else (self.tree,)

    def value(self, name: str) -> str | None:
        """Return the value of a filter that must hold, or None; of two alike the first."""
        return next((part.value for part in self.parts if isinstance(part, Term) and part.name == name), None)

    def names(self) -> frozenset[str]:
        """Return the names of all filters, wherever they stand."""
        return frozenset(_names(self.tree))

    def without(self, part: Node) -> "Query":
        """Return the query without one of its parts."""
        return of_parts(tuple(kept for kept in self.parts if kept != part))

    def having(self, part: Node) -> "Query":
        """Return the query with one more part, unless it is there."""
        return self if part in self.parts else of_parts((*self.parts, part))

    def setting(self, name: str, value: str | None) -> "Query":
        """Return the query with this one value of a filter, in the place of others; None takes it away."""
        kept = tuple(part for part in self.parts if not (isinstance(part, Term) and part.name == name))
        return of_parts(kept if value is None else (*kept, Term(name, value)))

    def conditions(self, context: QueryContext) -> list[ColumnElement[bool]]:
        """Return the SQL conditions that a submission must meet."""
        return [condition(part, context) for part in self.parts]

    def counted(self) -> list[ColumnElement[bool]]:
        """Return the conditions on the rows of `daily_counts` that can count what a submission must meet."""
        return [told for part in self.parts if (told := counted(part)) is not None]

    def asks_the_counts(self) -> bool:
        """Tell whether its list might be walked in vain, which the roll-up can know."""
        return any(map(asks_the_counts, self.parts))


def of_parts(parts: tuple[Node, ...]) -> Query:
    """Return the query that asks for all parts."""
    if len(parts) > 1:
        return Query(All(parts))
    return Query(parts[0] if parts else None)


def _names(node: Node | None) -> set[str]:
    if isinstance(node, Term):
        return {node.name}
    if isinstance(node, Not):
        return _names(node.item)
    return {name for item in getattr(node, "items", ()) for name in _names(item)}
