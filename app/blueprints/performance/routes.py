"""The JSON API of the watching: statements, slow runs, routes, plans, indexes, resources, pool.

For admins. Reading it costs a few statements that are not counted themselves.
"""

from typing import Any

from flask import Response
from flask_openapi import APIBlueprint, Tag

from app.blueprints.performance import answers, reading, shapes, views
from app.blueprints.performance.schemas import (
    IndexBody,
    PlanBody,
    RoutesQuery,
    RunningPath,
    SlowQuery,
    SpanQuery,
    StatementPath,
    StatementsQuery,
)
from app.clock import rfc3339, utc_now
from app.database.tracking.watch import current_watcher
from app.responses import Failure, success

FAILURES: dict[Any, Any] = dict.fromkeys((400, 401, 403, 422, 503), Failure)

blueprint = APIBlueprint(
    "performance_api",
    __name__,
    url_prefix="/api/performance",
    abp_tags=[Tag(name="performance", description="How fast Earmark is, and why")],
    abp_security=[{"token": []}, {"session": []}],
    abp_responses=FAILURES,
)
blueprint.before_request(reading.check_request)


@blueprint.get("/queries", summary="Statements by what they cost", responses={200: shapes.StatementList})
def list_queries(query: StatementsQuery) -> Response:
    """Answer the statements' figures, merged over every process, the most first."""
    found = current_watcher().statistics.statements(
        query.since, sort=query.sort, limit=query.limit, search=query.search
    )
    return success([answers.statement(figures) for figures in found], page=answers.only_page(query.limit))


@blueprint.delete("/queries", summary="Start the statistics afresh", responses={200: shapes.Afresh})
def forget_queries() -> Response:
    """Forget every figure and the slow log; what runs from now on is counted from nothing."""
    current_watcher().statistics.forget()
    return success({"since": rfc3339(utc_now())})


@blueprint.get(
    "/queries/<fingerprint>",
    summary="One statement",
    responses={200: shapes.OneStatement, 404: Failure},
)
def get_query(path: StatementPath, query: SpanQuery) -> Response:
    """Answer one statement: how long its runs took, that over time, the slowest with their plans, advice."""
    return success(answers.whole_statement(views.statement(path.fingerprint, query.since)))


@blueprint.get("/slow", summary="The slow log", responses={200: shapes.SlowList})
def list_slow(query: SlowQuery) -> Response:
    """Answer a page of the statements that took too long, the newest first."""
    samples, page = views.slow_page(
        query.since, fingerprint=query.fingerprint, cursor=query.cursor, limit=query.limit
    )
    return success([answers.slow(found) for found in samples], page=page.as_json())


@blueprint.get("/requests", summary="Routes by what they cost", responses={200: shapes.RouteList})
def list_requests(query: RoutesQuery) -> Response:
    """Answer the routes' figures, what they repeat, and the browsers' own timings of their pages."""
    found = views.routes(query.since, sort=query.sort, limit=query.limit)
    return success([answers.route(one) for one in found], page=answers.only_page(query.limit))


@blueprint.post("/query-plan", summary="Read a statement's plan", responses={200: shapes.OnePlan})
def query_plan(body: PlanBody) -> Response:
    """Answer the plan of one reading statement, what is wrong with it, and indexes that would be used.

    It is never run. 422 `query_refused` for what is not one read, `query_too_expensive` for what is too much
    even to plan.
    """
    return success(answers.plan_view(views.plan(body.sql, body.params)))


@blueprint.get("/indexes", summary="Indexes and advice", responses={200: shapes.Indexes})
def list_indexes(query: SpanQuery) -> Response:
    """Answer each index, whether the statements' plans use it, and which indexes are missing."""
    return success(answers.index_view(views.index_view(query.since)))


@blueprint.post(
    "/indexes", summary="Build an advised index", responses={201: shapes.BuiltIndex, 409: Failure}
)
def build_index(body: IndexBody) -> Response:
    """Build an index that the advice offers; any other is 422 `index_not_advised`.

    One that was built meanwhile is 409 `index_exists`. On SQLite writers wait while it is built.
    """
    views.build_index(body.ddl, body.since, body.fingerprint)
    return success({"ddl": body.ddl}, 201)


@blueprint.get("/resources", summary="Memory, disks, database", responses={200: shapes.Resources})
def get_resources() -> Response:
    """Answer what the process, its disks and the database take, each with a level."""
    return success(answers.resources(views.resources(utc_now())))


@blueprint.get("/pool", summary="The connection pool", responses={200: shapes.Pool})
def get_pool() -> Response:
    """Answer this process's connections, and what runs for long in any process."""
    return success(answers.pool(views.pool_view()))


@blueprint.delete(
    "/pool/statements/<statement_id>",
    summary="End a running statement",
    responses={202: shapes.Ending, 404: Failure},
)
def end_statement(path: RunningPath) -> Response:
    """End a statement that runs for long; what waits for it gets an error. Takes up to a second."""
    views.end_statement(path.statement_id)
    return success({"id": path.statement_id}, 202)
