"""The JSON API of projects and tokens."""

from flask import Response

from app.blueprints.admin import answers, settings, settings_answers
from app.blueprints.admin.api import blueprint
from app.blueprints.admin.reading import given
from app.blueprints.admin.settings_schemas import (
    NULLABLE,
    NewProject,
    NewToken,
    ProjectFields,
    ProjectPath,
    TokenChange,
    TokenPath,
)
from app.clock import utc_now
from app.responses import Failure, success
from app.security import needs


@blueprint.get("/projects", summary="All projects", responses={200: settings_answers.ProjectList})
def list_projects() -> Response:
    """Answer all projects with their settings."""
    return success([settings_answers.project(found) for found in settings.all_projects()])


@blueprint.post(
    "/projects", summary="Make a project", responses={201: settings_answers.OneProject, 409: Failure}
)
def create_project(body: NewProject) -> Response:
    """Make a project; what is left out has its default."""
    return success(settings_answers.project(settings.create_project(given(body, NULLABLE))), 201)


@blueprint.get("/projects/<public_key>", summary="One project", responses={200: settings_answers.OneProject})
def get_project(path: ProjectPath) -> Response:
    """Answer one project."""
    return success(settings_answers.project(settings.load_project(path.public_key)))


@blueprint.patch(
    "/projects/<public_key>", summary="Change a project", responses={200: settings_answers.OneProject}
)
def change_project(path: ProjectPath, body: ProjectFields) -> Response:
    """Change settings of a project; what is left out stays, lists and texts are replaced whole."""
    return success(settings_answers.project(settings.change_project(path.public_key, given(body, NULLABLE))))


@blueprint.delete(
    "/projects/<public_key>",
    summary="Delete a project",
    responses={200: answers.Gone, 409: Failure},
)
def delete_project(path: ProjectPath) -> Response:
    """Delete a project without submissions; one that has some answers 409 (set `is_active` to false)."""
    settings.delete_project(path.public_key)
    return success({"key": path.public_key})


@blueprint.get("/tokens", summary="All tokens", responses={200: settings_answers.TokenList})
def list_tokens() -> Response:
    """Answer all tokens, the newest first, without their secrets."""
    return success([settings_answers.token(found) for found in settings.all_tokens()])


@blueprint.post("/tokens", summary="Make a token", responses={201: settings_answers.OneNewToken})
def create_token(body: NewToken) -> Response:
    """Make a token for yourself or the named user; this answer alone holds its secret."""
    email = body.user or needs("admin").email
    found, secret = settings.create_token(email, name=body.name, role=body.role)
    return success(settings_answers.token(found) | {"token": secret}, 201)


@blueprint.get("/tokens/<public_id>", summary="One token", responses={200: settings_answers.OneToken})
def get_token(path: TokenPath) -> Response:
    """Answer one token without its secret."""
    return success(settings_answers.token(settings.load_token(path.public_id)))


@blueprint.patch("/tokens/<public_id>", summary="Change a token", responses={200: settings_answers.OneToken})
def change_token(path: TokenPath, body: TokenChange) -> Response:
    """Change a token's name or role; the role is never above its user's."""
    return success(settings_answers.token(settings.change_token(path.public_id, given(body))))


@blueprint.delete("/tokens/<public_id>", summary="Revoke a token", responses={200: settings_answers.OneToken})
def revoke_token(path: TokenPath) -> Response:
    """Revoke a token at once and for good."""
    return success(settings_answers.token(settings.revoke_token(path.public_id, utc_now())))
