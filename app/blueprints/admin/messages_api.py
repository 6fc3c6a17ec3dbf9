"""The JSON API of what is said about one submission: its thread, and the reporter's link."""

from flask import Response

from app.blueprints.admin import answers, changes, redaction
from app.blueprints.admin.api import blueprint
from app.blueprints.admin.redaction import Box
from app.blueprints.admin.schemas import FeedbackPath, LinkChange, MessagesQuery, NewMessage, Redaction
from app.database.paging.keyset import paginate
from app.models import Message, message
from app.responses import Failure, success
from app.security import needs


@blueprint.get("/feedback/<public_id>/messages", summary="The thread", responses={200: answers.MessageList})
def list_messages(path: FeedbackPath, query: MessagesQuery) -> Response:
    """Answer a page of replies, notes and the reporter's answers, the newest first."""
    found = changes.load(path.public_id)
    page = paginate(
        message.of(found.id),
        order=(Message.id.desc(),),
        cursor=query.cursor,
        limit=query.limit,
        scope=f"thread {found.id}",
    )
    return success([answers.message_data(row[0]) for row in page.rows], page=page.as_json())


@blueprint.post(
    "/feedback/<public_id>/messages", summary="Reply, or add a note", responses={201: answers.OneMessage}
)
def add_message(path: FeedbackPath, body: NewMessage) -> Response:
    """Add a reply to the reporter, or with `internal` a note, and set what is named in the same transaction.

    `act` undoes the setting; the message stays.
    """
    kind = message.NOTE if body.internal else message.REPLY
    values = body.model_dump(include={"status", "assignee", "add_tags"}, exclude_none=True)
    made, act = changes.write_undoably(path.public_id, kind, body.text, needs("agent"), values)
    return success(answers.message_data(made) | {"act": act and act.public_id}, 201)


@blueprint.patch(
    "/feedback/<public_id>/link", summary="Revoke or renew the link", responses={200: answers.One}
)
def change_link(path: FeedbackPath, body: LinkChange) -> Response:
    """Revoke the reporter's link, or with `revoked` false make a new one; the old one never works again."""
    return success(
        answers.whole(changes.change_link(path.public_id, revoked=body.revoked, someone=needs("agent")))
    )


@blueprint.post(
    "/feedback/<public_id>/redactions",
    summary="Redact the picture",
    responses={200: answers.One, 409: Failure},
)
def redact(path: FeedbackPath, body: Redaction) -> Response:
    """Blacken boxes of the picture for good: the old bytes are destroyed. 409 without a finished picture."""
    boxes = [Box(box.x, box.y, box.width, box.height) for box in body.boxes]
    return success(answers.whole(redaction.redact(path.public_id, boxes, needs("agent"))))
