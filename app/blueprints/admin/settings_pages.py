"""Settings pages: projects with their script tag, and tokens."""

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from app.blueprints.admin import settings
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.project_form import ProjectForm, form_of, read_form
from app.blueprints.admin.rail import load_rail
from app.blueprints.admin.settings_schemas import NewProject, NewToken
from app.blueprints.admin.wanted import Wanted
from app.clock import utc_now
from app.config import current_settings
from app.errors import ClientError
from app.models import Project
from app.security import needs
from app.validation import field_errors


@blueprint.route("/projects", methods=["GET", "POST"])
def projects() -> ResponseReturnValue:
    """List the projects; make one from its name."""
    problem, name = "", ""
    if request.method == "POST":
        name = request.form.get("name", "")
        try:
            made = settings.create_project({"name": NewProject(name=name).name})
            return redirect(url_for("admin.project", public_key=made.public_key), 303)
        except ValidationError as error:
            problem = _sentence(field_errors(error)[0].message)
        except ClientError as error:
            problem = _first(error)
    page = _page("projects", "projects", projects=settings.all_projects(), name=name, problem=problem)
    return page, 422 if problem else 200


@blueprint.route("/projects/<public_key>", methods=["GET", "POST"])
def project(public_key: str) -> ResponseReturnValue:
    """Show a project's settings; keep them where every field is right."""
    found = settings.load_project(public_key)
    if request.method == "GET":
        return _project_page(found, form_of(found), saved=request.args.get("saved") == "1")
    values, form = read_form(request.form)
    if values is None:
        return _project_page(found, form), 422
    try:
        settings.change_project(public_key, values)
    except ClientError as error:
        form.errors.update({fault.field: _sentence(fault.message) for fault in error.details})
        return _project_page(found, form), error.status
    return redirect(url_for("admin.project", public_key=public_key, saved=1), 303)


@blueprint.post("/projects/<public_key>/rotate-key")
def rotate_key(public_key: str) -> ResponseReturnValue:
    """Give the project a new key; the tags on its pages have to be changed then."""
    made = settings.rotate_key(public_key)
    return redirect(url_for("admin.project", public_key=made.public_key, saved=1), 303)


@blueprint.route("/tokens", methods=["GET", "POST"])
def tokens() -> ResponseReturnValue:
    """List the tokens; make one and show its secret this once."""
    if request.method == "GET":
        return _tokens_page({})
    fields = {name: request.form.get(name, "") for name in ("name", "role", "user")}
    try:
        wanted = NewToken.model_validate(fields)
        email = wanted.user or needs("admin").email
        _token, secret = settings.create_token(email, name=wanted.name, role=wanted.role)
    except ValidationError as error:
        faults = {fault.field: _sentence(fault.message) for fault in field_errors(error)}
        return _tokens_page(fields, faults), 422
    except ClientError as error:
        return _tokens_page(fields, {f.field: _sentence(f.message) for f in error.details}), error.status
    return Response(_tokens_page({}, secret=secret), 201)


@blueprint.post("/tokens/<public_id>/revoke")
def revoke_token(public_id: str) -> ResponseReturnValue:
    """Revoke a token."""
    settings.revoke_token(public_id, utc_now())
    return redirect(url_for("admin.tokens"), 303)


def _project_page(found: Project, form: ProjectForm, *, saved: bool = False) -> str:
    url = current_settings().public_url
    return _page(
        "project",
        "projects",
        project=found,
        form=form,
        saved=saved,
        origin=url,
        host=url.partition("://")[2],
        demo_url="/demo" if current_settings().demo else None,
    )


def _tokens_page(
    fields: dict[str, str], errors: dict[str, str] | None = None, secret: str | None = None
) -> str:
    return _page(
        "tokens",
        "tokens",
        tokens=settings.all_tokens(),
        users=settings.all_users(),
        fields=fields or {"user": needs("admin").email, "role": "viewer"},
        errors=errors or {},
        secret=secret,
        now=utc_now(),
    )


def _page(template: str, section: str, **context: Any) -> str:
    rail = load_rail(Wanted(), section)
    return render_template(f"admin/{template}.html", rail=rail, **context)


def _first(error: ClientError) -> str:
    return _sentence(error.details[0].message if error.details else error.message)


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")
