"""Pages of the inbox: the list, one submission beside it, and what an agent changes there.

Each address gives a whole page; asked by htmx it gives the part that changes.
"""

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from app.blueprints.admin import changes, macros
from app.blueprints.admin.lists import ListRow, chips_of, count_of, list_row, load_list
from app.blueprints.admin.nothing import Nothing
from app.blueprints.admin.rail import Rail, load_rail
from app.blueprints.admin.submissions import Shown, show
from app.blueprints.admin.wanted import Wanted
from app.blueprints.admin.wording import BOXES, act_summary, age, first_words
from app.clock import utc_now
from app.config import current_settings
from app.errors import ClientError
from app.extensions import db
from app.models import Act, Feedback, Project, hold
from app.models.message import PAGE
from app.models.query import QueryError
from app.security import needs

MOST_ARRIVALS = 99
blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show a box, a project's part of it, or what a filter finds."""
    try:
        wanted = Wanted.of(request.args)
    except QueryError as error:
        return _unread(error), error.status
    rail = load_rail(wanted, "inbox")
    try:
        listing = load_list(wanted, rail, request.args.get("cursor"), utc_now())
    except ClientError as error:
        if error.code not in ("cursor_invalid", "cursor_expired"):
            raise
        return redirect(url_for("admin.index", **wanted.query()))
    template = "admin/_start.html" if listing.never else "admin/_none.html"
    return render_template(
        "admin/_swapped.html" if _into_list() else "admin/inbox.html",
        page_title=wanted.title,
        rail=rail,
        listing=listing,
        detail_template=template,
        start=_start(wanted) if listing.never else None,
        boxes=BOXES,
        keeps_detail="keep" in request.headers.get("X-Earmark-Detail", ""),
    )


def _unread(error: QueryError) -> str:
    """Show the box with what is wrong with the query in place."""
    text = request.args.get("q", "")
    asked = {name: value for name, value in request.args.items() if name != "q"}
    wanted = Wanted.of(asked)
    rail = load_rail(wanted, "inbox")
    listing = load_list(wanted, rail, None, utc_now())
    return render_template(
        "admin/inbox.html",
        page_title=wanted.title,
        rail=rail,
        listing=replace(
            listing,
            rows=(),
            pages={},
            count=None,
            nothing=Nothing(
                "This query cannot be read", "What is wrong is marked above. Nothing was looked for."
            ),
            never=False,
        ),
        detail_template="admin/_none.html",
        query_error=error,
        query_text=text,
        suggestion_url=url_for("admin.index", **wanted.query(), q=error.suggestion),
        start=None,
    )


@blueprint.get("/feedback/<public_id>")
def detail(public_id: str) -> ResponseReturnValue:
    """Show one submission, beside the list that the address names."""
    someone, wanted, now = needs("viewer"), Wanted.of(request.args), utc_now()
    found = changes.load(public_id)
    entries = _entries(request.args.get("shown", ""))
    shown = show(found, wanted, now, role=someone.role, opened=True, shown=entries)
    if _wants_part():
        return _part(shown)
    rail = load_rail(wanted, "inbox")
    return render_template(
        "admin/inbox.html",
        page_title=first_words(shown.words)[:60],
        listing_title=wanted.title,
        rail=rail,
        listing=load_list(wanted, rail, None, now, current=public_id),
        detail_template="admin/_detail.html",
        shown=shown,
        statuses=BOXES,
        boxes=BOXES,
        macro=_macro(found),
    )


def _macro(found: Feedback) -> dict[str, str] | None:
    """Return the macro that the address names, filled for the composer. Raises ClientError 403 or 404."""
    if not (named := request.args.get("macro")):
        return None
    someone = needs("agent")
    return macros.filled(macros.MACROS.load(named, someone), found, someone)


@blueprint.post("/feedback/<public_id>")
def change(public_id: str) -> ResponseReturnValue:
    """Change one submission from a form: status, read, archive, category or notes."""
    someone, wanted, now = needs("agent"), Wanted.of(request.args), utc_now()
    found, act = changes.change_undoably(public_id, changes.from_form(request.form), now, someone)
    if "HX-Request" not in request.headers:
        return redirect(url_for("admin.detail", public_id=public_id, **wanted.query()), 303)
    rail = load_rail(wanted, "inbox")
    shown = show(found, wanted, now, role=someone.role, opened=False)
    part = _part(shown, said="Saved" if "admin_notes" in request.form else "") if _into_detail() else ""
    page = part + _partials(wanted, rail, _row(found, wanted, rail, now))
    return _telling(page, None if "opened" in request.form else act, public_id)


def _telling(page: str, act: Act | None, public_id: str) -> Response:
    """Answer with the act that was made, so that the page offers to undo it."""
    response = Response(page)
    if act is not None:
        summary = act_summary(act.values, 1, act.said)
        told = {"id": act.public_id, "summary": summary, "submission": public_id}
        response.headers["HX-Trigger"] = json.dumps({"earmark:act": told})
    return response


def answer(public_id: str, wanted: Wanted, now: datetime, act: Act | None = None) -> ResponseReturnValue:
    """Answer a change of one submission: to htmx the parts that changed, else the way back to it."""
    if "HX-Request" not in request.headers:
        return redirect(url_for("admin.detail", public_id=public_id, **wanted.query()), 303)
    found, rail = changes.load(public_id), load_rail(wanted, "inbox")
    shown = show(found, wanted, now, role=needs("agent").role, opened=False)
    return _telling(_part(shown) + _partials(wanted, rail, _row(found, wanted, rail, now)), act, public_id)


