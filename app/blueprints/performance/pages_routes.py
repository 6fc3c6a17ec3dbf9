"""Pages under /admin/performance, for admins: they parse, read one thing and show it.

What is shown is read in views.py, as the API reads it. Each page works without a script.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.amounts import many
from app.blueprints.performance import (
    pages_filters,
    pages_indexes,
    pages_log,
    pages_overview,
    pages_resources,
    pages_statement,
    views,
)
from app.blueprints.performance.pages_statements import courses, rows_of
from app.blueprints.performance.schemas import LONGEST_SQL, RouteSort, StatementSort
from app.blueprints.performance.spans import DEFAULT_SINCE
from app.clock import utc_now
from app.database.gauges.alerts import current_alerts
from app.database.tracking.watch import current_watcher
from app.errors import ClientError, FieldError
from app.rail import Place, Section, add_section, load_rail

NAMES = (
    "overview",
    "forget",
    "statements",
    "statements_csv",
    "statement",
    "slow",
    "routes",
    "indexes",
    "build_index",
    "resources",
    "end_statement",
    "plan",
)
ACCESS = {f"performance.{name}": "admin" for name in NAMES}
SPANS = (("1h", "1 hour"), ("24h", "24 hours"), ("7d", "7 days"))
MOST_STATEMENTS = 100
MOST_SEARCHED = 200
ORDERS = {
    "total": "Most time together",
    "avg": "Slowest on average",
    "p95": "Slowest p95",
    "p99": "Slowest p99",
    "max": "Slowest run",
    "count": "Most often",
    "rows": "Most rows",
    "slow": "Most slow runs",
    "errors": "Most errors",
    "last_seen": "Seen last",
}
blueprint = Blueprint("performance", __name__, url_prefix="/admin/performance")


def register(app: Flask) -> None:
    """Add the pages, the filters of their templates, and their places for the rail of every page."""
    app.register_blueprint(blueprint)
    app.jinja_env.filters.update(pages_filters.FILTERS)
    add_section(app, Section("performance", "Performance", "activity", "admin", _places))
    app.extensions[pages_indexes.EXTENSION] = pages_indexes.LastViews()


def _places() -> tuple[Place, ...]:
    return (
        Place("overview", "Overview", url_for("performance.overview")),
        Place("statements", "Statements", url_for("performance.statements")),
        Place("slow", "Slow log", url_for("performance.slow")),
        Place("routes", "Routes", url_for("performance.routes")),
        Place("indexes", "Indexes", url_for("performance.indexes")),
        Place("resources", "Resources", url_for("performance.resources")),
        Place("plan", "Read a plan", url_for("performance.plan")),
    )


@dataclass(frozen=True)
class Span:
    """How far back a page looks: the moment, and what its links carry (None for the usual)."""

    since: datetime
    asked: str | None
    now: datetime

    @staticmethod
    def asked_for() -> "Span":
        """Read it from the address. Raises ClientError `validation_failed` (422)."""
        now, text = utc_now(), request.args.get("since") or request.form.get("since") or DEFAULT_SINCE
        return Span(views.since_of(text, now), None if text == DEFAULT_SINCE else text, now)


@blueprint.get("")
def overview() -> str:
    """Show health, what is wrong, and what takes most time."""
    span = Span.asked_for()
    page = pages_overview.load(current_watcher(), span.since, span.asked, span.now)
    return _page("overview", span, page=page, largest=_largest([row.figures for row in page.statements]))


@blueprint.post("/forget")
def forget() -> Response:
    """Start the figures afresh."""
    current_watcher().statistics.forget()
    pages_indexes.last_views().forget()
    return _to("overview")


@blueprint.get("/statements")
def statements() -> str:
    """List the statements, in an order of the reader's, or those that a word is part of."""
    span = Span.asked_for()
    sort, search = _sort(get_args(StatementSort)), request.args.get("search", "").strip()[:MOST_SEARCHED]
    statistics = current_watcher().statistics
    every = statistics.statements(span.since, sort=sort, search=search or None)
    found = every[:MOST_STATEMENTS]
    course = courses(statistics, [one.fingerprint for one in found], span.since, span.now)
    limited = f", {len(found)} shown" if len(every) > len(found) else ""
    return _page(
        "statements",
        span,
        rows=rows_of(found, span.asked, course),
        largest=_largest(every),
        shown=many(len(every), "kind") + limited,
        sort=sort,
        orders=ORDERS.items(),
        search=search,
        sorts={key: _here(span, sort=key, search=search or None) for key in ORDERS},
        csv=url_for("performance.statements_csv", since=span.asked, sort=sort, search=search or None),
    )


@blueprint.get("/statements.csv")
def statements_csv() -> Response:
    """Answer the statements' figures as CSV (RFC 4180)."""
    span = Span.asked_for()
    found = current_watcher().statistics.statements(
        span.since, sort=_sort(get_args(StatementSort)), search=request.args.get("search") or None
    )
    headers = {"Content-Disposition": 'attachment; filename="statements.csv"'}
    return Response(pages_statement.as_csv(found), mimetype="text/csv", headers=headers)


@blueprint.get("/statements/<fingerprint>")
def statement(fingerprint: str) -> str:
    """Show one statement: how long it took, how the database runs it, and what would help."""
    span = Span.asked_for()
    view = views.statement(fingerprint, span.since)
    watcher = current_watcher()
    processes = watcher.statistics.processes(span.now)
    page = pages_statement.of(view, processes, watcher.engine.dialect.name, span.now)
    return _page("statement", span, place="statements", page=page)


