"""Durations counted in log buckets: a percentile of any of them to within 1 %, and merging is addition.

Bucket i counts what lies in (γ^(i-1), γ^i] microseconds; its middle 2γ^i/(γ+1) is off by at most
(γ-1)/(γ+1) (Masson, Rim, Lee: "DDSketch", VLDB 2019, lemma 2). With γ = 1.02 that is 0.99 %, and an hour is
bucket 1,112.
"""

from collections.abc import Iterable, Sequence
from math import ceil, log

from app.database.tracking.figures import Column

GAMMA = 1.02
_PER_LOG = 1 / log(GAMMA)


class Histogram:
    """How many durations fell into which bucket."""

    __slots__ = ("buckets",)

    def __init__(self, buckets: dict[int, int] | None = None) -> None:
        self.buckets: dict[int, int] = {} if buckets is None else buckets

    def add(self, duration_us: float) -> None:
        """Count one duration; what is under a microsecond counts as one."""
        index = ceil(log(duration_us) * _PER_LOG) if duration_us > 1 else 0
        self.buckets[index] = self.buckets.get(index, 0) + 1

    def merge(self, other: "Histogram") -> None:
        """Add another's counts."""
        for index, count in other.buckets.items():
            self.buckets[index] = self.buckets.get(index, 0) + count

    def percentile_ms(self, share: float) -> float:
        """Return the duration in milliseconds that the `share` (0–1) of all does not exceed; 0.0 of none."""
        wanted = share * sum(self.buckets.values())
        seen = 0
        for index in sorted(self.buckets):
            seen += self.buckets[index]
            if seen >= wanted:
                return middle_us(index) / 1000
        return 0.0

    def columns(self) -> tuple[Column, ...]:
        """Return the counts in columns of which each is twice as wide as the one before it."""
        doubled: dict[int, int] = {}
        for index, count in self.buckets.items():
            power = _power_of_two(middle_us(index))
            doubled[power] = doubled.get(power, 0) + count
        if not doubled:
            return ()
        return tuple(
            Column(2.0**power / 1000, 2.0 ** (power + 1) / 1000, doubled.get(power, 0))
            for power in range(min(doubled), max(doubled) + 1)
        )

    def as_json(self) -> list[int]:
        """Return index, count, index, count, …"""
        return [number for pair in sorted(self.buckets.items()) for number in pair]

    @staticmethod
    def of_json(numbers: Sequence[int]) -> "Histogram":
        """Read back what `as_json` wrote."""
        return Histogram(dict(zip(numbers[::2], numbers[1::2], strict=True)))


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """Return the sum of all."""
    whole = Histogram()
    for histogram in histograms:
        whole.merge(histogram)
    return whole


def middle_us(index: int) -> float:
    """Return the duration in microseconds that stands for a bucket."""
    return 2 * GAMMA**index / (GAMMA + 1) if index > 0 else 1.0


def _power_of_two(duration_us: float) -> int:
    return int(log(duration_us, 2)) if duration_us >= 1 else 0
