"""The pages of people's data: whom, in numbers, hand over or erase; the certificate; the data map."""

import json
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_openapi import OpenAPI

from app.amounts import many
from app.blueprints.retention import data_map, privacy_erase, privacy_words
from app.blueprints.retention.privacy_api import ORDER, zip_of
from app.clock import utc_now
from app.database.paging.keyset import paginate
from app.errors import ClientError
from app.models.erasure import Person, listing
from app.rail import load_rail

ACCESS = {
    "privacy.index": "admin",
    "privacy.preview": "admin",
    "privacy.export": "admin",
    "privacy.erase": "admin",
    "privacy.certificate": "admin",
    "privacy.data": "admin",
}
KINDS = (
    ("email", "E-mail"),
    ("session", "Session of the browser"),
    ("reporter", "Reporter id given by the page"),
)
PAGE_SIZE = 25
blueprint = Blueprint("privacy", __name__, url_prefix="/admin/privacy")


def register(app: OpenAPI) -> None:
    """Add the pages."""
    app.register_blueprint(blueprint)


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Show the form, and who was erased."""
    return _page()


@blueprint.post("/preview")
def preview() -> ResponseReturnValue:
    """Show what is kept of a person, in numbers, and what can be done with it."""
    try:
        person = _person()
        found = privacy_erase.preview(person)
    except ClientError as error:
        return _page(problem=_sentence(error)), error.status
    return _preview(person, found)


@blueprint.post("/export")
def export() -> ResponseReturnValue:
    """Hand over the zip."""
    return zip_of(_person())


@blueprint.post("/erase")
def erase() -> ResponseReturnValue:
    """Erase the person whose name was typed once more."""
    person = _person()
    if request.form.get("typed", "").strip().lower() != person.value.lower():
        words = "This is not what you asked for above. Nothing was erased."
        return _preview(person, privacy_erase.preview(person), words), 422
    try:
        done = privacy_erase.erase(person, utc_now())
    except ClientError as error:
        return _preview(person, privacy_erase.preview(person), error.message), error.status
    return redirect(url_for("privacy.certificate", public_id=done.public_id), 303)


@blueprint.get("/erasures/<public_id>")
def certificate(public_id: str) -> ResponseReturnValue:
    """Show the certificate of an erasure."""
    found = privacy_erase.load(public_id)
    said = json.loads(found.certificate) if found.certificate else None
    return render_template(
        "retention/certificate.html",
        rail=load_rail("retention", "privacy"),
        erasure=found,
        rows=privacy_words.rows(found.removed),
        text=json.dumps(said, indent=2) if said else None,
    )


@blueprint.get("/data")
def data() -> ResponseReturnValue:
    """Show what data is kept, why, how long and where."""
    return render_template(
        "retention/data.html", rail=load_rail("retention", "data"), groups=data_map.groups()
    )


def _person() -> Person:
    kind = request.form.get("kind", "")
    if kind not in dict(KINDS):
        kind = "email"
    value = request.form.get("value", "").strip()
    if not value:
        raise ClientError(422, "validation_failed", "Write who is meant.")
    return Person.of({kind: value})


def _page(problem: str = "") -> str:
    cursor = request.args.get("cursor")
    try:
        page = paginate(listing(), order=ORDER, cursor=cursor, limit=PAGE_SIZE, scope="erasures")
    except ClientError:
        page = paginate(listing(), order=ORDER, cursor=None, limit=PAGE_SIZE, scope="erasures")
    return render_template(
        "retention/privacy.html",
        rail=load_rail("retention", "privacy"),
        kinds=KINDS,
        given={"kind": request.form.get("kind", "email"), "value": request.form.get("value", "")},
        problem=problem,
        erasures=[row[0] for row in page.rows],
        older=page.next and url_for("privacy.index", cursor=page.next),
    )


def _preview(person: Person, found: privacy_erase.Preview, problem: str = "") -> str:
    context: dict[str, Any] = {
        "rail": load_rail("retention", "privacy"),
        "person": person,
        "kind": dict(KINDS)[person.kind],
        "found": found,
        "rows": privacy_words.rows(privacy_words.counts(found)),
        "filters": privacy_words.sentences(found.named),
        "count": many(found.submissions + found.archived, "submission"),
        "held": many(found.held, "submission"),
        "problem": problem,
    }
    return render_template("retention/privacy_preview.html", **context)


def _sentence(error: ClientError) -> str:
    words = error.details[0].message if error.details else error.message
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")
