"""Limits over 1, 2 and 4 real processes and over a restart: exactly the allowed number passes."""

import json
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live import ANSWER_SECONDS, LiveServer

ALLOWED = 25
SENT = 60


def send(server: LiveServer, key: str, number: int) -> int:
    body = json.dumps({"project": key, "description": f"number {number}"}).encode()
    request = urllib.request.Request(server.url + "/api/feedback", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 429:
                assert int(error.headers["Retry-After"]) > 0
                assert error.headers["RateLimit-Remaining"] == "0"
            return error.code


def send_all(server: LiveServer, count: int) -> Counter[int]:
    """Send from 12 threads at once, each request on a connection of its own."""
    key = server.project_key
    with ThreadPoolExecutor(12) as pool:
        return Counter(pool.map(lambda number: send(server, key, number), range(count)))


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_exactly_the_allowed_number_passes_over_all_processes(tmp_path, workers):
    limits = {"intake_rate_limit": f"{ALLOWED} per day", "flood_rate_limit": "100000 per minute"}
    with LiveServer(tmp_path / "instance", workers=workers, **limits) as server:
        assert send_all(server, SENT) == {201: ALLOWED, 429: SENT - ALLOWED}


def test_a_restart_and_a_kill_forget_nothing(tmp_path):
    limits = {"intake_rate_limit": f"{ALLOWED} per day", "flood_rate_limit": "100000 per minute"}
    server = LiveServer(tmp_path / "instance", **limits).start()
    assert send_all(server, 10) == {201: 10}
    server.stop()
    server.start()
    assert send_all(server, 5) == {201: 5}
    server.kill()
    with server:
        assert send_all(server, SENT) == {201: ALLOWED - 15, 429: SENT - ALLOWED + 15}


def test_refused_and_invalid_requests_are_not_counted_but_bounded(tmp_path):
    limits = {"intake_rate_limit": "2 per day", "flood_rate_limit": "30 per day"}
    with LiveServer(tmp_path / "instance", **limits) as server:
        key = server.project_key
        invalid = Counter(send(server, "pk_unknown", n) for n in range(10))
        assert invalid == {404: 10}
        assert Counter(send(server, key, n) for n in range(6)) == {201: 2, 429: 4}
        assert Counter(send(server, "pk_unknown", n) for n in range(20)) == {404: 14, 429: 6}
