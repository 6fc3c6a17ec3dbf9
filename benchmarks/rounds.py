"""Interleaved rounds: every target takes its turn in each round, and medians over the rounds are compared."""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from benchmarks.load import Call, Figures, LoadFailed, run
from benchmarks.servers import Server

ROUNDS = 3
SECONDS = 5.0


@dataclass
class Target:
    """One thing that is measured: a server and what is sent to it."""

    name: str
    server: Server
    call: Call
    connections: int = 16
    rate: float | None = None
    results: list[Figures] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def measure(self, seconds: float) -> None:
        """Run one round and keep its figures, and the server's processor time for each answer."""
        self.server.resume()
        before = self.server.cpu_seconds()
        try:
            figures = run(self.server.port, self.call, seconds, connections=self.connections, rate=self.rate)
        except LoadFailed as failure:
            raise LoadFailed(f"{self.name}: {failure}") from None
        spent = self.server.cpu_seconds() - before
        self.server.pause()
        self.results.append(figures)
        # The warm-up second is in the processor time and, by the rate, in the number of answers.
        self.cpu_us.append(spent / (figures.rate * (seconds + 1.0)) * 1e6)

    def median(self, name: str) -> float:
        """Return the median over the rounds of one of the figures' fields."""
        values: list[float] = [getattr(result, name) for result in self.results]
        return statistics.median(values)


def options(description: str, rounds: int = ROUNDS, seconds: float = SECONDS) -> argparse.Namespace:
    """Read the options that all benchmarks with a server share."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds, help="rounds of each target")
    parser.add_argument("--seconds", type=float, default=seconds, help="seconds a round")
    return parser.parse_args()


def interleave(targets: Sequence[Target], rounds: int, seconds: float) -> None:
    """Measure every target in every round; the order turns, so that none always follows the same one."""
    for target in targets:
        target.server.pause()
    for number in range(rounds):
        first = number % len(targets)
        for target in (*targets[first:], *targets[:first]):
            target.measure(seconds)


def medians(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median of each work in milliseconds; each has its turn in every round."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            taken[name].append((time.perf_counter() - began) * 1_000)
    return {name: statistics.median(times) for name, times in taken.items()}


def ratio(of: Target, to: Target, name: str = "rate") -> float:
    """Return the median over the rounds of the ratio within each round."""
    pairs = zip(of.results, to.results, strict=True)
    ratios: list[float] = [getattr(mine, name) / getattr(theirs, name) for mine, theirs in pairs]
    return statistics.median(ratios)


def heading(text: str) -> None:
    """Print what is measured, when, and on what."""
    print(f"\n{text}")
    busy = f"load before {os.getloadavg()[0]:.1f}"
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {busy}. Only ratios count.\n")


def table(targets: Sequence[Target]) -> None:
    """Print the medians of each target."""
    width = max(len(target.name) for target in targets)
    titles = ("answers/s", "p50 ms", "p95 ms", "p99 ms", "CPU µs each")
    print(f"{'':{width}}" + "".join(f"{title:>13}" for title in titles))
    for target in targets:
        values = [target.median(name) for name in ("rate", "p50_ms", "p95_ms", "p99_ms")]
        cells = [f"{values[0]:13,.0f}", *(f"{value:13.1f}" for value in values[1:])]
        failed = sum(result.failed for result in target.results)
        note = f"   ({failed} more failed)" if failed else ""
        print(f"{target.name:{width}}" + "".join(cells) + f"{statistics.median(target.cpu_us):13,.0f}{note}")
    print()


def verdict(what: str, value: float, goal: float, *, at_least: bool = True) -> None:
    """Print one ratio beside its goal."""
    reached = value >= goal if at_least else value <= goal
    sign = "≥" if at_least else "≤"
    print(f"{what}: {value:.2f}   goal {sign} {goal:g}   {'reached' if reached else 'MISSED'}")


def timed(work: Callable[[], None]) -> None:
    """Do the work of a benchmark and say how long it took."""
    began = time.monotonic()
    work()
    print(f"\n({time.monotonic() - began:.0f} s)")
