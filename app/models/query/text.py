"""The parts of a query that the index of words answers, and their condition for any statement."""

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from app.database.search.conditions import directly, matches
from app.database.search.match import Every, Match, Phrase, Some, phrase
from app.models.feedback import Feedback
from app.models.query.tree import All, Either, Node, Term, Words
from app.models.search.keeping import FACTS, INDEX, RELEASE, STATE_ID, TEXTS, state

# While the index is far behind (after a restore), this many of the newest are searched directly.
MOST_DIRECT = 2_000
_ESCAPE = "\\"


def match_of(node: Node) -> Match | None:
    """Return what a part of a query asks of the index; None where the index alone does not answer it."""
    if isinstance(node, Words):
        return phrase(node.text, prefix=node.prefix)
    if isinstance(node, Term) and node.name in ("browser", "os"):
        return phrase(node.value, prefix=node.value.endswith("*"), fact=node.name)
    if isinstance(node, All | Either):
        known = [found for item in node.items if (found := match_of(item)) is not None]
        if len(known) == len(node.items):
            return Every(tuple(known)) if isinstance(node, All) else Some(tuple(known))
    return None


def match_of_address(pattern: str) -> Match | None:
    """Return the words that an address must hold to match a pattern; stars stand between its pieces.

    A piece begins where a word of the address begins, and before a star may end within one.
    """
    pieces = pattern.split("*")
    last = len(pieces) - 1
    found = [phrase(piece, prefix=at < last, fact="page") for at, piece in enumerate(pieces)]
    known = tuple(item for item in found if item is not None)
    return Every(known) if known else None


def match_of_release(value: str) -> Match | None:
    """Return the words that a release must hold to be this one; None where it has no word."""
    return phrase(value, fact=RELEASE)


def holding(match: Match | None) -> ColumnElement[bool]:
    """Return the condition that a submission holds what is asked for."""
    assert match is not None, "the parser refuses what has no word"
    rowid = INDEX.table.c.rowid
    indexed = Feedback.id.in_(select(rowid).where(matches(INDEX, match)))
    return or_(indexed, and_(Feedback.id > tail_start(), holding_directly(match)))


def holding_directly(match: Match | None) -> ColumnElement[bool]:
    """Return the condition that a submission holds what is asked for, read from its own row.

    Without a match it is a parameter (`conditions.asking`).
    """
    texts = [getattr(Feedback, name).expression for name in TEXTS]
    facts = {fact: getattr(Feedback, name).expression for fact, name in FACTS.items()}
    return directly(match, texts, facts | {RELEASE: Feedback.custom[RELEASE].as_string()})


def tail_start() -> ColumnElement[int]:
    """Return the id behind which submissions are searched directly: the watermark."""
    behind = select(func.coalesce(func.max(Feedback.id), 0) - MOST_DIRECT).correlate(None).scalar_subquery()
    reached = select(state.c.indexed_to).where(state.c.id == STATE_ID).correlate(None).scalar_subquery()
    return case((reached > behind, reached), else_=behind)


def behind() -> ColumnElement[int]:
    """Return by how many ids the index lags behind the newest submission."""
    newest = select(func.coalesce(func.max(Feedback.id), 0)).correlate(None).scalar_subquery()
    reached = select(state.c.indexed_to).where(state.c.id == STATE_ID).correlate(None).scalar_subquery()
    return newest - reached


def address_like(pattern: str) -> ColumnElement[bool]:
    """Return whether the page's address matches a pattern in which a star stands for anything."""
    plain = pattern
    for char in (_ESCAPE, "%", "_"):
        plain = plain.replace(char, _ESCAPE + char)
    # Of the column itself PostgreSQL knows how many rows match, of an expression it does not.
    return Feedback.url.ilike(plain.replace("*", "%"), escape=_ESCAPE)


def phrases_of(tree: Node | None) -> list[Phrase]:
    """Return the words that a query looks for, to be marked in what it finds."""
    if isinstance(tree, Words):
        found = phrase(tree.text, prefix=tree.prefix)
        return [found] if found else []
    if isinstance(tree, All | Either):
        return [found for item in tree.items for found in phrases_of(item)]
    return []
