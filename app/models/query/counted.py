"""What the roll-up knows of a query: which of its rows can count a submission that meets it.

No index knows categories or pictures, and a minus may leave out what all are: a list would be walked to its
end to find nothing. `daily_counts` is a few rows a day. What it does not know stays open: a row may be found
where no submission is, never the other way round.
"""

from collections.abc import Callable

from sqlalchemy import ColumnElement, and_, or_, true

from app.models.daily_count import DailyCount, some_read, some_without_picture
from app.models.query.conditions import project_named
from app.models.query.tree import All, Either, Node, Not, Term

Told = Callable[[str, bool], ColumnElement[bool] | None]
_WALKED = {False: ("is:read",), True: ("is:unread", "is:archived", "has:screenshot")}


def counted(node: Node, *, negated: bool = False) -> ColumnElement[bool] | None:
    """Return the condition on the rows that can count what meets a part of a query; None for all of them."""
    if isinstance(node, Not):
        return counted(node.item, negated=not negated)
    if isinstance(node, All | Either):
        found = [counted(item, negated=negated) for item in node.items]
        known = [condition for condition in found if condition is not None]
        # A minus before what must hold together leaves out either (De Morgan).
        if isinstance(node, All) is not negated:
            return and_(*known) if known else None
        return or_(*known) if len(known) == len(found) else None
    if isinstance(node, Term) and (told := _TOLD.get(node.name)) is not None:
        return told(node.value, negated)
    return None


def asks_the_counts(node: Node, *, negated: bool = False) -> bool:
    """Tell whether a list might be walked in vain for a part of a query, which the roll-up can know."""
    if isinstance(node, Not):
        return asks_the_counts(node.item, negated=not negated)
    if isinstance(node, All | Either):
        return any(asks_the_counts(item, negated=negated) for item in node.items)
    named = node.name if isinstance(node, Term) else ""
    # What is unread, archived or of a project is found by an index, what is not is not.
    return named == "category" or str(node) in _WALKED[negated] or (negated and named == "project")


def _category(value: str, negated: bool) -> ColumnElement[bool]:
    return DailyCount.category != value if negated else DailyCount.category == value


def _status(value: str, negated: bool) -> ColumnElement[bool]:
    return DailyCount.status != value if negated else DailyCount.status == value


def _project(value: str, negated: bool) -> ColumnElement[bool]:
    found = DailyCount.project_id == project_named(value)
    return found.is_not(true()) if negated else found


def _is(value: str, negated: bool) -> ColumnElement[bool] | None:
    if value == "archived":
        return DailyCount.is_archived.is_(not negated)
    is_read = value == ("unread" if negated else "read")
    return some_read() if is_read else None


def _has(value: str, negated: bool) -> ColumnElement[bool] | None:
    return some_without_picture() if value == "screenshot" and negated else None


_TOLD: dict[str, Told] = {
    "category": _category,
    "status": _status,
    "project": _project,
    "is": _is,
    "has": _has,
}
