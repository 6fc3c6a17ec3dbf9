"""The JSON API of people's data: hand over, erase, erasures with their certificates. For admins.

The person is named in the body, never in an address: addresses stand in logs.
"""

import io
from typing import Annotated, Any, Literal

from flask import Response, request
from flask_openapi import APIBlueprint, OpenAPI, Tag
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from app.blueprints.retention import privacy_erase, privacy_words
from app.blueprints.retention.privacy_export import export
from app.clock import utc_now
from app.database.paging.keyset import paginate
from app.models.erasure import LONGEST, Erasure, Person, listing
from app.responses import Failure, PageInfo, success
from app.validation import Strict, check_body

ACCESS = {
    "privacy_api.export_person": "admin",
    "privacy_api.erase_person": "admin",
    "privacy_api.list_erasures": "admin",
    "privacy_api.get_erasure": "admin",
}
MOST_BYTES = 16 * 1024
ORDER = (Erasure.created_at.desc(), Erasure.id.desc())
FAILURES: dict[Any, Any] = dict.fromkeys((400, 401, 403, 415, 422, 503), Failure)
blueprint = APIBlueprint(
    "privacy_api",
    __name__,
    url_prefix="/admin/api/privacy",
    abp_tags=[Tag(name="privacy", description="People's data")],
    abp_security=[{"token": []}, {"session": []}],
    abp_responses=FAILURES,
)
Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


def _count(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


class Whom(Strict):
    """Who is meant: exactly one of the three."""

    email: Name | None = None
    session: Name | None = None
    reporter: Name | None = None

    def person(self) -> Person:
        """Return the person. Raises ClientError 422."""
        return Person.of({"email": self.email, "session": self.session, "reporter": self.reporter})


class Erase(Whom):
    """An erasure, or with `dry_run` its numbers."""

    dry_run: bool = False


class PageQuery(Strict):
    """A page of erasures."""

    limit: Annotated[int, BeforeValidator(_count), Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(max_length=2_000)] = None


class ErasurePath(BaseModel):
    """The address of an erasure."""

    public_id: Annotated[str, Field(max_length=64, description="Public id.")]


class NamedFilter(BaseModel):
    """A saved view, a policy or a hold whose filter names the person, and what an erasure makes of it."""

    kind: Literal["saved_view", "policy", "hold"]
    id: str
    name: str
    fate: Literal["deleted", "switched_off", "ended", "name_taken_out"]


class Counted(BaseModel):
    """What an erasure would remove; with `held` above 0 it is refused."""

    submissions: int
    held: int
    rows: dict[str, int]
    archived: int
    saved_views: int
    filters: list[NamedFilter]
    oldest: str | None
    newest: str | None


class Erased(BaseModel):
    """One erasure; `mark` is a keyed hash of what named the person."""

    id: str
    kind: Literal["email", "session", "reporter"]
    mark: str
    requested_by: str
    created_at: str
    finished_at: str | None
    removed: dict[str, int]
    certificate: dict[str, Any] | None


class OneErased(BaseModel):
    """One erasure, or what it would remove."""

    success: Literal[True]
    data: Erased | Counted


class ErasedList(BaseModel):
    """A page of erasures, the newest first."""

    success: Literal[True]
    data: list[Erased]
    page: PageInfo


def register(app: OpenAPI) -> None:
    """Add the routes."""
    app.register_api(blueprint)


@blueprint.before_request
def read_strictly() -> None:
    """Refuse a loose body."""
    if request.method == "POST":
        check_body(MOST_BYTES)


@blueprint.post(
    "/export",
    summary="Hand over what is kept of a person",
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def export_person(body: Whom) -> Response:
    """Answer a zip with a page to read, JSON and pictures."""
    return zip_of(body.person())


@blueprint.post("/erase", summary="Erase a person", responses={200: OneErased, 409: Failure})
def erase_person(body: Erase) -> Response:
    """Erase a person for good and answer the certificate; `dry_run` only counts.

    409 `held` when a hold keeps one of the submissions: nothing is erased then.
    """
    if body.dry_run:
        return success(privacy_words.as_json(privacy_erase.preview(body.person())))
    return success(privacy_words.erasure(privacy_erase.erase(body.person(), utc_now())))


@blueprint.get("/erasures", summary="Who was erased", responses={200: ErasedList})
def list_erasures(query: PageQuery) -> Response:
    """Answer a page of erasures, the newest first."""
    page = paginate(listing(), order=ORDER, cursor=query.cursor, limit=query.limit, scope="erasures")
    return success([privacy_words.erasure(row[0]) for row in page.rows], page=page.as_json())


@blueprint.get("/erasures/<public_id>", summary="One erasure", responses={200: OneErased, 404: Failure})
def get_erasure(path: ErasurePath) -> Response:
    """Answer one erasure with its certificate."""
    return success(privacy_words.erasure(privacy_erase.load(path.public_id)))


def zip_of(person: Person) -> Response:
    """Answer the zip as a download; its name says nothing of the person."""
    out = io.BytesIO()
    export(person, out, utc_now())
    response = Response(out.getvalue(), mimetype="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="person.zip"'
    return response
