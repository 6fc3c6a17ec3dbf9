"""The JSON API of policies and sweeps, with `cleanup` and `purge`."""

import re
from typing import Annotated, Any, Literal

from flask import Response, request
from flask_openapi import APIBlueprint, OpenAPI, Tag
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy import select

from app.blueprints.retention import guards, policies, reports, sweep
from app.blueprints.retention import plan as plans
from app.blueprints.retention.forecast import last_runs
from app.blueprints.retention.policies import NewPolicy, PolicyFields, Status
from app.blueprints.retention.wanted import MOST_DAYS, How, Wanted
from app.clock import rfc3339, utc_now
from app.database.transactions import current_session
from app.errors import ClientError, FieldError
from app.models import Project, RetentionRun
from app.responses import Failure, success
from app.validation import Strict, check_body

ACCESS = dict.fromkeys(
    (
        "retention_api.list_policies",
        "retention_api.create_policy",
        "retention_api.get_policy",
        "retention_api.change_policy",
        "retention_api.delete_policy",
        "retention_api.get_retention",
        "retention_api.get_plan",
        "retention_api.list_runs",
        "retention_api.start_run",
        "retention_api.cleanup",
        "retention_api.purge",
    ),
    "admin",
)
MOST_BYTES = 64 * 1024
# An answer is not waited for longer; what is left is told, and the next call goes on.
MOST_SECONDS = 20.0
# What `purge` takes when only an age is given: nobody works on these any more.
SETTLED = ("resolved", "closed", "rejected", "spam", "trash")
FAILURES: dict[Any, Any] = dict.fromkeys((400, 401, 403, 404, 409, 415, 422, 503), Failure)
blueprint = APIBlueprint(
    "retention_api",
    __name__,
    url_prefix="/admin/api",
    abp_tags=[Tag(name="retention", description="How long data stays")],
    abp_security=[{"token": []}, {"session": []}],
    abp_responses=FAILURES,
)


def register(app: OpenAPI) -> None:
    """Add the routes."""
    app.register_api(blueprint)


