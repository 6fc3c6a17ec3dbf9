"""The JSON API of macros."""

from typing import Any, Literal

from flask import Response
from pydantic import BaseModel

from app.blueprints.admin.answers import Gone
from app.blueprints.admin.api import blueprint
from app.blueprints.admin.macros import MACROS
from app.blueprints.admin.owned import OwnedData
from app.blueprints.admin.reading import given
from app.blueprints.admin.schemas import MacroChange, MacroPath, NewMacro
from app.models import Macro
from app.responses import success
from app.security import Actor, needs

NULLABLE = frozenset({"status", "assignee"})


class MacroData(OwnedData):
    """A text under a name, and what is set when it is sent."""

    kind: Literal["reply", "note"]
    text: str
    status: str | None
    assignee: str | None
    tags: list[str]


class MacroList(BaseModel):
    """The envelope of all MACROS."""

    success: bool
    data: list[MacroData]


class OneMacro(BaseModel):
    """The envelope of one macro."""

    success: bool
    data: MacroData


@blueprint.get("/macros", summary="Macros", responses={200: MacroList})
def list_macros() -> Response:
    """Answer the own macros and those that others share, by name."""
    someone = needs("agent")
    return success([_answer(found, someone) for found in MACROS.seen_by(someone)])


@blueprint.post("/macros", summary="Keep a macro", responses={201: OneMacro})
def create_macro(body: NewMacro) -> Response:
    """Keep a reply or a note under a name, with the status, tags and assignee that go with it."""
    someone = needs("agent")
    return success(_answer(MACROS.create(someone, given(body, NULLABLE)), someone), 201)


@blueprint.get("/macros/<public_id>", summary="One macro", responses={200: OneMacro})
def get_macro(path: MacroPath) -> Response:
    """Answer one macro; its places (`{first_name}` …) are not filled."""
    someone = needs("agent")
    return success(_answer(MACROS.load(path.public_id, someone), someone))


@blueprint.patch("/macros/<public_id>", summary="Change a macro", responses={200: OneMacro})
def change_macro(path: MacroPath, body: MacroChange) -> Response:
    """Change a macro of your own; an admin may any that is shared."""
    someone = needs("agent")
    changed = MACROS.change(path.public_id, someone, given(body, NULLABLE))
    return success(_answer(changed, someone))


@blueprint.delete("/macros/<public_id>", summary="Delete a macro", responses={200: Gone})
def delete_macro(path: MacroPath) -> Response:
    """Delete a macro; what was sent with it stays."""
    MACROS.delete(path.public_id, needs("agent"))
    return success({"id": path.public_id})


def _answer(found: Macro, someone: Actor) -> dict[str, Any]:
    return MACROS.answer(found, someone) | {
        "kind": found.kind,
        "text": found.text,
        "status": found.status,
        "assignee": found.assignee,
        "tags": found.tags,
    }
