"""The facts beside a submission: where it was sent from, by whom, and with what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from app.blueprints.admin import wording
from app.blueprints.admin.wanted import EVERYWHERE, Wanted
from app.models import Feedback

# What a phone shows before the facts are unfolded.
FOLDED = ("Page", "Browser", "Viewport")


@dataclass(frozen=True)
class Fact:
    """One line of the facts."""

    label: str
    value: str
    href: str | None = None
    outside: bool = False
    code: bool = False
    moment: str | None = None
    title: str | None = None


def facts_of(found: Feedback, now: datetime) -> tuple[Fact, ...]:
    """Return what is known of a submission, in the order of its page; what nobody told is left out."""
    of_session = Wanted(status=EVERYWHERE, is_archived=EVERYWHERE, session_id=found.session_id or "")
    of_reporter = Wanted(status=EVERYWHERE, is_archived=EVERYWHERE, reporter=found.reporter_email or "")
    rating = wording.RATINGS.get(found.rating or 0)
    facts = (
        Fact("Rating", f"{rating}, {found.rating} of 5") if rating else None,
        _page(found.url),
        Fact("Project", found.project.name),
        Fact("Sent", wording.sent(found.created_at, now), moment=found.created_at.isoformat()),
        _fact("Browser", ", ".join(filter(None, (found.browser, found.os)))),
        _fact("Viewport", _viewport(found)),
        _fact("Screen", wording.dimensions(found.screen_resolution)),
        _fact("Release", (found.custom or {}).get("release"), code=True),
        _session(found.session_id, url_for("admin.index", **of_session.query())),
        _fact("E-mail", found.reporter_email, href=url_for("admin.index", **of_reporter.query())),
        Fact("Reference", found.reference, code=True),
    )
    return tuple(fact for fact in facts if fact is not None)


def _fact(label: str, value: str | None, **options: Any) -> Fact | None:
    return Fact(label, value, **options) if value else None


def _page(url: str | None) -> Fact | None:
    if not url:
        return None
    link = wording.safe_link(url)
    return Fact("Page", wording.page_path(url) or url, href=link, outside=link is not None, title=url)


def _viewport(found: Feedback) -> str | None:
    size = wording.dimensions(found.viewport_size)
    if size and found.device_pixel_ratio:
        return f"{size} at {found.device_pixel_ratio:g}×"
    return size


def _session(session_id: str | None, href: str) -> Fact | None:
    if not session_id:
        return None
    short = session_id if len(session_id) <= 14 else f"{session_id[:6]}…{session_id[-3:]}"
    return Fact("Session", short, href=href, code=True, title=session_id)
