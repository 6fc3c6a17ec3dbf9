"""Selects of pages that something leads: the ids first, then the rows of the few that are shown.

Building such a select takes several times as long as reading the page. Those led by words, whatever else the
form asks, are built once for each shape and then only filled in; others, of which there are many, anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Select, bindparam, func, literal, select, union
from sqlalchemy import tuple_ as row_value
from sqlalchemy.orm import Session

from app.database.checked import checked
from app.database.paging import cursors
from app.database.prepared_select import PreparedSelect
from app.database.search.conditions import asking, rank
from app.database.search.match import Match
from app.database.types import EPOCH, UtcTime
from app.models.feedback import Feedback
from app.models.inbox_filter import InboxFilter
from app.models.query.query import Query
from app.models.search.keeping import INDEX
from app.models.search.leads import Arm, Boxes, Lead, held
from app.models.search.listing import open_of

RANKED = 2_000
_ROWS, _SKIPPED, _TOP = "page_rows", "page_skipped", "page_top"
_kept: dict[Any, tuple[PreparedSelect, Any]] = {}


@dataclass(frozen=True)
class Text:
    """A query cut in two: what the index answers, and the rest with what is to be looked at again.

    Without a match the statement is filled with one at each run.
    """

    match: Match | None
    rest: Query
    checks: tuple[ColumnElement[bool], ...] = ()


@dataclass(frozen=True)
class Led:
    """What pages are asked for, whose columns beside the usual ones, and what leads them."""

    wanted: InboxFilter
    led_by: Text | Lead
    columns: tuple[Any, ...]
    sqlite: bool

    def arms(self) -> list[Arm]:
        """Select ids in their order: from what leads, and what the index does not hold yet."""
        if isinstance(self.led_by, Lead):
            return self.led_by.arms((), self.sqlite)
        rest = [*replace(self.wanted, query=self.led_by.rest or None).conditions(), *self.led_by.checks]
        return held(self.led_by.match)([*map(checked, rest)], self.sqlite)

    def rows(self, ids: Any) -> Select[Any]:
        """Select the rows of ids."""
        found = InboxFilter().rows().outerjoin(Feedback.assignee).add_columns(*self.columns)
        return found.join(ids, ids.c.id == Feedback.id)

    def most(self, name: str) -> Any:
        """Return a number of rows as a parameter."""
        # PostgreSQL plans a few rows otherwise than all of them, so it must see the number.
        return bindparam(name, type_=Integer(), literal_execute=not self.sqlite)


def in_order(
    session: Session, led: Led, *, rising: bool, place: Sequence[Any], limit: int
) -> tuple[Sequence[Any], bool]:
    """Return the rows after a place (none for the beginning), and whether time leads their order.

    Raises ClientError `cursor_invalid` (400) for a place of another list.
    """
    by_time = isinstance(led.led_by, Boxes)
    if place and len(place) != 1 + by_time:
        raise cursors.invalid()
    values = {f"place_{at}": value for at, value in enumerate(place)} | {_ROWS: limit}
    found = _run(session, led, ("in order", rising, bool(place)), values)
    return found, by_time


def by_relevance(session: Session, led: Led, *, skipped: int, top: int | None, limit: int) -> Sequence[Any]:
    """Return rows of the newest `RANKED` matches by relevance, those up to the id `top` where it is given.

    Each says in `newest` the highest id among them.
    """
    values = {_ROWS: limit, _SKIPPED: skipped, _TOP: top}
    return _run(session, led, ("by relevance", top is not None), values)


def _run(session: Session, led: Led, way: tuple[Any, ...], values: Mapping[str, Any]) -> Sequence[Any]:
    if session.autoflush:
        session.flush()
    connection = session.connection()
    text, opened = led.led_by, open_of(led.wanted)
    if not isinstance(text, Text) or text.rest or text.checks or opened is None:
        return connection.execute(_select(led, way), values).all()
    assert text.match is not None, "a call brings its words"
    key = (led.sqlite, opened.key, way, tuple(map(id, led.columns)))
    if key not in _kept:
        shape = replace(led, wanted=opened.shape, led_by=replace(text, match=None))
        # The columns are kept with it, so that none of their ids is given to another.
        _kept[key] = (PreparedSelect(_select(shape, way)), led.columns)
    return _kept[key][0].rows(connection, **opened.given, **asking(text.match), **values)


def _select(led: Led, way: tuple[Any, ...]) -> Select[Any]:
    kind, *how = way
    return _in_order(led, *how) if kind == "in order" else _by_relevance(led, *how)


def _in_order(led: Led, rising: bool, from_place: bool) -> Select[Any]:
    by_time = isinstance(led.led_by, Boxes)
    begin = led.wanted.begin(literal(EPOCH, UtcTime) if by_time else literal(0))
    arms = []
    for arm in led.arms():
        query = arm.query if begin is None else arm.query.where(arm.keys[0] >= begin, begin.is_not(None))
        if from_place:
            place = [bindparam(f"place_{at}", type_=key.type) for at, key in enumerate(arm.keys)]
            here = row_value(*arm.keys), row_value(*place)
            query = query.where(here[0] > here[1] if rising else here[0] < here[1])
        order = [key.asc() if rising else key.desc() for key in arm.keys]
        arms.append(select(query.order_by(*order).limit(led.most(_ROWS)).subquery()))
    ids = _merged(arms).subquery()
    keys = [column.asc() if rising else column.desc() for column in reversed(ids.c)]
    return led.rows(ids).order_by(*keys).limit(led.most(_ROWS))


def _by_relevance(led: Led, windowed: bool) -> Select[Any]:
    """Rank ids alone: rows of all that are ranked, of which a page is shown, took half the time."""
    assert isinstance(led.led_by, Text), "only words have a relevance"
    arms = []
    for arm, ranked in zip(led.arms(), (rank(INDEX, led.led_by.match), literal(0.0)), strict=True):
        query = arm.query.add_columns(ranked.label("rank"))
        if windowed:
            query = query.where(arm.keys[0] <= bindparam(_TOP, type_=Integer()))
        arms.append(select(query.order_by(arm.keys[0].desc()).limit(RANKED).subquery()))
    every = _merged(arms).subquery()
    newest = func.max(every.c.id).over().label("newest")
    best = select(every.c.id, every.c.rank, newest).order_by(every.c.rank, every.c.id.desc())
    ids = best.limit(led.most(_ROWS)).offset(led.most(_SKIPPED)).subquery()
    return led.rows(ids).add_columns(ids.c.newest).order_by(ids.c.rank, ids.c.id.desc())


def _merged(arms: Sequence[Select[Any]]) -> Select[Any] | CompoundSelect[Any]:
    return union(*arms) if len(arms) > 1 else arms[0]
