"""Where a page begins, as conditions that an index answers.

The rows after a place are cut into stretches, each of which one seek finds: columns that run one way are
compared as a row value, `(a, b) < (?, ?)`; where the direction turns or a value may be NULL, a stretch holds
what stands before it fixed. A page reads the stretches in turn until it is full, mostly only the first.
The usual `a < ? or (a = ? and b > ?)` took 4.3 ms where a seek takes 0.1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, tuple_
from sqlalchemy.sql import operators

_WAYS = {operators.asc_op: False, operators.desc_op: True}
_NULLS = {operators.nulls_first_op: True, operators.nulls_last_op: False}
_MODIFIERS = _WAYS.keys() | _NULLS.keys()


@dataclass(frozen=True)
class Key:
    """One column of a page's order. `value` is the parameter that carries the place's value of it."""

    expression: ColumnElement[Any]
    value: ColumnElement[Any]
    descending: bool
    nulls_first: bool
    nullable: bool = True
    nulls_are_largest: bool = False

    def reversed(self) -> "Key":
        """Return the same column, read from the other end."""
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    @property
    def is_usual(self) -> bool:
        """Whether the database puts the NULLs there by itself."""
        return self.nulls_first == (self.descending == self.nulls_are_largest)

    def directed(self, *, mixed: bool) -> ColumnElement[Any]:
        """Return the part of ORDER BY; `mixed` where NULLs and values stand in one stretch.

        Elsewhere the place of the NULLs is left out, so that an index of either kind gives the order.
        """
        way = self.expression.desc() if self.descending else self.expression.asc()
        if not (mixed and self.nullable) or self.is_usual:
            return way
        return way.nulls_first() if self.nulls_first else way.nulls_last()

    def equal(self, is_null: bool) -> ColumnElement[bool]:
        """Return the condition that a row has the place's value."""
        return self.expression.is_(None) if is_null else self.expression == self.value

    def after(self, is_null: bool) -> list[ColumnElement[bool]]:
        """Return the conditions of the rows after the place's value, in order."""
        if is_null:
            return [self.expression.is_not(None)] if self.nulls_first else []
        smaller, larger = self.expression < self.value, self.expression > self.value
        found = [smaller if self.descending else larger]
        return [*found, self.expression.is_(None)] if self.nullable and not self.nulls_first else found


@dataclass(frozen=True)
class Stretch:
    """Conditions and order of a part of the rows."""

    conditions: tuple[ColumnElement[bool], ...]
    order: tuple[ColumnElement[Any], ...]


def parse(part: ColumnElement[Any], *, nulls_are_largest: bool) -> Key:
    """Read a part of an ORDER BY; a key's value and whether it may be NULL are for the caller to set.

    Raises ValueError for a name instead of a column.
    """
    descending, nulls_first = False, None
    while True:
        if isinstance(part, UnaryExpression) and part.modifier in _MODIFIERS:
            descending = _WAYS.get(part.modifier, descending)
            nulls_first = _NULLS.get(part.modifier, nulls_first)
            part = part.element
        elif part.__visit_name__ in ("label", "label_reference"):
            part = part.element
        else:
            break
    if part.__visit_name__ == "textual_label_reference":
        raise ValueError("a page is ordered by columns and expressions, not by names")
    if nulls_first is None:
        nulls_first = descending == nulls_are_largest
    return Key(part, part, descending, nulls_first, nulls_are_largest=nulls_are_largest)


def first(keys: Sequence[Key]) -> list[Stretch]:
    """Return the stretches of the whole list."""
    key = keys[0]
    if not key.nullable or key.is_usual:
        return [Stretch((), _order(keys, known=0))]
    nulls, values = key.expression.is_(None), key.expression.is_not(None)
    conditions = (nulls, values) if key.nulls_first else (values, nulls)
    return [Stretch((condition,), _order(keys, known=1)) for condition in conditions]


def after(keys: Sequence[Key], nulls: Sequence[bool]) -> list[Stretch]:
    """Return the stretches after a place; `nulls` tells which of its values are NULL."""
    found = []
    for start, end in reversed(list(_runs(keys))):
        fixed = tuple(keys[i].equal(nulls[i]) for i in range(start))
        for condition in _past(keys[start:end], nulls[start]):
            found.append(Stretch((*fixed, condition), _order(keys, known=start + 1)))
    return found


def _past(run: Sequence[Key], is_null: bool) -> list[ColumnElement[bool]]:
    if len(run) == 1:
        return run[0].after(is_null)
    row, place = tuple_(*(key.expression for key in run)), tuple_(*(key.value for key in run))
    return [row < place if run[0].descending else row > place]


def _runs(keys: Sequence[Key]) -> Iterator[tuple[int, int]]:
    start = 0
    for i in range(1, len(keys) + 1):
        if i == len(keys) or not _agree(keys[i - 1], keys[i]):
            yield start, i
            start = i


def _agree(one: Key, other: Key) -> bool:
    return not one.nullable and not other.nullable and one.descending is other.descending


def _order(keys: Sequence[Key], *, known: int) -> tuple[ColumnElement[Any], ...]:
    """Return ORDER BY, where of the first `known` keys it is known whether they are NULL."""
    return tuple(key.directed(mixed=i >= known) for i, key in enumerate(keys))
