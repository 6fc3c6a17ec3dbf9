"""The server that ships: granian with threads, and the background worker as its child.

Granian was the only server tried that 200 half-open headers and 200 dripping bodies do not move; its
threads wait in Rust while a slow client sends.
"""

import dataclasses
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from huey import Huey

from app.config import PREFIX, Settings
from app.live import EXTENSION as LIVE

# The worker looks for jobs this often, so that a picture is ready within a second of its arrival.
POLL_SECONDS = 0.1
# A worker that dies is started again, at most this often.
RESTART_SECONDS = 1.0
STOP_SECONDS = 10.0
PORT_SECONDS = 5.0


def chosen(
    settings: Settings, host: str | None, port: int | None, workers: int | None, threads: int | None
) -> Settings:
    """Return the settings with the command line's values over them, for every child as well."""
    given = {"host": host, "port": port, "workers": workers, "threads": threads}
    changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name, value in changed.items():
        os.environ[PREFIX + name.upper()] = str(value)
    return dataclasses.replace(settings, **changed)


def wait_for_port(settings: Settings) -> None:
    """Wait until nobody else listens on the port; a server that was killed gives it up within moments.

    Granian would share it with another server silently. Raises OSError when it stays taken.
    """
    deadline = time.monotonic() + PORT_SECONDS
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    while True:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, settings.port))
            except OSError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.1)
            else:
                return


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then let running requests and jobs finish."""
    worker = Worker()
    worker.start()
    try:
        Granian(
            f"{__name__}:web_process",
            factory=True,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            workers=settings.workers,
            blocking_threads=settings.threads,
            # Fewer waiting requests than this made slow clients block quick ones.
            backpressure=settings.threads * 8,
            log_level=LogLevels.error,
            respawn_failed_workers=True,
            workers_kill_timeout=int(STOP_SECONDS),
        ).serve()
    finally:
        worker.stop()


class Worker:
    """The background worker as a child process, started again when it dies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="worker-watch", daemon=True)

    def start(self) -> None:
        """Start the worker and watch over it."""
        # Here and not in the thread: a fork of granian's in the midst of Popen would keep Popen's pipe open,
        # and the thread would wait for its end as long as that web process lives.
        self._process = self._spawn()
        self._thread.start()

    def stop(self) -> None:
        """Ask the worker to finish its job; end it after ten seconds."""
        self._stopping.set()
        process = self._process
        if process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)  # huey finishes the running job on SIGINT
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._process.wait()
            if not self._stopping.wait(RESTART_SECONDS):
                self._process = self._spawn()

    def _spawn(self) -> subprocess.Popen[bytes]:
        # A session of its own: a terminal's Ctrl-C reaches the server, which then ends its worker.
        return subprocess.Popen(_worker_command(), start_new_session=True)


def _worker_command() -> list[str]:
    return [sys.executable, "-m", "app.cli", "worker", "--server", str(os.getpid())]


def web_process() -> Flask:
    """Build the application of one web process, which ends when the server that started it is gone."""
    from app import create_app

    parent = multiprocessing.parent_process()
    if parent is not None:
        _when(parent.join, _end)
    app = create_app()
    _when(_signalled(), app.extensions[LIVE].close)
    return app


def _signalled() -> Callable[[], None]:
    """Return what waits until this process is told to stop, and begins so while others handle the signal.

    Granian waits for running requests, and live streams would run on for a minute. Its handlers replace
    any of ours; a wake-up descriptor (Python's `signal` module) is told of the same. Main thread only.
    """
    ours, told = socket.socketpair()
    told.setblocking(False)
    signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)

    def wait() -> None:
        while ours.recv(1)[0] not in (signal.SIGINT, signal.SIGTERM):
            pass
        told.fileno()  # kept open by this reference for as long as the process runs

    return wait


def consume(queue: Huey, server_pid: int | None) -> None:
    """Run jobs until SIGINT or SIGTERM, or until the server of that process id is gone."""
    consumer = queue.create_consumer(
        workers=1, initial_delay=POLL_SECONDS, max_delay=POLL_SECONDS, backoff=1.0
    )
    if server_pid is not None:
        _when(lambda: _wait_for_end(server_pid), _end)
    consumer.run()


def _wait_for_end(server_pid: int) -> None:
    # A child whose parent is gone belongs to another process.
    while os.getppid() == server_pid:
        time.sleep(1)


def _when(waits: Callable[[], None], then: Callable[[], None]) -> None:
    def watch() -> None:
        waits()
        then()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _end() -> None:
    # Asked again each second: a signal that comes while the process is still starting is lost, since whoever
    # handles it is not in place yet. Nobody is left to end a process that cannot stop, so it ends itself.
    for _ in range(int(STOP_SECONDS)):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
