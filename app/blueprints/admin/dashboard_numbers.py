"""The four numbers above the dashboard: what is new, what is open, and how long answers and settling take."""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.blueprints.admin import dashboard_figures as figures
from app.blueprints.admin import dashboard_wording as words
from app.blueprints.admin import wording
from app.blueprints.admin.dashboard_drawing import sparkline
from app.blueprints.admin.dashboard_figures import Flow
from app.blueprints.admin.dashboard_links import Links
from app.models.rollup.periods import DAY, Periods
from app.models.rollup.reading import OPEN

MEDIANS = {
    "answer": ("First answer, median", "answered"),
    "settle": ("Time to settle, median", "settled"),
}


@dataclass(frozen=True)
class Number:
    """One of the four numbers: its parts with their units, how it changed, its line, and where it leads."""

    name: str
    parts: tuple[tuple[str, str], ...]
    change: str
    tone: str
    line: str
    href: str


def numbers(
    found: dict[str, list[int]],
    boxes: dict[str, tuple[int, int]],
    flow: Flow,
    over: Periods,
    links: Links,
) -> list[Number]:
    """Return the numbers of a range, each beside the one of as many days before."""
    every = figures.totals(found) or [0, 0]
    new, before = sum(every[1:]), every[0]
    waiting, in_progress = (boxes.get(status, (0, 0))[0] for status in OPEN)
    then = flow.open_at_end[over.days - 1]
    place = f"last {over.days} days" if over.days > 1 else "today"
    both = " and in progress" if in_progress else ""
    return [
        Number(
            f"New, {place}",
            ((wording.number(new), ""),),
            words.more_or_fewer(new, before, "before"),
            "",
            sparkline(every[1:]),
            links.sent(over.since),
        ),
        Number(
            f"Open{both}",
            ((wording.number(waiting + in_progress), ""),),
            words.more_or_fewer(waiting + in_progress, then, f"{words.many(over.days, 'day')} ago"),
            "",
            sparkline(flow.open_at_end[-over.days :]),
            links.waiting(in_progress),
        ),
        _median("answer", flow, over, links),
        _median("settle", flow, over, links),
    ]


def _median(measure: str, flow: Flow, over: Periods, links: Links) -> Number:
    name, term = MEDIANS[measure]
    middle = flow.days[over.days]
    now = flow.responses.median(measure, middle, flow.days[-1] + DAY)
    before = flow.responses.median(measure, flow.days[0], middle)
    change, tone = words.faster_or_slower(now, before)
    parts = words.duration_parts(now) if now is not None else (("–", ""),)
    since = datetime(middle.year, middle.month, middle.day, tzinfo=UTC)
    line = sparkline(flow.medians(measure)[-over.days :])
    return Number(name, parts, change, tone, line, links.responded(term, since))
