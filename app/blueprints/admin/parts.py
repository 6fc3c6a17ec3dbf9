"""Parts of the inbox that its page asks for: rows that changed, choices for many, names to complete."""

from flask import Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.blueprints.admin import snoozing, wording
from app.blueprints.admin.inbox import blueprint, open_now
from app.blueprints.admin.lists import ROWS, chips_of, count_of, list_row
from app.blueprints.admin.rail import load_rail
from app.blueprints.admin.wanted import Wanted
from app.clock import utc_now
from app.errors import ClientError, FieldError
from app.extensions import db
from app.models import Feedback, Project, Tag, User, tag
from app.models.inbox_filter import InboxFilter
from app.security import needs

MOST_PEOPLE = 50
MOST_NAMES = 8
MOST_TAGS = 500


@blueprint.get("/rows")
def rows() -> ResponseReturnValue:
    """Answer rows of the list as they are now, and the boxes' counts, as parts for htmx.

    `ids` names them, separated by commas; those that are gone are left out.
    """
    wanted, now = Wanted.of(request.args), utc_now()
    rail = load_rail(wanted, "inbox")
    ids = [public_id for public_id in request.args.get("ids", "").split(",") if public_id][:ROWS]
    found = db.session.execute(InboxFilter().rows().where(Feedback.public_id.in_(ids))) if ids else ()
    return render_template(
        "admin/_parts.html",
        rail=rail,
        rows=[list_row(row, wanted, rail, now, open_now()) for row in found],
        chips=chips_of(wanted, rail),
        count=count_of(wanted, rail),
    )


@blueprint.get("/bulk/choices")
def bulk_choices() -> ResponseReturnValue:
    """Answer what many can be given: people, categories, tags, and moments until which to snooze them."""
    people = select(User.public_id, User.name).where(User.is_active, User.role != "viewer")
    projects = select(Project.categories).where(Project.is_active)
    if key := request.args.get("project"):
        projects = projects.where(Project.public_key == key)
    kinds = [wording.kinds_of(categories) for categories in db.session.scalars(projects)]
    # What is set on submissions of several projects is a category of each.
    shared = {key for key in (kinds[0] if kinds else ()) if all(key in others for others in kinds)}
    now, zone = utc_now(), snoozing.viewer_zone()
    return render_template(
        "admin/_bulk_choices.html",
        people=db.session.execute(people.order_by(User.name, User.id).limit(MOST_PEOPLE)).all(),
        mine=needs("agent").public_id,
        snoozes=snoozing.choices(now, zone),
        snooze_days=snoozing.days(now, zone),
        kinds=[kind for key, kind in (kinds[0] if kinds else {}).items() if key in shared],
        tags=db.session.execute(select(Tag.name, Tag.color).order_by(Tag.key).limit(MOST_TAGS)).all(),
    )


@blueprint.get("/names")
def names() -> Response:
    """Answer names of tags, or of who works here, that begin as one types in the search field: a list."""
    begins = " ".join(request.args.get("begins", "").split())
    known = {"tag": _tags, "assignee": _people}
    kind = request.args.get("of", "")
    if kind not in known or len(begins) > tag.LONGEST or "\0" in begins:
        faults = [FieldError("begins" if kind in known else "of", "has no such value")]
        raise ClientError(422, "validation_failed", "This address asks for no names.", faults)
    return jsonify(known[kind](begins))


def _tags(begins: str) -> list[str]:
    found = select(Tag.name).where(Tag.key.startswith(tag.key_of(begins), autoescape=True))
    return list(db.session.scalars(found.order_by(Tag.key).limit(MOST_NAMES)))


def _people(begins: str) -> list[str]:
    # Any word of a name may be what one begins with; those who work here are few.
    working = select(User.name).where(User.is_active, User.role != "viewer")
    people = db.session.scalars(working.order_by(User.name, User.id))
    start = f" {begins.casefold()}"
    return [name for name in people if start in f" {name.casefold()}"][:MOST_NAMES]
