"""Live events: what happens in the inbox, told to every open page as server-sent events (WHATWG HTML, 9.2).

One thread of each process looks for what is new, as long as anybody listens; streams wait in memory and hold
neither a connection nor a transaction. On SQLite it looks five times a second whether anything was committed;
on PostgreSQL it asks twice a second; with Redis, processes that have committed something wake the others.

A stream is named by moments, not by keys: `Last-Event-ID` is the moment of the last thing told, and a stream
that resumes is told again what lies up to `OVERLAP` before it. So it misses nothing when clocks differ a
little, and whoever listens takes a repetition without harm.
"""

import json
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast

import redis
from flask import Flask, current_app
from redis.client import PubSub
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from app.clock import rfc3339, utc_now
from app.config import Settings
from app.database.commits import Commits
from app.database.engine import WRITE_OPTION, sqlite
from app.database.tracking.scope import origin
from app.errors import ClientError

log = logging.getLogger("earmark.live")

EXTENSION = "earmark_live"
CHANNEL = "earmark:committed"
HEARTBEAT_SECONDS = 10.0
LIFETIME_SECONDS = 55.0
# A browser waits so long before it connects again.
RETRY_MS = 1_000
LOOK_SECONDS = {"sqlite": 0.2, "postgresql": 0.5}
# With Redis a commit wakes the others; this is for a message that was lost.
REDIS_LOOK_SECONDS = 2.0
# Commits in quick succession are one message; SQLAlchemy tells of a commit just before it is made.
PUBLISH_SECONDS = 0.05
# The thread ends when nobody has listened for this long.
IDLE_SECONDS = 10.0
OVERLAP = timedelta(seconds=5)
REMEMBERED = 1_000
MOST_OF_ONE_USER = 12


class Happening(Protocol):
    """What is told: its event name, its moment, and what it says."""

    kind: Any
    at: datetime
    submission: str | None
    details: dict[str, Any]


class Follower(Protocol):
    """Reads what is new since it last read."""

    def read(self, connection: Connection, now: datetime) -> Sequence[Any]:
        """Return what is new."""


