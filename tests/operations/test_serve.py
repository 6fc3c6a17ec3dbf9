"""`earmark serve`, as it is run."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.live import ANSWER_SECONDS, STOP_SECONDS, LiveServer


def earmark(*arguments, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EARMARK_")}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=ANSWER_SECONDS,
        check=False,
    )


@pytest.fixture
def instance(tmp_path):
    return tmp_path / "instance"


def test_a_first_start_makes_everything_and_says_where_to_go(instance):
    server = LiveServer(instance, demo="true", admin_password="")
    with server:
        lines = server.log.read_text().splitlines()
        assert [line.split("  ")[0] for line in lines[:3]] == ["Sign in", "Demo page", "Script tag"]
        password = re.search(r"password, shown once: (\S+)", lines[0])[1]
        assert len(password) >= 12
        assert server.get("/health")[0] == 200
        status, script = server.get("/widget.js")
        assert status == 200
        assert b"Earmark" in script
    with LiveServer(instance, demo="true", admin_password="") as again:
        assert "shown once" not in again.log.read_text()
        assert again.project_key == server.project_key


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_with_all_its_children(instance, number):
    with LiveServer(instance) as server:
        children = psutil.Process(server.pid).children(recursive=True)
        assert len(children) >= 3  # two web processes and the worker
        assert server.stop(number) == 0
        _, alive = psutil.wait_procs(children, timeout=STOP_SECONDS)
        assert alive == []


def _worker_of(server):
    for child in psutil.Process(server.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # ended between the listing and the question
            if "worker" in child.cmdline():
                return child
    return None


def test_a_worker_that_dies_is_started_again(instance):
    with LiveServer(instance) as server:
        first = _worker_of(server)
        first.kill()
        deadline = time.monotonic() + STOP_SECONDS
        while (again := _worker_of(server)) is None or again.pid == first.pid:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_what_the_server_started_ends_when_it_is_killed(instance):
    server = LiveServer(instance).start()
    children = psutil.Process(server.pid).children(recursive=True)
    os.kill(server.pid, signal.SIGKILL)
    server._process.wait(STOP_SECONDS)
    deadline = time.monotonic() + STOP_SECONDS
    while (alive := [child for child in children if _runs(child)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    for child in alive:
        child.kill()
    assert alive == []


def _runs(process):
    """Tell whether a process still runs; one that has ended may wait for somebody to ask how."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_wrong_setting_stops_the_start_with_one_line(instance):
    done = earmark("serve", EARMARK_INSTANCE_PATH=str(instance), EARMARK_PROT="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "EARMARK_PROT is not a setting; `earmark config` lists them\n"


def test_config_prints_what_is_in_force(instance):
    done = earmark("config", "--json", EARMARK_INSTANCE_PATH=str(instance), EARMARK_PORT="9000")
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert values["EARMARK_PORT"] == "9000"
    assert values["EARMARK_SECRET_KEY"] == "********"
    plain = earmark("config", EARMARK_INSTANCE_PATH=str(instance), EARMARK_PORT="9000")
    assert re.search(r"EARMARK_PORT +9000", plain.stdout)


@pytest.mark.parametrize("command", ["serve", "worker", "config"])
def test_every_command_shows_an_example(command, instance):
    done = earmark(command, "--help", EARMARK_INSTANCE_PATH=str(instance))
    assert done.returncode == 0
    assert "Example: earmark" in done.stdout


def test_a_wrong_option_is_refused_with_2(instance):
    done = earmark("serve", "--port", "0", EARMARK_INSTANCE_PATH=str(instance))
    assert done.returncode == 2
    assert "--port" in done.stderr


def test_a_port_that_is_taken_is_refused_with_one_line(instance, tmp_path):
    with LiveServer(instance) as server:
        other = {"EARMARK_INSTANCE_PATH": str(tmp_path / "other"), "EARMARK_PORT": str(server.port)}
        done = earmark("serve", **other)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: 127.0.0.1:{server.port}: Address already in use\n"


def test_slow_clients_do_not_hold_up_others(instance):
    """200 half-open headers and 200 dripping bodies leave /health quick (docs/security.md)."""
    import socket

    with LiveServer(instance) as server:
        held = []
        for n in range(400):
            client = socket.create_connection(("127.0.0.1", server.port), ANSWER_SECONDS)
            client.sendall(b"POST /api/feedback HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            if n % 2:
                client.sendall(b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
            held.append(client)
        # Where those held it up there would be no answer before they are let go.
        assert server.get("/health")[0] == 200
        for client in held:
            client.close()