@blueprint.route("/feedback/<public_id>/delete", methods=["GET", "POST"])
def delete(public_id: str) -> ResponseReturnValue:
    """Ask, then delete a submission in the trash for good."""
    someone, wanted = needs("admin"), Wanted.of(request.args)
    found = changes.load(public_id)
    if found.status != "trash":
        raise ClientError(409, "conflict", "Move the submission to the trash first.")
    hold.refuse_held(db.session(), [found.id])
    if request.method == "GET":
        shown = show(found, wanted, utc_now(), role=someone.role, opened=False)
        return render_template("admin/delete.html", shown=shown)
    changes.delete(public_id)
    return redirect(url_for("admin.index", **wanted.query()), 303)


@blueprint.get("/feedback/<public_id>/picture")
def picture(public_id: str) -> ResponseReturnValue:
    """Answer the part with the picture; a page asks again while it is on its way."""
    someone, wanted, now = needs("viewer"), Wanted.of(request.args), utc_now()
    found = changes.load(public_id)
    if found.screenshot is None or found.screenshot.state == "pending":
        return "", 204
    shown = show(found, wanted, now, role=someone.role, opened=False)
    rail = load_rail(wanted, "inbox")
    page = render_template("admin/_picture.html", shown=shown)
    return page + _partials(wanted, rail, _row(found, wanted, rail, now))


@blueprint.get("/arrivals")
def arrivals() -> ResponseReturnValue:
    """Answer how many submissions of this list are newer than its first row; 204 for none."""
    wanted = Wanted.of(request.args)
    since = _moment(request.args.get("since", ""))
    project_id = db.session.scalar(select(Project.id).where(Project.public_key == wanted.project))
    newer = (
        select(Feedback.id)
        .where(*wanted.filter(project_id).listed(), Feedback.created_at > since)
        .limit(MOST_ARRIVALS + 1)
    )
    count = db.session.scalar(select(func.count()).select_from(newer.subquery())) or 0
    if not count:
        return "", 204
    words = f"{MOST_ARRIVALS}+" if count > MOST_ARRIVALS else str(count)
    href = url_for("admin.index", **wanted.query())
    return render_template("admin/_arrivals.html", arrivals={"count": words, "href": href})


@blueprint.get("/listening")
def listening() -> ResponseReturnValue:
    """Tell a page that waits for the first submission: still listening, or load the inbox."""
    if db.session.scalar(select(Feedback.id).limit(1)) is None:
        return render_template("admin/_listening.html", start=_start(Wanted()))
    response = Response(status=204)
    response.headers["HX-Redirect"] = url_for("admin.index")
    return response


def _entries(text: str) -> int:
    if text and not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise ClientError(422, "validation_failed", "The address asks for no number of entries.")
    return int(text or PAGE)


def _wants_part() -> bool:
    # Going back in the browser's history asks for the whole page, whatever stood there.
    headers = request.headers
    return "HX-Request" in headers and "HX-History-Restore-Request" not in headers


def _into_list() -> bool:
    return _wants_part() and request.headers.get("HX-Target", "") == "section#list"


def _into_detail() -> bool:
    return request.headers.get("HX-Target", "") == "div#detail"


def _part(shown: Shown, said: str = "") -> str:
    return render_template(
        "admin/_detail.html",
        shown=shown,
        statuses=BOXES,
        said=said,
        listing_title=shown.list_title,
        page_title=first_words(shown.words)[:60],
    )


def _partials(wanted: Wanted, rail: Rail, row: ListRow) -> str:
    return render_template(
        "admin/_partials.html",
        rail=rail,
        row=row,
        chips=chips_of(wanted, rail),
        count=count_of(wanted, rail),
    )


def _row(found: Feedback, wanted: Wanted, rail: Rail, now: datetime) -> ListRow:
    chosen = wanted.filter(None)
    query = type(chosen)().rows().where(Feedback.id == found.id)
    return list_row(db.session.execute(query).one(), wanted, rail, now, open_now())


def open_now() -> str:
    """Return the public id of the submission that the page asking has open, or nothing."""
    return request.headers.get("HX-Current-URL", "").partition("?")[0].rpartition("/")[2]


def _start(wanted: Wanted) -> dict[str, Any]:
    """Return what the first start shows: the script tag, where it may run, whether it was seen."""
    settings = current_settings()
    query = select(Project).where(Project.is_active).order_by(Project.id)
    if wanted.project:
        query = query.where(Project.public_key == wanted.project)
    project = db.session.scalars(query.limit(1)).first()
    seen = project.tag_seen_at if project else None
    return {
        "project": project,
        "origin": settings.public_url,
        "host": settings.public_url.partition("://")[2],
        "project_url": project and url_for("admin.project", public_key=project.public_key),
        "demo_url": "/demo" if settings.demo else None,
        "tag_seen": seen is not None,
        "seen_at": seen.isoformat() if seen else "",
        "seen_age": age(seen, utc_now()) if seen else "",
    }


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ClientError(422, "validation_failed", "The address names no moment.")
    return moment
