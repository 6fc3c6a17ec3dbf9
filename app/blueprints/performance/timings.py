"""What browsers measure of a visit: the names of the timings, their words, and the shape of a report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# A visit longer than this is a tab that slept, not a page that was slow.
MOST_MS = 600_000.0
# A shift has no unit; counted in thousandths it keeps its digits among milliseconds.
SHIFT_PARTS = 1000


@dataclass(frozen=True)
class Metric:
    """What a timing means, and up to which value in milliseconds it is good; None where nobody says."""

    words: str
    good: float | None = None


# Thresholds: web.dev/articles/vitals for the first five, Lighthouse for the blocked time.
METRICS: Mapping[str, Metric] = {
    "LCP": Metric("Largest content painted", 2500),
    "INP": Metric("Slowest answer to a press", 200),
    "CLS": Metric("Content that moved, in thousandths", 100),
    "FCP": Metric("First content painted", 1800),
    "TTFB": Metric("First byte of the page", 800),
    "load": Metric("Page loaded"),
    "script": Metric("Slowest script"),
    "style": Metric("Slowest style sheet"),
    "image": Metric("Slowest picture"),
    "request": Metric("Slowest request of the page"),
    "task": Metric("Longest task over 50 ms"),
    "blocked": Metric("Time blocked by long tasks", 200),
}


def _known(metric: str) -> str:
    if metric not in METRICS:
        raise ValueError("is not a timing that is taken")
    return metric


class VitalsTiming(BaseModel):
    """One timing of one visit; CLS is sent as browsers measure it, without unit."""

    model_config = ConfigDict(extra="forbid", strict=True)

    metric: Annotated[str, AfterValidator(_known)] = Field(json_schema_extra={"enum": list(METRICS)})
    value: float = Field(ge=0, le=MOST_MS, allow_inf_nan=False, description="Milliseconds; CLS has no unit.")


class VitalsBody(BaseModel):
    """What a page sends when it is left."""

    model_config = ConfigDict(extra="forbid", strict=True)

    page: str = Field(
        pattern=r"^/[^?#]*$", max_length=2048, description="The page's path, without query and hash."
    )
    timings: list[VitalsTiming] = Field(min_length=1, max_length=len(METRICS))
