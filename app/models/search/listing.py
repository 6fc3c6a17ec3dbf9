"""Lists that are led by their own order: built once for each shape of filter, then only filled in.

Building the select of a page took as long as reading the page (benchmarks/f5_inbox.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.orm import Session

from app.database.paging.listing import Form, Named, form_of, listing_of
from app.models.feedback import Feedback
from app.models.inbox_filter import InboxFilter

_COLUMNS = {
    "project_id": Feedback.project_id,
    "category": Feedback.category,
    "status": Feedback.status,
    "session_id": Feedback.session_id,
    "assignee_id": Feedback.assignee_id,
    "since": Feedback.created_at,
    "until": Feedback.created_at,
}
_forms: dict[Any, tuple[Form, Sequence[Any]]] = {}


def listing_for(session: Session, wanted: InboxFilter, columns: tuple[Any, ...]) -> Named:
    """Return the listing of a filter's rows with its values; `columns` are selected beside the usual ones."""
    opened = None if wanted.query is not None else open_of(wanted)
    if opened is None:
        return listing_of(session, _select(wanted, columns), wanted.order())
    key = (session.get_bind().dialect.name, opened.key, tuple(map(id, columns)))
    kept = _forms.get(key)
    if kept is None:
        shape = opened.shape
        # The columns are kept with it, so that none of their ids is given to another.
        kept = _forms[key] = (form_of(session, _select(shape, columns), shape.order()), columns)
    return kept[0].filled(opened.given)


@dataclass(frozen=True)
class Opened:
    """A filter without its query: this call's values, and what filters of other values share with it."""

    wanted: InboxFilter
    given: Mapping[str, Any]
    key: Any

    @property
    def shape(self) -> InboxFilter:
        """The filter with parameters of these names in the place of its values."""
        named: dict[str, Any] = {name: bindparam(name, type_=_COLUMNS[name].type) for name in self.given}
        return replace(self.wanted, query=None, context=None, **named)


def open_of(wanted: InboxFilter) -> Opened | None:
    """Return a filter so that a statement can be kept for it; None where a value is no parameter alone."""
    if wanted.tag is not None or wanted.reporter is not None:
        return None
    given = {name: value for name in _COLUMNS if (value := getattr(wanted, name)) is not None}
    # True and false stand in the text: the partial indexes are met by exactly that.
    flags = (wanted.is_read, wanted.is_archived, wanted.has_screenshot)
    return Opened(wanted, given, (tuple(given), flags, wanted.sort))


def _select(wanted: InboxFilter, columns: tuple[Any, ...]) -> Any:
    return wanted.rows().outerjoin(Feedback.assignee).add_columns(*columns)
