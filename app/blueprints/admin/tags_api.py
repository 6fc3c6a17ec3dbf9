"""The JSON API of tags."""

from typing import Any

from flask import Response

from app.blueprints.admin import answers, tags
from app.blueprints.admin.api import blueprint
from app.blueprints.admin.reading import given
from app.blueprints.admin.schemas import NewTag, TagChange, TagMerge, TagPath
from app.errors import ClientError
from app.models import Tag
from app.responses import Failure, success


@blueprint.get("/tags", summary="All tags", responses={200: answers.TagList})
def list_tags() -> Response:
    """Answer all tags by name, with how many submissions have each."""
    return success([_counted(found.tag, found.submissions) for found in tags.all_tags()])


@blueprint.post("/tags", summary="Make a tag", responses={201: answers.OneTag, 409: Failure})
def create_tag(body: NewTag) -> Response:
    """Make a tag; without a colour it takes the next one. A name that is there answers 409."""
    return success(_counted(tags.create(body.name, body.color), 0), 201)


@blueprint.patch("/tags/<public_id>", summary="Change a tag", responses={200: answers.OneTag, 409: Failure})
def change_tag(path: TagPath, body: TagChange) -> Response:
    """Rename a tag or change its colour, on all submissions at once."""
    values = given(body)
    if not values:
        raise ClientError(422, "validation_failed", "The body changes nothing.")
    found = tags.change(path.public_id, values)
    return success(_counted(found, tags.count(found)))


@blueprint.post("/tags/<public_id>/merge", summary="Merge a tag", responses={200: answers.OneTag})
def merge_tag(path: TagPath, body: TagMerge) -> Response:
    """Give the tag `into` to all that have this one, and delete this one; this cannot be undone."""
    found, _moved = tags.merge(path.public_id, body.into)
    return success(_counted(found, tags.count(found)))


@blueprint.delete("/tags/<public_id>", summary="Delete a tag", responses={200: answers.Gone})
def delete_tag(path: TagPath) -> Response:
    """Delete a tag and take it from every submission; the submissions stay."""
    tags.delete(path.public_id)
    return success({"id": path.public_id})


def _counted(found: Tag, submissions: int) -> dict[str, Any]:
    return answers.tag_data(found) | {"submissions": submissions}
