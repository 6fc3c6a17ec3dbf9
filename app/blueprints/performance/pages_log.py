"""The slow log and the routes as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for

from app.blueprints.performance import pages_wording as wording
from app.blueprints.performance.pages_findings import anchor
from app.blueprints.performance.pages_sql import brief
from app.blueprints.performance.pages_titles import title
from app.blueprints.performance.timings import METRICS, SHIFT_PARTS
from app.blueprints.performance.views import RouteView, Sample
from app.database.tracking.figures import BrowserFigures, Repeat

MOST_REPEATS = 5


@dataclass(frozen=True)
class Run:
    """One entry of the slow log."""

    sample: Sample
    title: str
    brief: str
    href: str


@dataclass(frozen=True)
class Only:
    """The one statement that the log is narrowed to."""

    title: str
    fingerprint: str


@dataclass(frozen=True)
class RepeatRow:
    """A statement that a route repeats."""

    repeat: Repeat
    title: str
    href: str


@dataclass(frozen=True)
class BrowserTiming:
    """One timing of the browsers, in words; `tone` is `warn` where its p95 is beyond what is good."""

    name: str
    meaning: str
    p50: str
    p95: str
    tone: str


@dataclass(frozen=True)
class RouteRow:
    """A route with what it repeats and what browsers measured of its page."""

    view: RouteView
    anchor: str
    repeats: tuple[RepeatRow, ...]
    browser: tuple[BrowserTiming, ...]
    visits: int


def runs_of(samples: Sequence[Sample], since: str | None) -> list[Run]:
    """Make the entries of a page of the log."""
    return [
        Run(
            sample,
            title(sample.text).words,
            brief(sample.text),
            url_for("performance.statement", fingerprint=sample.fingerprint, since=since),
        )
        for sample in samples
    ]


def only(runs: Sequence[Run], fingerprint: str | None) -> Only | None:
    """Name the statement that the log is narrowed to."""
    if not fingerprint:
        return None
    return Only(runs[0].title if runs else "a statement", fingerprint)


def routes_of(found: Sequence[RouteView], since: str | None) -> list[RouteRow]:
    """Make the rows of the routes."""
    return [
        RouteRow(
            view=view,
            anchor=anchor(view.figures.route),
            repeats=tuple(_repeat(repeat, since) for repeat in view.figures.repeats[:MOST_REPEATS]),
            browser=tuple(_timing(one) for name in METRICS for one in view.browser if one.metric == name),
            visits=max((one.timing.count for one in view.browser), default=0),
        )
        for view in found
    ]


def _repeat(repeat: Repeat, since: str | None) -> RepeatRow:
    href = url_for("performance.statement", fingerprint=repeat.fingerprint, since=since)
    return RepeatRow(repeat, title(repeat.text).words, href)


def _timing(one: BrowserFigures) -> BrowserTiming:
    metric = METRICS[one.metric]
    write = _shift if one.metric == "CLS" else wording.milliseconds
    beyond = metric.good is not None and one.timing.p95_ms > metric.good
    return BrowserTiming(
        name=one.metric,
        meaning=metric.words,
        p50=write(one.timing.p50_ms),
        p95=write(one.timing.p95_ms),
        tone="warn" if beyond else "",
    )


def _shift(thousandths: float) -> str:
    """Write a layout shift as browsers do, without unit."""
    return f"{thousandths / SHIFT_PARTS:.2f}"