@blueprint.get("/slow")
def slow() -> ResponseReturnValue:
    """Show a page of the slow log."""
    span, fingerprint = Span.asked_for(), request.args.get("fingerprint")
    try:
        samples, pages = views.slow_page(
            span.since, fingerprint=fingerprint, cursor=request.args.get("cursor")
        )
    except ClientError as error:
        if error.code not in ("cursor_invalid", "cursor_expired"):
            raise
        return _to("slow", since=span.asked, fingerprint=fingerprint)
    links = {
        name: cursor and _here(span, cursor=cursor, fingerprint=fingerprint)
        for name, cursor in (("next", pages.next), ("prev", pages.prev))
    }
    runs = pages_log.runs_of(samples, span.asked)
    return _page("slow", span, runs=runs, pages=links, only=pages_log.only(runs, fingerprint))


@blueprint.get("/routes")
def routes() -> str:
    """List the routes with their statements, what they repeat, and what browsers measured."""
    span, sort = Span.asked_for(), _sort(get_args(RouteSort))
    found = views.routes(span.since, sort=sort)
    return _page(
        "routes",
        span,
        rows=pages_log.routes_of(found, span.asked),
        shown=many(len(found), "route"),
        sort=sort,
        sorts={key: _here(span, sort=key) for key in get_args(RouteSort)},
    )


@blueprint.get("/indexes")
def indexes() -> str:
    """Show the indexes that are missing, and those that are there with their use."""
    span = Span.asked_for()
    view = pages_indexes.read(span.asked, span.since)
    built = request.args.get("built")
    return _page(
        "indexes",
        span,
        view=view,
        rows=pages_indexes.rows_of(view.reports),
        shown=many(len(view.reports), "index", "indexes"),
        built=built if built in {report.name for report in view.reports} else None,
    )


@blueprint.post("/indexes")
def build_index() -> Response:
    """Build an index that the advice offers."""
    span = Span.asked_for()
    ddl = request.form.get("ddl", "")
    name = pages_indexes.build(ddl, span.since, request.form.get("fingerprint"))
    return _to("indexes", since=span.asked, built=name)


@blueprint.get("/resources")
def resources() -> str:
    """Show disks, the database's files, the processes, the pool, and what runs for long."""
    now = utc_now()
    page = pages_resources.of(views.resources(now), views.pool_view(), now)
    return _page("resources", None, page=page, ended=request.args.get("ended") == "1")


@blueprint.post("/resources/end")
def end_statement() -> Response:
    """End a statement that runs."""
    views.end_statement(request.form.get("id", ""))
    return _to("resources", ended=1)


@blueprint.route("/plan", methods=["GET", "POST"])
def plan() -> ResponseReturnValue:
    """Read the plan of an operator's statement."""
    asked, problem, view = request.form.get("sql", ""), "", None
    if request.method == "POST":
        try:
            view = views.plan(_asked_sql(asked))
        except ClientError as error:
            if error.status != 422:
                raise
            problem = error.message
    page = _page("plan", None, asked=asked, problem=problem, view=view, **pages_statement.plan_words(view))
    return page, 422 if problem else 200


def _asked_sql(text: str) -> str:
    sql = text.strip()
    if not sql:
        raise ClientError(422, "validation_failed", "Write the statement whose plan you want to read.")
    if len(sql) > LONGEST_SQL:
        raise ClientError(422, "validation_failed", f"A statement has at most {LONGEST_SQL:,} characters.")
    return sql


def _sort(known: tuple[str, ...]) -> str:
    """Return the order that the address asks for. Raises ClientError `validation_failed` (422)."""
    asked = request.args.get("sort") or "total"
    if asked not in known:
        fault = [FieldError("sort", f"is one of {', '.join(known)}")]
        raise ClientError(422, "validation_failed", "This address asks for no order.", fault)
    return asked


def _largest(found: Any) -> float:
    return max((figures.share for figures in found), default=0.0) or 1.0


def _here(span: Span, **values: Any) -> str:
    """Return this page's address with other values; those that are None are left out."""
    return url_for(str(request.endpoint), since=span.asked, **values)


def _to(name: str, **values: Any) -> Response:
    return redirect(url_for(f"performance.{name}", **values), 303)  # type: ignore[return-value]


def _page(name: str, span: Span | None, place: str | None = None, **values: Any) -> str:
    watcher = current_watcher()
    return render_template(
        f"performance/{name}.html",
        rail=load_rail("performance", place or name),
        spans=span and _spans(span),
        since=span and span.asked,
        now=span.now if span else utc_now(),
        alerts=() if name == "overview" else tuple(current_alerts()),
        tracking=watcher.tracking,
        slow_ms=watcher.slow_query_ms,
        **values,
    )


def _spans(span: Span) -> list[Mapping[str, Any]]:
    kept = {**(request.view_args or {}), **{n: v for n, v in request.args.items() if n in ("sort", "search")}}
    return [
        {
            "label": label,
            "href": url_for(
                str(request.endpoint), **{**kept, "since": None if key == DEFAULT_SINCE else key}
            ),
            "current": key == (span.asked or DEFAULT_SINCE),
        }
        for key, label in SPANS
    ]