def _whole(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        return int(value)
    raise ValueError(f"is a whole number of days, from 1 to {MOST_DAYS:,}")


def _truth(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


Days = Annotated[int, Field(ge=1, le=MOST_DAYS), BeforeValidator(_whole)]
Truth = Annotated[bool, BeforeValidator(_truth)]


class PolicyPath(BaseModel):
    """The address of a policy."""

    public_id: Annotated[str, Field(max_length=64, description="Public id.")]


class Narrowed(Strict):
    """Which submissions, and whether it is only counted."""

    project: Annotated[str, Field(max_length=64, description="Public key of a project.")] | None = None
    dry_run: Truth = False
    force: Annotated[Truth, Field(description="Also beyond 20 % of a project, or with a jumped clock.")] = (
        False
    )


class Cleanup(Narrowed):
    """What `cleanup` deletes."""

    retention_days: Days


class Purge(Narrowed):
    """What `purge` deletes; without status and age, what the policies in force say."""

    status: Status | None = None
    days_old: Days | None = None


class PlanQuery(Strict):
    """Which part of the plan."""

    policy: Annotated[str, Field(max_length=100, description="Id or name.")] | None = None
    project: Annotated[str, Field(max_length=64, description="Public key of a project.")] | None = None
    status: Status | None = None
    older_than: Days | None = None


class RunBody(Strict):
    """What a run is asked for; nothing means all policies in force."""

    policy: Annotated[str, Field(max_length=100)] | None = None
    project: Annotated[str, Field(max_length=64)] | None = None
    status: Status | None = None
    older_than: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None
    archive: bool = False
    force: bool = False


class PolicyAnswer(BaseModel):
    """A policy."""

    id: str
    name: str
    kind: str
    project: str | None
    category: str | None
    status: str | None
    query: str | None
    keep_days: int | None
    keep_submissions: int | None
    keep_bytes: int | None
    since: str
    action: str
    fields: list[str]
    archive: bool
    is_active: bool
    sentence: str
    created_at: str
    updated_at: str


class OnePolicy(BaseModel):
    """The envelope of one policy."""

    success: Literal[True]
    data: PolicyAnswer


class PolicyList(BaseModel):
    """The envelope of all policies."""

    success: Literal[True]
    data: list[PolicyAnswer]


class Deleted(BaseModel):
    """What `cleanup` and `purge` deleted, or would."""

    submissions_deleted: int
    screenshots_deleted: int
    bytes_freed: int
    duration_ms: int
    dry_run: bool
    finished: bool
    cutoff_date: str | None
    retention_days: int | None


class OneDeleted(BaseModel):
    """The envelope of it."""

    success: Literal[True]
    data: Deleted


class Figures(BaseModel):
    """The envelope of a plan, a run or the standing."""

    success: Literal[True]
    data: dict[str, Any]


class RunList(BaseModel):
    """The envelope of runs."""

    success: Literal[True]
    data: list[dict[str, Any]]


@blueprint.before_request
def read_strictly() -> None:
    """Refuse a loose body, and a parameter given twice."""
    if request.method == "PATCH" or (request.method == "POST" and not request.path.endswith("/cleanup")):
        check_body(MOST_BYTES)
    twice = sorted(name for name, values in request.args.lists() if len(values) > 1)
    if twice:
        faults = [FieldError(name, "is given twice") for name in twice]
        raise ClientError(422, "validation_failed", "A parameter is given twice.", faults)


@blueprint.get("/policies", summary="All policies", responses={200: PolicyList})
def list_policies() -> Response:
    """Answer all policies, each with its sentence."""
    return success([policies.as_json(policy) for policy in policies.all_policies()])


@blueprint.post("/policies", summary="Make a policy", responses={201: OnePolicy})
def create_policy(body: NewPolicy) -> Response:
    """Make a policy; one that ties with another answers 409 `policy_tie`."""
    return success(policies.as_json(policies.create(policies.given(body))), 201)


@blueprint.get("/policies/<public_id>", summary="One policy", responses={200: OnePolicy})
def get_policy(path: PolicyPath) -> Response:
    """Answer one policy."""
    return success(policies.as_json(policies.load(path.public_id)))


@blueprint.patch("/policies/<public_id>", summary="Change a policy", responses={200: OnePolicy})
def change_policy(path: PolicyPath, body: PolicyFields) -> Response:
    """Change a policy; what is left out stays, another measure replaces the one there was."""
    values = policies.given(body)
    if not values:
        raise ClientError(422, "validation_failed", "The body changes nothing.")
    return success(policies.as_json(policies.change(path.public_id, values)))


@blueprint.delete("/policies/<public_id>", summary="Delete a policy", responses={200: Figures})
def delete_policy(path: PolicyPath) -> Response:
    """Delete a policy; what it governed falls to the next less specific one."""
    return success({"id": policies.delete(path.public_id).public_id})


@blueprint.get("/retention", summary="How it stands with the sweep", responses={200: Figures})
def get_retention() -> Response:
    """Answer last and next run, what is held, what waits to be deleted."""
    return success(reports.standing(utc_now()))


@blueprint.get("/retention/plan", summary="What the next run removes", responses={200: Figures})
def get_plan(query: PlanQuery) -> Response:
    """Answer by policy rows, pictures, bytes, oldest and newest, and what a hold keeps back."""
    wanted = _wanted(query.project, query.status, query.older_than, policy=query.policy)
    return success(reports.plan_json(plans.draw(current_session(), wanted, utc_now())))


@blueprint.get("/retention/runs", summary="The last runs", responses={200: RunList})
def list_runs() -> Response:
    """Answer the fifty newest runs."""
    return success([reports.run_json(run) for run in last_runs(current_session(), 50)])


@blueprint.post("/retention/runs", summary="Sweep now", responses={200: Figures})
def start_run(body: RunBody) -> Response:
    """Carry out policies, or an age, for up to twenty seconds; `stopped` means that the next call goes on."""
    wanted = _wanted(body.project, body.status, body.older_than, policy=body.policy, archive=body.archive)
    return success(reports.run_json(_run(wanted, force=body.force)))


@blueprint.post("/cleanup", summary="Delete what is older", responses={200: OneDeleted})
def cleanup(query: Cleanup) -> Response:
    """Delete submissions made longer ago than `retention_days`; `dry_run=true` only counts."""
    return success(_deleted(query, query.retention_days, _wanted(query.project, None, query.retention_days)))


@blueprint.delete("/purge", summary="Delete by status and age", responses={200: OneDeleted})
def purge(query: Purge) -> Response:
    """Delete by status and age; without both, what the policies in force say.

    A status alone takes the age of its policies, an age alone what nobody works on any more.
    """
    wanted = _wanted(query.project, query.status, query.days_old)
    if query.days_old is not None and query.status is None:
        wanted = Wanted(project_id=wanted.project_id, statuses=SETTLED, older_than=query.days_old)
    return success(_deleted(query, query.days_old, wanted))


def _deleted(query: Narrowed, days: int | None, wanted: Wanted) -> dict[str, Any]:
    now = utc_now()
    values: dict[str, Any] = {"dry_run": query.dry_run, "finished": True}
    if query.dry_run:
        plan = plans.draw(current_session(), wanted, now)
        values |= {
            "submissions_deleted": plan.submissions,
            "screenshots_deleted": plan.screenshots,
            "bytes_freed": plan.bytes,
            "duration_ms": 0,
        }
    else:
        run = _run(wanted, force=query.force)
        values |= {
            "submissions_deleted": run.submissions,
            "screenshots_deleted": run.screenshots,
            "bytes_freed": run.freed_bytes,
            "duration_ms": run.duration_ms,
            "finished": run.outcome == "done",
        }
    cutoff = None if days is None else rfc3339(plans.cutoff(wanted.rules(current_session())[0], now))
    return values | {"cutoff_date": cutoff, "retention_days": days}


def _run(wanted: Wanted, *, force: bool) -> RetentionRun:
    how = How(trigger="api", force=force, few=guards.FEW, max_seconds=MOST_SECONDS)
    return sweep.run(wanted, how, utc_now())


def _wanted(
    project: str | None,
    status: str | None,
    older_than: int | None,
    *,
    policy: str | None = None,
    archive: bool = False,
) -> Wanted:
    if policy is not None and older_than is not None:
        fault = FieldError("older_than", "is instead of the policies: leave policy out")
        raise ClientError(422, "validation_failed", "Some fields are not right.", [fault])
    project_id = None
    if project is not None:
        project_id = current_session().scalar(select(Project.id).where(Project.public_key == project))
        if project_id is None:
            fault = FieldError("project", "is not the key of a project")
            raise ClientError(422, "validation_failed", "Some fields are not right.", [fault])
    statuses = () if status is None else (status,)
    return Wanted(
        policy=policy, project_id=project_id, statuses=statuses, older_than=older_than, archive=archive
    )
