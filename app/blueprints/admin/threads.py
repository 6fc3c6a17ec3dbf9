"""What an agent says and settles beside the fields of a submission: replies, notes, the reporter's link."""

import re

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.blueprints.admin import changes, inbox, macros, merging, redaction
from app.blueprints.admin.inbox import blueprint
from app.blueprints.admin.redaction import Box
from app.blueprints.admin.submissions import show
from app.blueprints.admin.wanted import Wanted
from app.clock import utc_now
from app.errors import ClientError
from app.models import message
from app.models.feedback import STATUSES
from app.security import needs


@blueprint.post("/feedback/<public_id>/messages")
def add_message(public_id: str) -> ResponseReturnValue:
    """Send a reply or keep a note; a second button settles the submission with it, and a macro sets more."""
    someone, wanted = needs("agent"), Wanted.of(request.args)
    kind, status = request.form.get("kind", ""), request.form.get("status")
    if kind not in (message.REPLY, message.NOTE):
        raise changes.wrong("kind", "is reply or note")
    if status is not None and status not in STATUSES:
        raise changes.wrong("status", "is not a status")
    used = request.form.get("macro")
    values = macros.settings_of(macros.MACROS.load(used, someone)) if used else {}
    if status is not None:
        values["status"] = status
    _, act = changes.write_undoably(public_id, kind, request.form.get("text", ""), someone, values)
    return inbox.answer(public_id, wanted, utc_now(), act)


@blueprint.post("/feedback/<public_id>/link")
def change_link(public_id: str) -> ResponseReturnValue:
    """Revoke the reporter's link, or make a new one."""
    someone, wanted = needs("agent"), Wanted.of(request.args)
    revoked = request.form.get("revoked", "")
    if revoked not in changes.TRUTH:
        raise changes.wrong("revoked", "is true or false")
    changes.change_link(public_id, revoked=changes.TRUTH[revoked], someone=someone)
    return inbox.answer(public_id, wanted, utc_now())


@blueprint.post("/feedback/<public_id>/merge")
def merge(public_id: str) -> ResponseReturnValue:
    """Merge a submission into the one whose address or id the form names."""
    someone, wanted = needs("agent"), Wanted.of(request.args)
    into = merging.named(request.form.get("into", ""))
    merging.merge_all([public_id], into, someone)
    return inbox.answer(public_id, wanted, utc_now())


@blueprint.post("/feedback/<public_id>/unmerge")
def unmerge(public_id: str) -> ResponseReturnValue:
    """Make a merged submission one of its own again."""
    someone, wanted = needs("agent"), Wanted.of(request.args)
    merging.unmerge(public_id, someone)
    return inbox.answer(public_id, wanted, utc_now())


@blueprint.route("/feedback/<public_id>/redact", methods=["GET", "POST"])
def redact(public_id: str) -> ResponseReturnValue:
    """Show the picture to draw boxes on, then blacken them for good."""
    someone, wanted = needs("agent"), Wanted.of(request.args)
    if request.method == "GET":
        found = changes.load(public_id)
        shown = show(found, wanted, utc_now(), role=someone.role, opened=False)
        if shown.redact_url is None:
            raise ClientError(409, "conflict", "There is no finished picture to redact.")
        return render_template("admin/redact.html", shown=shown)
    redaction.redact(public_id, _boxes(), someone)
    return inbox.answer(public_id, wanted, utc_now())


def _boxes() -> list[Box]:
    """Read the boxes of the form; a row that was left empty is none."""
    columns = [request.form.getlist(name) for name in ("x", "y", "width", "height")]
    if len({len(column) for column in columns}) != 1:
        raise changes.wrong("boxes", "need each left, top, width and height")
    rows = [row for row in zip(*columns, strict=True) if any(row)]
    return [Box(*map(_number, row)) for row in rows]


def _number(text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,6}(\.[0-9]{1,3})?", text):
        raise changes.wrong("boxes", "are four numbers each")
    return float(text)
