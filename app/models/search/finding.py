"""Finding: the parts of a query that the index answers, and pages of what it finds.

A page is led by the index, which gives its rows newest first (by id) at 0.2–0.5 ms for any word; ordered by
date it took 4–864 ms (docs/performance.md). By relevance only the newest `RANKED` matches are ranked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, literal, select, union
from sqlalchemy.orm import Session

from app.database.paging import cursors
from app.database.paging.keyset import Page, paginate
from app.database.search.conditions import matches, rank
from app.database.search.match import Every, Match
from app.models.feedback import Feedback, InboxFilter
from app.models.query.query import Query, of_parts
from app.models.query.text import address_like, holding_directly, match_of, match_of_address, tail_start
from app.models.query.tree import Node, Not, Term
from app.models.search.keeping import INDEX

RANKED = 2_000
_FORWARD, _BACKWARD, _RANKED = range(3)
_rowid = INDEX.table.c.rowid


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

    `columns` are selected beside those of `Feedback.inbox`. Raises what `page_of_matches` raises.
    """
    text = None if wanted.sort == "updated" else text_of(wanted.query)
    if text is not None:
        return page_of_matches(
            session, wanted, text, columns=columns, cursor=cursor, limit=limit, scope=scope
        )
    rows = Feedback.inbox(wanted).outerjoin(Feedback.assignee).add_columns(*columns)
    return paginate(rows, order=wanted.order(), cursor=cursor, limit=limit, scope=scope)


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

    Raises ClientError `cursor_invalid` or `cursor_expired` (400).
    """
    context = repr((wanted.sort, replace(wanted, context=None), scope))
    kind, *place = cursors.read(context, cursor, 3) if cursor else (_FORWARD,)
    pages = _ranked if wanted.sort == "relevance" else _by_id
    if (kind == _RANKED) is not (wanted.sort == "relevance") and cursor:
        raise cursors.invalid()
    return pages(_Search(session, wanted, text, tuple(columns), context, limit), kind, place)


@dataclass(frozen=True)
class _Search:
    """One page that is asked for."""

    session: Session
    wanted: InboxFilter
    text: Text
    columns: tuple[Any, ...]
    context: str
    limit: int

    def conditions(self) -> list[ColumnElement[bool]]:
        return [*replace(self.wanted, query=self.text.rest).conditions(), *self.text.checks]

    def rows(self, ids: Subquery) -> Select[Any]:
        found = Feedback.inbox(InboxFilter()).outerjoin(Feedback.assignee).add_columns(*self.columns)
        return found.join(ids, ids.c.id == Feedback.id)

    def led(self) -> Select[Any]:
        """Select from the index, each entry with its submission looked up by key."""
        # Without the sum SQLite might look up the index for each submission of a box instead.
        leads = self.session.get_bind().dialect.name == "sqlite"
        on = Feedback.id == (_rowid + 0 if leads else _rowid)
        asked = matches(INDEX, self.text.match)
        return select(_rowid.label("id")).join(Feedback, on).where(asked, *self.conditions())

    def tail(self) -> Select[Any]:
        """Select from what the index does not hold yet."""
        fresh = Feedback.id > tail_start()
        return select(Feedback.id.label("id")).where(
            fresh, holding_directly(self.text.match), *self.conditions()
        )


def _by_id(search: _Search, kind: Any, place: Sequence[Any]) -> Page:
    backward = kind == _BACKWARD
    rising = (search.wanted.sort == "oldest") is not backward
    arms = []
    for query, key in ((search.led(), _rowid), (search.tail(), Feedback.id)):
        if place:
            query = query.where(key > place[0] if rising else key < place[0])  # noqa: PLW2901
        order = key.asc() if rising else key.desc()
        arms.append(select(query.order_by(order).limit(search.limit + 1).subquery().c.id))
    ids = union(*arms).subquery()
    query = search.rows(ids).order_by(ids.c.id.asc() if rising else ids.c.id.desc()).limit(search.limit + 1)
    rows = list(search.session.execute(query).all())
    more, rows = len(rows) > search.limit, rows[: search.limit]
    if not rows:
        return Page((), None, None, search.limit)
    rows = rows[::-1] if backward else rows
    after = cursors.write(search.context, (_FORWARD, rows[-1].id)) if more or backward else None
    before = (
        cursors.write(search.context, (_BACKWARD, rows[0].id)) if place and (more or not backward) else None
    )
    return Page(rows, after, before, search.limit)


def _ranked(search: _Search, _kind: Any, place: Sequence[Any]) -> Page:
    """Return a page of the newest `RANKED` matches by relevance; the window stays where it began."""
    skipped, top = place if len(place) == 2 else (0, None)
    led = search.led().add_columns(rank(INDEX, search.text.match).label("rank"))
    tail = search.tail().add_columns(literal(0.0).label("rank"))
    arms = []
    for query, key in ((led, _rowid), (tail, Feedback.id)):
        bounded = query if top is None else query.where(key <= top)
        arms.append(select(bounded.order_by(key.desc()).limit(RANKED).subquery()))
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
