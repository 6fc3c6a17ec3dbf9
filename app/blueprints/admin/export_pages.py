"""The page that exports: which submissions, in which form; the file comes from the API."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.blueprints.admin import settings
from app.blueprints.admin.export import COLUMNS, DEFAULT_COLUMNS, columns_of
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.users_pages import faults
from app.blueprints.admin.wording import BOXES
from app.errors import ClientError
from app.models.query import parse
from app.rail import load_rail

FIELDS = ("format", "project", "status", "q", "bom")


@blueprint.get("/export")
def export_page() -> ResponseReturnValue:
    """Show what can be chosen; once it is chosen (`run`), lead to the file."""
    fields = {name: request.args.get(name, "") for name in FIELDS}
    columns = request.args.getlist("columns")
    if "run" not in request.args:
        return _page(fields, list(DEFAULT_COLUMNS), {})
    try:
        parse(fields["q"])
        chosen = columns_of(columns)
    except ClientError as error:
        return _page(fields, columns, faults(error)), 422
    given: dict[str, Any] = {name: text for name, text in fields.items() if text.strip()}
    return redirect(url_for("admin_api.export_feedback", **given, columns=",".join(chosen)), 303)


def _page(fields: dict[str, str], columns: list[str], errors: dict[str, str]) -> str:
    return render_template(
        "admin/export.html",
        rail=load_rail("export"),
        projects=[("", "All"), *((found.public_key, found.name) for found in settings.all_projects())],
        boxes=[("", "All"), *((box.key, box.label) for box in BOXES)],
        columns=[(name, name in columns) for name in COLUMNS],
        fields=fields,
        errors=errors,
    )
