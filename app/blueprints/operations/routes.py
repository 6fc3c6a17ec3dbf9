"""Health and the description of the API."""

from typing import cast

from flask import Response, current_app, jsonify, redirect
from flask.typing import ResponseReturnValue
from flask_openapi import APIBlueprint, OpenAPI, Tag
from sqlalchemy.exc import SQLAlchemyError

from app.blueprints.operations.migrations import at_head
from app.errors import Unavailable
from app.responses import success
from app.version import VERSION

blueprint = APIBlueprint(
    "operations", __name__, abp_tags=[Tag(name="operations", description="Health of the process")]
)


@blueprint.route("/")
def front_door() -> ResponseReturnValue:
    """Lead whoever types the bare address to the inbox."""
    return redirect("/admin/")


@blueprint.get("/health", summary="The process is up")
def health() -> Response:
    """Answer 200 while the process runs; looks at nothing else."""
    return success({"status": "ok", "version": VERSION})


@blueprint.get("/health/db", summary="The database answers and is migrated")
def health_db() -> Response:
    """Answer 200 when the database answers and its migrations are at head, else 503."""
    try:
        migrated = at_head()
    except SQLAlchemyError as error:
        raise Unavailable("The database does not answer.") from error
    if not migrated:
        raise Unavailable("The database is not migrated; `earmark serve` migrates it at its start.", 30)
    return success({"status": "ok", "migrations": "head"})


@blueprint.get("/openapi.json", doc_ui=False)
def openapi() -> Response:
    """Describe every JSON endpoint (OpenAPI 3.1), generated from the code."""
    return jsonify(cast(OpenAPI, current_app).api_doc)
