"""What an act did with tags: which it put on which submission and which it took off.

Kept row by row, so that an undo takes off only what the act put on. Everything is done in statements of which
there are as many as tags, whatever the number of submissions.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    ColumnElement,
    Exists,
    ForeignKey,
    Select,
    Table,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.database.among import among
from app.models.base import Base
from app.models.feedback import Feedback
from app.models.tag import MOST, FeedbackTag, Tag, key_of

if TYPE_CHECKING:
    from app.models.acts import Act, ActRow

ADD, REMOVE = "add_tags", "remove_tags"
# What an act may do with tags: lists of their names.
FIELDS = (ADD, REMOVE)


class ActTag(Base, kw_only=True):
    """One tag that an act put on one submission, or took off."""

    __tablename__ = "act_tags"

    act_id: Mapped[int] = mapped_column(ForeignKey("acts.id", ondelete="CASCADE"), primary_key=True)
    feedback_id: Mapped[int] = mapped_column(
        ForeignKey("feedback_submissions.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    tag_id: Mapped[int] = mapped_column(
        ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    is_added: Mapped[bool]


def differs(values: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Return conditions of which one holds for a submission whose tags the act would change."""
    lacking: list[ColumnElement[bool]] = [not_(_on(Tag.key == key)) for key in _keys(values, ADD)]
    removed = _keys(values, REMOVE)
    return [*lacking, _on(Tag.key.in_(removed))] if removed else lacking


def overfull(where: Sequence[ColumnElement[bool]], values: Mapping[str, Any]) -> Select[int]:
    """Select how many submissions would have more tags than one may have."""
    named = [*_keys(values, ADD), *_keys(values, REMOVE)]
    others = (
        select(func.count())
        .select_from(FeedbackTag)
        .join(Tag, Tag.id == FeedbackTag.tag_id)
        .where(FeedbackTag.feedback_id == Feedback.id, Tag.key.not_in(named))
        .scalar_subquery()
    )
    return select(func.count()).select_from(Feedback).where(*where, others > MOST - len(_keys(values, ADD)))


def remember(
    session: Session, act: "Act", rows: type["ActRow"], ids: Sequence[int], values: Mapping[str, Any]
) -> None:
    """Keep which tags the act puts on these submissions and takes off; `rows` are what it remembered."""
    names = ["act_id", "feedback_id", "tag_id", "is_added"]
    of_act = (rows.act_id == act.id, among(rows.feedback_id, ids))
    if added := _keys(values, ADD):
        there = exists().where(FeedbackTag.feedback_id == rows.feedback_id, FeedbackTag.tag_id == Tag.id)
        lacking = (
            select(literal(act.id), rows.feedback_id, Tag.id, true())
            .select_from(rows)
            .join(Tag, Tag.key.in_(added))
            .where(*of_act, not_(there))
        )
        session.execute(insert(ActTag).from_select(names, lacking))
    if removed := _keys(values, REMOVE):
        there_now = (
            select(literal(act.id), FeedbackTag.feedback_id, FeedbackTag.tag_id, false())
            .join(Tag, Tag.id == FeedbackTag.tag_id)
            .where(among(FeedbackTag.feedback_id, ids), Tag.key.in_(removed))
        )
        session.execute(insert(ActTag).from_select(names, there_now))


def put(session: Session, act: "Act", ids: Sequence[int], *, back: bool = False) -> None:
    """Put the tags on these submissions and take off the others, as the act says; `back` the other way."""
    of_act = (ActTag.act_id == act.id, among(ActTag.feedback_id, ids))
    chosen = select(ActTag.feedback_id, ActTag.tag_id).where(*of_act, ActTag.is_added.is_(not back))
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        make(cast(Table, FeedbackTag.__table__))
        .from_select(["feedback_id", "tag_id"], chosen)
        .on_conflict_do_nothing()
    )
    gone = exists().where(
        *of_act,
        ActTag.is_added.is_(back),
        ActTag.feedback_id == FeedbackTag.feedback_id,
        ActTag.tag_id == FeedbackTag.tag_id,
    )
    session.execute(
        delete(FeedbackTag).where(among(FeedbackTag.feedback_id, ids), gone),
        execution_options={"synchronize_session": False},
    )


def untouched(act: "Act") -> ColumnElement[bool]:
    """Return the condition that a submission's tags are still as the act left them."""
    there = exists().where(FeedbackTag.feedback_id == ActTag.feedback_id, FeedbackTag.tag_id == ActTag.tag_id)
    changed = or_(and_(ActTag.is_added, not_(there)), and_(not_(ActTag.is_added), there))
    return not_(exists().where(ActTag.act_id == act.id, ActTag.feedback_id == Feedback.id, changed))


def told(
    session: Session, act: "Act", ids: Sequence[int], *, back: bool = False
) -> Iterator[tuple[Select[int], dict[str, list[str]]]]:
    """Give what the timeline says: submissions, and `{"added", "removed"}`, one pair for each tag."""
    of_act = (ActTag.act_id == act.id, among(ActTag.feedback_id, ids))
    query = (
        select(Tag.id, Tag.name, ActTag.is_added)
        .join(ActTag, ActTag.tag_id == Tag.id)
        .where(*of_act)
        .distinct()
        .order_by(Tag.name)
    )
    for tag_id, name, is_added in session.execute(query).all():
        says = "added" if is_added is not back else "removed"
        of_tag = select(ActTag.feedback_id).where(
            *of_act, ActTag.tag_id == tag_id, ActTag.is_added.is_(is_added)
        )
        yield of_tag, {"added": [], "removed": []} | {says: [name]}


def _keys(values: Mapping[str, Any], name: str) -> list[str]:
    return [key_of(each) for each in values.get(name, ())]


def _on(which: ColumnElement[bool]) -> Exists:
    return (
        exists()
        .where(FeedbackTag.feedback_id == Feedback.id, FeedbackTag.tag_id == Tag.id, which)
        .correlate(Feedback)
    )
