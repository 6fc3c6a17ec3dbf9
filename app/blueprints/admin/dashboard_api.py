"""`GET /admin/api/metrics` and `GET /admin/api/charts/NAME`: figures as JSON or CSV, with ETags."""

import csv
import hashlib
import io
from datetime import UTC, timedelta
from typing import Annotated, Any, Literal

from flask import Response, request
from pydantic import BaseModel, Field

from app.blueprints.admin import dashboard_figures as figures
from app.blueprints.admin.api import blueprint
from app.blueprints.admin.dashboard_charts import CHARTS, Asked, Chart
from app.blueprints.admin.schemas import QueryNumber
from app.clock import utc_now
from app.database.transactions import snapshot
from app.errors import not_found
from app.extensions import db
from app.models.rollup.periods import Step, periods
from app.models.rollup.reading import OPEN, Reader
from app.responses import success
from app.validation import Strict

KIBIBYTE = 1024
# A cell that begins so is taken for a formula by spreadsheets (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Days = Annotated[QueryNumber, Field(ge=1, le=figures.MOST_DAYS)]


class MetricsQuery(Strict):
    """Which range and project."""

    days: Days = Field(30, description="Days up to now, today included.")
    project: str = Field("", description="Public key; all projects without one.")
    tz: str = Field("UTC", description="Time zone in which days begin, such as Europe/Stockholm.")


class ChartQuery(MetricsQuery):
    """Which range and project, in which steps, and as what."""

    step: Step | None = Field(None, description="Without one, what gives a chart enough points.")
    format: Literal["json", "csv"] = "json"


class ChartPath(BaseModel):
    """The name of a chart."""

    name: str = Field(description=", ".join(CHARTS))


class SeriesData(BaseModel):
    """Numbers under one name."""

    key: str
    label: str
    values: list[float | int | None]


class ChartData(BaseModel):
    """A chart: as many numbers in each series as there are labels."""

    name: str
    title: str
    unit: str
    days: int
    step: str
    timezone: str
    project: str | None
    since: str
    labels: list[str]
    series: list[SeriesData]


class OneChart(BaseModel):
    """One chart."""

    success: Literal[True]
    data: ChartData


class MetricsData(BaseModel):
    """Figures of now and of the range; sizes in kibibytes and mebibytes, durations in seconds."""

    total_submissions: int
    total_screenshots: int
    total_screenshot_storage_kb: float
    total_screenshot_storage_mb: float
    avg_screenshot_size_kb: float
    max_screenshot_size_kb: float
    submissions_last_24h: int
    days: int
    timezone: str
    project: str | None
    since: str
    submissions: int
    submissions_before: int
    open: int
    in_progress: int
    unread: int
    oldest_open_at: str | None
    first_answer_median_s: float | None
    first_answer_median_before_s: float | None
    settle_median_s: float | None
    settle_median_before_s: float | None
    by_status: dict[str, int]
    database_bytes: int
    disk_free_bytes: int | None
    days_until_full: float | None


class Metrics(BaseModel):
    """The figures."""

    success: Literal[True]
    data: MetricsData


@blueprint.get("/metrics", summary="The dashboard's figures", responses={200: Metrics})
def metrics(query: MetricsQuery) -> Response:
    """Answer totals, and the figures of a range beside those of the one before it."""
    scope, now = figures.scope_of(query.project), utc_now()
    over = periods(query.days, figures.zone_of(query.tz), now, "day")
    with snapshot(db.engine) as connection:
        data = _metrics(Asked(connection, scope, over))
    return conditional(success(data))


@blueprint.get("/charts/<name>", summary="One chart's figures", responses={200: OneChart})
def chart(path: ChartPath, query: ChartQuery) -> Response:
    """Answer the series of a chart, as JSON or with `format=csv` as a table."""
    make = CHARTS.get(path.name)
    if make is None:
        raise not_found("This chart")
    scope, zone = figures.scope_of(query.project), figures.zone_of(query.tz)
    over = periods(query.days, zone, utc_now(), query.step)
    with snapshot(db.engine) as connection:
        found = make(Asked(connection, scope, over))
    if query.format == "csv":
        return conditional(_as_csv(found))
    about = {
        "name": found.name,
        "title": found.title,
        "unit": found.unit,
        "days": query.days,
        "step": over.step,
        "timezone": query.tz,
        "project": query.project or None,
        "since": over.since.astimezone(UTC),
        "labels": found.labels,
        "series": [{"key": one.key, "label": one.label, "values": one.values} for one in found.series],
    }
    return conditional(success(about))


def conditional(response: Response) -> Response:
    """Let a client that has this answer already be told so: 304, without the figures."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Cookie, Authorization"
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    return response.make_conditional(request)  # type: ignore[return-value]


def _metrics(asked: Asked) -> dict[str, Any]:
    reader, over = asked.reader, asked.over
    boxes = reader.boxes()
    counts = figures.totals(reader.submissions(figures.with_before(over)))
    middle = over.now.date() - (over.days - 1) * timedelta(days=1)
    flow = figures.flow(reader, boxes, over)
    kept = figures.storage(asked.connection, over.now)
    oldest = reader.oldest()
    values: dict[str, Any] = _totals(reader, asked, kept)
    values |= {
        "days": over.days,
        "timezone": str(over.zone),
        "project": asked.scope.key or None,
        "since": over.since.astimezone(UTC),
        "submissions": sum(counts[1:]),
        "submissions_before": counts[0] if counts else 0,
        **{status: boxes.get(status, (0, 0))[0] for status in OPEN},
        "unread": boxes.get("open", (0, 0))[1],
        "oldest_open_at": oldest,
    }
    for measure, name in (("answer", "first_answer"), ("settle", "settle")):
        now = flow.responses.median(measure, middle, over.now.date() + timedelta(days=1))
        values[f"{name}_median_s"] = now and round(now, 1)
        before = flow.responses.median(measure, flow.days[0], middle)
        values[f"{name}_median_before_s"] = before and round(before, 1)
    return values | {
        "by_status": {status: count for status, (count, _) in boxes.items() if count},
        "database_bytes": kept.database_bytes,
        "disk_free_bytes": kept.disk_free_bytes,
        "days_until_full": kept.days_until_full and round(kept.days_until_full, 1),
    }


def _totals(reader: Reader, asked: Asked, kept: figures.Storage) -> dict[str, Any]:
    """Return the figures that the contract names; of all projects where they are of pictures."""
    mean = kept.picture_bytes / kept.pictures if kept.pictures else 0.0
    return {
        "total_submissions": reader.total(),
        "total_screenshots": kept.pictures,
        "total_screenshot_storage_kb": round(kept.picture_bytes / KIBIBYTE, 1),
        "total_screenshot_storage_mb": round(kept.picture_bytes / KIBIBYTE**2, 2),
        "avg_screenshot_size_kb": round(mean / KIBIBYTE, 1),
        "max_screenshot_size_kb": round(kept.largest_picture_bytes / KIBIBYTE, 1),
        "submissions_last_24h": reader.since(asked.over.now - timedelta(hours=24)),
    }


def _as_csv(found: Chart) -> Response:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow([found.points, *(_cell(one.label) for one in found.series)])
    for at, label in enumerate(found.labels):
        lines.writerow(
            [_cell(label), *("" if one.values[at] is None else one.values[at] for one in found.series)]
        )
    response = Response(text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="earmark-{found.name}.csv"'
    return response


def _cell(text: str) -> str:
    return "'" + text if text.startswith(FORMULA) else text
