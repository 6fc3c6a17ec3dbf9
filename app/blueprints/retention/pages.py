"""The pages under /admin/retention: policies, the plan, runs, holds, the archive, space. For admins.

Each page works without a script: what changes something is a form, and what destroys says in numbers what it
destroys before it can be pressed.
"""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_openapi import OpenAPI
from sqlalchemy import select

from app import jobs
from app.blueprints.retention import (
    archive,
    guards,
    holds,
    holds_api,
    pages_forms,
    pages_overview,
    pages_sentences,
    plan,
    policies,
    space,
    sweep,
)
from app.blueprints.retention import restore as restoring
from app.blueprints.retention.holds import Filter
from app.blueprints.retention.pages_overview import Overview
from app.blueprints.retention.wanted import How, Wanted
from app.clock import utc_now
from app.config import current_settings
from app.database.transactions import current_session
from app.errors import ClientError, FieldError, not_found
from app.models import Feedback, Project, RetentionPolicy, RetentionRun, hold
from app.models.archive import months
from app.models.audit import acting
from app.models.due import find_due
from app.models.feedback import STATUSES
from app.models.retention import ACTIONS, FIELDS, SUBMISSIONS, Rule
from app.rail import Place, Section, add_section, load_rail
from app.security import needs

NAMES = (
    "overview",
    "save_policy",
    "delete_policy",
    "due",
    "run_now",
    "runs",
    "run",
    "holds",
    "release",
    "hold_submission",
    "release_submission",
    "archive",
    "restore",
    "space",
    "give_back",
)
ACCESS = {f"retention.{name}": "admin" for name in NAMES}
MOST_DUE = 100
MOST_HOLDS = 50
RUNS_SHOWN = 100
NEW = "new"
blueprint = Blueprint("retention", __name__, url_prefix="/admin/retention")


def register(app: OpenAPI) -> None:
    """Add the pages and their places in the rail."""
    app.register_blueprint(blueprint)
    add_section(app, Section("retention", "Retention", "timer", "admin", _places))


@jobs.task
def sweep_now(who: str, force: bool) -> None:
    """Carry out all policies, asked for on the page by somebody; with `force`, whatever the share."""
    with acting(who):
        sweep.run(Wanted(), How(trigger="page", force=force), utc_now())


@blueprint.get("")
def overview() -> str:
    """Show the plan, the policies, the coming weeks and the last runs."""
    return _overview(request.args.get("change", ""))


@blueprint.post("/policies/<which>")
def save_policy(which: str) -> ResponseReturnValue:
    """Save a policy from its form, or show what it would do; `new` makes one."""
    try:
        values = pages_forms.policy(request.form, new=which == NEW and "preview" not in request.form)
        if "preview" in request.form:
            return _overview(which, preview=_preview(which, values))
        saved = policies.create(values) if which == NEW else policies.change(which, values)
    except ClientError as error:
        if error.status not in (409, 422):
            raise
        return _overview(which, problem=error), error.status
    return redirect(url_for("retention.overview", _anchor=f"policy-{saved.public_id}"), 303)


@blueprint.post("/policies/<which>/delete")
def delete_policy(which: str) -> ResponseReturnValue:
    """Delete a policy; what it governed falls to the next less specific one."""
    policies.delete(which)
    return redirect(url_for("retention.overview"), 303)


@blueprint.get("/due")
def due() -> str:
    """Show which submissions the next run takes, by policy, the oldest first."""
    session, now = current_session(), utc_now()
    work = plan.find_work(session, Wanted(), now)
    drawn = plan.count(session, work, now)
    names = pages_overview.project_names()
    parts = []
    for line, found in zip(drawn.lines, work.dues, strict=False):
        if not line.rows:
            continue
        query = select(Feedback).where(*found.free).order_by(found.moment, Feedback.id).limit(MOST_DUE)
        rows = session.scalars(query).unique().all()
        parts.append((line, pages_sentences.plain(line.rule, names), rows))
    return _page(
        "due",
        "overview",
        plan=drawn,
        parts=parts,
        most=MOST_DUE,
        too_much=guards.too_much(drawn),
        most_percent=guards.MOST_PERCENT,
    )


@blueprint.post("/run")
def run_now() -> ResponseReturnValue:
    """Carry out what is due now, in the background; more than a project may lose at once needs its tick."""
    jobs.enqueue(sweep_now, needs("admin").email, request.form.get("force") == "true")
    return redirect(url_for("retention.overview", begun=1, _anchor="runs"), 303)


@blueprint.get("/runs")
def runs() -> str:
    """List the last runs."""
    query = select(RetentionRun).order_by(RetentionRun.id.desc()).limit(RUNS_SHOWN)
    found = [pages_overview.run_row(one) for one in current_session().scalars(query)]
    return _page("runs", "overview", runs=found)


