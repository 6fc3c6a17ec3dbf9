"""What the page of one submission shows: words, picture, facts, state, and its neighbours in the list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import ScalarSelect, literal, select, tuple_
from sqlalchemy.sql import operators

from app.amounts import size
from app.blueprints.admin import snoozing, wording
from app.blueprints.admin.choices import Choices, load_choices
from app.blueprints.admin.facts import FOLDED, Fact, facts_of
from app.blueprints.admin.snoozing import SnoozeChoice
from app.blueprints.admin.thread import Thread, load_thread
from app.blueprints.admin.tree import Node, tree
from app.blueprints.admin.wanted import Wanted
from app.blueprints.admin.wording import BOX_BY_KEY, Box, Kind
from app.extensions import db
from app.models import Feedback, Screenshot, hold, merge
from app.models.identifiers import reference
from app.models.inbox_filter import InboxFilter
from app.models.marks import Mark, drawn
from app.models.message import PAGE
from app.models.user import initials
from app.security import needs

# A taller picture is shown smaller, so that what is said of it stays near; the zoom shows it whole.
TALLEST_PX = 520
DEFAULT_SIZE = (1280, 800)


@dataclass(frozen=True)
class Picture:
    """The screenshot as shown; sizes in CSS pixels of the page it was taken of."""

    state: str
    failure: str | None
    url: str
    poll_url: str
    alt: str
    file_name: str
    size: str
    page_width: int
    page_height: int
    shown_width: int
    shown_height: int
    marks: list[Mark]
    marks_label: str


@dataclass(frozen=True)
class Tree:
    """A folded part: what the page said about itself."""

    title: str
    size: str
    value: tuple[Node, ...]


@dataclass(frozen=True)
class Step:
    """A way to the neighbour in the list."""

    key: str
    label: str
    icon: str
    href: str | None


@dataclass(frozen=True)
class Link:
    """A word that leads somewhere."""

    label: str
    href: str


@dataclass(frozen=True)
class Merged:
    """Another submission that says the same, as a line that leads there."""

    href: str
    reference: str
    name: str
    words: str
    age: str
    sent: str


@dataclass(frozen=True)
class Assignee:
    """Who works on it; `name` is `You` for who looks."""

    name: str
    initials: str
    is_me: bool


@dataclass(frozen=True)
class Shown:
    """One submission, ready for its template."""

    public_id: str
    reference: str
    version: int
    href: str
    change_url: str
    delete_url: str | None
    list_url: str
    list_title: str
    status: Box
    is_open: bool
    is_read: bool
    is_archived: bool
    snoozed_until: datetime | None
    snoozes: tuple[SnoozeChoice, ...]
    snooze_days: tuple[str, str]
    mark_read: bool
    words: str
    notes: str
    name: str
    initials: str
    reporter_id: str | None
    age: str
    kind: Kind
    kinds: tuple[Kind, ...]
    picture: Picture | None
    facts: tuple[Fact, ...]
    facts_line: str
    trees: tuple[Tree, ...]
    steps: tuple[Step, ...]
    first_name: str
    assignee: Assignee | None
    choices: Choices
    thread: Thread
    more_url: str | None
    message_url: str
    macros_url: str
    link_url: str
    reporter_url: str | None
    redact_url: str | None
    holds: tuple[str, ...]
    is_merged: bool
    merged_into: Link | None
    merged: tuple[Merged, ...]
    merge_url: str
    unmerge_url: str


def show(
    found: Feedback, wanted: Wanted, now: datetime, *, role: str, opened: bool, shown: int = PAGE
) -> Shown:
    """Make what the page shows, in three statements: neighbours, menus, thread.

    One more reads the holds of what is held, and one the submissions that were merged into it.

    `opened` means that an agent reads it now, so it becomes read; `shown` how many entries the thread has.
    """
    me = needs("viewer").user_id
    thread = load_thread(found, now, me=me, shown=shown)
    around = _around(found, wanted)
    more = {"public_id": found.public_id, **wanted.query(), "shown": thread.more}
    return Shown(
        thread=thread,
        more_url=url_for("admin.detail", **more) if thread.more else None,
        assignee=_assignee(found, me),
        choices=load_choices(found),
        mark_read=opened and not found.is_read and role != "viewer",
        list_title=wanted.title,
        steps=_steps(around, wanted),
        is_merged=around.merged is not None,
        merged_into=_merged_into(around.into, wanted),
        merged=_merged(found, wanted, now) if around.count else (),
        holds=tuple(map(hold.words_of, hold.Hold.of(db.session(), found.id))) if found.held else (),
        picture=_picture(found, wanted),
        **_state(found, now),
        **_said(found, now),
        **_addresses(found, wanted, role),
    )


def _state(found: Feedback, now: datetime) -> dict[str, Any]:
    """Return where it stands in the inbox, and until when it can be put off."""
    return {
        "public_id": found.public_id,
        "reference": found.reference,
        "version": found.version,
        "status": BOX_BY_KEY[found.status],
        "is_open": found.status in ("open", "in_progress"),
        "is_read": found.is_read,
        "is_archived": found.is_archived,
        "snoozed_until": found.snoozed_until,
        "snoozes": snoozing.choices(now, snoozing.viewer_zone()),
        "snooze_days": snoozing.days(now, snoozing.viewer_zone()),
    }


def _said(found: Feedback, now: datetime) -> dict[str, Any]:
    """Return what the reporter said, what the page said, and what was noted since."""
    kinds = wording.kinds_of(found.project.categories)
    facts = facts_of(found, now)
    return {
        "words": found.description,
        "notes": found.admin_notes,
        "name": found.reporter_name or found.reporter_email or "Somebody",
        "initials": initials(found.reporter_name or found.reporter_email or ""),
        "first_name": found.reporter_name.split()[0] if found.reporter_name else "the reporter",
        "reporter_id": found.reporter_id,
        "age": wording.age(found.created_at, now),
        "kind": wording.kind_of(kinds, found.category),
        "kinds": tuple(kinds.values()),
        "facts": facts,
        "facts_line": ", ".join(fact.value for fact in facts if fact.label in FOLDED),
        "trees": _trees(found),
    }


def _addresses(found: Feedback, wanted: Wanted, role: str) -> dict[str, Any]:
    """Return where the page, its list and its forms are; None for what this role, or this state, has not."""
    where = {"public_id": found.public_id, **wanted.query()}
    in_trash = found.status == "trash" and role == "admin"
    has_link = found.link_number >= 0 and role != "viewer"
    return {
        "href": url_for("admin.detail", **where),
        "list_url": url_for("admin.index", **wanted.query()),
        "change_url": url_for("admin.change", **where),
        "delete_url": url_for("admin.delete", **where) if in_trash else None,
        "message_url": url_for("admin.add_message", **where),
        "macros_url": url_for("admin.macro_choices", **where),
        "link_url": url_for("admin.change_link", **where),
        "reporter_url": f"/f/{found.status_token}" if has_link else None,
        "redact_url": _redact_url(found, where, role),
        "merge_url": url_for("admin.merge", **where),
        "unmerge_url": url_for("admin.unmerge", **where),
    }


def _redact_url(found: Feedback, where: dict[str, Any], role: str) -> str | None:
    ready = found.screenshot is not None and found.screenshot.state == "ready"
    return url_for("admin.redact", **where) if ready and role != "viewer" else None


def _assignee(found: Feedback, me: int) -> Assignee | None:
    someone = found.assignee
    if someone is None:
        return None
    return Assignee("You" if someone.id == me else someone.name, initials(someone.name), someone.id == me)


def _trees(found: Feedback) -> tuple[Tree, ...]:
    extra = {name: value for name, value in (found.custom or {}).items() if name != "release"}
    parts = (("State from the page", found.api_state), ("Fields from the page", extra))
    return tuple(Tree(title, size(len(str(value))), tree(value)) for title, value in parts if value)


def _picture(found: Feedback, wanted: Wanted) -> Picture | None:
    stored = found.screenshot
    if stored is None:
        return None
    scale = found.screenshot_scale or 1.0
    width = max(1, round((stored.width or DEFAULT_SIZE[0]) / scale))
    height = max(1, round((stored.height or DEFAULT_SIZE[1]) / scale))
    shrink = min(1.0, TALLEST_PX / height)
    marks = drawn(found.annotation_coords)
    path = wording.page_path(found.url)
    return Picture(
        state=stored.state,
        failure=stored.failure,
        # Named by its blob, so that no browser shows the picture from before a redaction.
        url=url_for("admin_api.screenshot", public_id=found.public_id, v=stored.blob_key[-8:].lower()),
        poll_url=url_for("admin.picture", public_id=found.public_id, **wanted.query()),
        alt=f"Picture of the page {path}" if path else "Picture of the page",
        file_name=f"earmark-{found.reference}",
        size=_size(stored),
        page_width=width,
        page_height=height,
        shown_width=max(1, round(width * shrink)),
        shown_height=max(1, round(height * shrink)),
        marks=marks,
        marks_label=f"{len(marks)} mark{'' if len(marks) == 1 else 's'} drawn by the reporter",
    )


def _size(stored: Screenshot) -> str:
    return f"{stored.width} × {stored.height}, {size(stored.size_bytes)}"


def _around(found: Feedback, wanted: Wanted) -> Any:
    """Read the neighbours in the list, and what the submission is merged with, in one statement."""
    chosen = wanted.filter(found.project_id if wanted.project else None)
    before, after = (_neighbour(found, chosen, back=back) for back in (True, False))
    merged, into, count = merge.pointers(found.id)
    query = select(
        before.label("before"),
        after.label("after"),
        merged.label("merged"),
        into.label("into"),
        count.label("count"),
    )
    return db.session.execute(query).one()


def _steps(around: Any, wanted: Wanted) -> tuple[Step, ...]:
    def address(public_id: str | None) -> str | None:
        return public_id and url_for("admin.detail", public_id=public_id, **wanted.query())

    return (
        Step("prev", "Previous submission", "chevron-up", address(around.before)),
        Step("next", "Next submission", "chevron-down", address(around.after)),
    )


def _merged_into(public_id: str | None, wanted: Wanted) -> Link | None:
    if public_id is None:
        return None
    return Link(reference(public_id), url_for("admin.detail", public_id=public_id, **wanted.query()))


def _merged(found: Feedback, wanted: Wanted, now: datetime) -> tuple[Merged, ...]:
    return tuple(
        Merged(
            href=url_for("admin.detail", public_id=row.public_id, **wanted.query()),
            reference=reference(row.public_id),
            name=row.reporter_name or row.reporter_email or "Somebody",
            words=wording.first_words(row.first_words),
            age=wording.age(row.created_at, now),
            sent=row.created_at.isoformat(),
        )
        for row in merge.merged_into(db.session(), found.id)
    )


def _neighbour(found: Feedback, chosen: InboxFilter, *, back: bool) -> ScalarSelect[str]:
    """Select the public id of the submission before or after in the list: one row, by the list's index."""
    order = chosen.order()
    columns = [part.element for part in order]
    falling = (order[0].modifier is operators.desc_op) is not back
    row = tuple_(*columns)
    here = tuple_(*(literal(getattr(found, str(column.key)), column.type) for column in columns))
    query = (
        select(Feedback.public_id)
        .where(*chosen.listed(), row < here if falling else row > here)
        .order_by(*(column.desc() if falling else column.asc() for column in columns))
        .limit(1)
    )
    return query.scalar_subquery()
