"""The timeline in words: what an event says on a page, and in the answer to an edit that came too late."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.blueprints.admin.wording import BOX_BY_KEY, DEFAULT_KINDS
from app.models import Event


def meanwhile(act: Event, me: int | None) -> str:
    """Say an act with who did it and when, for somebody whose edit it overtook."""
    who = "you, in another place," if me is not None and act.actor_id == me else act.actor
    return f"{who} {words(act)} at {act.created_at:%H:%M} UTC"


def words(act: Event) -> str:
    """Say what somebody did, to stand behind their name; whatever its kind, it says something."""
    say = _SAID.get(act.kind)
    if act.kind == "assignee" and (act.details or {}).get("to") == act.actor:
        return "took it"
    return say(act.details or {}) if say else f"changed it ({act.kind.replace('_', ' ')})"


def icon_of(kind: str) -> str:
    """Return the icon that stands before an act."""
    return _ICONS.get(kind, "activity")


def _status(details: dict[str, Any]) -> str:
    box = BOX_BY_KEY.get(str(details.get("to")))
    return f"moved it to {box.label}" if box else "moved it"


def _assignee(details: dict[str, Any]) -> str:
    return f"gave it to {details['to']}" if details.get("to") else "took it from everybody"


def _category(details: dict[str, Any]) -> str:
    key = str(details.get("to"))
    kind = DEFAULT_KINDS.get(key)
    return f"made it {kind.label if kind else key}"


def _archive(details: dict[str, Any]) -> str:
    return "archived it" if details.get("to") else "took it out of the archive"


def _snooze(details: dict[str, Any]) -> str:
    until = details.get("to")
    if not until:
        return "woke it"
    moment = datetime.fromisoformat(until)
    return f"snoozed it until {moment.day} {moment:%b %Y}, {moment:%H:%M} UTC"


def _named(words: str) -> Callable[[dict[str, Any]], str]:
    return lambda details: words.format(details.get("reference") or "one that is gone")


def _tags(details: dict[str, Any]) -> str:
    added, removed = (", ".join(details.get(part) or ()) for part in ("added", "removed"))
    parts = (f"tagged it {added}" if added else "", f"took off the tag {removed}" if removed else "")
    return " and ".join(filter(None, parts)) or "changed the tags"


def _link(details: dict[str, Any]) -> str:
    return "revoked the reporter's link" if details.get("to") == "revoked" else "made the reporter a new link"


def _redact(details: dict[str, Any]) -> str:
    if "boxes" not in details:
        return f"took out who sent it{_policy(details)}"
    boxes = int(details["boxes"])
    return f"blacked out {boxes} part{'' if boxes == 1 else 's'} of the picture for good"


def _screenshot(details: dict[str, Any]) -> str:
    return f"removed the picture{_policy(details)}"


def _policy(details: dict[str, Any]) -> str:
    return f", by the policy {details['policy']}" if details.get("policy") else ""


def _hold(details: dict[str, Any]) -> str:
    if details.get("what") == "ended":
        return "ended the hold"
    return f"held it: {details['reason']}" if details.get("reason") else "held it"


_SAID: dict[str, Callable[[dict[str, Any]], str]] = {
    "status": _status,
    "assignee": _assignee,
    "category": _category,
    "archive": _archive,
    "note": lambda _: "changed the notes",
    "tags": _tags,
    "link": _link,
    "redact": _redact,
    "snooze": _snooze,
    "wake": lambda _: "brought it back: its time has come",
    "screenshot": _screenshot,
    "hold": _hold,
    "merge": _named("merged it into {}"),
    "unmerge": _named("took it out of {}"),
    "merged": _named("merged {} into it"),
    "unmerged": _named("took {} out of it"),
    "merged_answer": _named("answered on {}, which is merged into it"),
    "reply": lambda _: "replied",
    "reporter_reply": lambda _: "answered",
}
_ICONS = {
    "status": "circle-check",
    "assignee": "user",
    "category": "text-align-start",
    "archive": "archive",
    "note": "text-align-start",
    "tags": "tag",
    "link": "link",
    "redact": "redact",
    "hold": "lock",
    "merge": "link",
    "merged": "link",
    "unmerge": "unlink",
    "unmerged": "unlink",
    "snooze": "clock",
    "wake": "clock",
}
