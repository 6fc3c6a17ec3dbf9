"""Macros: making, changing and using them, the same for pages and API."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from app.blueprints.admin import changes
from app.blueprints.admin.wording import BOX_BY_KEY
from app.database.transactions import transaction
from app.errors import ClientError, FieldError, not_found
from app.extensions import db
from app.models import Macro, User, message
from app.models.macro import MOST_MACROS
from app.security import Actor

NOBODY, ME = changes.NOBODY, "me"


def seen_by(someone: Actor) -> Sequence[Macro]:
    """Return the macros that somebody may use: the own ones, and what others share."""
    return db.session.scalars(Macro.seen_by(someone.user_id)).all()


def load(public_id: str, someone: Actor) -> Macro:
    """Load a macro that somebody may use. Raises ClientError `not_found` (404)."""
    found = Macro.find(db.session(), public_id, someone.user_id)
    if found is None:
        raise not_found("This macro")
    return found


def create(someone: Actor, values: Mapping[str, Any]) -> Macro:
    """Keep a macro. Raises ClientError 422 for a name that is taken, or what cannot be sent or set."""
    checked = _checked(values)
    with transaction() as session:
        mine = select(func.count()).select_from(Macro).where(Macro.user_id == someone.user_id)
        if (session.scalar(mine) or 0) >= MOST_MACROS:
            raise _wrong("name", f"is one too many: {MOST_MACROS} macros are the most")
        _refuse_taken(someone.user_id, checked["name"], None)
        made = Macro(user_id=someone.user_id, **checked)
        session.add(made)
        session.flush()
        public_id = made.public_id
    return load(public_id, someone)


def change(public_id: str, someone: Actor, values: Mapping[str, Any]) -> Macro:
    """Change a macro of one's own, an admin also a shared one. Raises ClientError 404, 403, or 422."""
    checked = _checked(values)
    with transaction():
        found = _to_change(public_id, someone)
        if "name" in checked:
            _refuse_taken(found.user_id, checked["name"], found.id)
        for name, value in checked.items():
            setattr(found, name, value)
        owner = found.user_id
    # An admin who ends the sharing of another's macro no longer sees it.
    return db.session.scalars(Macro.seen_by(owner).where(Macro.public_id == public_id)).one()


def delete(public_id: str, someone: Actor) -> None:
    """Delete a macro; what was sent with it stays. Raises ClientError 404 or 403."""
    with transaction() as session:
        session.delete(_to_change(public_id, someone))


def settings_of(found: Macro) -> dict[str, Any]:
    """Return what is set of a submission with the macro, as `changes.write_undoably` takes it."""
    values = {"status": found.status, "assignee": found.assignee, "add_tags": found.tags or None}
    return {name: value for name, value in values.items() if value is not None}


def said_of(found: Macro) -> str:
    """Say what a macro sets, `Resolved, tagged checkout, taken by you`; nothing where it sets nothing."""
    assignee = {None: "", ME: "taken by you", NOBODY: "given to nobody"}.get(found.assignee)
    parts = (
        BOX_BY_KEY[found.status].label if found.status else "",
        f"tagged {', '.join(found.tags)}" if found.tags else "",
        "given to somebody" if assignee is None else assignee,
    )
    return ", ".join(filter(None, parts))


def people() -> Sequence[tuple[str, str]]:
    """Return who may be given a submission: public ids and names."""
    query = select(User.public_id, User.name).where(User.is_active, User.role != "viewer")
    return [(row.public_id, row.name) for row in db.session.execute(query.order_by(User.name, User.id))]


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    checked = dict(values)
    if "text" in checked:
        try:
            checked["text"] = message.clean(checked["text"])
        except ValueError as error:
            raise _wrong("text", str(error)) from None
    if "tags" in checked:
        checked["tags"] = changes.tag_names(checked["tags"])
    who = checked.get("assignee")
    if who not in (None, ME, NOBODY) and who not in dict(people()):
        raise _wrong("assignee", "is me, none, or the id of somebody who works on submissions")
    return checked


def _to_change(public_id: str, someone: Actor) -> Macro:
    found = load(public_id, someone)
    if found.user_id != someone.user_id and someone.role != "admin":
        raise ClientError(403, "forbidden", f"This macro belongs to {found.user.name}; only an admin may.")
    return found


def _refuse_taken(user_id: int, name: str, own_id: int | None) -> None:
    taken = db.session.scalar(select(Macro.id).where(Macro.user_id == user_id, Macro.name == name))
    if taken is not None and taken != own_id:
        raise _wrong("name", "is the name of another macro of yours")


def _wrong(field: str, text: str) -> ClientError:
    details = [FieldError(field, text)]
    return ClientError(422, "validation_failed", f"The macro was not kept: its {field} {text}.", details)
