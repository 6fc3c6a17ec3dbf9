"""Limits are exact over threads, processes and a restart, and know no address."""

import multiprocessing
import sqlite3
import threading
from pathlib import Path

import pytest
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter, SlidingWindowCounterRateLimiter

from app import limits_storage
from app.limits_storage import SQLiteStorage, client_key

HOUR = 3600
START = 1_795_302_000.0  # a whole hour
FIVE = parse("5 per hour")


class Clock:
    def __init__(self, now=START):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def file(tmp_path):
    return tmp_path / "limits.sqlite3"


@pytest.fixture
def store(file):
    made = SQLiteStorage(f"sqlite:///{file}")
    made.now = Clock()
    return made


@pytest.fixture
def limiter(store):
    return SlidingWindowCounterRateLimiter(store)


def hits(limiter, count, key="client", item=FIVE):
    return sum(limiter.hit(item, key) for _ in range(count))


def hit_many(uri, count, queue):
    limiter = SlidingWindowCounterRateLimiter(SQLiteStorage(uri))
    queue.put(sum(limiter.hit(parse("50 per day"), "client") for _ in range(count)))


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_exactly_the_limit_passes_over_processes(file, processes):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    arguments = (f"sqlite:///{file}", 100, queue)
    running = [context.Process(target=hit_many, args=arguments) for _ in range(processes)]
    for process in running:
        process.start()
    passed = sum(queue.get(timeout=60) for _ in running)
    for process in running:
        process.join()
    assert passed == 50


