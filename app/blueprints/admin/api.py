"""The JSON API of submissions: list, one, change, delete, picture."""

import hashlib
from dataclasses import replace
from typing import Any

from flask import Response, request
from flask_openapi import APIBlueprint, Tag
from sqlalchemy import or_, select

from app.blueprints.admin import answers, changes
from app.blueprints.admin.reading import MOST_BYTES, given
from app.blueprints.admin.schemas import FeedbackChange, FeedbackPath, Filters, ListQuery, ScreenshotQuery
from app.clock import utc_now
from app.database.paging.keyset import Page
from app.database.paging.numbered import OffsetPage, paginate_numbered
from app.errors import ClientError, FieldError, Unavailable, not_found
from app.extensions import db
from app.models import Feedback, Project, Screenshot, User
from app.models.inbox_filter import InboxFilter
from app.models.query import QueryContext, parse
from app.models.search.finding import page_of, text_of
from app.responses import Failure, success
from app.security import needs
from app.storage import BlobMissing, storage
from app.validation import check_body

# A picture shown by itself can load, run and reach nothing (docs/security.md).
PICTURE_POLICY = "default-src 'none'; style-src 'none'; sandbox"
PENDING_RETRY_SECONDS = 1
# Their address says it all; a body may be left out.
WITHOUT_BODY = frozenset({"admin_api.open_user_link"})
FAILURES: dict[Any, Any] = dict.fromkeys((400, 401, 403, 404, 415, 422, 503), Failure)

blueprint = APIBlueprint(
    "admin_api",
    __name__,
    url_prefix="/admin/api",
    abp_tags=[Tag(name="admin", description="Submissions, projects, tokens")],
    abp_security=[{"token": []}, {"session": []}],
    abp_responses=FAILURES,
)


@blueprint.before_request
def read_strictly() -> None:
    """Refuse what two readers could take for two different things: a parameter given twice, a loose body."""
    empty = request.endpoint in WITHOUT_BODY and not request.content_length
    if request.method in ("POST", "PATCH") and not empty:
        check_body(MOST_BYTES)
    twice = sorted(name for name, values in request.args.lists() if len(values) > 1)
    if twice:
        faults = [FieldError(name, "is given twice") for name in twice]
        raise ClientError(422, "validation_failed", "A parameter is given twice.", faults)


@blueprint.get("/feedback", summary="A page of submissions", responses={200: answers.ItemList})
def list_feedback(query: ListQuery) -> Response:
    """Answer a page of submissions that match the filters."""
    chosen = _chosen(query)
    page: Page | OffsetPage
    if query.page is None:
        page = page_of(
            db.session(),
            chosen,
            columns=answers.ITEM_COLUMNS,
            cursor=query.cursor,
            limit=query.limit,
            scope="api",
        )
    elif query.cursor is None:
        rows = chosen.rows().outerjoin(Feedback.assignee).add_columns(*answers.ITEM_COLUMNS)
        page = paginate_numbered(rows, order=chosen.order(), page=query.page, limit=query.limit)
    else:
        fault = FieldError("page", "leave out either page or cursor")
        raise ClientError(422, "validation_failed", "A page has a number or a cursor.", [fault])
    return success([answers.item(row) for row in page.rows], page=page.as_json())


@blueprint.get("/feedback/<public_id>", summary="One submission", responses={200: answers.One})
def get_feedback(path: FeedbackPath) -> Response:
    """Answer one submission with its screenshot's state."""
    return success(answers.whole(changes.load(path.public_id)))


@blueprint.patch(
    "/feedback/<public_id>", summary="Change a submission", responses={200: answers.One, 409: Failure}
)
def change_feedback(path: FeedbackPath, body: FeedbackChange) -> Response:
    """Change status, read, archive, notes, category, assignee, tags or snooze; what is left out stays.

    With the `version` that it was made from, a change that somebody else overtook answers 409 `conflict` and
    says who changed what.
    """
    values = given(body, {"snoozed_until"})
    if not values.keys() - {"version"}:
        raise ClientError(422, "validation_failed", "The body changes nothing.")
    return success(answers.whole(changes.change(path.public_id, values, utc_now(), needs("agent"))))


@blueprint.delete("/feedback/<public_id>", summary="Delete for good", responses={200: answers.Gone})
def delete_feedback(path: FeedbackPath) -> Response:
    """Delete one submission, its picture and its place in the counts; this cannot be undone."""
    changes.delete(path.public_id)
    return success({"id": path.public_id})


@blueprint.get(
    "/feedback/<public_id>/screenshot",
    summary="The picture of a submission",
    responses={
        200: {"content": {"image/webp": {"schema": {"type": "string", "format": "binary"}}}},
        409: Failure,
    },
)
def screenshot(path: FeedbackPath, query: ScreenshotQuery) -> Response:
    """Answer the re-encoded picture or its thumbnail; never a byte of the upload.

    404 where there is none or it was broken, 409 with Retry-After while it is on its way.
    """
    found = _screenshot(path.public_id)
    key = found.thumbnail_key if query.size == "thumb" else found.blob_key
    try:
        data = storage().get(key or "")
    except BlobMissing:
        raise not_found("This picture") from None
    except OSError as error:
        raise Unavailable("The pictures cannot be read at this moment.") from error
    response = Response(data, mimetype=found.media_type)
    response.headers["Content-Security-Policy"] = PICTURE_POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, no-store"
    response.set_etag(hashlib.sha256((key or "").encode()).hexdigest()[:32])
    return response.make_conditional(request)  # type: ignore[return-value]


def _screenshot(public_id: str) -> Screenshot:
    found = db.session.scalar(
        select(Screenshot)
        .join(Feedback, Feedback.id == Screenshot.feedback_id)
        .where(Feedback.public_id == public_id)
    )
    if found is None:
        raise not_found("This picture")
    if found.state == "pending":
        raise ClientError(
            409,
            "screenshot_pending",
            "The picture is on its way.",
            retry_after=PENDING_RETRY_SECONDS,
        )
    if found.state == "failed":
        raise ClientError(404, "screenshot_failed", "The picture could not be read; the words are kept.")
    return found


def _chosen(query: ListQuery) -> InboxFilter:
    chosen = filter_of(query)
    if query.sort == "relevance" and (text_of(chosen.query) is None or query.page is not None):
        fault = FieldError("sort", "by relevance needs words in q, and pages by cursor")
        raise ClientError(422, "validation_failed", "Some fields are not right.", [fault])
    return replace(chosen, sort=query.sort)


def filter_of(query: Filters) -> InboxFilter:
    """Return the filter for the database. Raises ClientError 422 for a project that is not there."""
    project_id = None
    if query.project is not None:
        project_id = db.session.scalar(select(Project.id).where(Project.public_key == query.project))
        if project_id is None:
            faults = [FieldError("project", "is not the key of a project")]
            raise ClientError(422, "validation_failed", "Some fields are not right.", faults)
    return InboxFilter(
        project_id=project_id,
        assignee_id=_assignee_id(query.assignee),
        query=None if query.q is None else parse(query.q),
        context=QueryContext(utc_now(), needs("viewer").user_id),
        **query.model_dump(exclude={"project", "assignee", "limit", "q", "cursor", "page"}),
    )


def _assignee_id(name: str | None) -> int | None:
    if name is None:
        return None
    if name == "me":
        return needs("viewer").user_id
    found = db.session.scalar(select(User).where(or_(User.public_id == name, User.email == name.lower())))
    if found is None:
        raise changes.wrong("assignee", "is not a user")
    return found.id
