"""The JSON API of acts: one change on many submissions, and taking an act back."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.blueprints.admin import bulk, changes
from app.blueprints.admin.api import blueprint, filter_of
from app.blueprints.admin.changes import wrong
from app.blueprints.admin.reading import given
from app.blueprints.admin.schemas import ActPath, BulkAct
from app.blueprints.admin.wording import act_summary, undo_summary
from app.clock import utc_now
from app.models import Feedback, audit
from app.models.acts import KEPT
from app.responses import Failure, success
from app.security import Actor, needs


class BulkData(BaseModel):
    """What an act came to; `act` is what undoes it until `undo_until`."""

    count: int
    summary: str
    act: str | None
    undo_until: str | None
    transactions: int


class BulkAnswer(BaseModel):
    """The envelope of an act."""

    success: bool
    data: BulkData


class UndoData(BaseModel):
    """What an undo came to: `left` were changed by others since, and stay."""

    count: int
    left: int
    summary: str


class UndoAnswer(BaseModel):
    """The envelope of an undo."""

    success: bool
    data: UndoData


@blueprint.post("/feedback/bulk", summary="Change or delete many", responses={200: BulkAnswer, 409: Failure})
def bulk_change(body: BulkAct) -> Response:
    """Set the same on `ids` or on all that a `filter` matches, or delete it for good (admin).

    Up to 10,000 in one transaction, more in several, each of them whole; `transactions` says how many.
    `dry_run` only counts. With the `version` of its one id, an act that somebody else overtook answers 409
    `conflict` and says who changed what.
    """
    someone = needs("agent")
    where = _where(body)
    if (body.set is None) is not body.delete:
        raise wrong("set", "is needed, or delete")
    if body.version is not None and (body.set is None or len(body.ids or ()) != 1):
        raise wrong("version", "goes with one id, and with set")
    if body.dry_run:
        return success(_answer(bulk.Done(bulk.count(where), None, 0), {}))
    if body.delete:
        needs("admin")
        return success(_answer(bulk.remove(where, _record), {"delete": True}))
    values = given(body.set, {"assignee", "snoozed_until"}) if body.set else {}
    if not values:
        raise wrong("set", "changes nothing")
    done = bulk.change(where, values, someone, utc_now(), partial(_check_version, body, someone))
    return success(_answer(done, values))


@blueprint.post("/acts/<public_id>/undo", summary="Undo an act", responses={200: UndoAnswer})
def undo_act(path: ActPath) -> Response:
    """Put back what an act of yours changed, within an hour; what others changed since stays."""
    undone = bulk.undo(path.public_id, needs("agent"), utc_now())
    summary = undo_summary(undone.count, undone.left, undone.said)
    return success({"count": undone.count, "left": undone.left, "summary": summary})


def _where(body: BulkAct) -> Sequence[ColumnElement[bool]]:
    if (body.ids is None) is (body.filter is None):
        raise wrong("ids", "is needed, or filter, and not both")
    if body.ids is not None:
        return [Feedback.public_id.in_(body.ids)]
    assert body.filter is not None
    return filter_of(body.filter).conditions()


def _check_version(body: BulkAct, someone: Actor, session: Session) -> None:
    if body.version is not None and body.ids is not None:
        changes.check_version(session, changes.load(body.ids[0], lock=True), body.version, someone)


def _answer(done: bulk.Done, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "count": done.count,
        "summary": act_summary(values, done.count),
        "act": done.act and done.act.public_id,
        "undo_until": done.act and done.act.created_at + KEPT,
        "transactions": done.transactions,
    }


def _record(session: Any, count: int) -> None:
    audit.record(session, "submission.delete", details={"submissions": count})
