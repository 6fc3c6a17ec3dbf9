"""Rate limits that are exact over all threads and processes, and survive a restart, without a server.

Owns `SQLiteStorage` for the `limits` library (scheme `sqlite`, a file of its own) and the key under which
a client is counted. `memory://` counts per process: 4 processes let 400 through where 100 were allowed.
An address is never stored, only its keyed hash.
"""

import hashlib
import ipaddress
import os
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, cast

from flask import Flask, current_app, request
from limits.storage import SlidingWindowCounterSupport, Storage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from app.config import Settings, current_settings
from app.database.engine import sqlite
from app.database.turn import Turn, TurnTimeout

EXTENSION = "earmark_limits"
# Longer than a checkpoint takes; a limits file that is stuck must not hold a request for long.
TURN_TIMEOUT_SECONDS = 2.0
# Expired rows are removed with every so many hits, a few at a time, so that no hit pays for all.
PRUNE_EVERY = 256
PRUNE_AT_ONCE = 1000
# A hit rewrites one page; 4,000 pages are 16 MB and keep the checkpoint out of the way.
WAL_AUTOCHECKPOINT_PAGES = 4000

SCHEMA = """
create table if not exists windows (
    key text not null primary key,
    slot integer not null,
    current integer not null,
    previous integer not null,
    expires_at integer not null
) strict, without rowid;
create index if not exists ix_windows_expires_at on windows (expires_at);
"""

# Carries a row over into slot :slot, then counts if the weight allows it. Weights are rounded up, where
# `limits` rounds down and so lets one more through right after a slot's end. A slot more than one ahead
# comes from a clock that was set back, and starts afresh. Without a row returned, nothing was counted.
ACQUIRE = """
insert into windows (key, slot, current, previous, expires_at)
values (:key, :slot, max(:amount, 0), 0, :expires_at)
on conflict (key) do update set
    previous = case slot when :slot then previous when :slot - 1 then current else 0 end,
    current = max(case slot when :slot then current else 0 end + :amount, 0),
    slot = :slot,
    expires_at = :expires_at
where :amount < 0 or :amount <= :limit - case slot
    when :slot then current + (previous * :remaining_ms + :expiry_ms - 1) / :expiry_ms
    when :slot - 1 then (current * :remaining_ms + :expiry_ms - 1) / :expiry_ms
    else 0 end
returning current
"""

INCREMENT = """
insert into windows (key, slot, current, previous, expires_at) values (:key, 0, :amount, 0, :expires_at)
on conflict (key) do update set
    current = case when expires_at > :now then current else 0 end + :amount,
    expires_at = case when expires_at > :now then expires_at else :expires_at end
returning current
"""

PRUNE = """
delete from windows where key in (select key from windows where expires_at <= :now limit :most)
"""

FORGET = PRUNE + "returning key"


def init_app(app: Flask, settings: Settings) -> None:
    """Open the limits store that the settings name: Redis, or a file of the instance folder."""
    # The SQLite storage below has registered itself under its scheme.
    uri = settings.redis_url or f"sqlite:///{settings.instance_path.resolve() / 'limits.sqlite3'}"
    app.extensions[EXTENSION] = SlidingWindowCounterRateLimiter(storage_from_string(uri))


def rate_limiter() -> SlidingWindowCounterRateLimiter:
    """Return what counts limits in the application at work."""
    return cast(SlidingWindowCounterRateLimiter, current_app.extensions[EXTENSION])


def request_key() -> str:
    """Return the key under which the client of the request at work is counted."""
    return client_key(request.remote_addr or "")


def client_key(address: str) -> str:
    """Return the keyed hash of a client: an IPv4 address, or the /64 of an IPv6 one.

    One household or host has a whole /64 to choose from (RFC 6177); an IPv4 address mapped into IPv6
    counts as itself. What is no address shares one key.
    """
    return _hashed(address, current_settings().secret_key)


@lru_cache(maxsize=4096)
def _hashed(address: str, secret: str) -> str:
    key = hashlib.sha256(b"client-key:" + secret.encode()).digest()
    return hashlib.blake2b(_counted_as(address).encode(), key=key, digest_size=16).hexdigest()


