"""A real server: `earmark serve` as its own process group on a free port, ended with the test."""

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil

# All of these are only spent on a machine that is busy, or in vain.
START_SECONDS = 120.0
ANSWER_SECONDS = 60.0
STOP_SECONDS = 60.0
# Below those that Linux (32768) and others (49152) give to whoever connects: one of these stays free until
# the server has it, also over a restart.
PORTS = range(15_000, 32_000)


def free_port() -> int:
    """Return a port that nobody listens at, drawn by lot: other test processes draw as well."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class LiveServer:
    """`earmark serve` on an instance folder; `settings` are EARMARK_* names in lower case."""

    def __init__(self, instance: Path, **settings: Any) -> None:
        self.instance = instance
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = {"log_level": "WARNING", "admin_password": "correct horse battery"} | settings
        self._process: subprocess.Popen[str] | None = None
        self.log = instance.parent / f"serve-{self.port}.log"

    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("EARMARK_")}
        ours = {f"EARMARK_{name.upper()}": str(value) for name, value in self._settings.items()}
        return clean | ours | {"EARMARK_INSTANCE_PATH": str(self.instance), "EARMARK_PORT": str(self.port)}

    def start(self) -> "LiveServer":
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve"],
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,  # a group of its own, so that the whole of it can be ended
            )
        self.wait_until_up()
        return self

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            return self.get("/health/db")[0] == 200
        except OSError:
            return False

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        request = urllib.request.Request(self.url + path, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def kill(self) -> None:
        """End every process of the server at once (SIGKILL), as a power cut of the program would."""
        assert self._process is not None
        family = [psutil.Process(self._process.pid), *self.children()]
        os.killpg(self._process.pid, signal.SIGKILL)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(STOP_SECONDS)
        psutil.wait_procs(family, STOP_SECONDS)

    def children(self) -> list[psutil.Process]:
        """Everything the server has started."""
        return psutil.Process(self.pid).children(recursive=True)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask the server to end and return its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(STOP_SECONDS)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def project_key(self) -> str:
        found = re.search(r'data-project="(pk_[^"]+)"', self.log.read_text())
        assert found, self.log.read_text()
        return found[1]

    def __enter__(self) -> "LiveServer":
        return self.start()

    def __exit__(self, *_error: object) -> None:
        if self._process is not None and self._process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
