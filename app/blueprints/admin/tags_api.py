"""The JSON API of tags."""

from flask import Response
from sqlalchemy import select

from app.blueprints.admin import answers, changes
from app.blueprints.admin.api import blueprint
from app.blueprints.admin.reading import given
from app.blueprints.admin.schemas import NewTag, TagChange, TagPath
from app.database.transactions import transaction
from app.errors import ClientError, not_found
from app.extensions import db
from app.models import Tag, audit, tag
from app.responses import Failure, success


@blueprint.get("/tags", summary="All tags", responses={200: answers.TagList})
def list_tags() -> Response:
    """Answer all tags by name."""
    return success([answers.tag_data(found) for found in db.session.scalars(select(Tag).order_by(Tag.key))])


@blueprint.post("/tags", summary="Make a tag", responses={201: answers.OneTag, 409: Failure})
def create_tag(body: NewTag) -> Response:
    """Make a tag; without a colour it takes the next one. A name that is there answers 409."""
    (name,) = changes.tag_names([body.name])
    with transaction() as session:
        made = tag.make(session, name, body.color)
        if made is None:
            raise _taken()
    return success(answers.tag_data(made), 201)


@blueprint.patch("/tags/<public_id>", summary="Change a tag", responses={200: answers.OneTag, 409: Failure})
def change_tag(path: TagPath, body: TagChange) -> Response:
    """Rename a tag or change its colour, on all submissions at once."""
    values = given(body)
    if not values:
        raise ClientError(422, "validation_failed", "The body changes nothing.")
    with transaction() as session:
        found = _load(path.public_id)
        if "name" in values:
            (name,) = changes.tag_names([values["name"]])
            key = tag.key_of(name)
            if session.scalar(select(Tag.id).where(Tag.key == key, Tag.id != found.id)) is not None:
                raise _taken()
            found.name, found.key = name, key
        found.color = values.get("color", found.color)
        audit.record(session, "tag.change", target=found.name, details=values)
    return success(answers.tag_data(found))


@blueprint.delete("/tags/<public_id>", summary="Delete a tag", responses={200: answers.Gone})
def delete_tag(path: TagPath) -> Response:
    """Delete a tag and take it from every submission; the submissions stay."""
    with transaction() as session:
        found = _load(path.public_id)
        audit.record(session, "tag.delete", target=found.name)
        session.delete(found)
    return success({"id": path.public_id})


def _load(public_id: str) -> Tag:
    found = db.session.scalar(select(Tag).where(Tag.public_id == public_id))
    if found is None:
        raise not_found("This tag")
    return found


def _taken() -> ClientError:
    return ClientError(409, "conflict", "There is a tag of this name already.")
