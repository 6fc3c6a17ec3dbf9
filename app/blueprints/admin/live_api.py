"""Live events of the inbox, and how many listen to them."""

import os
from collections import Counter
from typing import Any

from flask import Response, current_app, request
from pydantic import BaseModel

from app.blueprints.admin.api import blueprint
from app.clock import utc_now
from app.database.tracking.watch import EXTENSION, Watcher
from app.live import current_live
from app.models.user import ROLES
from app.responses import success
from app.security import needs

GAUGE = "live"


class LiveCounts(BaseModel):
    """Open streams by role, of all processes."""

    viewer: int
    agent: int
    admin: int
    total: int


class LiveAnswer(BaseModel):
    """The envelope of the counts."""

    success: bool
    data: LiveCounts


@blueprint.get(
    "/events",
    summary="What happens, as it happens",
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
def events() -> Response:
    """Stream `submission`, `update`, `message` and `screenshot` events; resumes from `Last-Event-ID`.

    A beat comes every ten seconds; the stream ends after 55 and is to be opened again. 503
    `too_many_streams` where too many listen already.
    """
    someone = needs("viewer")
    last_event_id = request.headers.get("Last-Event-ID", "")
    stream = current_live().open(someone.role, someone.public_id, last_event_id)
    response = Response(stream, mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


@blueprint.get("/live", summary="Who listens", responses={200: LiveAnswer})
def live() -> Response:
    """Answer how many pages listen, by role; other processes are up to ten seconds behind."""
    watcher: Watcher = current_app.extensions[EXTENSION]
    counts: Counter[str] = Counter(current_live().counts())
    for process in watcher.statistics.processes(utc_now()):
        if process.pid != os.getpid():
            counts.update(process.gauges.get(GAUGE) or {})
    answer: dict[str, Any] = {role: counts[role] for role in ROLES}
    return success({**answer, "total": sum(counts.values())})