class Live:
    """The streams of one process and the thread that feeds them."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        follow: Callable[[Connection], Follower],
        *,
        most: int,
        redis_url: str | None = None,
        lifetime_seconds: float = LIFETIME_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        """`most` is how many streams this process serves at once: each holds one of its threads."""
        self.lifetime_seconds = lifetime_seconds
        self.heartbeat_seconds = heartbeat_seconds
        self._engine = engine
        self._follow = follow
        self._most = most
        self._redis_url = redis_url
        self._news = threading.Condition()
        self._told: deque[tuple[int, Happening]] = deque(maxlen=REMEMBERED)
        self._count = 0
        self._streams: dict[Stream, float] = {}
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._stopped = threading.Event()

    @property
    def closing(self) -> bool:
        """Whether every stream is to end."""
        return self._stopped.is_set()

    def open(self, role: str, user: str, last_event_id: str = "") -> "Stream":
        """Begin a stream for somebody; `last_event_id` is where an earlier one ended.

        Where the user has `MOST_OF_ONE_USER`, the oldest of them ends: most likely its page was left, which
        is only noticed at the next beats. Raises ClientError `too_many_streams` (503) when all are taken.
        """
        since = _moment(last_event_id)
        with self._news:
            self._forget_old()
            own = [stream for stream in self._streams if stream.user == user]
            if len(own) >= MOST_OF_ONE_USER:
                self._streams.pop(own[0])
                self._news.notify_all()
            if self.closing or len(self._streams) >= self._most:
                raise ClientError(
                    503,
                    "too_many_streams",
                    "Too many pages listen at once. Ask now and then instead.",
                    retry_after=30,
                )
            stream = Stream(self, role, user, since)
            self._streams[stream] = time.monotonic() + self.lifetime_seconds + self.heartbeat_seconds
            self._ensure_thread()
        return stream

    def counts(self) -> dict[str, int]:
        """Return how many streams are open in this process, by role."""
        with self._news:
            self._forget_old()
            return dict(Counter(stream.role for stream in self._streams))

    def close(self) -> None:
        """End every stream and the thread, as when the process is about to stop."""
        thread = self._thread
        self._stopped.set()
        with self._news:
            self._news.notify_all()
        if thread is not None:
            thread.join(REDIS_LOOK_SECONDS + 1)

    def leave(self, stream: "Stream") -> None:
        """Forget a stream that has ended."""
        with self._news:
            self._streams.pop(stream, None)

    def position(self, since: datetime | None) -> int:
        """Return the number of the last thing that a stream was told; waits for the thread's first look."""
        self._ready.wait(self.heartbeat_seconds)
        with self._news:
            if since is None:
                return self._count
            missed = [number for number, what in self._told if what.at > since - OVERLAP]
            return min(missed, default=self._count + 1) - 1

    def next(self, stream: "Stream", after: int, seconds: float) -> list[tuple[int, Happening]]:
        """Wait for what comes after a number, at most so long, or until the stream has ended."""
        with self._news:
            self._news.wait_for(lambda: self._count > after or self.has_ended(stream), seconds)
            return [(number, what) for number, what in self._told if number > after]

    def has_ended(self, stream: "Stream") -> bool:
        """Tell whether a stream is to end: all are, or another has taken its place."""
        return self.closing or stream not in self._streams

    def _forget_old(self) -> None:
        # A stream whose reader went away is closed by the server; this is for one that it forgot.
        now = time.monotonic()
        self._streams = {stream: end for stream, end in self._streams.items() if end > now}

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._ready.clear()
            self._told.clear()
            self._thread = threading.Thread(target=self._run, name="live", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        wake = _Wake(self._redis_url, self._stopped)
        commits: Commits | None = None
        follower: Follower | None = None
        listened = time.monotonic()
        try:
            while not self._idle(listened):
                if self._streams:
                    listened = time.monotonic()
                try:
                    commits = commits or Commits(self._engine())
                    if commits.happened():
                        follower = self._look(follower)
                except (SQLAlchemyError, sqlite.Error) as error:
                    log.warning("the database did not say what is new", exc_info=error)
                wake.wait(LOOK_SECONDS[self._engine().dialect.name])
        finally:
            wake.close()
            if commits:
                commits.close()

    def _idle(self, listened: float) -> bool:
        with self._news:
            idle = self.closing or (not self._streams and time.monotonic() - listened > IDLE_SECONDS)
            if idle:
                self._thread = None  # under the lock: whoever opens a stream now starts another
            return idle

    def _look(self, follower: Follower | None) -> Follower:
        with origin("live events"), self._engine().connect() as connection:
            follower = follower or self._follow(connection)
            found = follower.read(connection, utc_now())
        with self._news:
            for what in found:
                self._count += 1
                self._told.append((self._count, what))
            self._news.notify_all()
        self._ready.set()
        return follower


class Stream:
    """The body of one answer: an iterator of bytes that a server closes when its reader is gone."""

    def __init__(self, live: Live, role: str, user: str, since: datetime | None) -> None:
        self.role = role
        self.user = user
        self._live = live
        self._since = since
        self._parts = self._told()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except StopIteration:
            self.close()
            raise

    def close(self) -> None:
        """End the stream."""
        self._live.leave(self)

    def _told(self) -> Iterator[bytes]:
        live, end = self._live, time.monotonic() + self._live.lifetime_seconds
        place = live.position(self._since)
        last = self._since or datetime.min.replace(tzinfo=UTC)
        yield f"retry: {RETRY_MS}\n: listening\n\n".encode()
        while not live.has_ended(self) and (left := end - time.monotonic()) > 0:
            found = live.next(self, place, min(left, live.heartbeat_seconds))
            lines = []
            for number, what in found:
                place, last = number, max(last, what.at)
                lines.append(_message(what, last))
            yield "".join(lines).encode() or b": beat\n\n"


def _message(what: Happening, last: datetime) -> str:
    """Write one event; JSON has no line ends, so it is one `data` line."""
    data = {"id": what.submission, **what.details}
    return f"id: {rfc3339(last)}\nevent: {what.kind}\ndata: {json.dumps(data)}\n\n"


def _moment(text: str) -> datetime | None:
    """Read a `Last-Event-ID`; one that is none begins afresh."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


class _Wake:
    """Waits until it is time to look: by the clock, or with Redis when somebody has committed."""

    def __init__(self, url: str | None, stopped: threading.Event) -> None:
        self._url = url
        self._stopped = stopped
        self._messages: PubSub | None = None

    def wait(self, seconds: float) -> None:
        if self._url is None:
            self._stopped.wait(seconds)
            return
        try:
            self._listen().get_message(ignore_subscribe_messages=True, timeout=REDIS_LOOK_SECONDS)
        except redis.RedisError as error:
            log.warning("Redis did not say what is new", exc_info=error)
            self.close()
            self._stopped.wait(seconds)

    def _listen(self) -> PubSub:
        if self._messages is None:
            self._messages = redis.Redis.from_url(self._url or "").pubsub()  # type: ignore[no-untyped-call]
            self._messages.subscribe(CHANNEL)
        return self._messages

    def close(self) -> None:
        if self._messages is not None:
            self._messages.close()
            self._messages = None


class _Publisher:
    """Tells the other processes by Redis that something was committed; never on a request's time."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url)
        self._committed = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, connection: Connection) -> None:
        """Take in a commit."""
        if connection.get_execution_options().get(WRITE_OPTION):
            self._committed.set()
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="live-publish", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while self._committed.wait():
            time.sleep(PUBLISH_SECONDS)
            self._committed.clear()
            try:
                self._redis.publish(CHANNEL, b"")
            except redis.RedisError as error:
                log.warning("Redis was not told of a commit", exc_info=error)


def init_app(
    app: Flask, settings: Settings, engine: Callable[[], Engine], follow: Callable[[Connection], Follower]
) -> Live:
    """Give the application its streams: at most half as many as the process has threads."""
    live = Live(engine, follow, most=max(1, settings.threads // 2), redis_url=settings.redis_url)
    app.extensions[EXTENSION] = live
    if settings.redis_url:
        publisher = _Publisher(settings.redis_url)
        event.listen(engine(), "commit", publisher.note)
    return live


def current_live() -> Live:
    """Return the streams of the application at work."""
    return cast(Live, current_app.extensions[EXTENSION])