def test_exactly_the_limit_passes_over_threads(limiter):
    passed = []
    threads = [threading.Thread(target=lambda: passed.append(hits(limiter, 20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 5


def test_a_restart_forgets_nothing(file, store, limiter):
    assert hits(limiter, 3) == 3
    again = SQLiteStorage(f"sqlite:///{file}")
    again.now = store.now
    assert hits(SlidingWindowCounterRateLimiter(again), 5) == 2


@pytest.mark.parametrize("into_slot", [0, 1, 1800, 3590, 3599.999])
def test_no_more_pass_around_the_end_of_a_slot(store, limiter, into_slot):
    store.now.now = START + into_slot
    assert hits(limiter, 3) == 3
    store.now.now = START + HOUR  # the moment the next slot begins
    assert hits(limiter, 5) == 2
    store.now.now += 1
    assert hits(limiter, 5) == 0


def test_room_returns_as_the_last_slot_weighs_less(store, limiter):
    assert hits(limiter, 5) == 5
    passed = {}
    for second in range(0, 2 * HOUR, 60):
        store.now.now = START + HOUR + second
        if hits(limiter, 1):
            passed[second] = True
    assert list(passed)[:5] == [720, 1440, 2160, 2880, 3600]


def test_a_client_that_rests_for_two_slots_starts_afresh(store, limiter):
    hits(limiter, 5)
    store.now.now = START + 2 * HOUR
    assert hits(limiter, 9) == 5


def test_a_clock_that_is_set_back_does_not_lock_anybody_out(store, limiter):
    store.now.now = START + 87_600 * HOUR
    hits(limiter, 5)
    store.now.now = START
    assert hits(limiter, 9) == 5


def test_keys_are_apart(limiter):
    assert hits(limiter, 5, "a") == 5
    assert hits(limiter, 5, "b") == 5


def test_what_is_given_back_may_be_taken_again(store, limiter):
    assert hits(limiter, 5) == 5
    assert limiter.hit(FIVE, "client", cost=-1)
    assert hits(limiter, 3) == 1
    assert limiter.hit(FIVE, "new", cost=-1)
    assert hits(limiter, 9, "new") == 5
    store.now.now = START + HOUR
    assert limiter.hit(FIVE, "new", cost=-1)
    assert store.get_sliding_window(FIVE.key_for("new"), HOUR)[2] == 0


def test_more_than_the_limit_at_once_never_passes(limiter):
    assert not limiter.hit(FIVE, "client", cost=6)
    assert limiter.hit(FIVE, "client", cost=5)


def test_the_windows_can_be_asked(store, limiter):
    assert limiter.get_window_stats(FIVE, "client").remaining == 5
    hits(limiter, 2)
    store.now.now = START + 900
    assert store.get_sliding_window(FIVE.key_for("client"), HOUR) == (0, 0.0, 2, 2700.0 + HOUR)
    store.now.now = START + HOUR + 900
    assert store.get_sliding_window(FIVE.key_for("client"), HOUR) == (2, 2700.0, 0, 2700.0 + HOUR)
    assert limiter.test(FIVE, "client")
    store.now.now = START + 3 * HOUR
    assert store.get_sliding_window(FIVE.key_for("client"), HOUR)[::2] == (0, 0)
    limiter.clear(FIVE, "client")
    assert hits(limiter, 9) == 5


def test_fixed_windows_work_too(store):
    fixed = FixedWindowRateLimiter(store)
    assert [fixed.hit(FIVE, "client") for _ in range(6)] == [True] * 5 + [False]
    key = FIVE.key_for("client")
    assert (store.get(key), store.get_expiry(key)) == (6, START + HOUR)
    store.now.now = START + HOUR
    assert store.get(key) == 0
    assert fixed.hit(FIVE, "client")
    assert store.get_expiry("unknown") == store.now.now
    assert store.get("unknown") == 0


def test_all_can_be_forgotten(store, limiter):
    hits(limiter, 1, "a")
    hits(limiter, 1, "b")
    assert store.reset() == 2
    assert store.check()


def test_expired_rows_are_removed(file, store, limiter, monkeypatch):
    monkeypatch.setattr(limits_storage, "PRUNE_EVERY", 10)
    for number in range(9):
        hits(limiter, 1, f"old {number}")
    store.now.now = START + 3 * HOUR
    hits(limiter, 1, "new")
    with sqlite3.connect(file) as connection:
        assert connection.execute("select count(*) from windows").fetchone() == (1,)
    connection.close()


def test_a_torn_file_is_begun_afresh(file):
    file.write_bytes(b"this is not a database" * 1000)
    limiter = SlidingWindowCounterRateLimiter(SQLiteStorage(f"sqlite:///{file}"))
    assert hits(limiter, 9) == 5


def test_a_file_that_cannot_be_opened_is_an_error_of_the_store(file):
    file.mkdir()
    store = SQLiteStorage(f"sqlite:///{file}")
    assert not store.check()
    with pytest.raises(store.base_exceptions):
        SlidingWindowCounterRateLimiter(store).hit(FIVE, "client")


def test_the_scheme_finds_the_storage(file):
    found = storage_from_string(f"sqlite:///{file}")
    assert isinstance(found, SQLiteStorage)
    assert found.path == Path(file)
    for uri in (None, "", "sqlite://", "sqlite:///"):
        with pytest.raises(ValueError, match="needs a file"):
            SQLiteStorage(uri)


def test_only_the_owner_may_read_the_file(store, limiter):
    hits(limiter, 1)
    assert store.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:DB8:1:2::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("nonsense", "", True),
        ("nonsense", "192.0.2.1", False),
        ("192.0.2.01", "192.0.2.1", False),
    ],
)
def test_a_client_is_an_address_or_its_network(one, other, same):
    secret = "s" * 40
    assert (limits_storage._hashed(one, secret) == limits_storage._hashed(other, secret)) is same


def test_an_address_is_kept_only_as_a_hash_under_the_secret():
    one, other = (limits_storage._hashed("192.0.2.1", secret) for secret in ("a" * 40, "b" * 40))
    assert one != other
    assert "192" not in one
    assert len(one) == 32


def test_the_secret_of_the_settings_is_used(app):
    with app.app_context():
        assert client_key("192.0.2.1") == limits_storage._hashed("192.0.2.1", app.config["SECRET_KEY"])
