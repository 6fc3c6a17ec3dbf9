"""Who may be given a submission, and which tags it may have: both menus in one statement."""

from dataclasses import dataclass

from sqlalchemy import and_, case, func, literal, select, union_all

from app.extensions import db
from app.models import Feedback, FeedbackTag, Tag, User
from app.models.user import initials

MOST = 500  # lines of a menu


@dataclass(frozen=True)
class PersonChoice:
    """Somebody who works on submissions."""

    public_id: str
    name: str
    initials: str
    chosen: bool


@dataclass(frozen=True)
class TagChoice:
    """A tag, and whether the submission has it."""

    name: str
    color: int
    chosen: bool


@dataclass(frozen=True)
class Choices:
    """What the menus of one submission offer."""

    people: tuple[PersonChoice, ...]
    tags: tuple[TagChoice, ...]

    @property
    def chosen_tags(self) -> tuple[TagChoice, ...]:
        """The tags that the submission has."""
        return tuple(tag for tag in self.tags if tag.chosen)


def load_choices(found: Feedback) -> Choices:
    """Read people and tags by name, those of the submission first where there are too many to show."""
    linked = and_(FeedbackTag.tag_id == Tag.id, FeedbackTag.feedback_id == found.id)
    chosen = case((FeedbackTag.feedback_id.is_(None), 0), else_=1)
    tags = (
        select(
            literal("tag").label("kind"),
            Tag.public_id.label("public_id"),
            Tag.name.label("name"),
            Tag.color.label("color"),
            chosen.label("chosen"),
        )
        .outerjoin(FeedbackTag, linked)
        .order_by(chosen.desc(), Tag.key)
        .limit(MOST)
        .subquery()
    )
    people = select(
        literal("person"),
        User.public_id,
        User.name,
        literal(0),
        case((User.id == (found.assignee_id or 0), 1), else_=0),
    ).where(User.is_active, User.role != "viewer")
    both = union_all(select(tags), people).subquery()
    rows = db.session.execute(select(both).order_by(func.lower(both.c.name), both.c.public_id)).all()
    return Choices(
        people=tuple(
            PersonChoice(row.public_id, row.name, initials(row.name), bool(row.chosen))
            for row in rows
            if row.kind == "person"
        ),
        tags=tuple(TagChoice(row.name, row.color, bool(row.chosen)) for row in rows if row.kind == "tag"),
    )
