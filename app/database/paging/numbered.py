"""Numbered pages, for where people want numbers, and counts that stop at a cap.

OFFSET reads every row that it skips (2.9 ms at page 1,000) and a full count every row there is (4–1,725 ms),
so both end at a cap: beyond it a list goes on by cursor (app.database.paging.keyset).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal_column, select
from sqlalchemy.orm import Session

from app.database.transactions import current_session
from app.errors import ClientError

CAP = 10_000


@dataclass(frozen=True)
class OffsetPage:
    """Rows of the page `page` (from 1) and how many rows there are; `capped` says at least that many."""

    rows: Sequence[Row[Any]]
    page: int
    limit: int
    total: int
    capped: bool

    @property
    def pages(self) -> int:
        """How many pages can be reached by number; an empty list has one."""
        return max(1, -(-self.total // self.limit))

    def as_json(self) -> dict[str, Any]:
        """Return the `page` member of the API's envelope; it has no cursors."""
        numbers = {"number": self.page, "pages": self.pages, "total": self.total, "capped": self.capped}
        return {"limit": self.limit, "next": None, "prev": None, **numbers}


def paginate_numbered(
    select: Select[Any],
    *,
    order: Sequence[ColumnElement[Any]],
    page: int,
    limit: int,
    cap: int = CAP,
    session: Session | None = None,
) -> OffsetPage:
    """Return the page `page` of at most `limit` rows, two statements; a page after the last is empty.

    Raises ValueError for a limit below 1, ClientError `page_invalid` (400) for a page that begins at or
    beyond `cap`, or below 1.
    """
    if limit < 1:
        raise ValueError("a page holds at least one row")
    if page < 1 or (page - 1) * limit >= cap:
        raise ClientError(400, "page_invalid", "The list has no page of that number.")
    session = session or current_session()
    found = capped_count(select, cap + 1, session=session)
    start = (page - 1) * limit
    listed = select.order_by(*order).limit(min(limit, cap - start)).offset(start)
    # Entities may come with joined collections, which SQLAlchemy gives row by row.
    rows = session.execute(listed).unique().all()
    return OffsetPage(rows, page, limit, min(found, cap), found > cap)


def capped_count(query: Select[Any], cap: int, *, session: Session | None = None) -> int:
    """Count the rows of a select, but read at most `cap` of them: `cap` means that many or more."""
    plain = query.order_by(None)
    if not (plain._group_by_clauses or plain._distinct):
        plain = plain.with_only_columns(literal_column("1"), maintain_column_froms=True)
    rows = plain.limit(cap).subquery()
    return (session or current_session()).scalar(select(func.count()).select_from(rows)) or 0
