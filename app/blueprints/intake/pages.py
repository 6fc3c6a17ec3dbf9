"""The pages of intake that people see: the demo shop, the plain form, and the reporter's own page.

They set no cookie and need no JavaScript (the shop's own behaviours apart). The plain form sends through
the same function as `POST /api/feedback`.
"""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.blueprints.intake import (
    answering,
    body,
    demo_shop,
    limiting,
    own_data,
    projects,
    reception,
    report_form,
    status_page,
)
from app.blueprints.intake.page_texts import Words, words
from app.blueprints.intake.report_form import Typed
from app.blueprints.intake.submission import invalid
from app.clock import rfc3339, utc_now
from app.config import current_settings
from app.database.transactions import transaction
from app.errors import ClientError, Unavailable, not_found
from app.extensions import db
from app.limits_storage import request_key
from app.models import Feedback, Project, message
from app.models.identifiers import reference
from app.models.kept_until import kept_until
from app.models.project import IntakeProject
from app.models.status_link import status_token
from app.responses import success
from app.security import CONTENT_POLICY
from app.storage import BlobMissing, storage

MAX_DESCRIPTION = 10_000
# The shop's forms answer in the page; not even without JavaScript may a card number leave it.
DEMO_POLICY = CONTENT_POLICY.replace("form-action 'self'", "form-action 'none'")
# Whoever knows the address sees the page, so it is given to nobody: not to search engines, not to the
# sites it links to, not to caches.
PRIVATE = {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
# A picture is shown as one and nothing else, even opened by itself (OWASP, file upload cheat sheet).
PICTURE_HEADERS = {
    **PRIVATE,
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

blueprint = Blueprint("pages", __name__)
ACCESS = {
    f"pages.{name}": "public"
    for name in (
        "demo",
        "report",
        "send_report",
        "status",
        "answer",
        "picture",
        "own_copy",
        "delete_own",
    )
}


@blueprint.get("/demo")
def demo() -> ResponseReturnValue:
    """Show the made-up shop with the first project's widget; 404 unless `EARMARK_DEMO` is on."""
    project = db.session.scalar(select(Project).where(Project.is_active).order_by(Project.id).limit(1))
    if not current_settings().demo or project is None:
        abort(404)
    page = render_template(
        "intake/demo.html",
        project=project,
        pictures=demo_shop.PICTURES,
        sizes=demo_shop.SIZES,
        basket=demo_shop.BASKET,
        reviews=demo_shop.REVIEWS,
    )
    return page, {"Content-Security-Policy": DEMO_POLICY}


@blueprint.get("/report/<public_key>")
def report(public_key: str) -> ResponseReturnValue:
    """Show the plain form; `?url=` names the page it is about."""
    project = projects.find(public_key)
    first = project.widget["categories"][0]["key"]
    return _form(project, Typed.blank(first, request.args.get("url", "")))


@blueprint.post("/report/<public_key>")
def send_report(public_key: str) -> ResponseReturnValue:
    """Take the plain form; on a fault show it again with everything that was typed."""
    limiting.count_request(request_key())
    body.declared_length(request.environ)
    project = projects.find(public_key)
    typed = Typed.read(request.form)
    upload = request.files.get("screenshot")
    image = (upload.read() if upload else b"") or None
    try:
        receipt = reception.receive(_fields(project, typed), image)
    except ClientError as error:
        return _refused(project, typed, error, had_image=image is not None)
    page = render_template(
        "intake/report_sent.html",
        t=_words(project.widget),
        project_name=project.name,
        name=typed.name.strip(),
        reference=reference(receipt.public_id),
        status_url=f"{current_settings().public_url}/f/{status_token(receipt.public_id)}",
        again_url=request.path,
    )
    return page, 200 if receipt.duplicate else 201


@blueprint.get("/f/<token>")
def status(token: str) -> ResponseReturnValue:
    """Show the reporter's own page: what was sent, where it stands, and the talk about it.

    An open page asks for itself again and again; it is told 304 as long as nothing has changed.
    """
    if request.if_none_match:
        limiting.count_look(request_key())
    else:
        limiting.count_request(request_key())
    response = Response(_status(token), headers=PRIVATE)
    response.add_etag()
    return response.make_conditional(request)


@blueprint.post("/f/<token>/messages")
def answer(token: str) -> ResponseReturnValue:
    """Take the reporter's answer; a form goes back to the page, and on a fault shows what was typed."""
    limiting.count_request(request_key())
    feedback = _by_token(token)
    as_form = request.mimetype == answering.FORM
    typed = ""
    try:
        typed = answering.read(request.environ, request.mimetype)
        text = answering.check(typed)
        limiting.count_answer(feedback.public_id)
    except ClientError as error:
        if not as_form:
            raise
        return _status(token, typed, error), error.status, PRIVATE | dict(error.headers)
    with transaction() as session:
        found = _by_token(token, lock=True)
        made = message.add(session, found, message.REPORTER, text, now=utc_now())
        told = {"id": made.public_id, "text": text, "created_at": rfc3339(made.created_at)}
    if as_form:
        return redirect(url_for("pages.status", token=token, _anchor="latest"), 303)
    return success(told, 201, headers=PRIVATE)


def _status(token: str, typed: str = "", error: ClientError | None = None) -> str:
    feedback = _by_token(token)
    project = feedback.project
    t = words(project.locale, project.texts, request.accept_languages)
    labels = {category["key"]: category["label"] for category in project.categories}
    session, now = db.session(), utc_now()
    shown = status_page.thread(session, feedback, t, whole="all" in request.args)
    stands = status_page.standing(session, feedback)
    kept = kept_until(session, feedback, now)
    return render_template(
        "intake/status.html",
        t=t,
        project_name=project.name,
        heading=status_page.heading(stands.status, t),
        merged=stands.is_merged,
        reference=feedback.reference,
        steps=status_page.steps(feedback, stands, t),
        kept=t("kept.until", when=t.day(kept)) if kept and kept > now else "",
        copy_url=url_for("pages.own_copy", token=token),
        delete_url=url_for("pages.delete_own", token=token),
        written=t.moment(feedback.created_at),
        written_iso=rfc3339(feedback.created_at),
        description=feedback.description,
        category=t.category(feedback.category, labels.get(feedback.category)),
        rating=feedback.rating,
        page=status_page.page_link(feedback.url),
        picture=status_page.picture(feedback, f"/f/{token}/picture", t),
        thread=shown,
        action=url_for("pages.answer", token=token),
        whole_url=url_for("pages.status", token=token, all="1"),
        typed=typed,
        wrong=error and status_page.fault(error, typed, t),
        max_text=message.LONGEST,
    )


@blueprint.get("/f/<token>/copy")
def own_copy(token: str) -> ResponseReturnValue:
    """Send the reporter a zip of what they sent and what was said with them."""
    limiting.count_request(request_key())
    feedback = _by_token(token)
    data = own_data.copy(db.session(), feedback, utc_now())
    name = f"submission-{feedback.reference}.zip"
    headers = {
        **PRIVATE,
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(data, mimetype="application/zip", headers=headers)


@blueprint.route("/f/<token>/delete", methods=["GET", "POST"])
def delete_own(token: str) -> ResponseReturnValue:
    """Ask, then delete for good what the reporter sent; what is held is refused with a sentence."""
    limiting.count_request(request_key())
    feedback = _by_token(token)
    project = feedback.project
    t = words(project.locale, project.texts, request.accept_languages)
    shown = {"t": t, "project_name": project.name, "reference": feedback.reference, "token": token}
    if request.method == "GET":
        return render_template("intake/delete.html", **shown, state="ask"), PRIVATE
    try:
        with transaction() as session:
            own_data.delete(session, _by_token(token, lock=True))
    except ClientError as error:
        if error.code != "held":
            raise
        return render_template("intake/delete.html", **shown, state="held"), error.status, PRIVATE
    own_data.delete_blobs()
    return render_template("intake/delete.html", **shown, state="gone"), PRIVATE


@blueprint.get("/f/<token>/picture")
def picture(token: str) -> ResponseReturnValue:
    """Send the picture as it was re-encoded; `?size=thumb` the small one."""
    screenshot = _by_token(token).screenshot
    if screenshot is None or screenshot.state != "ready":
        raise not_found("This picture")
    small = request.args.get("size") == "thumb" and screenshot.thumbnail_key
    key = screenshot.thumbnail_key if small else screenshot.blob_key
    assert key is not None
    try:
        data = storage().get(key)
    except BlobMissing:
        raise not_found("This picture") from None
    except OSError as error:
        raise Unavailable("The picture cannot be read just now.") from error
    response = Response(data, mimetype=screenshot.media_type, headers=PICTURE_HEADERS)
    response.set_etag(key.rpartition("/")[2])  # a blob never changes under its name
    return response.make_conditional(request)


def _fields(project: IntakeProject, typed: Typed) -> dict[str, Any]:
    faults = typed.faults()
    if faults:
        raise invalid(faults)
    return typed.fields(project.public_key)


def _by_token(token: str, *, lock: bool = False) -> Feedback:
    feedback = Feedback.by_status_token(db.session(), token, lock=lock)
    if feedback is None:
        raise not_found("This page")
    return feedback


def _words(widget: dict[str, Any]) -> Words:
    return words(widget["locale"], widget["texts"], request.accept_languages)


def _form(
    project: IntakeProject, typed: Typed, notice: str = "", errors: dict[str, str] | None = None
) -> str:
    widget = project.widget
    t = _words(widget)
    privacy_url = widget["privacy_url"]
    return render_template(
        "intake/report.html",
        t=t,
        project_name=project.name,
        action=request.path,
        values=typed,
        notice=notice,
        errors=errors or {},
        categories=[
            {"key": one["key"], "label": t.category(one["key"], one["label"])} for one in widget["categories"]
        ],
        ask=widget["ask"],
        screenshots=project.screenshots,
        consent=widget["consent"],
        privacy_url=privacy_url if privacy_url and report_form.is_web_address(privacy_url) else None,
        max_description=MAX_DESCRIPTION,
        max_picture_mb=report_form.MAX_PICTURE_MB,
    )


def _refused(
    project: IntakeProject, typed: Typed, error: ClientError, *, had_image: bool
) -> ResponseReturnValue:
    t = _words(project.widget)
    errors = report_form.sentences(error, typed, t, had_image=had_image)
    if error.code == "idempotency_mismatch":
        typed = replace(typed, idempotency_key=report_form.new_key())
    return _form(project, typed, report_form.notice(error, t), errors), error.status, error.headers
