"""Servers under load: started in folders of their own, paused while another one is measured, and ended.

Everything lives under one cache folder outside of the repository (`BENCHMARKS_CACHE`, by default
`~/.cache/earmark-benchmarks`): the peers' environments stay there, what a run wrote is removed at its end.
"""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psutil

from benchmarks import bare_flask

REPOSITORY = Path(__file__).parents[1]
CACHE = Path(os.environ.get("BENCHMARKS_CACHE", "~/.cache/earmark-benchmarks")).expanduser()
FIRST_PORT = int(os.environ.get("BENCHMARKS_PORT", "8720"))
START_SECONDS = 60.0
STOP_SECONDS = 20.0
# Loading takes most of a core; an idle server and its worker a few hundredths.
QUIET_SECONDS = 1.0
QUIET_SHARE = 0.15
# As `earmark serve` sets granian (app/blueprints/operations/server.py).
GRANIAN = ("--interface", "wsgi", "--workers", "2", "--blocking-threads", "128", "--backpressure", "1024")
# In force, yet never reached: what counting costs is part of the figure.
LIMITS = {
    "EARMARK_INTAKE_RATE_LIMIT": "10000000 per hour",
    "EARMARK_FLOOD_RATE_LIMIT": "10000000 per minute",
    "EARMARK_PROJECT_QUOTA_MB": "1000000",
}


class ServerFailed(Exception):
    """A server did not start; the end of its log is in the text."""


class Server:
    """A group of processes that answers on a port of this machine; only this group is ever signalled."""

    def __init__(self, name: str, port: int, folder: Path) -> None:
        self.name = name
        self.port = port
        self.folder = folder
        self._groups: list[subprocess.Popen[bytes]] = []

    def start(
        self, command: Sequence[str | Path], environment: Mapping[str, str], *, cwd: Path, waits: bool = True
    ) -> None:
        """Start one command in a process group of its own, and wait until it is ready."""
        log = self.folder / "output.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                env={**clean_environment(), **environment},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._groups.append(process)
        if waits:
            self._wait_until_ready(process, log)

    def pause(self) -> None:
        """Stop the processor time of this server, so that it does not disturb another one's round."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the processes politely, then by force."""
        self.resume()
        for process in self._groups:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self._groups:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def cpu_seconds(self) -> float:
        """Return the processor time that the server's processes took until now."""
        total = 0.0
        for leader in self._groups:
            for process in _family(leader.pid):
                try:
                    times = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def _answers(self) -> bool:
        # An open port says little: it is open before the processes behind it have loaded the program.
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as opened:
                opened.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                return bool(opened.recv(1))
        except OSError:
            return False

    def _is_quiet(self) -> bool:
        # One process may answer while the next one still loads.
        before = self.cpu_seconds()
        time.sleep(QUIET_SECONDS)
        return self.cpu_seconds() - before < QUIET_SHARE * QUIET_SECONDS

    def _signal(self, number: int) -> None:
        for process in self._groups:
            if process.poll() is None:
                os.killpg(process.pid, number)

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if self._answers() and self._is_quiet():
                return
            time.sleep(0.1)
        raise ServerFailed(f"{self.name} did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")


class Stage:
    """The servers of one run, each on the next port, in a folder that is removed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers: list[Server] = []

    def earmark(self, name: str, module: str = "app.cli", **settings: str) -> Server:
        """Start `earmark serve` with its shipped settings, limits set high, and these on top."""
        server = self.place(name)
        environment = {
            **LIMITS,
            "EARMARK_INSTANCE_PATH": str(server.folder / "instance"),
            "EARMARK_PORT": str(server.port),
            **{f"EARMARK_{key.upper()}": value for key, value in settings.items()},
        }
        server.start([sys.executable, "-m", module, "serve"], environment, cwd=REPOSITORY)
        return server

    def bare_flask(self, name: str, synchronous: str) -> Server:
        """Start the bare Flask route under the same server with the same settings."""
        server = self.place(name)
        file = server.folder / "bare.sqlite3"
        bare_flask.create_database(file)
        environment = {"BARE_DATABASE": str(file), "BARE_SYNCHRONOUS": synchronous}
        granian = Path(sys.executable).with_name("granian")
        command: list[str | Path] = [granian, *GRANIAN, "--port", str(server.port), "--log-level", "error"]
        server.start([*command, "benchmarks.bare_flask:app"], environment, cwd=REPOSITORY)
        return server

    def place(self, name: str) -> Server:
        """Return a server to be started: a free port and an empty folder."""
        number = len(self.servers)
        folder = self.folder / str(number)
        folder.mkdir()
        server = Server(name, FIRST_PORT + number, folder)
        self.servers.append(server)
        return server


@contextmanager
def stage() -> Iterator[Stage]:
    """Give a run its stage; at the end, whatever happens, its servers are ended and its folder removed."""
    # The signal that ends a run ends its servers too, the paused ones among them.
    before = signal.signal(signal.SIGTERM, _end)
    CACHE.mkdir(parents=True, exist_ok=True)
    made = Stage(Path(tempfile.mkdtemp(prefix="run-", dir=CACHE)))
    try:
        yield made
    finally:
        for server in made.servers:
            server.stop()
        shutil.rmtree(made.folder, ignore_errors=True)  # a worker may be removing blobs itself
        signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


def project_key(server: Server) -> str:
    """Return the public key of the project that Earmark made at its first start."""
    file = server.folder / "instance" / "earmark.sqlite3"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        return str(connection.execute("select public_key from projects").fetchone()[0])


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of Earmark's or paths of Python's that are not the server's."""
    own = ("EARMARK_", "PYTHON", "VIRTUAL_ENV", "GRANIAN_", "GUNICORN_")
    return {name: text for name, text in os.environ.items() if not name.startswith(own)}


def _family(pid: int) -> list[psutil.Process]:
    try:
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
