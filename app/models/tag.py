"""Tags: words that agents put on submissions, shared by all projects, each with a colour of the charts.

A name is the same whatever its case: `Checkout` and `checkout` are one tag. Links go with the submission or
the tag.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import utc_now
from app.database.among import Keys, among
from app.database.prepared_select import PreparedSelect
from app.database.types import UtcTime
from app.models.base import Base
from app.models.identifiers import new_public_id

COLORS = 8  # --chart-1 to --chart-8 of tokens.css
LONGEST = 40  # characters of a name
MOST = 20  # tags of one submission


class Tag(Base, kw_only=True):
    """One tag; `key` is its name as names are compared."""

    __tablename__ = "tags"
    __table_args__ = (CheckConstraint("color between 1 and 8", name="color"),)

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    name: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    color: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)


class FeedbackTag(Base, kw_only=True):
    """That a submission has a tag."""

    __tablename__ = "feedback_tags"
    __table_args__ = (Index("ix_feedback_tags_tag", "tag_id", "feedback_id"),)

    feedback_id: Mapped[int] = mapped_column(
        ForeignKey("feedback_submissions.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)


def clean(name: str) -> str:
    """Return a name with single spaces. Raises ValueError for one that is no name of a tag."""
    words = " ".join(name.split())
    if not 1 <= len(words) <= LONGEST or not words.isprintable() or "," in words:
        raise ValueError(f"is a name of at most {LONGEST} characters, without a comma")
    return words


def key_of(name: str) -> str:
    """Return a name as names are compared."""
    return name.casefold()


def of(session: Session, feedback_id: int) -> Sequence[Tag]:
    """Return the tags of a submission by name."""
    query = (
        select(Tag)
        .join(FeedbackTag, FeedbackTag.tag_id == Tag.id)
        .where(FeedbackTag.feedback_id == feedback_id)
        .order_by(Tag.key)
    )
    return session.scalars(query).all()


def of_many(session: Session, feedback_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Return public id, name and colour of the tags of submissions that have some, by name."""
    found: dict[int, list[Any]] = {}
    for row in _OF_MANY.rows(session.connection(), ids=feedback_ids) if feedback_ids else ():
        found.setdefault(row.feedback_id, []).append(row)
    return found


def submissions(name: str) -> Select[int]:
    """Select the ids of submissions that have the tag of this name."""
    return (
        select(FeedbackTag.feedback_id).join(Tag, Tag.id == FeedbackTag.tag_id).where(Tag.key == key_of(name))
    )


def tagged(feedback_id: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Return the condition that one submission has the tag of this name."""
    named = select(Tag.id).where(Tag.key == key_of(name)).scalar_subquery()
    linked = select(FeedbackTag.tag_id).where(
        FeedbackTag.feedback_id == feedback_id, FeedbackTag.tag_id == named
    )
    # Also where the page around it is led by another tag.
    return linked.correlate_except(FeedbackTag).exists()


def replace(session: Session, feedback_id: int, names: Iterable[str]) -> dict[str, list[str]] | None:
    """Give a submission exactly these tags, making those that are new, inside a write transaction.

    Returns what the timeline says of it, `{"added", "removed"}`, or None where nothing changed. Names are
    clean.
    """
    before = {tag.key: tag for tag in of(session, feedback_id)}
    wanted = {key_of(name): name for name in names}
    added = _made(session, {key: name for key, name in wanted.items() if key not in before})
    removed = [tag for key, tag in before.items() if key not in wanted]
    if removed:
        session.execute(
            delete(FeedbackTag).where(
                FeedbackTag.feedback_id == feedback_id, FeedbackTag.tag_id.in_([tag.id for tag in removed])
            )
        )
    if added:
        rows = [{"feedback_id": feedback_id, "tag_id": tag.id} for tag in added]
        session.execute(insert(FeedbackTag), rows)
    if not added and not removed:
        return None
    return {"added": [tag.name for tag in added], "removed": [tag.name for tag in removed]}


def make(session: Session, name: str, color: int | None = None) -> Tag | None:
    """Add a tag, inside a write transaction; None where its name is taken. The name is clean."""
    key = key_of(name)
    if session.scalar(select(Tag.id).where(Tag.key == key)) is not None:
        return None
    made = _made(session, {key: name})[0]
    if color is not None:
        made.color = color
    return made


def merge(session: Session, found: Tag, into: Tag) -> int:
    """Give `into` to all that have a tag, and delete that one, inside a write transaction; returns how many.

    As a renaming, it stands in no timeline: those keep the names of their time.
    """
    moved = select(FeedbackTag.feedback_id, literal(into.id)).where(FeedbackTag.tag_id == found.id)
    postgres = session.get_bind().dialect.name == "postgresql"
    make: Any = postgresql.insert if postgres else sqlite.insert
    session.execute(
        make(cast(Table, FeedbackTag.__table__))
        .from_select(["feedback_id", "tag_id"], moved)
        .on_conflict_do_nothing()
    )
    gone = session.execute(delete(FeedbackTag).where(FeedbackTag.tag_id == found.id))
    session.delete(found)
    session.flush()
    return int(gone.rowcount)  # type: ignore[attr-defined]


def named(session: Session, names: Iterable[str]) -> Sequence[Tag]:
    """Return the tags of clean names, making those that are new, inside a write transaction."""
    return _made(session, {key_of(name): name for name in names})


def unknown(session: Session, names: Iterable[str]) -> list[str]:
    """Return the names that no tag has."""
    wanted = {key_of(name): name for name in names}
    known = set(session.scalars(select(Tag.key).where(Tag.key.in_(wanted))))
    return [name for key, name in wanted.items() if key not in known]


def _made(session: Session, names: dict[str, str]) -> Sequence[Tag]:
    """Return the tags of these keys; what is not there is made, also while somebody else makes it."""
    if not names:
        return ()
    query = select(Tag).where(Tag.key.in_(names)).order_by(Tag.key)
    known = {tag.key for tag in session.scalars(query)}
    fresh = [(key, name) for key, name in sorted(names.items()) if key not in known]
    if fresh:
        count = session.scalar(select(func.count()).select_from(Tag)) or 0
        rows = [_row(key, name, (count + at) % COLORS + 1) for at, (key, name) in enumerate(fresh)]
        postgres = session.get_bind().dialect.name == "postgresql"
        make: Any = postgresql.insert if postgres else sqlite.insert
        session.execute(make(cast(Table, Tag.__table__)).values(rows).on_conflict_do_nothing())
    return session.scalars(query).all()


def _row(key: str, name: str, color: int) -> dict[str, Any]:
    return {"public_id": new_public_id(), "name": name, "key": key, "color": color, "created_at": utc_now()}


_OF_MANY = PreparedSelect(
    select(FeedbackTag.feedback_id, Tag.public_id, Tag.name, Tag.color)
    .join(Tag, Tag.id == FeedbackTag.tag_id)
    .where(among(FeedbackTag.feedback_id, bindparam("ids", type_=Keys())))
    .order_by(Tag.key)
)
