"""What a process and its disks take: memory, processor, threads, open files, free space."""

import resource
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from app.database.tracking.watch import Watcher

# Levels of a disk, in per cent of what its users may fill.
WARNING_PERCENT = 85.0
CRITICAL_PERCENT = 95.0
# The processor's share is taken over at least so long; over less it only says which moment was met.
LEAST_CPU_SECONDS = 1.0


@dataclass(frozen=True)
class ProcessGauges:
    """One process; `percent` is its part of the machine's memory, `cpu_percent` of one processor's time.

    `open_files` counts every descriptor, sockets too; `open_files_limit` is how many there may be, None where
    that has no limit.
    """

    rss_bytes: int
    vms_bytes: int
    percent: float
    cpu_percent: float
    cpu_seconds: float
    threads: int
    open_files: int
    open_files_limit: int | None


@dataclass(frozen=True)
class DiskGauges:
    """A disk in bytes; `percent` as `df` counts it, without what is kept for root; `disk_level` of that."""

    total: int
    used: int
    free: int
    percent: float
    level: str


class CpuMeter:
    """Says which share of one processor a process took since it was asked before."""

    def __init__(self, began: float) -> None:
        """`began` is when the process did, by the clock that `percent` is told of."""
        self._lock = threading.Lock()
        self._at, self._seconds, self._percent = began, 0.0, 0.0

    def percent(self, now: float, seconds: float) -> float:
        """Return it in per cent, given the processor's seconds so far; what was said last within a second."""
        with self._lock:
            passed = now - self._at
            if passed >= LEAST_CPU_SECONDS:
                self._percent = round((seconds - self._seconds) / passed * 100, 1)
                self._at, self._seconds = now, seconds
            return self._percent


_meters: dict[int, CpuMeter] = {}


def process_gauges() -> ProcessGauges:
    """Measure this process."""
    process = psutil.Process()
    with process.oneshot():
        memory, times = process.memory_info(), process.cpu_times()
        meter = _meters.setdefault(process.pid, CpuMeter(process.create_time()))
        return ProcessGauges(
            rss_bytes=memory.rss,
            vms_bytes=memory.vms,
            percent=round(process.memory_percent(), 2),
            cpu_percent=meter.percent(time.time(), times.user + times.system),
            cpu_seconds=times.user + times.system,
            threads=process.num_threads(),
            open_files=process.num_fds(),
            open_files_limit=_files_limit(),
        )


def disk_gauges(folders: Mapping[str, Path | None]) -> dict[str, DiskGauges | None]:
    """Measure the disks that folders lie on; None for what is not on this machine, or cannot be measured.

    A folder that is not made yet counts as the nearest one above it.
    """
    return {name: None if folder is None else _disk(folder) for name, folder in folders.items()}


def disk_level(percent: float) -> str:
    """Return `ok`, `warning` (from 85 %) or `critical` (from 95 %)."""
    if percent >= CRITICAL_PERCENT:
        return "critical"
    return "warning" if percent >= WARNING_PERCENT else "ok"


def publish(watcher: Watcher, folders: Mapping[str, Path | None]) -> None:
    """Have a process say what it takes with its row of `processes`, and each disk once."""
    watcher.add_gauge("process", lambda: asdict(process_gauges()))
    watcher.add_gauge("disks", lambda: _each_disk(folders))


def _each_disk(folders: Mapping[str, Path | None]) -> dict[str, dict[str, int | float | str]]:
    """Return the disks as plain values; one that several folders lie on has the first one's name."""
    first: dict[int, str] = {}
    for name, folder in folders.items():
        with suppress(OSError):  # a disk that is away keeps no other from being published
            if folder is not None:
                first.setdefault(_there(folder).stat().st_dev, name)
    measured = disk_gauges({name: folders[name] for name in first.values()})
    return {name: asdict(disk) for name, disk in measured.items() if disk is not None}


def _disk(folder: Path) -> DiskGauges | None:
    try:
        usage = psutil.disk_usage(str(_there(folder)))
    except OSError:
        return None
    return DiskGauges(usage.total, usage.used, usage.free, usage.percent, disk_level(usage.percent))


def _there(folder: Path) -> Path:
    return next((one for one in (folder, *folder.absolute().parents) if one.exists()), Path("/"))


def _files_limit() -> int | None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
