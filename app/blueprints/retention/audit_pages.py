"""The page of the audit log: entries with filters, as one dense list."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_openapi import OpenAPI

from app.blueprints.retention import audit_log
from app.errors import ClientError
from app.models import audit
from app.rail import load_rail
from app.validation import moment_of

ACCESS = {"audit.index": "admin"}
PAGE_SIZE = 50
FIELDS = ("actor", "action", "target", "from", "to")
blueprint = Blueprint("audit", __name__, url_prefix="/admin/audit")


@dataclass(frozen=True)
class Line:
    """One entry as the list shows it; the links narrow the list to its actor, action or target."""

    id: int
    created_at: datetime
    actor: str
    action: str
    target: str | None
    outcome: str
    request_id: str | None
    hash: str
    details: Sequence[tuple[str, str]]
    by_actor: str
    by_action: str
    by_target: str | None


def register(app: OpenAPI) -> None:
    """Add the page."""
    app.register_blueprint(blueprint)


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Show a page of the audit log, the newest first."""
    given = {name: request.args.get(name, "").strip()[: audit.LONGEST] for name in FIELDS}
    wanted, faults = _wanted(given)
    named = {name: value for name, value in given.items() if value}
    try:
        page = audit_log.page(wanted, cursor=request.args.get("cursor"), limit=PAGE_SIZE)
    except ClientError as error:
        if error.code not in ("cursor_invalid", "cursor_expired"):
            raise
        return redirect(_address(named))
    shown = render_template(
        "retention/audit.html",
        rail=load_rail("audit"),
        lines=[_line(row, named) for row in page.rows],
        given=given,
        faults=faults,
        filtered=bool(named),
        actions=audit_log.known_actions(),
        pages={
            "next": page.next and _address(named, cursor=page.next),
            "prev": page.prev and _address(named, cursor=page.prev),
        },
    )
    return shown, 422 if faults else 200


def _wanted(given: Mapping[str, str]) -> tuple[audit_log.Wanted, dict[str, str]]:
    """Read the filters; a time that is none is a fault and leaves its side open. `to` is a day included."""
    moments: dict[str, datetime | None] = {"from": None, "to": None}
    faults = {}
    for name in moments:
        if given[name]:
            try:
                moments[name] = moment_of(given[name])
            except ValueError:
                faults[name] = "Write a day such as 2026-11-21."
    until = moments["to"]
    if until is not None and len(given["to"]) == 10:
        until += timedelta(days=1)
    equal = {name: given[name] or None for name in ("actor", "action", "target")}
    return audit_log.Wanted(**equal, since=moments["from"], until=until), faults


def _line(row: Any, named: Mapping[str, str]) -> Line:
    said = audit.document(row._asdict())
    return Line(
        id=row.id,
        created_at=row.created_at,
        actor=row.actor,
        action=row.action,
        target=row.target,
        outcome=row.outcome,
        request_id=row.request_id,
        hash=row.hash,
        details=[(name, _written(value)) for name, value in said["details"].items()],
        by_actor=_address(named, actor=row.actor),
        by_action=_address(named, action=row.action),
        by_target=row.target and _address(named, target=row.target),
    )


def _written(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"from", "to"}:
        return f"{_written(value['from'])} → {_written(value['to'])}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _address(named: Mapping[str, str], **more: str) -> str:
    wanted: dict[str, Any] = {**named, **more}
    return url_for("audit.index", **wanted)
