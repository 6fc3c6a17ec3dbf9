"""Waits: how often and for how long something was waited for, counted since the process began."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Waits:
    """What was waited, in milliseconds; `failed` of the waits ended without what was waited for."""

    count: int = 0
    failed: int = 0
    total_ms: float = 0.0
    longest_ms: float = 0.0


class WaitCounter:
    """Counts waits, from any thread. Who does not wait never comes here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waits = Waits()

    def add(self, seconds: float, *, failed: bool = False) -> None:
        """Count one wait."""
        with self._lock:
            self._waits = added((self._waits, Waits(1, int(failed), seconds * 1000, seconds * 1000)))

    def figures(self) -> Waits:
        """Return what was counted so far."""
        return self._waits


def added(several: Iterable[Waits]) -> Waits:
    """Return the waits of several counters together, such as those of all processes."""
    found = list(several)
    return Waits(
        count=sum(one.count for one in found),
        failed=sum(one.failed for one in found),
        total_ms=sum(one.total_ms for one in found),
        longest_ms=max((one.longest_ms for one in found), default=0.0),
    )
