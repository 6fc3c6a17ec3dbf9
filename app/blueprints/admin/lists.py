"""The list of the inbox: its rows, pages, chips and filter form."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import select

from app.blueprints.admin import wording
from app.blueprints.admin.nothing import Nothing, nothing
from app.blueprints.admin.rail import Rail
from app.blueprints.admin.wanted import EVERYWHERE, ORDERS, Wanted
from app.blueprints.admin.wording import BOX_BY_KEY, Kind
from app.clock import rfc3339
from app.database.paging.keyset import Page
from app.database.search.highlight import Piece, snippet
from app.database.search.match import Phrase
from app.errors import ClientError
from app.extensions import db
from app.models import DailyCount, Feedback
from app.models.query.terms import ME, NOBODY, TERMS
from app.models.query.text import phrases_of
from app.models.search.finding import catching_up, page_of, text_of
from app.models.search.led import RANKED

ROWS = 50
# Characters of what was found that a line of the list can show.
SNIPPET = 120


@dataclass(frozen=True)
class ListRow:
    """One submission in the list."""

    public_id: str
    href: str
    change_url: str
    name: str
    page: str | None
    kind: Kind
    words: tuple[Piece, ...]
    sent: str
    age: str
    unread: bool
    thumb: str | None
    thumb_url: str
    settled: str | None
    state: str
    current: bool


def list_row(
    row: Any, wanted: Wanted, rail: Rail, now: datetime, current: str = "", *, phrases: Sequence[Phrase] = ()
) -> ListRow:
    """Make the row of a submission that `InboxFilter.rows` selects; `phrases` are marked in its words."""
    words = wording.first_words(row.first_words)
    project = rail.project(row.project_key)
    path = wording.page_path(row.url)
    name = row.reporter_name or row.reporter_email
    where = {"public_id": row.public_id, **wanted.query()}
    return ListRow(
        public_id=row.public_id,
        href=url_for("admin.detail", **where),
        change_url=url_for("admin.change", **where),
        name=name or (f"Page {path}" if path else "Somebody"),
        page=path if name else None,
        kind=wording.kind_of(project.kinds if project else {}, row.category),
        words=_marked(row, phrases) or (Piece(words),),
        sent=row.created_at.isoformat(),
        age=wording.age(row.created_at, now),
        unread=not row.is_read,
        thumb=row.screenshot_state,
        thumb_url=url_for("admin_api.screenshot", public_id=row.public_id, size="thumb"),
        settled=_settled(row, wanted),
        state=_state(row),
        current=row.public_id == current,
    )


def _marked(row: Any, phrases: Sequence[Phrase]) -> tuple[Piece, ...] | None:
    """Return the first place of the description that a search found."""
    if not phrases:
        return None
    found = snippet(wording.first_words(row.description), phrases, SNIPPET)
    return None if found is None else tuple(found)


def _settled(row: Any, wanted: Wanted) -> str | None:
    # A row that was moved while the list is open keeps its place and says where it went.
    if row.snoozed_until is not None:
        return f"Until {row.snoozed_until.day} {row.snoozed_until:%b}"
    if wanted.status not in (EVERYWHERE, row.status):
        return BOX_BY_KEY[row.status].label
    return "Archived" if row.is_archived and not wanted.is_archived else None


def _state(row: Any) -> str:
    # What the keys of the list need to know, as words of one attribute.
    words = {
        "settled": row.status not in ("open", "in_progress"),
        "read": row.is_read,
        "archived": row.is_archived,
    }
    return " ".join(word for word, holds in words.items() if holds)


@dataclass(frozen=True)
class Link:
    """A word that leads somewhere."""

    label: str
    href: str
    current: bool = False


@dataclass(frozen=True)
class Choice:
    """One question of the filter form."""

    name: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Listing:
    """The middle column."""

    title: str
    address: str
    count: str | None
    rows: tuple[ListRow, ...]
    pages: dict[str, str | None]
    sort: str
    orders: tuple[Link, ...]
    chips: tuple[Link, ...]
    choices: tuple[Choice, ...]
    kept: tuple[tuple[str, str], ...]
    text: str
    kinds: list[dict[str, Any]]
    place: tuple[tuple[str, str], ...]
    everywhere_url: str | None
    note: str
    clear_url: str | None
    arrivals_url: str | None
    list_url: str
    rows_url: str
    choices_url: str
    bulk_filter: dict[str, Any]
    exact: int | None
    nothing: Nothing | None
    never: bool


def load_list(wanted: Wanted, rail: Rail, cursor: str | None, now: datetime, current: str = "") -> Listing:
    """Read one page of the list, in one statement (three at most where nothing was found).

    Raises ClientError `not_found` for a project that is not there, and what `paginate` raises.
    """
    project = rail.project(wanted.project)
    if wanted.project and project is None:
        raise ClientError(404, "not_found", "There is no such project.")
    chosen = wanted.filter(project.id if project else None)
    columns = (Feedback.description,) if wanted.q else ()
    page = page_of(db.session(), chosen, columns=columns, cursor=cursor, limit=ROWS, scope="inbox")
    text = None if wanted.sort == "updated" else text_of(chosen.query)
    phrases = phrases_of(chosen.query.tree) if chosen.query else []
    rows = tuple(list_row(row, wanted, rail, now, current, phrases=phrases) for row in page.rows)
    never = not rows and cursor is None and rail.total == 0 and _nothing_was_ever_sent()
    return Listing(
        title=rail.view.name if rail.view else wanted.title,
        address=wanted.address(),
        count=count_of(wanted, rail),
        rows=rows,
        pages=_pages(wanted, page),
        sort=ORDERS[wanted.sort],
        orders=tuple(
            Link(label, url_for("admin.index", **wanted.query(sort=key)), key == wanted.sort)
            for key, label in wanted.orders.items()
        ),
        chips=chips_of(wanted, rail),
        choices=_choices(wanted, rail),
        kept=_kept(wanted),
        text=wanted.text,
        kinds=_kinds(rail),
        place=_place(wanted),
        everywhere_url=_everywhere(wanted, rail),
        note=_note(wanted, page, led_by_words=text is not None),
        clear_url=None if wanted.is_plain else _cleared(wanted),
        arrivals_url=_arrivals(wanted, rows, cursor, now),
        list_url=url_for("admin.index", **wanted.query(), cursor=cursor),
        rows_url=url_for("admin.rows", **wanted.query()),
        choices_url=url_for("admin.bulk_choices", project=wanted.project or None),
        bulk_filter=_bulk_filter(wanted, now),
        exact=rail.count(wanted.status) if wanted.is_plain else None,
        nothing=None if rows else nothing(wanted),
        never=never,
    )


def _note(wanted: Wanted, page: Page, *, led_by_words: bool) -> str:
    """Say what a list of words does not hold."""
    ranked = f"Ranked among the newest {RANKED:,} matches" if wanted.sort == "relevance" else ""
    lag = catching_up(db.session(), page) if led_by_words else 0
    behind = f"Search is catching up: {lag:,} to go" if lag else ""
    return ". ".join(filter(None, (behind, ranked)))


def _nothing_was_ever_sent() -> bool:
    return db.session.scalar(select(DailyCount.project_id).where(DailyCount.submissions > 0).limit(1)) is None


def count_of(wanted: Wanted, rail: Rail) -> str | None:
    """Return how many submissions the list has, where the roll-up knows it."""
    if not wanted.is_plain:
        return None
    return next(box.count for box in rail.boxes if box.key == wanted.status)


def _pages(wanted: Wanted, page: Page) -> dict[str, str | None]:
    def address(cursor: str | None) -> str | None:
        return cursor and url_for("admin.index", **wanted.query(), cursor=cursor)

    return {"next": address(page.next), "prev": address(page.prev)}


def chips_of(wanted: Wanted, rail: Rail) -> tuple[Link, ...]:
    """Return the quick filters, and whatever else the list is filtered by."""
    unread = f"Unread {wording.number(rail.unread)}" if wanted.is_plain and rail.unread else "Unread"
    chips = [
        _toggle(wanted, unread, is_read="false"),
        _toggle(wanted, "With picture", has_screenshot="true"),
    ]
    project = rail.project(wanted.project)
    kinds = project.kinds if project else wording.DEFAULT_KINDS
    named = {
        "category": wanted.category and wording.kind_of(kinds, wanted.category).label,
        "is_archived": "With archived" if wanted.is_archived == EVERYWHERE else "Archived",
        "session_id": f"Session {wanted.session_id[:8]}",
        "reporter": wanted.reporter,
    }
    others = {"is_read": ("true", "Read"), "has_screenshot": ("false", "Without picture")}
    chips += [
        _toggle(wanted, label, **{name: value})
        for name, (value, label) in others.items()
        if getattr(wanted, name) == value
    ]
    chips += [
        _toggle(wanted, label, **{name: getattr(wanted, name)})
        for name, label in named.items()
        if getattr(wanted, name) not in ("", "false")
    ]
    return tuple(chips)


def _toggle(wanted: Wanted, label: str, **value: str) -> Link:
    ((name, word),) = value.items()
    on = getattr(wanted, name) == word
    return Link(label, url_for("admin.index", **wanted.query(**{name: "" if on else word})), on)


def _choices(wanted: Wanted, rail: Rail) -> tuple[Choice, ...]:
    projects = tuple((row.key, row.name) for row in rail.projects)
    kinds = {kind.key: kind.label for row in rail.projects for kind in row.kinds.values()}
    return (
        Choice("project", "Project", wanted.project, (("", "All"), *projects)),
        Choice("category", "Category", wanted.category, (("", "All"), *kinds.items())),
        Choice("is_read", "Read", wanted.is_read, (("", "Either"), ("false", "Unread"), ("true", "Read"))),
        Choice(
            "has_screenshot",
            "Picture",
            wanted.has_screenshot,
            (("", "Either"), ("true", "With picture"), ("false", "Without picture")),
        ),
        Choice(
            "is_archived",
            "Archive",
            wanted.is_archived,
            (("", "Left out"), ("true", "Only archived"), (EVERYWHERE, "Included")),
        ),
    )


def _kept(wanted: Wanted) -> tuple[tuple[str, str], ...]:
    names = ("status", "session_id", "reporter", "q", "sort")
    return tuple((name, value) for name, value in wanted.query().items() if name in names)


def _kinds(rail: Rail) -> list[dict[str, Any]]:
    """Return what the search field completes: names of filters, what they find, and known values."""
    # Tags and people are many: their names are asked for as one types.
    known = {
        "project": [row.name for row in rail.projects],
        "category": sorted({key for row in rail.projects for key in row.kinds}),
        "assignee": [ME, NOBODY],
    }
    return [
        {
            "name": name,
            "finds": kind.finds,
            "values": known.get(name) or list(kind.values),
            "asked": name in ("tag", "assignee"),
        }
        for name, kind in TERMS.items()
    ]


def _place(wanted: Wanted) -> tuple[tuple[str, str], ...]:
    """Return what the search field keeps: what its text does not say."""
    kept = {"status", "project", "sort"} | ({"is_archived"} if wanted.is_archived == EVERYWHERE else set())
    return tuple((name, value) for name, value in wanted.query().items() if name in kept)


def _everywhere(wanted: Wanted, rail: Rail) -> str | None:
    """Return where to look in all boxes for what one box does not have."""
    if wanted.is_plain or wanted.status == EVERYWHERE or rail.total == 0:
        return None
    return url_for("admin.index", **wanted.query(status=EVERYWHERE))


def _cleared(wanted: Wanted) -> str:
    status = "open" if wanted.status == EVERYWHERE else wanted.status
    return url_for("admin.index", **Wanted(status=status, project=wanted.project).query())


def _arrivals(wanted: Wanted, rows: tuple[ListRow, ...], cursor: str | None, now: datetime) -> str | None:
    # Words are not looked for every few seconds: that may take as long as there are matches.
    if cursor is not None or wanted.sort != "newest" or wanted.q:
        return None
    since = rows[0].sent if rows else now.isoformat()
    return url_for("admin.arrivals", **wanted.query(), since=since)


def _bulk_filter(wanted: Wanted, now: datetime) -> dict[str, Any]:
    """Return the list's filter as `POST /admin/api/feedback/bulk` takes it; what comes later is left out."""
    chosen = wanted.filter(None)
    named = {
        "project": wanted.project or None,
        "category": chosen.category,
        "status": chosen.status,
        "is_read": chosen.is_read,
        "is_archived": chosen.is_archived,
        "has_screenshot": chosen.has_screenshot,
        "session_id": chosen.session_id,
        "reporter": chosen.reporter,
        "q": wanted.q or None,
        "to": rfc3339(now),
    }
    return {name: value for name, value in named.items() if value is not None}
