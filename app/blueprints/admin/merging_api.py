"""The JSON API of merging duplicates."""

from flask import Response
from pydantic import BaseModel

from app.blueprints.admin import answers, merging
from app.blueprints.admin.api import blueprint
from app.blueprints.admin.schemas import FeedbackPath, MergeOf
from app.blueprints.admin.wording import submissions
from app.responses import Failure, success
from app.security import needs


class MergedData(BaseModel):
    """What was merged: how many, and the public id of the submission that stays."""

    count: int
    into: str
    summary: str


class MergedAnswer(BaseModel):
    """The envelope of a merge."""

    success: bool
    data: MergedData


@blueprint.post("/feedback/merge", summary="Merge duplicates", responses={200: MergedAnswer})
def merge_feedback(body: MergeOf) -> Response:
    """Close the `ids` and have them point to `into`, by default to the one that was sent first; all or none.

    Threads, notes and pictures stay with each. 422 for one that is merged already or of another project.
    """
    done = merging.merge_all(body.ids, body.into, needs("agent"))
    summary = f"{submissions(done.count)} merged"
    return success({"count": done.count, "into": done.into, "summary": summary})


@blueprint.post(
    "/feedback/<public_id>/unmerge", summary="Take a merge back", responses={200: answers.One, 409: Failure}
)
def unmerge_feedback(path: FeedbackPath) -> Response:
    """Make a merged submission one of its own again, with the status that it had; 409 where it is none."""
    return success(answers.whole(merging.unmerge(path.public_id, needs("agent"))))