@blueprint.get("/runs/<public_id>")
def run(public_id: str) -> str:
    """Show one run: what it was asked, what went by which policy, how it ended."""
    query = select(RetentionRun).where(RetentionRun.public_id == public_id)
    found = current_session().scalar(query)
    if found is None:
        raise not_found("This run")
    return _page("run", "overview", row=pages_overview.run_row(found))


@blueprint.route("/holds", methods=["GET", "POST"], endpoint="holds")
def holds_page() -> ResponseReturnValue:
    """List the holds; place one on a submission or a filter."""
    problem, preview = None, None
    if request.method == "POST":
        try:
            preview = _place()
        except ClientError as error:
            if error.status not in (404, 409, 422):
                raise
            problem = error
        if problem is None and preview is None:
            return redirect(url_for("retention.holds"), 303)
    ended = request.args.get("state") == "ended"
    page = holds.page(active=not ended, cursor=None, limit=MOST_HOLDS)
    found = [(row, holds_api.answer(row, row.submissions)) for row in page.rows]
    shown = _page(
        "holds",
        "holds",
        holds=found,
        ended=ended,
        held=hold.count_held(current_session()),
        form=request.form,
        faults=_faults(problem),
        problem=problem,
        preview=preview,
        projects=_projects(),
        status_choices=[(status, status.replace("_", " ")) for status in STATUSES],
    )
    return shown, problem.status if problem else 200


@blueprint.post("/holds/<public_id>/release")
def release(public_id: str) -> ResponseReturnValue:
    """End a hold."""
    holds.release(public_id, utc_now())
    return redirect(url_for("retention.holds"), 303)


@blueprint.post("/submissions/<public_id>/hold")
def hold_submission(public_id: str) -> ResponseReturnValue:
    """Hold one submission, from its own page."""
    until = pages_forms.until(request.form.get("until", ""))
    holds.place(public_id, request.form.get("reason", ""), until, utc_now())
    return redirect(url_for("admin.detail", public_id=public_id), 303)


@blueprint.post("/submissions/<public_id>/release")
def release_submission(public_id: str) -> ResponseReturnValue:
    """End the holds on one submission, from its own page."""
    holds.release_submission(public_id, utc_now())
    return redirect(url_for("admin.detail", public_id=public_id), 303)


@blueprint.get("/archive", endpoint="archive")
def archive_page() -> ResponseReturnValue:
    """Show the archive by month, check it, and bring something back."""
    checked = None
    if request.args.get("verify"):
        faults = [(part.key, fault) for part, fault in archive.verify()]
        checked = (len(faults), [fault for _, fault in faults if fault])
    return _archive(checked=checked)


@blueprint.post("/archive")
def restore() -> ResponseReturnValue:
    """Bring submissions back from the archive; first it is said how many."""
    try:
        asked = _asked()
        if "yes" not in request.form:
            return _archive(asked=asked, count=restoring.count(asked))
        done = restoring.restore(asked, holds.who())
    except ClientError as error:
        if error.status != 422:
            raise
        return _archive(problem=error), 422
    return _archive(said=restoring.sentence(done), damaged=done.damaged)


@blueprint.get("/space", endpoint="space")
def space_page() -> str:
    """Show what space there is to gain, and what it takes."""
    return _page("space", "space", view=space.load(), begun=request.args.get("begun") == "1")


@blueprint.post("/space")
def give_back() -> ResponseReturnValue:
    """Give space back in the background, beside readers and writers."""
    jobs.enqueue(space.give_space_back)
    return redirect(url_for("retention.space", begun=1), 303)


def _overview(
    change: str, *, problem: ClientError | None = None, preview: dict[str, Any] | None = None
) -> str:
    page: Overview = pages_overview.load(utc_now())
    found = RetentionPolicy.by_public_id(current_session(), change) if change not in ("", NEW) else None
    edited = change if found is not None or change == NEW else ""
    return _page(
        "overview",
        "overview",
        page=page,
        change=edited,
        given=_given(found) if edited else {},
        field=request.args.get("field", "keep"),
        faults=_faults(problem),
        problem=problem,
        preview=preview,
        projects=_projects(),
        statuses=STATUSES,
        actions=ACTIONS,
        fields=[(name, pages_sentences.FIELDS[name]) for name in FIELDS],
        begun=request.args.get("begun") == "1",
        archive_days=current_settings().archive_days,
        most_percent=guards.MOST_PERCENT,
    )