def _counted_as(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


class SQLiteStorage(Storage, SlidingWindowCounterSupport):
    """Counts in one SQLite file; processes and threads take turns, one statement a hit.

    `uri` is `sqlite:///FILE`. The file is never synced (21 µs a hit instead of 28): a killed process
    forgets nothing; after a power cut a torn file is begun afresh.
    """

    STORAGE_SCHEME: ClassVar[list[str] | None] = ["sqlite"]  # type: ignore[misc]

    def __init__(
        self, uri: str | None = None, wrap_exceptions: bool = False, **_options: float | str | bool
    ) -> None:
        super().__init__(uri, wrap_exceptions)
        file = (uri or "").removeprefix("sqlite://")
        if not file.strip("/"):
            raise ValueError("the limits storage needs a file: sqlite:///FILE")
        self.path = Path("/" + file.lstrip("/"))
        self.now: Callable[[], float] = time.time
        self._turn = Turn(self.path.with_name(self.path.name + "-turn"))
        self._connection: Any = None
        self._owner_pid = 0
        self._hits = 0

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What a store that is away raises."""
        return (sqlite.Error, TurnTimeout, OSError)

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` hits if the limit in `expiry` seconds allows it; a negative amount gives back."""
        if amount > limit:
            return False
        now_ms = int(self.now() * 1000)
        expiry_ms = expiry * 1000
        slot = now_ms // expiry_ms
        counted = self._write(
            ACQUIRE,
            {
                "key": key,
                "slot": slot,
                "amount": amount,
                "limit": limit,
                "remaining_ms": (slot + 1) * expiry_ms - now_ms,
                "expiry_ms": expiry_ms,
                "expires_at": (slot + 2) * expiry,
            },
        )
        return bool(counted)

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return count and seconds left of the previous and of the current slot."""
        now = self.now()
        slot = int(now * 1000) // (expiry * 1000)
        remaining = (slot + 1) * expiry - now
        found = self._read("select slot, current, previous from windows where key = ?", key)
        held, current, previous = found or (slot, 0, 0)
        if held == slot - 1:
            current, previous = 0, current
        elif held != slot:
            current, previous = 0, 0
        return previous, remaining if previous else 0.0, current, remaining + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:  # noqa: ARG002
        """Forget a key."""
        self.clear(key)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count in a fixed window of `expiry` seconds from the first hit, and return the count."""
        now = int(self.now())
        values = {"key": key, "amount": amount, "now": now, "expires_at": now + expiry}
        return int(self._write(INCREMENT, values)[0][0])

    def get(self, key: str) -> int:
        """Return the count of a fixed window."""
        query = "select case when expires_at > ? then current else 0 end from windows where key = ?"
        found = self._read(query, int(self.now()), key)
        return int(found[0]) if found else 0

    def get_expiry(self, key: str) -> float:
        """Return when a fixed window ends, in seconds since 1970."""
        found = self._read("select expires_at from windows where key = ?", key)
        return float(found[0]) if found else self.now()

    def check(self) -> bool:
        """Tell whether the file can be read."""
        try:
            self._read("select 1")
        except self.base_exceptions:
            return False
        return True

    def reset(self) -> int | None:
        """Forget every key, and return how many there were."""
        return len(self._write("delete from windows returning key", {}))

    def clear(self, key: str) -> None:
        """Forget a key."""
        self._write("delete from windows where key = :key", {"key": key})

    def ended(self, before: float) -> int:
        """Return how many counters ended before a moment (seconds since 1970)."""
        return int(self._read("select count(*) from windows where expires_at < ?", int(before))[0])

    def forget(self, before: float, most: int) -> int:
        """Forget at most so many counters that ended before a moment, and return how many there were."""
        return len(self._write(FORGET, {"now": int(before) - 1, "most": most}))

    def _write(self, statement: str, values: dict[str, Any]) -> Sequence[Any]:
        with self._turn.taken(TURN_TIMEOUT_SECONDS):
            connection = self._open()
            rows: Sequence[Any] = connection.execute(statement, values).fetchall()
            self._hits += 1
            if self._hits % PRUNE_EVERY == 0:
                now = int(self.now())
                connection.execute(PRUNE, {"now": now, "most": PRUNE_AT_ONCE})
            return rows

    def _read(self, statement: str, *values: Any) -> Any:
        with self._turn.taken(TURN_TIMEOUT_SECONDS):
            return self._open().execute(statement, values).fetchone()

    def _open(self) -> Any:
        # Only called with the turn held. A connection must not cross a fork.
        if self._connection is None or self._owner_pid != os.getpid():
            self._connection, self._owner_pid = self._connect(), os.getpid()
        return self._connection

    def _connect(self) -> Any:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connected(self.path)
        except sqlite.OperationalError:
            raise
        except sqlite.DatabaseError:
            # Not a database any more (a torn file after a power cut). Counts are worth less than intake.
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            return _connected(self.path)


def _connected(path: Path) -> Any:
    connection = sqlite.connect(str(path), isolation_level=None, check_same_thread=False)
    connection.execute("pragma busy_timeout = 1000")
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = off")
    connection.execute(f"pragma wal_autocheckpoint = {WAL_AUTOCHECKPOINT_PAGES}")
    connection.executescript(SCHEMA)
    path.chmod(0o600)
    return connection
