"""The JSON API of holds."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response, request
from flask_openapi import APIBlueprint, OpenAPI, Tag
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, WithJsonSchema
from sqlalchemy import Row, select

from app.blueprints.retention import holds
from app.blueprints.retention.holds import Filter
from app.clock import rfc3339, utc_now
from app.database.transactions import current_session
from app.errors import ClientError, FieldError
from app.models import Feedback, Hold, Project, hold
from app.models.hold import LONGEST_REASON, HeldSubmission
from app.responses import Failure, PageInfo, success
from app.validation import Strict, check_body

ACCESS = {
    "holds_api.list_holds": "admin",
    "holds_api.place_hold": "admin",
    "holds_api.get_hold": "admin",
    "holds_api.release_hold": "admin",
}
MOST_BYTES = 64 * 1024
FAILURES: dict[Any, Any] = dict.fromkeys((400, 401, 403, 404, 415, 422, 503), Failure)
blueprint = APIBlueprint(
    "holds_api",
    __name__,
    url_prefix="/admin/api/holds",
    abp_tags=[Tag(name="retention", description="How long data stays")],
    abp_security=[{"token": []}, {"session": []}],
    abp_responses=FAILURES,
)


def register(app: OpenAPI) -> None:
    """Add the routes."""
    app.register_api(blueprint)


def _moment(value: Any) -> Any:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("must be a time such as 2026-11-21T09:30:00Z")
    return moment


def _count(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


Moment = Annotated[
    datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Status = Literal["open", "in_progress", "resolved", "closed", "rejected", "spam", "trash"]


class HoldFilter(Strict):
    """What a hold on a filter keeps, now and later; at least one part is given."""

    project: Word | None = None
    category: Word | None = None
    status: Status | None = None
    q: Annotated[str, StringConstraints(max_length=1000)] | None = None


class NewHold(Strict):
    """A hold to be placed: on one submission, or on a filter."""

    submission: Word | None = None
    filter: HoldFilter | None = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_REASON)]
    until: Moment | None = None


class HoldList(Strict):
    """Which holds are listed."""

    state: Literal["active", "ended"] = "active"
    limit: Annotated[int, Field(ge=1, le=200), BeforeValidator(_count)] = 50
    cursor: str | None = None


class HoldPath(BaseModel):
    """The address of a hold."""

    public_id: Annotated[str, Field(max_length=64, description="Public id.")]


class HoldData(BaseModel):
    """A hold; `submissions` is how many it keeps now, `submission` the one it was placed on."""

    id: str
    reason: str
    placed_by: str
    created_at: datetime
    until: datetime | None
    released_at: datetime | None
    released_by: str | None
    submission: str | None
    filter: dict[str, str] | None
    submissions: int


class OneHold(BaseModel):
    """One hold."""

    success: Literal[True]
    data: HoldData


class HoldPage(BaseModel):
    """A page of holds."""

    success: Literal[True]
    data: list[HoldData]
    page: PageInfo


@blueprint.before_request
def read_strictly() -> None:
    """Refuse a loose body, and a parameter given twice."""
    if request.method == "POST":
        check_body(MOST_BYTES)
    twice = sorted(name for name, values in request.args.lists() if len(values) > 1)
    if twice:
        faults = [FieldError(name, "is given twice") for name in twice]
        raise ClientError(422, "validation_failed", "A parameter is given twice.", faults)


@blueprint.get("", summary="A page of holds", responses={200: HoldPage})
def list_holds(query: HoldList) -> Response:
    """Answer a page of holds, the newest first."""
    page = holds.page(active=query.state == "active", cursor=query.cursor, limit=query.limit)
    return success([answer(row, row.submissions) for row in page.rows], page=page.as_json())


@blueprint.post("", summary="Place a hold", responses={201: OneHold})
def place_hold(body: NewHold) -> Response:
    """Hold one submission, or all that a filter finds now and later."""
    if (body.submission is None) == (body.filter is None):
        fault = [FieldError("submission", "name either a submission or a filter")]
        raise ClientError(422, "validation_failed", "Nothing was held.", fault)
    now = utc_now()
    if body.submission is not None:
        made = holds.place(body.submission, body.reason, body.until, now)
    else:
        assert body.filter is not None
        given = body.filter
        wanted = Filter(project=given.project, category=given.category, status=given.status, query=given.q)
        made = holds.place_on(wanted, body.reason, body.until, now)
    return success(answer(made, kept(made)), 201)


@blueprint.get("/<public_id>", summary="One hold", responses={200: OneHold})
def get_hold(path: HoldPath) -> Response:
    """Answer one hold, ended or not."""
    found = holds.load(path.public_id)
    return success(answer(found, kept(found)))


@blueprint.delete("/<public_id>", summary="End a hold", responses={200: OneHold})
def release_hold(path: HoldPath) -> Response:
    """End a hold; one that has ended stays as it is."""
    holds.release(path.public_id, utc_now())
    found = holds.load(path.public_id)
    return success(answer(found, kept(found)))


def answer(found: Hold | Row[Any], submissions: int) -> dict[str, Any]:
    """Return a hold as the API answers it, and as `--json` prints it."""
    return {
        "id": found.public_id,
        "reason": found.reason,
        "placed_by": found.placed_by,
        "created_at": rfc3339(found.created_at),
        "until": found.until and rfc3339(found.until),
        "released_at": found.released_at and rfc3339(found.released_at),
        "released_by": found.released_by,
        "submission": _submission(found) if found.covers == hold.SUBMISSION and submissions == 1 else None,
        "filter": filter_of(found) if found.covers == hold.FILTER else None,
        "submissions": submissions,
    }


def filter_of(found: Hold | Row[Any]) -> dict[str, str]:
    """Return the parts of a hold's filter that are given, the project by its key."""
    session = current_session()
    project = found.project_id and session.scalar(
        select(Project.public_key).where(Project.id == found.project_id)
    )
    parts = {"project": project, "category": found.category, "status": found.status, "q": found.query}
    return {name: value for name, value in parts.items() if value}


def _submission(found: Hold | Row[Any]) -> str | None:
    query = (
        select(Feedback.public_id)
        .join(HeldSubmission, HeldSubmission.feedback_id == Feedback.id)
        .where(HeldSubmission.hold_id == found.id)
    )
    return current_session().scalar(query.limit(1))


def kept(found: Hold) -> int:
    """Return how many submissions a hold keeps."""
    row = current_session().execute(hold.listing(active=found.is_active).where(Hold.id == found.id)).one()
    return int(row.submissions)
