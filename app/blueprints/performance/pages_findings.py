"""What the overview says: what is wrong, worst first, each with its cure, and how all is in one sentence.

Values in, words out: nothing is read here. A level is `urgent` (an alert that cannot wait), `mend` (it costs
people time) or `tidy` (it costs the machine a little).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import url_for

from app.amounts import many, size
from app.blueprints.performance import pages_wording as wording
from app.blueprints.performance.pages_titles import column, noun, title
from app.database.advice.advise import IndexAdvice
from app.database.advice.indexes import IndexReport
from app.database.gauges.alerts import Alert
from app.database.tracking.figures import Overview, RouteFigures, StatementFigures

LEVELS = ("urgent", "mend", "tidy")
MOST_SHOWN = 6
# A statement that no index would help is named when it takes this part of all time, and of its runs so many,
# and this part, are slow.
LEAST_SHARE = 0.05
LEAST_SLOW = 3
LEAST_SLOW_RUNS = 0.01
MOST_NAMES = 2
SPARE = ("duplicate", "redundant", "unused")
# Before so many statements, over nearly a day, nobody knows which index is used: some work is done at night.
LEAST_SEEN = 1000
LEAST_WATCHED = timedelta(hours=20)


@dataclass(frozen=True)
class Matter:
    """One thing to mend or tidy: its kind, what it is, what it costs and what to do, and where to go."""

    level: str
    weight: float
    kind: str
    icon: str
    tone: str
    title: str
    text: str
    link: str
    href: str


@dataclass(frozen=True)
class Health:
    """How all is: a verdict, and the figures behind it."""

    verdict: str
    figures: str


def worst_first(found: Iterable[Matter]) -> list[Matter]:
    """Put what cannot wait first, and within a level what costs most."""
    return sorted(found, key=lambda matter: (LEVELS.index(matter.level), -matter.weight))


def of_alerts(alerts: Sequence[Alert], now: datetime) -> list[Matter]:
    """Tell of the alerts that stand now."""
    return [
        Matter(
            level="urgent" if alert.level == "critical" else "mend",
            # An alert goes before what only costs time.
            weight=float("inf"),
            kind="Alert",
            icon="triangle-alert",
            tone="bad",
            title=alert.message.rstrip("."),
            text=f"It began {_ago(alert.since, now)}.",
            link="See the slow log" if "slow" in alert.code else "See the resources",
            href=url_for("performance.slow" if "slow" in alert.code else "performance.resources"),
        )
        for alert in alerts
    ]


def _ago(moment: datetime, now: datetime) -> str:
    past = wording.ago(moment, now)
    return "just now" if past == "now" else past


def of_advice(
    advice: Sequence[IndexAdvice], statements: Sequence[StatementFigures], slow_ms: int, since: str | None
) -> list[Matter]:
    """Tell of the indexes that are missing, by the statement that gains most from each."""
    known = {figures.fingerprint: figures for figures in statements}
    return [
        _missing(one, known[one.gains[0].fingerprint], slow_ms, since)
        for one in advice
        if one.gains and one.gains[0].fingerprint in known
    ]


def _missing(advice: IndexAdvice, figures: StatementFigures, slow_ms: int, since: str | None) -> Matter:
    gain = advice.gains[0]
    scans = [one.table for one in gain.before.findings if one.code == "full_scan"]
    does = "reads the whole table" if advice.table in scans else "reads more than it needs"
    # By what the statement takes now: the advice may be some minutes older.
    after = wording.milliseconds(figures.timing.avg_ms * gain.left)
    is_slow = figures.slow_count > 0 or figures.share >= LEAST_SHARE
    return Matter(
        level="mend" if is_slow else "tidy",
        weight=sum(one.runs * (one.ms_before - one.ms_after) for one in advice.gains),
        kind="Slow" if is_slow else "Index",
        icon="triangle-alert" if is_slow else "file",
        tone="bad" if is_slow else "quiet",
        title=f"{title(figures.text).doing} {does}",
        text=f"{_costs(figures, slow_ms)} An index of {size(advice.size_bytes)} brings it to about "
        f"{after}; the planner was shown to use it.",
        link="See the advice",
        href=url_for("performance.statement", fingerprint=figures.fingerprint, since=since),
    )


def _costs(figures: StatementFigures, slow_ms: int) -> str:
    timing = figures.timing
    words = f"{wording.milliseconds(timing.avg_ms)} on average, {wording.milliseconds(timing.p95_ms)} at p95"
    if figures.slow_count:
        words += f", {wording.times(figures.slow_count)} over {wording.milliseconds(slow_ms)}"
    return f"{words}."


def of_slow(
    statements: Sequence[StatementFigures], advised: Sequence[IndexAdvice], slow_ms: int, since: str | None
) -> list[Matter]:
    """Tell of statements that are often slow and that no index would help: two by name, the others as one."""
    helped = {gain.fingerprint for one in advised for gain in one.gains}
    found = [
        figures
        for figures in statements
        if figures.fingerprint not in helped
        and figures.share >= LEAST_SHARE
        and figures.slow_count >= max(LEAST_SLOW, LEAST_SLOW_RUNS * figures.timing.count)
    ]
    found.sort(key=lambda figures: -figures.timing.total_ms)
    others = found[MOST_NAMES:]
    return [
        *(_slow(one, slow_ms, since) for one in found[:MOST_NAMES]),
        *_others_slow(others, slow_ms, since),
    ]


def _slow(figures: StatementFigures, slow_ms: int, since: str | None) -> Matter:
    return Matter(
        level="mend",
        weight=figures.timing.total_ms,
        kind="Slow",
        icon="triangle-alert",
        tone="bad",
        title=f"{title(figures.text).doing} is slow",
        text=f"{_costs(figures, slow_ms)} No index would help; its plan shows where the time goes.",
        link="See the statement",
        href=url_for("performance.statement", fingerprint=figures.fingerprint, since=since),
    )


def _others_slow(others: Sequence[StatementFigures], slow_ms: int, since: str | None) -> list[Matter]:
    if not others:
        return []
    more = "statement is" if len(others) == 1 else "statements are"
    runs = wording.times(sum(figures.slow_count for figures in others)).capitalize()
    return [
        Matter(
            level="mend",
            weight=max(figures.timing.total_ms for figures in others),
            kind="Slow",
            icon="triangle-alert",
            tone="bad",
            title=f"{wording.in_words(len(others)).capitalize()} more {more} often slow",
            text=f"{runs} over {wording.milliseconds(slow_ms)}. No index would help.",
            link="See the statements",
            href=url_for("performance.statements", sort="slow", since=since),
        )
    ]


def of_repeats(
    routes: Sequence[RouteFigures], statements: Sequence[StatementFigures], since: str | None
) -> list[Matter]:
    """Tell of routes that issue one statement again and again (N+1): the costliest repeat of each."""
    average = {figures.fingerprint: figures.timing.avg_ms for figures in statements}
    return [_repeats(route, average, since) for route in routes if route.repeats]


def _repeats(route: RouteFigures, average: dict[str, float], since: str | None) -> Matter:
    def cost(number: int) -> float:
        repeat = route.repeats[number]
        return average.get(repeat.fingerprint, 0.0) * repeat.most

    worst = max(range(len(route.repeats)), key=cost)
    repeat, cost_ms = route.repeats[worst], cost(worst)
    wish = title(repeat.text).words
    at = f" at {repeat.line}" if repeat.line else ""
    costs = f" Costs {wording.milliseconds(cost_ms)} a page." if cost_ms else ""
    return Matter(
        level="mend",
        weight=cost_ms * repeat.requests,
        kind="Repeats",
        icon="rotate-cw",
        tone="warn",
        title=f"{route.route} asks {wording.times(repeat.most)} to {wish[0].lower()}{wish[1:]}",
        text=f"{repeat.most:,} statements where one would do{at}.{costs} Load them together.",
        link="See the route",
        href=url_for("performance.routes", since=since) + f"#{anchor(route.route)}",
    )


def of_errors(overview: Overview, since: str | None) -> list[Matter]:
    """Tell of requests that were answered with an error of ours."""
    if not overview.request_errors:
        return []
    share = wording.percent(overview.request_errors / max(1, overview.requests.count))
    return [
        Matter(
            level="mend",
            weight=float(overview.request_errors),
            kind="Errors",
            icon="octagon-alert",
            tone="bad",
            title=f"{many(overview.request_errors, 'request')} could not be answered",
            text=f"{share} of all. The log has each one under its request id.",
            link="See the routes",
            href=url_for("performance.routes", sort="errors", since=since),
        )
    ]


def of_spare(
    reports: Sequence[IndexReport], seen: int, watched: timedelta, since: str | None
) -> list[Matter]:
    """Tell of indexes that nothing needs; of unused ones only once enough was seen, for long enough."""
    is_known = seen >= LEAST_SEEN and watched >= LEAST_WATCHED
    spare = [one for one in reports if one.verdict in SPARE and (one.verdict != "unused" or is_known)]
    if not spare:
        return []
    bytes_ = sum(one.size_bytes or 0 for one in spare)
    names = ", ".join(one.name for one in spare[:MOST_NAMES])
    more = f" and {len(spare) - MOST_NAMES} more" if len(spare) > MOST_NAMES else ""
    how_many = wording.in_words(len(spare)).capitalize()
    words = "index is" if len(spare) == 1 else "indexes are"
    together = " together" if len(spare) > 1 else ""
    return [
        Matter(
            level="tidy",
            weight=float(bytes_),
            kind="Spare",
            icon="file",
            tone="quiet",
            title=f"{how_many} {words} {_verdict(spare)}",
            text=f"{names}{more}, {size(bytes_)}{together}; every insert pays. "
            f"Seen over {wording.lasted(watched)} and {wording.rounded(seen)} statements.",
            link="Compare indexes",
            href=url_for("performance.indexes", since=since),
        )
    ]


def _verdict(spare: Sequence[IndexReport]) -> str:
    verdicts = {one.verdict for one in spare}
    return "never used" if verdicts == {"unused"} else "not needed"


def of_dropped(dropped: int) -> list[Matter]:
    """Tell of runs that the monitor could not count."""
    if not dropped:
        return []
    return [
        Matter(
            level="tidy",
            weight=0.0,
            kind="Monitor",
            icon="activity",
            tone="quiet",
            title=f"{many(dropped, 'run')} could not be counted",
            text="More ran at once than the monitor holds. Its figures are a little too low.",
            link="See the resources",
            href=url_for("performance.resources"),
        )
    ]


def health(
    found: Sequence[Matter], requests: int, p95_ms: float, database_bytes: int, full_in_days: float | None
) -> Health:
    """Say how all is in one sentence."""
    p95 = f"p95 is {wording.milliseconds(p95_ms)}, t" if requests else "T"
    full = wording.until_full(full_in_days)
    disk = f", the disk full in {full}" if full else ""
    return Health(_verdict_of(found, requests), f"{p95}he database {size(database_bytes)}{disk}.")


def _verdict_of(found: Sequence[Matter], requests: int) -> str:
    urgent, mend, tidy = (sum(matter.level == level for matter in found) for level in LEVELS)
    parts = [f"{_things(mend)} to mend"] if mend else []
    if tidy:
        parts.append(f"{_things(tidy) if not mend else wording.in_words(tidy)} to tidy")
    rest = " and ".join(parts)
    if urgent:
        return f"Not well: {_things(urgent)} cannot wait{', with ' + rest if rest else ''}."
    if rest:
        return f"Well, with {rest}."
    return "All well." if requests else "Nothing was asked of it yet."


def _things(number: int) -> str:
    return "one thing" if number == 1 else f"{wording.in_words(number)} things"


def anchor(route: str) -> str:
    """Return the id under which a route stands on its page."""
    return "route-" + "".join(sign if sign.isalnum() else "-" for sign in route.lower()).strip("-")


def columns_in_words(advice: IndexAdvice) -> str:
    """Name an index's columns as people do: `session and archived`."""
    names = list(dict.fromkeys(column(name.split()[0]) for name in advice.columns if name.strip()))
    if len(names) < 2:
        return names[0] if names else noun(advice.table)
    return f"{', '.join(names[:-1])} and {names[-1]}"
