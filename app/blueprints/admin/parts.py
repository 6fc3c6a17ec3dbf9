"""Parts of the inbox that its page asks for: rows that changed, and what can be set on many at once."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.blueprints.admin import wording
from app.blueprints.admin.inbox import blueprint, open_now
from app.blueprints.admin.lists import ROWS, chips_of, count_of, list_row
from app.blueprints.admin.rail import load_rail
from app.blueprints.admin.wanted import Wanted
from app.clock import utc_now
from app.extensions import db
from app.models import Feedback, Project, User
from app.models.feedback import InboxFilter
from app.security import needs

MOST_PEOPLE = 50


@blueprint.get("/rows")
def rows() -> ResponseReturnValue:
    """Answer rows of the list as they are now, and the boxes' counts, as parts for htmx.

    `ids` names them, separated by commas; those that are gone are left out.
    """
    wanted, now = Wanted.of(request.args), utc_now()
    rail = load_rail(wanted, "inbox")
    ids = [public_id for public_id in request.args.get("ids", "").split(",") if public_id][:ROWS]
    found = (
        db.session.execute(Feedback.inbox(InboxFilter()).where(Feedback.public_id.in_(ids))) if ids else ()
    )
    return render_template(
        "admin/_parts.html",
        rail=rail,
        rows=[list_row(row, wanted, rail, now, open_now()) for row in found],
        chips=chips_of(wanted, rail),
        count=count_of(wanted, rail),
    )


@blueprint.get("/bulk/choices")
def bulk_choices() -> ResponseReturnValue:
    """Answer to whom submissions can be given, and under which categories they can be put."""
    people = select(User.public_id, User.name).where(User.is_active, User.role != "viewer")
    projects = select(Project.categories).where(Project.is_active)
    if key := request.args.get("project"):
        projects = projects.where(Project.public_key == key)
    kinds = [wording.kinds_of(categories) for categories in db.session.scalars(projects)]
    # What is set on submissions of several projects is a category of each.
    shared = {key for key in (kinds[0] if kinds else ()) if all(key in others for others in kinds)}
    return render_template(
        "admin/_bulk_choices.html",
        people=db.session.execute(people.order_by(User.name, User.id).limit(MOST_PEOPLE)).all(),
        mine=needs("agent").public_id,
        kinds=[kind for key, kind in (kinds[0] if kinds else {}).items() if key in shared],
    )
