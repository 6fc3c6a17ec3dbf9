"""Saved views: making, changing and counting them, the same for pages and API."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import func, literal, select, union_all

from app.blueprints.admin.rail import Rail
from app.blueprints.admin.wanted import Wanted
from app.database.transactions import transaction
from app.errors import ClientError, FieldError, not_found
from app.extensions import db
from app.models import Feedback, SavedView
from app.models.saved_view import MOST_VIEWS
from app.models.user import role_covers
from app.security import Actor

# Counting stops here: 0.09 ms for a full box at a million submissions, where all of them take a second.
MOST_COUNTED = 1_000


def seen_by(someone: Actor) -> Sequence[SavedView]:
    """Return the views that somebody sees: the own ones, and what others share."""
    return db.session.scalars(SavedView.seen_by(someone.user_id)).all()


def load(public_id: str, someone: Actor) -> SavedView:
    """Load a view that somebody sees. Raises ClientError `not_found` (404)."""
    found = SavedView.find(db.session(), public_id, someone.user_id)
    if found is None:
        raise not_found("This view")
    return found


def create(someone: Actor, *, name: str, query: str, is_shared: bool = False) -> SavedView:
    """Keep a filter under a name.

    Raises ClientError 422 for a query that asks for no list, a name that is taken or too many views; 403
    where somebody who only reads shares one.
    """
    kept = canonical(query)
    _may_share(someone, is_shared)
    with transaction() as session:
        mine = session.scalar(
            select(func.count()).select_from(SavedView).where(SavedView.user_id == someone.user_id)
        )
        if mine is not None and mine >= MOST_VIEWS:
            raise _wrong("name", f"is one too many: {MOST_VIEWS} views are the most")
        _refuse_taken(someone.user_id, name, None)
        view = SavedView(user_id=someone.user_id, name=name, query=kept, is_shared=is_shared)
        session.add(view)
        session.flush()
        public_id = view.public_id
    return load(public_id, someone)


def change(public_id: str, someone: Actor, values: Mapping[str, Any]) -> SavedView:
    """Change name, query or sharing. Raises ClientError 404, 403, or 422 as `create`."""
    with transaction():
        view = _to_change(public_id, someone)
        if "name" in values:
            _refuse_taken(view.user_id, values["name"], view.id)
            view.name = values["name"]
        if "query" in values:
            view.query = canonical(values["query"])
        if "is_shared" in values:
            _may_share(someone, values["is_shared"])
            view.is_shared = values["is_shared"]
        owner = view.user_id
    # An admin who ends the sharing of another's view no longer sees it.
    return db.session.scalars(SavedView.seen_by(owner).where(SavedView.public_id == public_id)).one()


def delete(public_id: str, someone: Actor) -> None:
    """Delete a view; the submissions stay. Raises ClientError 404 or 403."""
    with transaction() as session:
        session.delete(_to_change(public_id, someone))


def canonical(query: str) -> str:
    """Return the one text of a filter's address. Raises ClientError 422, field `query`."""
    try:
        pairs = parse_qsl(query.removeprefix("?"), strict_parsing=bool(query), max_num_fields=50)
    except ValueError:
        raise _wrong("query", "is no query of an address, such as status=open&category=bug") from None
    unknown = sorted({name for name, _ in pairs} - set(Wanted.__dataclass_fields__) - {"cursor"})
    if unknown:
        raise _wrong("query", f"names {', '.join(unknown)[:100]}, which is no filter")
    return Wanted.of(dict(pairs)).address()


def counts(rail: Rail) -> dict[str, str]:
    """Count what each view of the rail shows, up to `MOST_COUNTED`, in one statement."""
    parts = []
    for number, view in enumerate(rail.views):
        conditions = _conditions(view.query, rail)
        if conditions is not None:
            some = select(Feedback.id).where(*conditions).limit(MOST_COUNTED + 1).subquery()
            parts.append(select(literal(number), func.count()).select_from(some))
    found: dict[int, int] = dict(db.session.execute(union_all(*parts)).all()) if parts else {}
    return {
        view.public_id: _written(found[number]) for number, view in enumerate(rail.views) if number in found
    }


def _conditions(query: str, rail: Rail) -> Sequence[Any] | None:
    """Return the conditions of a view, or None for one whose project or words are gone."""
    try:
        wanted = Wanted.of(dict(parse_qsl(query)))
        project = rail.project(wanted.project)
        if wanted.project and project is None:
            return None
        return wanted.filter(project.id if project else None).conditions()
    except ClientError:
        return None


def _written(count: int) -> str:
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"


def _to_change(public_id: str, someone: Actor) -> SavedView:
    view = load(public_id, someone)
    if view.user_id != someone.user_id and someone.role != "admin":
        raise ClientError(403, "forbidden", f"This view belongs to {view.user.name}; only an admin may.")
    return view


def _may_share(someone: Actor, is_shared: bool) -> None:
    if is_shared and not role_covers(someone.role, "agent"):
        raise ClientError(403, "forbidden", "Sharing a view needs the role agent; yours is viewer.")


def _refuse_taken(user_id: int, name: str, own_id: int | None) -> None:
    query = select(SavedView.id).where(SavedView.user_id == user_id, SavedView.name == name)
    taken = db.session.scalar(query)
    if taken is not None and taken != own_id:
        raise _wrong("name", "is the name of another view of yours")


def _wrong(field: str, message: str) -> ClientError:
    details = [FieldError(field, message)]
    return ClientError(422, "validation_failed", f"The view was not kept: its {field} {message}.", details)
