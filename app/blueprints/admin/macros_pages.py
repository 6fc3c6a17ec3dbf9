"""Pages of macros: the list, one macro, and the menu of the composer that offers them."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from app.blueprints.admin import changes, macros
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.macros import MACROS
from app.blueprints.admin.schemas import NewMacro
from app.blueprints.admin.wanted import Wanted
from app.blueprints.admin.wording import BOXES
from app.errors import ClientError
from app.models import Macro
from app.models.macro import PLACES
from app.rail import load_rail
from app.security import needs
from app.validation import field_errors

BLANK = {"name": "", "kind": "reply", "text": "", "status": "", "assignee": "", "tags": "", "is_shared": ""}


@blueprint.route("/macros", methods=["GET", "POST"])
def macros_list() -> ResponseReturnValue:
    """List the macros; keep a new one."""
    if request.method == "GET":
        return _list_page(BLANK, {})
    try:
        MACROS.create(needs("agent"), _read())
    except (ValidationError, ClientError) as error:
        return _list_page(_typed(), _faults(error)), 422
    return redirect(url_for("admin.macros_list"), 303)


@blueprint.route("/macros/<public_id>", methods=["GET", "POST"])
def macro(public_id: str) -> ResponseReturnValue:
    """Show one macro; keep what was changed."""
    found = MACROS.load(public_id, needs("agent"))
    if request.method == "GET":
        return _macro_page(found, _fields(found), {})
    try:
        MACROS.change(public_id, needs("agent"), _read())
    except (ValidationError, ClientError) as error:
        if isinstance(error, ClientError) and error.status != 422:
            raise
        return _macro_page(MACROS.load(public_id, needs("agent")), _typed(), _faults(error)), 422
    return redirect(url_for("admin.macros_list"), 303)


@blueprint.post("/macros/<public_id>/delete")
def delete_macro(public_id: str) -> ResponseReturnValue:
    """Delete a macro."""
    MACROS.delete(public_id, needs("agent"))
    return redirect(url_for("admin.macros_list"), 303)


@blueprint.get("/feedback/<public_id>/macros")
def macro_choices(public_id: str) -> ResponseReturnValue:
    """Answer the macros for one submission: to htmx the composer's menu, else a page to choose one."""
    someone, found = needs("agent"), changes.load(public_id)
    if "HX-Request" in request.headers:
        choices = [macros.filled(each, found, someone) for each in MACROS.seen_by(someone)]
        return render_template("admin/_macros_menu.html", choices=choices)
    wanted = Wanted.of(request.args).query()
    return render_template(
        "admin/insert_macro.html",
        rail=load_rail("inbox"),
        choices=[(each.public_id, each.name) for each in MACROS.seen_by(someone)],
        back_url=url_for("admin.detail", public_id=public_id, **wanted),
        wanted=wanted,
    )


def _list_page(fields: dict[str, str], errors: dict[str, str]) -> str:
    someone = needs("agent")
    return render_template(
        "admin/macros.html",
        rail=load_rail("macros"),
        macros=[(found, macros.said_of(found)) for found in MACROS.seen_by(someone)],
        mine=someone.user_id,
        **_form(fields, errors),
    )


def _macro_page(found: Macro, fields: dict[str, str], errors: dict[str, str]) -> str:
    someone = needs("agent")
    return render_template(
        "admin/macro.html",
        rail=load_rail("macros"),
        macro=found,
        may_change=found.user_id == someone.user_id or someone.role == "admin",
        **_form(fields, errors),
    )


def _form(fields: dict[str, str], errors: dict[str, str]) -> dict[str, Any]:
    statuses = [("", "Leave it"), *((box.key, box.label) for box in BOXES)]
    people = [("", "Leave it"), (macros.ME, "Whoever sends it"), (macros.NOBODY, "Nobody"), *macros.people()]
    places = " ".join(f"{{{name}}}" for name in PLACES)
    return {"fields": fields, "errors": errors, "statuses": statuses, "people": people, "places": places}


def _fields(found: Macro) -> dict[str, str]:
    return {
        "name": found.name,
        "kind": found.kind,
        "text": found.text,
        "status": found.status or "",
        "assignee": found.assignee or "",
        "tags": ", ".join(found.tags),
        "is_shared": "true" if found.is_shared else "",
    }


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in BLANK}


def _read() -> dict[str, Any]:
    """Read the form, by the rules of the API. Raises ValidationError."""
    typed = _typed()
    body = NewMacro.model_validate(
        typed
        | {
            "text": typed["text"].replace("\r\n", "\n"),
            "status": typed["status"] or None,
            "assignee": typed["assignee"] or None,
            "tags": [name for name in typed["tags"].split(",") if name.strip()],
            "is_shared": typed["is_shared"] == "true",
        }
    )
    return body.model_dump()


def _faults(error: ValidationError | ClientError) -> dict[str, str]:
    found = error.details if isinstance(error, ClientError) else field_errors(error)
    return {fault.field.split(".")[0]: _sentence(fault.message) for fault in found}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
