"""Finding: the parts of a query that the index answers, and pages of what it finds.

A page is led by the index, which gives its rows newest first (by id) at 0.2–0.5 ms for any word; ordered by
date it took 4–864 ms (docs/performance.md). By relevance only the newest `RANKED` matches are ranked. Without
words a tag, a reporter or notes may lead (`leads`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.database.paging import cursors
from app.database.paging.keyset import Page
from app.database.paging.keyset import page_of as page_of_listing
from app.database.search.match import Every, Match
from app.models.inbox_filter import InboxFilter
from app.models.query.conditions import is_release
from app.models.query.query import Query, of_parts
from app.models.query.text import (
    MOST_DIRECT,
    address_like,
    behind,
    match_of,
    match_of_address,
    match_of_release,
)
from app.models.query.tree import Node, Not, Term
from app.models.search.leads import Lead, lead_of
from app.models.search.led import Led, Text, by_relevance, in_order
from app.models.search.listing import listing_for

_FORWARD, _BACKWARD, _RANKED = range(3)
_BEHIND = behind().label("behind")


def text_of(query: Query | None) -> Text | None:
    """Return what a query asks of the index, or None where no page can be led by it."""
    held: list[Match] = []
    without: list[Match] = []
    rest: list[Node] = []
    checks: list[ColumnElement[bool]] = []
    for part in () if query is None else query.parts:
        if isinstance(part, Term) and part.name == "url" and (address := match_of_address(part.value)):
            held.append(address)
            checks.append(address_like(part.value))
        elif isinstance(part, Term) and part.name == "release" and (told := match_of_release(part.value)):
            held.append(told)
            checks.append(is_release(part.value))
        elif (found := match_of(part)) is not None:
            held.append(found)
        elif isinstance(part, Not) and (turned := match_of(part.item)) is not None:
            without.append(turned)
        else:
            rest.append(part)
    if not held:
        return None
    single = len(held) == 1 and not without
    match = held[0] if single else Every(tuple(held), tuple(without))
    return Text(match, of_parts(tuple(rest)), tuple(checks))


def page_of(
    session: Session,
    wanted: InboxFilter,
    *,
    columns: Sequence[Any] = (),
    cursor: str | None,
    limit: int,
    scope: str,
) -> Page:
    """Return a page of what a filter finds: led by the index where there is text to find, else by the order.

    `columns` are selected beside those of `InboxFilter.rows`. Raises what `page_of_matches` raises.
    """
    if wanted.sort != "updated" and (text := text_of(wanted.query)) is not None:
        return page_of_matches(
            session, wanted, text, columns=columns, cursor=cursor, limit=limit, scope=scope
        )
    if wanted.sort in ("newest", "oldest") and (lead := lead_of(wanted)) is not None:
        return _page(session, wanted, lead, columns=columns, cursor=cursor, limit=limit, scope=scope)
    return page_of_listing(
        listing_for(session, wanted, tuple(columns)), cursor, limit, scope=scope, session=session
    )


def page_of_matches(
    session: Session,
    wanted: InboxFilter,
    text: Text,
    *,
    columns: Sequence[Any] = (),
    cursor: str | None,
    limit: int,
    scope: str,
) -> Page:
    """Return a page of what the index finds, in one statement, by id or by relevance.

    Rows say in `behind` by how many ids the index lags. Raises ClientError `cursor_invalid` or
    `cursor_expired` (400).
    """
    return _page(session, wanted, text, columns=(*columns, _BEHIND), cursor=cursor, limit=limit, scope=scope)


def catching_up(session: Session, page: Page) -> int:
    """Return how many submissions the index lags behind, where not all of them are searched directly.

    Rows of `page_of_matches` know it; where it found none, that takes a statement.
    """
    lag = page.rows[0].behind if page.rows else session.scalar(select(behind()))
    return lag if lag and lag > MOST_DIRECT else 0


def _page(
    session: Session,
    wanted: InboxFilter,
    led_by: Text | Lead,
    *,
    columns: Sequence[Any],
    cursor: str | None,
    limit: int,
    scope: str,
) -> Page:
    context = repr((wanted.sort, replace(wanted, context=None), scope))
    kind, *place = cursors.read(context, cursor, 3) if cursor else (_FORWARD,)
    if (kind == _RANKED) is not (wanted.sort == "relevance") and cursor:
        raise cursors.invalid()
    sqlite = session.get_bind().dialect.name == "sqlite"
    led = Led(wanted, led_by, tuple(columns), sqlite)
    if wanted.sort == "relevance":
        return _ranked(session, led, context, place, limit)
    return _in_order(session, led, context, place, limit, backward=kind == _BACKWARD)


def _in_order(
    session: Session, led: Led, context: str, place: Sequence[Any], limit: int, *, backward: bool
) -> Page:
    rising = (led.wanted.sort == "oldest") is not backward
    rows, by_time = in_order(session, led, rising=rising, place=place, limit=limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    if not rows:
        return Page((), None, None, limit)
    rows = rows[::-1] if backward else rows

    def cursor(way: int, row: Any) -> str | None:
        return cursors.write(context, (way, *((row.created_at,) if by_time else ()), row.id))

    after = cursor(_FORWARD, rows[-1]) if more or backward else None
    before = cursor(_BACKWARD, rows[0]) if place and (more or not backward) else None
    return Page(rows, after, before, limit)


def _ranked(session: Session, led: Led, context: str, place: Sequence[Any], limit: int) -> Page:
    """Return a page of the newest `RANKED` matches by relevance; the window stays where it began."""
    skipped, top = place if len(place) == 2 else (0, None)
    rows = by_relevance(session, led, skipped=skipped, top=top, limit=limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    top = rows[0].newest if rows and top is None else top

    def cursor(offset: int) -> str | None:
        return cursors.write(context, (_RANKED, offset, top))

    after = cursor(skipped + limit) if more else None
    before = cursor(max(0, skipped - limit)) if skipped else None
    return Page(rows, after, before, limit)
