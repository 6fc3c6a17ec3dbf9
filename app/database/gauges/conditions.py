"""Conditions: how disks, pools and statements are, judged from what all processes share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app.database.tracking.figures import ProcessFigures
from app.database.tracking.scope import ignored

if TYPE_CHECKING:
    from app.database.tracking.statistics import Statistics

OK, WARNING, CRITICAL = LEVELS = ("ok", "warning", "critical")
# A storm: a slow statement every ten seconds, over five minutes; one every second is critical.
STORM_SPAN = timedelta(minutes=5)
STORM_LEAST = {WARNING: 30.0, CRITICAL: 300.0}
# The parts of the pool in use from which its health is 50 and 13 of 100 (app/database/gauges/pool.py).
POOL_LEAST = {WARNING: 0.8, CRITICAL: 0.95}


@dataclass(frozen=True)
class Condition:
    """How something is now: `code` names it, `level` is one of LEVELS."""

    code: str
    level: str
    message: str


def conditions(processes: Sequence[ProcessFigures], slow: int) -> list[Condition]:
    """Judge what the processes published, and the number of slow statements of the last five minutes."""
    most = int(STORM_LEAST[CRITICAL])
    words = f"{slow if slow < most else f'{most} or more'} statements were slow within five minutes."
    return [
        *_disks(processes),
        *_pool(processes),
        Condition("slow_statements", _level(slow, STORM_LEAST), words),
    ]


def slow_statements(statistics: "Statistics", now: datetime) -> int:
    """Count the slow log's last five minutes, up to what is critical."""
    table, most = statistics.tables.slow, int(STORM_LEAST[CRITICAL])
    recent = select(table.c.id).where(table.c.created_at > now - STORM_SPAN).limit(most)
    with ignored(), statistics.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(recent.subquery())).scalar_one()


def _disks(processes: Sequence[ProcessFigures]) -> Iterator[Condition]:
    """Judge each disk by the worst that a process says of it."""
    fullest: dict[str, Mapping[str, float]] = {}
    levels: dict[str, str] = {}
    for process in processes:
        for name, disk in (process.gauges.get("disks") or {}).items():
            if name not in fullest or disk["percent"] > fullest[name]["percent"]:
                fullest[name], levels[name] = disk, disk["level"]
    for name, disk in fullest.items():
        free = f"{disk['free'] / 1e9:,.1f} GB"
        words = f"The disk of the {name} is {disk['percent']:.0f} % full; {free} are free."
        yield Condition(f"disk_{name}", levels[name], words)


def _pool(processes: Sequence[ProcessFigures]) -> Iterator[Condition]:
    """Judge the pools by the fullest of them."""
    pools = [process.gauges["pool"] for process in processes if process.gauges.get("pool")]
    if pools:
        fullest = max(pools, key=lambda pool: pool["use"])
        words = (
            f"One process has {fullest['checked_out']} of {fullest['capacity'] or fullest['size']} database "
            f"connections in use, and waited for one {fullest['waits']['count']} times since it began."
        )
        yield Condition("pool", _level(fullest["use"], POOL_LEAST), words)


def _level(value: float, least: Mapping[str, float]) -> str:
    if value >= least[CRITICAL]:
        return CRITICAL
    return WARNING if value >= least[WARNING] else OK
