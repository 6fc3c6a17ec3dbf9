"""How values become the answers of the performance API; the commands print the same."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, cast

from app.blueprints.performance.views import (
    IndexView,
    PlanView,
    PoolView,
    ResourceView,
    RouteView,
    Sample,
    StatementView,
)
from app.clock import rfc3339
from app.database.gauges.pool import PoolGauges
from app.database.tracking.figures import Caller, StatementFigures
from app.observability.resources import disk_level

DIGITS = 4


def plain(value: Any) -> Any:
    """Return a value as JSON: dataclasses as objects, moments as RFC 3339, numbers with four digits."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, datetime):
        return rfc3339(value)
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return value


def _object(value: object) -> dict[str, Any]:
    return cast(dict[str, Any], plain(value))


def only_page(limit: int) -> dict[str, Any]:
    """Return the `page` of a list that has one page: the first so many by its order."""
    return {"limit": limit, "next": None, "prev": None}


def statement(figures: StatementFigures) -> dict[str, Any]:
    """Return one statement's figures, its timing beside them."""
    values = _object(figures)
    return {**values.pop("timing"), **values}


def whole_statement(view: StatementView) -> dict[str, Any]:
    """Return one statement with its histogram, series, slowest runs, routes, plan and advice."""
    return statement(view.detail.figures) | {
        "routes": _routes(view.detail.figures.callers),
        "histogram": plain(view.detail.histogram),
        "series": plain(view.detail.series),
        "samples": plain(view.samples),
        "plan": plain(view.plan),
        "advice": plain(view.advice.offers),
        "search": plain(view.advice.search),
    }


def _routes(callers: tuple[Caller, ...]) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    for caller in callers:
        counts[caller.origin] += caller.count
    return [{"origin": origin, "count": count} for origin, count in counts.most_common()]


def slow(sample: Sample) -> dict[str, Any]:
    """Return one run of the slow log."""
    return _object(sample)


def route(view: RouteView) -> dict[str, Any]:
    """Return one route's figures, the browsers' timings under `browser`."""
    values = _object(view.figures)
    browser = [_browser(timing) for timing in plain(view.browser)]
    return {**values.pop("timing"), **values, "browser": browser}


def _browser(values: dict[str, Any]) -> dict[str, Any]:
    return {**values.pop("timing"), **values}


def plan_view(view: PlanView) -> dict[str, Any]:
    """Return a plan as a tree, what is wrong with it, and indexes that the planner was shown to use."""
    return {
        "database": view.plan.database,
        "plan": plain(view.plan.nodes),
        "findings": plain(view.plan.findings),
        "indexes": plain(view.advice.offers),
        "search": plain(view.advice.search),
    }


def index_view(view: IndexView) -> dict[str, Any]:
    """Return every index with its use, and the advice."""
    found = [plain(one) | {"used": bool(one.used_by)} for one in view.reports]
    advice = view.advice
    return {"indexes": found, "advice": plain(advice.offers), "search": plain(advice.search)}


def resources(view: ResourceView) -> dict[str, Any]:
    """Return what the process, its disks and the database take, each with its level."""
    values = _object(view)
    own = {name: values.pop(name) for name in ("growth_bytes_a_day", "days_until_full", "level")}
    values["database"] |= own
    values["process"]["level"] = disk_level(view.process.percent)
    return values


def pool(view: PoolView) -> dict[str, Any]:
    """Return this process's pool with its settings, every process's, and what runs for long."""
    return _pool(view.gauges) | {
        "workers": [
            {"worker": one.worker, "kind": one.kind, "pid": one.pid} | _pool(one.gauges)
            for one in view.workers
        ],
        "statements": plain(view.running),
    }


def _pool(gauges: PoolGauges) -> dict[str, Any]:
    values = _object(gauges)
    settings = {name: values.pop(name) for name in ("size", "max_overflow", "timeout_s", "capacity")}
    return {"settings": settings} | values
