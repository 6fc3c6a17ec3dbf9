"""Macros: what may be kept, and what is set with each, the same for pages and API."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.blueprints.admin import changes
from app.blueprints.admin.owned import Keeping
from app.blueprints.admin.wording import BOX_BY_KEY
from app.extensions import db
from app.models import Feedback, Macro, User, message
from app.models.macro import MOST_MACROS
from app.security import Actor

NOBODY, ME = changes.NOBODY, "me"


def settings_of(found: Macro) -> dict[str, Any]:
    """Return what is set of a submission with the macro, as `changes.write_undoably` takes it."""
    values = {"status": found.status, "assignee": found.assignee, "add_tags": found.tags or None}
    return {name: value for name, value in values.items() if value is not None}


def filled(found: Macro, submission: Feedback, someone: Actor) -> dict[str, str]:
    """Return what the composer of a submission takes over: the text, and what is set when it is sent."""
    return {
        "id": found.public_id,
        "name": found.name,
        "kind": found.kind,
        "text": found.filled(submission, someone.name),
        "said": said_of(found),
    }


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


def _checked(values: Mapping[str, Any], _someone: Actor) -> dict[str, Any]:
    checked = dict(values)
    if "text" in checked:
        try:
            checked["text"] = message.clean(checked["text"])
        except ValueError as error:
            raise MACROS.wrong("text", str(error)) from None
    if "tags" in checked:
        checked["tags"] = changes.tag_names(checked["tags"])
    who = checked.get("assignee")
    if who not in (None, ME, NOBODY) and who not in dict(people()):
        raise MACROS.wrong("assignee", "is me, none, or the id of somebody who works on submissions")
    return checked


MACROS = Keeping(Macro, "macro", MOST_MACROS, _checked)
