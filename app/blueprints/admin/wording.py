"""The words and shapes in which stored values stand on a page.

Owns names of boxes and categories, ages, sizes and safe links. Knows no request and no table.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RATINGS = {1: "Poor", 2: "Weak", 3: "Fair", 4: "Good", 5: "Very good"}


@dataclass(frozen=True)
class Box:
    """A status as a place in the inbox."""

    key: str
    label: str
    icon: str


BOXES = (
    Box("open", "Open", "circle"),
    Box("in_progress", "In progress", "contrast"),
    Box("resolved", "Resolved", "circle-check"),
    Box("closed", "Closed", "circle-minus"),
    Box("rejected", "Rejected", "circle-x"),
    Box("spam", "Spam", "octagon-alert"),
    Box("trash", "Trash", "trash-2"),
)
BOX_BY_KEY = {box.key: box for box in BOXES}


@dataclass(frozen=True)
class Kind:
    """A category with its word, icon and colour."""

    key: str
    label: str
    icon: str
    tone: str


DEFAULT_KINDS = {
    kind.key: kind
    for kind in (
        Kind("bug", "Bug", "bug", "bug"),
        Kind("idea", "Idea", "lightbulb", "idea"),
        Kind("question", "Question", "circle-question-mark", "question"),
        Kind("praise", "Praise", "heart", "praise"),
        Kind("other", "Other", "circle-ellipsis", "other"),
    )
}


def kinds_of(categories: list[dict[str, Any]]) -> dict[str, Kind]:
    """Return a project's categories by key; the default ones keep their icon and colour."""
    return {category["key"]: _kind(category["key"], category.get("label")) for category in categories}


def kind_of(kinds: dict[str, Kind], key: str) -> Kind:
    """Return the category of a submission, also one that its project no longer has."""
    return kinds.get(key) or _kind(key, None)


def _kind(key: str, label: str | None) -> Kind:
    known = DEFAULT_KINDS.get(key)
    if known is None:
        return Kind(key, label or key.replace("_", " ").replace("-", " ").capitalize(), "tag", "own")
    return Kind(key, label or known.label, known.icon, known.tone)


def age(moment: datetime, now: datetime) -> str:
    """Write how long ago a moment was: `now`, `14 min`, `3 h`, `Yesterday`, `4 days`, `12 Oct`."""
    passed = now - moment
    if passed < MINUTE:
        return "now"
    if passed < HOUR:
        return f"{passed // MINUTE} min"
    if passed < DAY:
        return f"{passed // HOUR} h"
    if passed < 2 * DAY:
        return "Yesterday"
    if passed < 7 * DAY:
        return f"{passed // DAY} days"
    day = f"{moment.day} {moment:%b}"
    return day if moment.year == now.year else f"{day} {moment.year}"


def sent(moment: datetime, now: datetime) -> str:
    """Write when something was sent, in UTC until the page's script knows the reader's zone."""
    clock = f"{moment:%H:%M} UTC"
    past = age(moment, now)
    if past == "now" or past.endswith(("min", "h")):
        return f"{clock}, {past}{'' if past == 'now' else ' ago'}"
    return f"{moment.day} {moment:%b %Y}, {clock}"


def safe_link(url: str | None) -> str | None:
    """Return an address that may stand in `href`: http and https only (a `javascript:` one would run)."""
    if url is None or not re.match(r"https?://[^\s]+\Z", url, re.IGNORECASE):
        return None
    return url


def page_path(url: str | None) -> str | None:
    """Return the path of a page as people name it, `/basket`."""
    if safe_link(url) is None:
        return None
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return parts.path or "/"


def first_words(text: str) -> str:
    """Return text on one line."""
    return " ".join(text.split())


def number(value: int) -> str:
    """Write a count, `2,940`."""
    return f"{value:,}"


def dimensions(size: str | None) -> str | None:
    """Write `1280x720` as `1280 × 720`."""
    return size.replace("x", " × ") if size else None


STATUS_ACTS = {
    "open": "opened again",
    "in_progress": "put in progress",
    "resolved": "resolved",
    "closed": "closed",
    "rejected": "rejected",
    "spam": "moved to spam",
    "trash": "moved to the trash",
}


SAID_WITH_ACTS = {"reply": "the reply", "note": "the note"}


def act_summary(values: Mapping[str, Any], count: int, said: str = "") -> str:
    """Say what an act did, `14 submissions resolved`; `said` is the kind of a message sent with it."""
    done = f"{submissions(count)} {' and '.join(_acts(values)) or 'match'}"
    return {"reply": f"Reply sent, {done}", "note": f"Note kept, {done}"}.get(said, done)


def undo_summary(count: int, left: int, said: str = "") -> str:
    """Say what an undo did, and what it left; `said` is the kind of a message that was sent with the act."""
    done = f"{submissions(count)} as before"
    if left:
        done = f"{done}, {number(left)} left: changed since"
    return f"{done}; {SAID_WITH_ACTS[said]} stays" if said else done


def submissions(count: int) -> str:
    """Write how many submissions."""
    return f"{number(count)} submission{'' if count == 1 else 's'}"


def _acts(values: Mapping[str, Any]) -> Iterator[str]:
    if "delete" in values:
        yield "deleted"
    if "status" in values:
        yield STATUS_ACTS[values["status"]]
    if "is_archived" in values:
        yield "archived" if values["is_archived"] else "taken out of the archive"
    if "is_read" in values:
        yield "marked as read" if values["is_read"] else "marked as unread"
    if "snoozed_until" in values:
        yield "snoozed" if values["snoozed_until"] else "woken"
    if "category" in values:
        yield f"put under {values['category']}"
    if "assignee" in values or "assignee_id" in values:
        yield "given away" if values.get("assignee") or values.get("assignee_id") else "given to nobody"
    if names := values.get("add_tags"):
        yield f"tagged {', '.join(names)}"
    if names := values.get("remove_tags"):
        yield f"no longer tagged {', '.join(names)}"
