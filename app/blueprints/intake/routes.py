"""Intake's public JSON endpoints: the widget's settings, and taking a submission."""

from typing import Any, Literal

from flask import Response, request
from flask_openapi import APIBlueprint, Tag
from flask_openapi.models import MediaType, Reference, RequestBody, Schema
from pydantic import BaseModel, Field

from app.blueprints.intake import body, limiting, projects, reception
from app.blueprints.intake.submission import MAX_DESCRIPTION, SubmissionBody
from app.clock import rfc3339
from app.config import current_settings
from app.limits_storage import request_key
from app.models.identifiers import reference
from app.models.intake import Receipt
from app.models.project import IntakeProject
from app.models.status_link import status_token
from app.responses import Failure, success

# What multipart's heads and the submission's own text may take beside the picture.
ROOM_FOR_TEXT_BYTES = 1024 * 1024
SCHEMAS = "#/components/schemas/"


class ReceiptData(BaseModel):
    """What the sender gets: the id, when it was kept, and the reporter's own page."""

    id: str
    reference: str = Field(description="The short form for people, such as 5TD-R8W.")
    created_at: str
    status_url: str
    screenshot: Literal["pending"] | None
    duplicate: bool


class ReceiptAnswer(BaseModel):
    """The envelope of a receipt."""

    success: Literal[True]
    data: ReceiptData


class ProjectPath(BaseModel):
    """Whose settings."""

    public_key: str = Field(max_length=64, description="The project's public key.")


blueprint = APIBlueprint(
    "intake",
    __name__,
    abp_tags=[Tag(name="intake", description="What pages and servers send")],
)


def _request_body() -> RequestBody:
    schema = SubmissionBody.model_json_schema(ref_template=SCHEMAS + "{model}")
    definitions = {**schema.pop("$defs"), "Submission": schema}
    blueprint.components_schemas.update(
        {name: Schema(**definition) for name, definition in definitions.items()}
    )
    submission = Reference(**{"$ref": SCHEMAS + "Submission"})
    form = Schema(
        type="object",
        required=["feedback"],
        properties={
            "feedback": submission,
            "screenshot": Schema(type="string", schema_format="binary"),
        },
    )
    return RequestBody(
        content={
            "application/json": MediaType(media_type_schema=submission),
            "multipart/form-data": MediaType(media_type_schema=form),
        }
    )


def _refusals(*statuses: int) -> dict[Any, Any]:
    return dict.fromkeys(map(str, statuses), Failure)


@blueprint.post(
    "/api/feedback",
    summary="Take one submission",
    description="Answers 201 once the submission is durable, 200 for a repeated Idempotency-Key.",
    request_body=_request_body(),
    responses={
        "200": ReceiptAnswer,
        "201": ReceiptAnswer,
        **_refusals(400, 403, 404, 409, 411, 413, 415, 422, 429, 503),
    },
    provide_automatic_options=False,  # the preflight below answers OPTIONS
)
def create_feedback() -> Response:
    """Take one submission: limit, length, body, then everything else in `reception`."""
    limiting.count_request(request_key())
    received = body.read(request.environ)
    receipt = reception.receive(received.fields, received.image)
    return success(_as_json(receipt), 200 if receipt.duplicate else 201)


@blueprint.get(
    "/api/projects/<public_key>/widget",
    summary="The widget's settings",
    responses=_refusals(403, 404),
    provide_automatic_options=False,
)
def widget_settings(path: ProjectPath) -> Response:
    """Answer what the widget of a project asks for and how it looks."""
    project = projects.find(path.public_key)
    projects.check_origin(project)
    projects.note_tag_seen(project)
    response = success(_widget_json(project), headers={"Cache-Control": "no-cache"})
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.route("/api/feedback", methods=["OPTIONS"], endpoint="preflight_feedback")
@blueprint.route("/api/projects/<public_key>/widget", methods=["OPTIONS"], endpoint="preflight_widget")
def preflight(public_key: str | None = None) -> Response:
    """Answer a browser that asks whether a page may send (Fetch, section 4.8)."""
    if public_key is not None:
        projects.find(public_key)
    return Response(status=204)


@blueprint.after_request
def allow_pages_to_read(response: Response) -> Response:
    """Add the headers by which a browser lets an allowed page read the answer, refusals included."""
    headers = projects.cors_headers()
    if request.method == "OPTIONS" and "Access-Control-Allow-Origin" in headers:
        headers = {**headers, **projects.PREFLIGHT}
    response.headers.update(headers)
    return response


def _as_json(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": receipt.public_id,
        "reference": reference(receipt.public_id),
        "created_at": rfc3339(receipt.created_at),
        "status_url": f"{current_settings().public_url}/f/{status_token(receipt.public_id)}",
        "screenshot": "pending" if receipt.has_screenshot else None,
        "duplicate": receipt.duplicate,
    }


def _widget_json(project: IntakeProject) -> dict[str, Any]:
    return {
        **project.widget,
        "max_description": MAX_DESCRIPTION,
        "max_screenshot_bytes": body.MAX_BODY_BYTES - ROOM_FOR_TEXT_BYTES,
    }