def _given(found: RetentionPolicy | None) -> dict[str, Any]:
    """Return what stands in the form of a policy: what was sent, else what is stored."""
    if request.method == "POST":
        form = {**request.form.to_dict(), "fields": request.form.getlist("fields")}
        return {"kind": found.kind if found else SUBMISSIONS, **form}
    if found is None:
        return {"kind": SUBMISSIONS, "measure": "days", "keep": "90", "is_active": "true", "fields": []}
    rule = found.rule()
    amounts = {"days": rule.keep_days, "submissions": rule.keep_submissions}
    amount = amounts.get(rule.measure) or (rule.keep_bytes or 0) // pages_forms.MB
    project = found.project_id and current_session().get(Project, found.project_id)
    return {
        "kind": rule.kind,
        "name": rule.name,
        "action": rule.action,
        "status": rule.status or "",
        "project": project.public_key if project else "",
        "category": rule.category or "",
        "query": rule.query or "",
        "measure": "mb" if rule.measure == "bytes" else rule.measure,
        "keep": str(amount),
        "since": rule.since,
        "archive": "true" if rule.archive else "",
        "is_active": "true" if found.is_active else "",
        "fields": list(rule.fields),
    }


def _preview(which: str, values: dict[str, Any]) -> dict[str, Any]:
    """Count what the next run would do by a policy as it stands in the form."""
    session, now = current_session(), utc_now()
    before = Rule(keep_days=1) if which == NEW else policies.load(which).rule()
    key = values.get("project")
    project_id = session.scalar(select(Project.id).where(Project.public_key == key)) if key else None
    if key and project_id is None:
        fault = [FieldError("project", "is not the key of a project")]
        raise ClientError(422, "validation_failed", "The policy was not saved.", fault)
    rule = pages_forms.rule_of(before, values, project_id)
    if rule.kind != SUBMISSIONS:
        work = plan.Work((), (rule,))
    else:
        others = [one for one in Wanted().rules(session) if one.public_id != before.public_id]
        dues = [found for found in find_due(session, [*others, rule], now) if found.rule is rule]
        work = plan.Work(tuple(dues), ())
    lines = plan.count(session, work, now).lines
    sentence = pages_sentences.plain(rule, pages_overview.project_names())
    return {"line": lines[0] if lines else plan.Line(rule), "sentence": sentence}


def _place() -> int | None:
    """Place the hold of a form; with `preview` count what it would keep and return that."""
    form, now = request.form, utc_now()
    until, reason = pages_forms.until(form.get("until", "")), form.get("reason", "")
    if form.get("submission", "").strip():
        holds.place(form["submission"].strip(), reason, until, now)
        return None
    wanted = Filter(**{name: form.get(name) or None for name in ("project", "category", "status", "query")})
    if "preview" in form:
        return holds.count(wanted, now)
    holds.place_on(wanted, reason, until, now)
    return None


def _asked() -> restoring.Asked:
    form = request.form
    key, public_id = form.get("project") or None, form.get("submission", "").strip() or None
    project_id = current_session().scalar(select(Project.id).where(Project.public_key == key))
    if key is not None and project_id is None:
        fault = [FieldError("project", "is not the key of a project")]
        raise ClientError(422, "validation_failed", "Nothing was brought back.", fault)
    since = pages_forms.day(form["from"], "from") if form.get("from") else None
    until = pages_forms.until(form.get("to", ""))
    if not (key or public_id or since or until):
        fault = [FieldError("submission", "name a submission, a project or a period")]
        raise ClientError(422, "validation_failed", "Nothing was brought back.", fault)
    return restoring.Asked(public_id=public_id, project_id=project_id, since=since, until=until)


def _archive(**values: Any) -> str:
    problem = values.get("problem")
    return _page(
        "archive",
        "archive",
        months=months(current_session()),
        days=current_settings().archive_days,
        hold_days=restoring.HOLD_DAYS,
        projects=_projects(),
        form=request.form,
        faults=_faults(problem),
        **values,
    )


def _projects() -> Sequence[tuple[str, str]]:
    query = select(Project.public_key, Project.name).order_by(Project.name, Project.id)
    return [(row.public_key, row.name) for row in current_session().execute(query)]


def _faults(problem: ClientError | None) -> dict[str, str]:
    return {} if problem is None else {fault.field: fault.message for fault in problem.details}


def _page(name: str, place: str, **values: Any) -> str:
    return render_template(
        f"retention/{name}.html", rail=load_rail("retention", place), now=utc_now(), **values
    )


def _places() -> tuple[Place, ...]:
    return (
        Place("overview", "Policies", url_for("retention.overview")),
        Place("holds", "Holds", url_for("retention.holds")),
        Place("archive", "Archive", url_for("retention.archive")),
        Place("space", "Space", url_for("retention.space")),
        Place("privacy", "Privacy", url_for("privacy.index")),
        Place("data", "Data map", url_for("privacy.data")),
    )
