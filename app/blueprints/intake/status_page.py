"""What the reporter's private page shows of a submission: never a note, never who works on it."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.blueprints.intake.page_texts import Words
from app.blueprints.intake.report_form import is_web_address
from app.clock import rfc3339
from app.errors import ClientError
from app.models import Event, Feedback, Merge, Message, Screenshot, message
from app.models.marks import Mark, drawn
from app.models.user import initials

# How far each status has come of the three steps. What was set aside (spam, trash) reads as closed: the page
# neither accuses nor pretends.
STEP_OF = {"open": 0, "in_progress": 1}
LAST_STEP = 2
SETTLED = "resolved"
SAID_AS_CLOSED = frozenset({"spam", "trash"})
# Pixels on the page that a mark's 3 px may shrink to before it is drawn thicker: a picture is shown at
# most 208 px wide, and 1.5 px are still seen.
SHOWN_WIDTH_PX = 416
LINK_LENGTH = 60
SHOWN, MOST_SHOWN = 30, 1000  # messages; older ones on demand


@dataclass(frozen=True)
class Moment:
    """A moment for people, and as RFC 3339."""

    words: str
    iso: str


@dataclass(frozen=True)
class Step:
    """One of the three steps; `when` stands in the note's place for it, `state` is done, current or todo."""

    name: str
    note: str
    when: Moment | None
    state: str


@dataclass(frozen=True)
class Said:
    """One message as the reporter reads it."""

    own: bool
    name: str
    first_name: str
    initials: str
    text: str
    when: str
    moment: str


@dataclass(frozen=True)
class Thread:
    """The talk: its messages, whether there are older ones, whom an answer goes to."""

    messages: tuple[Said, ...]
    has_earlier: bool
    answer: str


@dataclass(frozen=True)
class Standing:
    """How far it is, and since when: of what is merged, how far the other one is."""

    status: str
    moved_at: datetime | None
    is_merged: bool


@dataclass(frozen=True)
class PageLink:
    """A link that is safe to follow, and its short text."""

    url: str
    text: str


@dataclass(frozen=True)
class PictureView:
    """The picture: sizes in CSS px of the page it shows; `weight` makes marks thicker on the small one."""

    state: str
    url: str
    caption: str
    width: float = 0
    height: float = 0
    weight: float = 1
    marks: tuple[Mark, ...] = ()


def heading(status: str, t: Words) -> str:
    """Say the state as a sentence."""
    return t(f"state.{'closed' if status in SAID_AS_CLOSED else status}")


def standing(session: Session, feedback: Feedback) -> Standing:
    """Return how far a submission is, in one statement."""
    into = select(Merge.into_id).where(Merge.feedback_id == feedback.id).scalar_subquery()
    moved = (
        select(Event.created_at)
        .where(Event.feedback_id == Feedback.id, Event.kind == "status")
        .order_by(Event.id.desc())
        .limit(1)
    )
    query = select(Feedback.id, Feedback.status, moved.scalar_subquery().label("moved_at"))
    shown = session.execute(query.where(Feedback.id == func.coalesce(into, feedback.id))).one()
    return Standing(shown.status, shown.moved_at, shown.id != feedback.id)


def steps(feedback: Feedback, stands: Standing, t: Words) -> list[Step]:
    """Return received, in progress and settled (or closed), with how far it has come, and since when."""
    at, moved_at = STEP_OF.get(stands.status, LAST_STEP), stands.moved_at
    last = "step.settled" if at < LAST_STEP or stands.status == SETTLED else "step.closed"
    names = [t("step.received"), t("step.in_progress"), t(last)]
    moved = Moment(t.moment(moved_at), rfc3339(moved_at)) if moved_at else None
    since = t("step.since") if moved else t("step.now")
    notes = [
        ("{when}", Moment(t.moment(feedback.created_at), rfc3339(feedback.created_at))),
        (since, moved) if at == 1 else ("", None),
        (since, moved) if moved and at == LAST_STEP else ("", None),
    ]
    return [
        Step(
            name,
            *(notes[number] if number <= at else (t("step.later"), None)),
            state="current" if number == at else "done" if number < at else "todo",
        )
        for number, name in enumerate(names)
    ]


def thread(session: Session, feedback: Feedback, t: Words, *, whole: bool) -> Thread:
    """Return the talk with the reporter, oldest first: its newest `SHOWN` messages, or `MOST_SHOWN`."""
    query = message.of(feedback.id, public=True).order_by(Message.id.desc())
    most = MOST_SHOWN if whole else SHOWN
    found = session.scalars(query.limit(most + 1)).all()
    kept = found[:most]
    said = tuple(_said(one, feedback, t) for one in reversed(kept))
    last = next((one.first_name for one in reversed(said) if not one.own), "")
    label = t("answer.to", name=last) if last else t("answer")
    return Thread(said, len(found) > len(kept) and not whole, label)


def _said(found: Message, feedback: Feedback, t: Words) -> Said:
    own = found.kind == message.REPORTER
    first = found.author.split(" ")[0]
    name = t("you") if own else t("from", name=first, project=feedback.project.name)
    letters = (feedback.reporter_name or t("you")) if own else found.author
    return Said(
        own=own,
        name=name,
        first_name=first,
        initials=initials(letters),
        text=found.text,
        when=t.moment(found.created_at),
        moment=rfc3339(found.created_at),
    )


def fault(error: ClientError, typed: str, t: Words) -> str:
    """Say why an answer was not taken."""
    if error.code == "rate_limited":
        return t("refused.limited", n=-(-int(error.headers.get("Retry-After", 60)) // 60))
    if error.status == 422 and not typed.strip():
        return t("empty.description")
    if error.status == 422:
        return t("long.description") if len(typed) > message.LONGEST else t("wrong.description")
    return t("refused")


def page_link(url: str | None) -> PageLink | None:
    """Return a link to the page that the submission is about, or None for what is not http or https."""
    if url is None or not is_web_address(url):
        return None
    parts = urlsplit(url)
    text = f"{parts.netloc}{parts.path}".rstrip("/")
    return PageLink(url, text if len(text) <= LINK_LENGTH else text[: LINK_LENGTH - 1] + "…")


def picture(feedback: Feedback, url: str, t: Words) -> PictureView | None:
    """Return what to show of the picture, or None where none was sent."""
    screenshot = feedback.screenshot
    if screenshot is None:
        return None
    if screenshot.state != "ready":
        return PictureView(screenshot.state, url, t(f"picture.{screenshot.state}"))
    return _ready(feedback, screenshot, url, t)


def _ready(feedback: Feedback, screenshot: Screenshot, url: str, t: Words) -> PictureView:
    marks = tuple(drawn(feedback.annotation_coords))
    scale = feedback.screenshot_scale or 1
    width = round((screenshot.width or 1) / scale, 2)
    height = round((screenshot.height or 1) / scale, 2)
    return PictureView(
        state="ready",
        url=url,
        caption=caption(len(marks), t),
        width=width,
        height=height,
        weight=round(max(1, max(width, height) / SHOWN_WIDTH_PX), 2),
        marks=marks,
    )


def caption(marks: int, t: Words) -> str:
    """Say whose picture it is and how many marks it has."""
    form = {0: "none", 1: "one"}.get(marks, "other")
    return t(f"picture.{form}", n=marks)
