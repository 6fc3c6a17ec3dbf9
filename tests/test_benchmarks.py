"""What benchmarks leave behind: nothing that runs, and no change of an instance that is not theirs."""

import os
import shutil
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import psutil
import pytest

from benchmarks import filled

PAUSED = """
import sys, time
from benchmarks import servers
with servers.stage() as stage:
    server = stage.place("asleep")
    server.start([sys.executable, "-c", "import time; time.sleep(600)"], {}, cwd=server.folder, waits=False)
    server.pause()
    print(server._groups[0].pid, server.folder, flush=True)
    time.sleep(600)
"""


@pytest.mark.timeout(120)
def test_a_benchmark_that_is_ended_ends_its_paused_servers(tmp_path):
    environment = os.environ | {"BENCHMARKS_CACHE": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", PAUSED], env=environment, stdout=subprocess.PIPE, text=True
    ) as benchmark:
        pid, folder = benchmark.stdout.readline().split()
        assert psutil.pid_exists(int(pid))
        benchmark.send_signal(signal.SIGTERM)
        assert benchmark.wait() == 128 + signal.SIGTERM
    assert not psutil.pid_exists(int(pid))
    assert not Path(folder).exists()


def test_an_instance_that_others_filled_is_refused_and_left_as_it_is(sqlite_template, tmp_path):
    folder = tmp_path / "kept"
    shutil.copytree(sqlite_template, folder)
    file = folder / "earmark.sqlite3"
    before = file.read_bytes()
    chosen = Namespace(instance=folder, rows=1, rounds=1)
    with pytest.raises(SystemExit, match="was not filled by benchmarks"), filled.instance(chosen):
        pass
    assert file.read_bytes() == before
