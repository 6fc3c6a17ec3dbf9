"""What a list of submissions shows: its filter, its rows, its order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    UnaryExpression,
    and_,
    case,
    exists,
    func,
    literal,
    select,
)

from app.database.types import EPOCH, UtcTime
from app.models import tag
from app.models.addresses import is_address
from app.models.daily_count import DailyCount, first_counted, some_read, some_without_picture
from app.models.feedback import Feedback
from app.models.project import Project
from app.models.screenshot import Screenshot

if TYPE_CHECKING:
    from app.models.query import Query, QueryContext

FIRST_WORDS = 200  # characters of the description that a row of the list carries


@dataclass(frozen=True, kw_only=True)
class InboxFilter:
    """What a list shows. None leaves a field free; times are aware, `until` is exclusive.

    A `query` comes with its `context`: its ages are reckoned from that moment.
    """

    project_id: int | None = None
    category: str | None = None
    status: str | None = None
    is_read: bool | None = None
    is_archived: bool | None = None
    has_screenshot: bool | None = None
    session_id: str | None = None
    reporter: str | None = None
    assignee_id: int | None = None
    tag: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    query: "Query | None" = None
    context: "QueryContext | None" = None
    sort: str = "newest"

    def rows(self) -> Select[Any]:
        """Select the rows of a list page; page them with `order`."""
        return (
            select(*_row_columns())
            .select_from(Feedback)
            # Never missing, but joined from outside: SQLite would else begin with the few projects, and sort
            # all that a project has in a box for a page of it.
            .outerjoin(Feedback.project)
            .outerjoin(Feedback.screenshot)
            .where(*self.listed())
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the SQL conditions."""
        equal = {
            Feedback.project_id: self.project_id,
            Feedback.category: self.category,
            Feedback.status: self.status,
            Feedback.is_read: self.is_read,
            Feedback.is_archived: self.is_archived,
            Feedback.session_id: self.session_id,
            Feedback.assignee_id: self.assignee_id,
        }
        found = [column == value for column, value in equal.items() if value is not None]
        if self.has_screenshot is not None:
            found.append(pictured() if self.has_screenshot else ~Feedback.has_screenshot)
        if self.reporter is not None:
            found.append(is_address(Feedback.reporter_email, self.reporter))
        if self.tag is not None:
            found.append(Feedback.id.in_(tag.submissions(self.tag)))
        if self.since is not None:
            found.append(Feedback.created_at >= self.since)
        if self.until is not None:
            found.append(Feedback.created_at < self.until)
        if self.query is not None:
            assert self.context is not None, "a query has a context"
            found.extend(self.query.conditions(self.context))
        return found

    def listed(self) -> list[ColumnElement[bool]]:
        """Return the conditions of a list, which walks nothing where nothing is counted that meets them."""
        begin = self.begin(literal(EPOCH, UtcTime))
        if begin is None:
            return self.conditions()
        # SQLite ends a walk before it begins by the range of its index, PostgreSQL by what names no column.
        return [*self.conditions(), Feedback.created_at >= begin, begin.is_not(None)]

    def begin(self, lowest: ColumnElement[Any]) -> ScalarSelect[Any] | None:
        """Select `lowest`, where a list begins, or NULL where the roll-up counts nothing that is asked for.

        None where an index finds what is asked for, so that the roll-up need not be asked.
        """
        asks = self.category is not None or self.has_screenshot is False or self.is_read is True
        if not asks and not (self.query and self.query.asks_the_counts()):
            return None
        return first_counted(lowest, self.project_id, self._counted())

    def _counted(self) -> list[ColumnElement[bool]]:
        equal = {
            DailyCount.category: self.category,
            DailyCount.status: self.status,
            DailyCount.is_archived: self.is_archived,
        }
        found = [column == value for column, value in equal.items() if value is not None]
        if self.is_read is True:
            found.append(some_read())
        if self.has_screenshot is False:
            found.append(some_without_picture())
        return found if self.query is None else [*found, *self.query.counted()]

    def order(self) -> Sequence[UnaryExpression[Any]]:
        """Return the order of the list; it ends in the unique id.

        What one person or one session sent stands in the order of arrival, which their indexes give.
        """
        if self.sort == "updated":
            return (Feedback.updated_at.desc(), Feedback.id.desc())
        if self._of_somebody():
            return (Feedback.id.asc() if self.sort == "oldest" else Feedback.id.desc(),)
        if self.sort == "oldest":
            return (Feedback.created_at.asc(), Feedback.id.asc())
        return (Feedback.created_at.desc(), Feedback.id.desc())

    def _of_somebody(self) -> bool:
        asked = self.query is not None and (self.query.value("email") or self.query.value("session"))
        return bool(asked) or self.session_id is not None or self.reporter is not None


def pictured() -> ColumnElement[bool]:
    """Return the condition that a submission has a picture.

    No index knows it, for most have one. Where none has, there is nothing to walk.
    """
    begin = select(case((exists().select_from(Screenshot), literal(EPOCH, UtcTime)))).scalar_subquery()
    return and_(Feedback.has_screenshot, Feedback.created_at >= begin)


def _row_columns() -> Sequence[Any]:
    return (
        Feedback.id,
        Feedback.public_id,
        Feedback.category,
        Feedback.status,
        func.substr(Feedback.description, 1, FIRST_WORDS).label("first_words"),
        Feedback.url,
        Feedback.rating,
        Feedback.reporter_name,
        Feedback.reporter_email,
        Feedback.is_read,
        Feedback.is_archived,
        Feedback.snoozed_until,
        Feedback.has_screenshot,
        Feedback.has_annotation,
        Feedback.created_at,
        Feedback.updated_at,
        Project.public_key.label("project_key"),
        Project.name.label("project_name"),
        Screenshot.state.label("screenshot_state"),
    )
