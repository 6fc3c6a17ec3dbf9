"""How long a client is told to wait: long enough, and not a second longer."""

import pytest
from limits import parse
from limits.strategies import SlidingWindowCounterRateLimiter

from app.blueprints.intake.limiting import wait_seconds
from app.limits_storage import SQLiteStorage

START = 1_795_302_000  # a whole minute


@pytest.mark.parametrize("item", [parse("5 per minute"), parse("1 per minute"), parse("7 per minute")])
@pytest.mark.parametrize("pattern", [[0], [30], [59], [0, 59], [10, 50, 61], [0, 20, 40, 60, 80, 100]])
def test_a_client_that_waits_as_told_is_let_in_and_not_before(tmp_path, item, pattern):
    store = SQLiteStorage(f"sqlite:///{tmp_path / 'limits.sqlite3'}")
    limiter = SlidingWindowCounterRateLimiter(store)
    for second in pattern:
        store.now = lambda at=second: START + at
        while limiter.hit(item, "client"):
            pass
    previous, _, current, left = store.get_sliding_window(item.key_for("client"), 60)
    wait = wait_seconds(item.amount, 60, previous, current, left - 60)
    if wait > 1:
        store.now = lambda: START + pattern[-1] + wait - 1
        assert not limiter.hit(item, "client")
    store.now = lambda: START + pattern[-1] + wait
    assert limiter.hit(item, "client")


def test_room_that_is_there_is_still_a_second_away():
    assert wait_seconds(5, 60, previous=0, current=0, left=30) == 1
