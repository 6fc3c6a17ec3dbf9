"""The connection pool: how much of it is in use, and how often a connection had to be waited for.

`WatchedPool` takes the place of SQLAlchemy's QueuePool, whose events do not tell of waiting.
"""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from app.database.gauges.waits import WaitCounter, Waits


@dataclass(frozen=True)
class PoolGauges:
    """One process's pool: its settings, its connections now, and what was waited for them.

    `capacity` is how many there can be (`size` and `max_overflow`; None is no limit), `overflow` how many are
    open beyond `size`, `use` the part of the capacity that is checked out (0–1).
    """

    size: int
    max_overflow: int
    timeout_s: float
    capacity: int | None
    checked_out: int
    idle: int
    overflow: int
    use: float
    health_score: int
    waits: Waits


class WatchedPool(QueuePool):
    """A QueuePool that counts the waits for a connection; pass it to an engine as `poolclass`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.waits = WaitCounter()

    def recreate(self) -> "WatchedPool":
        """Make the pool that takes this one's place when its connections are thrown away; it counts on."""
        pool = super().recreate()
        assert isinstance(pool, WatchedPool)
        pool.waits = self.waits
        return pool

    def _do_get(self) -> ConnectionPoolEntry:
        if not self._is_exhausted():
            return super()._do_get()
        started = time.monotonic()
        failed = False
        try:
            return super()._do_get()
        except PoolTimeout:
            failed = True
            raise
        finally:
            self.waits.add(time.monotonic() - started, failed=failed)

    def _is_exhausted(self) -> bool:
        return -1 < self._max_overflow <= self._overflow and not self._pool.qsize()


def pool_gauges(engine: Engine) -> PoolGauges:
    """Measure this process's pool. Raises TypeError for a pool without a size, such as NullPool."""
    pool = engine.pool
    if not isinstance(pool, QueuePool):
        raise TypeError(f"{type(pool).__name__} keeps no number of connections that could be measured")
    checked_out = max(pool.checkedout(), 0)
    capacity = None if pool._max_overflow < 0 else pool.size() + pool._max_overflow
    use = checked_out / (capacity or pool.size() or 1)
    return PoolGauges(
        size=pool.size(),
        max_overflow=pool._max_overflow,
        timeout_s=pool.timeout(),
        capacity=capacity,
        checked_out=checked_out,
        idle=pool.checkedin(),
        overflow=max(pool.overflow(), 0),
        use=use,
        health_score=health_score(use),
        waits=pool.waits.figures() if isinstance(pool, WatchedPool) else Waits(),
    )


def health_score(use: float) -> int:
    """Return 100 for up to half of the pool in use, 80–50 for up to 80 %, 50–0 beyond (0 at all of it)."""
    if use <= 0.5:
        return 100
    if use <= 0.8:
        return round(80 - (use - 0.5) / 0.3 * 30)
    return round(max(50 - (use - 0.8) / 0.2 * 50, 0))
