"""The JSON API of saved views."""

from typing import Any

from flask import Response, url_for
from pydantic import BaseModel

from app.blueprints.admin.answers import Gone
from app.blueprints.admin.api import blueprint
from app.blueprints.admin.owned import OwnedData
from app.blueprints.admin.reading import given
from app.blueprints.admin.schemas import NewView, ViewChange, ViewPath
from app.blueprints.admin.views import VIEWS
from app.models import SavedView
from app.responses import success
from app.security import Actor, needs


class View(OwnedData):
    """A filter of the inbox under a name."""

    query: str
    url: str


class ViewList(BaseModel):
    """The envelope of all views."""

    success: bool
    data: list[View]


class OneView(BaseModel):
    """The envelope of one view."""

    success: bool
    data: View


@blueprint.get("/views", summary="Saved views", responses={200: ViewList})
def list_views() -> Response:
    """Answer the own views and those that others share, by name."""
    someone = needs("viewer")
    return success([_answer(view, someone) for view in VIEWS.seen_by(someone)])


@blueprint.post("/views", summary="Save a view", responses={201: OneView})
def create_view(body: NewView) -> Response:
    """Keep a filter under a name; sharing it needs the role agent."""
    someone = needs("viewer")
    return success(_answer(VIEWS.create(someone, given(body)), someone), 201)


@blueprint.get("/views/<public_id>", summary="One saved view", responses={200: OneView})
def get_view(path: ViewPath) -> Response:
    """Answer one view."""
    someone = needs("viewer")
    return success(_answer(VIEWS.load(path.public_id, someone), someone))


@blueprint.patch("/views/<public_id>", summary="Change a saved view", responses={200: OneView})
def change_view(path: ViewPath, body: ViewChange) -> Response:
    """Change the name, filter or sharing of a view of your own; an admin may of any that is shared."""
    someone = needs("viewer")
    return success(_answer(VIEWS.change(path.public_id, someone, given(body)), someone))


@blueprint.delete("/views/<public_id>", summary="Delete a saved view", responses={200: Gone})
def delete_view(path: ViewPath) -> Response:
    """Delete a view; the submissions it shows stay."""
    VIEWS.delete(path.public_id, needs("viewer"))
    return success({"id": path.public_id})


def _answer(view: SavedView, someone: Actor) -> dict[str, Any]:
    url = f"{url_for('admin.index')}?{view.query}"
    return VIEWS.answer(view, someone) | {"query": view.query, "url": url}
