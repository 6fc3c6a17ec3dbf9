"""What a process and its disks take, measured and published."""

import os
import shutil
import tempfile
import threading
from pathlib import Path

import psutil
import pytest

from app.clock import utc_now
from app.database.tracking.watch import current_watcher
from app.observability.resources import (
    CpuMeter,
    disk_gauges,
    disk_level,
    process_gauges,
    publish,
)


@pytest.mark.parametrize(
    ("percent", "level"),
    [
        (0.0, "ok"),
        (84.9, "ok"),
        (85.0, "warning"),
        (94.9, "warning"),
        (95.0, "critical"),
        (100.0, "critical"),
    ],
)
def test_the_level_of_a_disk(percent, level):
    assert disk_level(percent) == level


def test_a_disk_is_measured_as_the_system_does(tmp_path):
    found = disk_gauges({"database": tmp_path})["database"]
    usage = shutil.disk_usage(tmp_path)
    assert found.total == usage.total
    assert found.free == pytest.approx(usage.free, rel=0.05)
    assert found.percent == pytest.approx(100 * found.used / (found.used + found.free), abs=0.1)
    assert found.level == disk_level(found.percent)


def test_a_folder_that_is_not_there_yet_lies_on_the_disk_above_it(tmp_path):
    found = disk_gauges({"logs": tmp_path / "not" / "yet", "database": tmp_path})
    assert found["logs"].total == found["database"].total


def test_what_is_not_on_this_machine_has_no_disk(tmp_path):
    assert disk_gauges({"screenshots": None, "database": tmp_path})["screenshots"] is None


def test_this_process_is_measured():
    found = process_gauges()
    assert 10_000_000 < found.rss_bytes < found.vms_bytes
    share = 100 * found.rss_bytes / psutil.virtual_memory().total
    assert found.percent == pytest.approx(share, rel=0.1, abs=0.01)
    assert found.cpu_seconds > 0
    assert found.cpu_percent >= 0
    assert found.open_files_limit is None or found.open_files < found.open_files_limit


def test_threads_and_open_files_are_counted():
    before = process_gauges()
    done = threading.Event()
    threads = [threading.Thread(target=done.wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    with tempfile.TemporaryFile(), tempfile.TemporaryFile():
        during = process_gauges()
    done.set()
    for thread in threads:
        thread.join()
    assert during.threads == before.threads + 3
    assert during.open_files == before.open_files + 2


def test_memory_that_is_taken_is_seen():
    before = process_gauges().rss_bytes
    taken = os.urandom(1) * 50_000_000
    assert process_gauges().rss_bytes - before > 40_000_000
    assert len(taken) == 50_000_000


def test_the_processor_s_share_is_that_since_it_was_asked():
    meter = CpuMeter(began=100.0)
    assert meter.percent(100.5, 0.5) == 0.0  # too short to say
    assert meter.percent(110.0, 5.0) == 50.0
    assert meter.percent(110.5, 5.5) == 50.0
    assert meter.percent(112.0, 8.0) == 150.0  # more than one processor
    assert meter.percent(122.0, 8.0) == 0.0


def test_a_process_publishes_what_it_takes_and_each_disk_once(app, tmp_path):
    folders = {
        "database": tmp_path,
        "screenshots": None,
        "logs": tmp_path / "log",
        "memory": Path("/dev/shm"),
    }
    with app.app_context():
        watcher = current_watcher()
        publish(watcher, folders)
        assert watcher.flush()
        (found,) = watcher.statistics.processes(utc_now())
    assert found.gauges["process"]["rss_bytes"] > 10_000_000
    assert found.gauges["process"].keys() >= {"vms_bytes", "percent", "cpu_percent", "threads", "open_files"}
    assert found.gauges["disks"].keys() == {"database", "memory"}
    assert found.gauges["disks"]["database"]["level"] in ("ok", "warning", "critical")
