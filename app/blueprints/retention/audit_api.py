"""The JSON API of the audit log: pages of entries, and the state of their chain. For admins."""

from typing import Annotated, Any, Literal

from flask import Response, request
from flask_openapi import APIBlueprint, OpenAPI, Tag
from pydantic import BaseModel, BeforeValidator, Field

from app.blueprints.retention import audit_log
from app.errors import ClientError, FieldError
from app.models import audit, audit_chain
from app.responses import Failure, PageInfo, success
from app.validation import QueryMoment, Strict

ACCESS = {"audit_api.list_entries": "admin", "audit_api.verify": "admin"}
FAILURES: dict[Any, Any] = dict.fromkeys((400, 401, 403, 422, 503), Failure)
blueprint = APIBlueprint(
    "audit_api",
    __name__,
    url_prefix="/admin/api/audit",
    abp_tags=[Tag(name="audit", description="Who did what")],
    abp_security=[{"token": []}, {"session": []}],
    abp_responses=FAILURES,
)
Text = Annotated[str, Field(max_length=audit.LONGEST)]


def _count(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


class ListQuery(Strict):
    """Filters of the audit log."""

    actor: Annotated[Text | None, Field(description="E-mail, `command:USER` or `job:NAME`.")] = None
    action: Annotated[Text | None, Field(description="Such as `token.create`.")] = None
    target: Annotated[Text | None, Field(description="Such as `user:jana@example.org`.")] = None
    outcome: Text | None = None
    since: Annotated[QueryMoment | None, Field(alias="from", description="At or after.")] = None
    until: Annotated[QueryMoment | None, Field(alias="to", description="Before.")] = None
    limit: Annotated[int, BeforeValidator(_count), Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(max_length=2_000)] = None


class Entry(BaseModel):
    """One act."""

    id: int
    created_at: str
    actor: str
    request_id: str | None
    action: str
    target: str | None
    outcome: str
    details: dict[str, Any]
    previous_hash: str
    hash: str


class EntryList(BaseModel):
    """A page of entries, the newest first."""

    success: Literal[True]
    data: list[Entry]
    page: PageInfo


class ChainState(BaseModel):
    """Whether every entry is as it was written; `broken_at` is the first that is not, and `reason` why."""

    intact: bool
    entries: int
    last: int
    hash: str
    broken_at: int | None
    reason: str | None


class Verified(BaseModel):
    """The state of the chain."""

    success: Literal[True]
    data: ChainState


def register(app: OpenAPI) -> None:
    """Add the routes."""
    app.register_api(blueprint)


@blueprint.before_request
def refuse_twice() -> None:
    """Refuse a parameter that is given twice: two readers could take it for two different things."""
    twice = sorted(name for name, values in request.args.lists() if len(values) > 1)
    if twice:
        faults = [FieldError(name, "is given twice") for name in twice]
        raise ClientError(422, "validation_failed", "A parameter is given twice.", faults)


@blueprint.get("", summary="A page of the audit log", responses={200: EntryList})
def list_entries(query: ListQuery) -> Response:
    """Answer a page of entries, the newest first."""
    wanted = audit_log.Wanted(**query.model_dump(exclude={"limit", "cursor"}))
    page = audit_log.page(wanted, cursor=query.cursor, limit=query.limit)
    return success([entry(row) for row in page.rows], page=page.as_json())


@blueprint.get("/verify", summary="Verify the chain", responses={200: Verified})
def verify() -> Response:
    """Answer whether every entry is as it was written and follows on the one before."""
    return success(state(audit_chain.verify()))


def entry(row: Any) -> dict[str, Any]:
    """Return an entry as the API answers it."""
    hashes = {"previous_hash": row.previous_hash, "hash": row.hash}
    return {**audit.document(row._asdict()), **hashes}


def state(verdict: audit_chain.Verdict) -> dict[str, Any]:
    """Return a verdict as the API answers it."""
    return {
        "intact": verdict.is_intact,
        "entries": verdict.entries,
        "last": verdict.last.id,
        "hash": verdict.last.hash,
        "broken_at": verdict.broken_at,
        "reason": verdict.reason,
    }
