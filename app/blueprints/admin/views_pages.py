"""Saved views in the rail: keeping the present filter, renaming, sharing, deleting, and their counts."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter, ValidationError

from app.blueprints.admin import views
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.rail import load_rail
from app.blueprints.admin.schemas import Name
from app.blueprints.admin.views import VIEWS
from app.blueprints.admin.wanted import Wanted
from app.errors import ClientError, FieldError
from app.models import SavedView
from app.security import needs

_NAME = TypeAdapter[str](Name)


@blueprint.get("/views/counts")
def view_counts() -> ResponseReturnValue:
    """Answer how many submissions each view of the rail shows, as parts for htmx."""
    counts = views.counts(load_rail(Wanted(), "inbox"))
    return render_template("admin/_view_counts.html", counts=counts)


@blueprint.post("/views")
def save_view() -> ResponseReturnValue:
    """Keep the filter of the list under a name, and show it."""
    shared = request.form.get("is_shared") == "true"
    values = {"name": _name(), "query": request.form.get("query", ""), "is_shared": shared}
    return _back(VIEWS.create(needs("viewer"), values))


@blueprint.post("/views/<public_id>")
def rename_view(public_id: str) -> ResponseReturnValue:
    """Give a view another name, and share it or no longer."""
    shared = request.form.get("is_shared") == "true"
    return _back(VIEWS.change(public_id, needs("viewer"), {"name": _name(), "is_shared": shared}))


@blueprint.post("/views/<public_id>/delete")
def delete_view(public_id: str) -> ResponseReturnValue:
    """Delete a view; the list shows the same filter without its name."""
    someone = needs("viewer")
    query = VIEWS.load(public_id, someone).query
    VIEWS.delete(public_id, someone)
    return redirect(f"/admin/?{query}", 303)


def _back(view: SavedView) -> ResponseReturnValue:
    return redirect(f"/admin/?{view.query}", 303)


def _name() -> str:
    try:
        return _NAME.validate_python(request.form.get("name", ""))
    except ValidationError:
        faults = [FieldError("name", "has 1 to 100 characters, all of them visible")]
        message = "The view needs a name of 1 to 100 visible characters."
        raise ClientError(422, "validation_failed", message, faults) from None
