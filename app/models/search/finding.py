"""Finding: the parts of a query that the index answers, and pages of what it finds.

A page is led by the index, which gives its rows newest first (by id) at 0.2–0.5 ms for any word; ordered by
date it took 4–864 ms (docs/performance.md). By relevance only the newest `RANKED` matches are ranked. Without
words a tag, a reporter or notes may lead (`leads`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, literal, select, tuple_, union
from sqlalchemy.orm import Session

from app.database.checked import checked
from app.database.paging import cursors
from app.database.paging.keyset import Page
from app.database.paging.keyset import page_of as page_of_listing
from app.database.search.conditions import rank
from app.database.search.match import Every, Match
from app.models.feedback import Feedback
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
from app.models.search.keeping import INDEX
from app.models.search.leads import Arm, Keys, Lead, held, lead_of
from app.models.search.listing import listing_for

RANKED = 2_000
_FORWARD, _BACKWARD, _RANKED = range(3)


@dataclass(frozen=True)
class Text:
    """A query cut in two: what the index answers, and the rest with what is to be looked at again."""

    match: Match
    rest: Query
    checks: tuple[ColumnElement[bool], ...] = ()


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
    told = (*columns, behind().label("behind"))
    return _page(session, wanted, text, columns=told, cursor=cursor, limit=limit, scope=scope)


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
    pages = _ranked if wanted.sort == "relevance" else _in_order
    if (kind == _RANKED) is not (wanted.sort == "relevance") and cursor:
        raise cursors.invalid()
    return pages(_Search(session, wanted, led_by, tuple(columns), context, limit), kind, place)


@dataclass(frozen=True)
class _Search:
    """One page that is asked for."""

    session: Session
    wanted: InboxFilter
    led_by: Text | Lead
    columns: tuple[Any, ...]
    context: str
    limit: int

    def rows(self, ids: Subquery) -> Select[Any]:
        found = InboxFilter().rows().outerjoin(Feedback.assignee).add_columns(*self.columns)
        return found.join(ids, ids.c.id == Feedback.id)

    def arms(self) -> list[Arm]:
        """Select ids in their order: from what leads, and what the index does not hold yet."""
        sqlite = self.session.get_bind().dialect.name == "sqlite"
        if isinstance(self.led_by, Lead):
            return self.led_by.arms((), sqlite)
        rest = [*replace(self.wanted, query=self.led_by.rest).conditions(), *self.led_by.checks]
        return held(self.led_by.match)([*map(checked, rest)], sqlite)


def _in_order(search: _Search, kind: Any, place: Sequence[Any]) -> Page:
    backward = kind == _BACKWARD
    rising = (search.wanted.sort == "oldest") is not backward
    arms = []
    for arm in search.arms():
        query = arm.query
        if place:
            here = tuple_(*arm.keys), tuple_(*place_of(arm.keys, place))
            query = query.where(here[0] > here[1] if rising else here[0] < here[1])
        order = [key.asc() if rising else key.desc() for key in arm.keys]
        arms.append(select(query.order_by(*order).limit(search.limit + 1).subquery()))
    ids = (union(*arms) if len(arms) > 1 else arms[0]).subquery()
    keys = [column.asc() if rising else column.desc() for column in reversed(ids.c)]
    query = search.rows(ids).order_by(*keys).limit(search.limit + 1)
    rows = list(search.session.execute(query).all())
    more, rows = len(rows) > search.limit, rows[: search.limit]
    if not rows:
        return Page((), None, None, search.limit)
    rows = rows[::-1] if backward else rows
    by_time = len(ids.c) > 1

    def cursor(way: int, row: Any) -> str | None:
        return cursors.write(search.context, (way, *((row.created_at,) if by_time else ()), row.id))

    after = cursor(_FORWARD, rows[-1]) if more or backward else None
    before = cursor(_BACKWARD, rows[0]) if place and (more or not backward) else None
    return Page(rows, after, before, search.limit)


def place_of(keys: Keys, place: Sequence[Any]) -> list[ColumnElement[Any]]:
    """Return a cursor's values as parameters. Raises ClientError `cursor_invalid` for one of another list."""
    if len(place) != len(keys):
        raise cursors.invalid()
    return [literal(value, key.type) for value, key in zip(place, keys, strict=True)]


def _ranked(search: _Search, _kind: Any, place: Sequence[Any]) -> Page:
    """Return a page of the newest `RANKED` matches by relevance; the window stays where it began."""
    skipped, top = place if len(place) == 2 else (0, None)
    assert isinstance(search.led_by, Text), "only words have a relevance"
    ranks = (rank(INDEX, search.led_by.match), literal(0.0))
    arms = []
    for arm, ranked in zip(search.arms(), ranks, strict=True):
        query = arm.query.add_columns(ranked.label("rank"))
        bounded = query if top is None else query.where(arm.keys[0] <= top)
        arms.append(select(bounded.order_by(arm.keys[0].desc()).limit(RANKED).subquery()))
    ids = union(*arms).subquery()
    newest = func.max(ids.c.id).over().label("newest")
    query = search.rows(ids).add_columns(newest).order_by(ids.c.rank, ids.c.id.desc())
    rows = search.session.execute(query.offset(skipped).limit(search.limit + 1)).all()
    more, rows = len(rows) > search.limit, rows[: search.limit]
    top = rows[0].newest if rows and top is None else top

    def cursor(offset: int) -> str | None:
        return cursors.write(search.context, (_RANKED, offset, top))

    after = cursor(skipped + search.limit) if more else None
    before = cursor(max(0, skipped - search.limit)) if skipped else None
    return Page(rows, after, before, search.limit)
