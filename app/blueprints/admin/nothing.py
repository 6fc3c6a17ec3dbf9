"""What a list without rows says: why it is empty, and what may have been meant."""

from dataclasses import dataclass
from difflib import get_close_matches

from flask import url_for
from sqlalchemy import select

from app.blueprints.admin.wanted import Wanted
from app.extensions import db
from app.models import Tag, tag
from app.models.query import parse
from app.models.query.tree import Term

# Of more than these none is said to be missing: they are not all read.
MOST_TAGS = 500


@dataclass(frozen=True)
class Nothing:
    """A title and a sentence; `instead` is what may have been meant, with its address."""

    title: str
    hint: str
    instead: tuple[str, str] | None = None


def nothing(wanted: Wanted) -> Nothing:
    """Return what an empty list says; one more statement where it asks for a tag."""
    if wanted.is_plain:
        return _empty_box(wanted)
    title = "No submission matches this"
    query = parse(wanted.q) if wanted.q else None
    asked = query.value("tag") if query else None
    known = _tags() if asked is not None else None
    if query is None or asked is None or known is None or tag.key_of(asked) in known:
        return Nothing(title, "Take a part of the filter away, or look in another box.")
    close = get_close_matches(tag.key_of(asked), known, n=1)
    if not close:
        return Nothing(title, f"There is no tag named {asked}.")
    meant = query.setting("tag", known[close[0]])
    href = url_for("admin.index", **wanted.query(q=str(meant)))
    instead = (f"Search for {Term('tag', known[close[0]])}", href)
    return Nothing(title, f"There is no tag named {asked}. Did you mean {known[close[0]]}?", instead)


def _empty_box(wanted: Wanted) -> Nothing:
    titles = {"open": "Nothing is open", "spam": "No spam", "trash": "The trash is empty"}
    hint = "It stays like this until you move something here."
    if wanted.status == "open":
        hint = "New submissions stand here as they arrive."
    return Nothing(titles.get(wanted.status, f"Nothing is {wanted.title.lower()}"), hint)


def _tags() -> dict[str, str] | None:
    """Return all tags' names by key, or None where there are too many."""
    names = db.session.scalars(select(Tag.name).order_by(Tag.key).limit(MOST_TAGS + 1)).all()
    return {tag.key_of(name): name for name in names} if len(names) <= MOST_TAGS else None
