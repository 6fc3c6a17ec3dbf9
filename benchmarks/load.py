"""The load generator: HTTP/1.1 over kept connections, one thread, as little of the processor as possible.

It shares the machine with the server that it loads, so it does nothing but fill in a key, send, and look for
the end of the answer. An answer with another status than the expected one fails the run.
"""

import secrets
import select
import socket
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CONNECTIONS = 16
CHUNK_BYTES = 65_536
# Longer than any answer may take (docs/security.md: every request is answered within 15 s).
PATIENCE_SECONDS = 30.0


class LoadFailed(Exception):
    """The server refused, broke off or did not answer: the figures of such a run mean nothing."""


@dataclass(frozen=True)
class Call:
    """One HTTP request, cut where the key stands that makes each sending of it another one."""

    parts: tuple[bytes, ...]
    expected: int
    # An answer of a peer's that is no success, but part of how it behaves under load: counted apart.
    tolerated: int | None = None

    def filled(self, key: bytes) -> bytes:
        """Return the request's bytes with `key` (32 hex digits) in its places."""
        return key.join(self.parts)


@dataclass(frozen=True)
class Figures:
    """What a run gave: answers a second, and how long they took in milliseconds."""

    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    answers: int
    failed: int


def prepare(head: str, body: bytes, mark: bytes, expected: int, tolerated: int | None = None) -> Call:
    """Make a call from its head (request line and headers, no length) and its body.

    `mark` stands in the body wherever the key shall be, and is as long as the key: 32 bytes.
    """
    assert len(mark) == 32, "the key has 32 bytes, and so has what it replaces"
    lines = [*head.strip().splitlines(), f"Content-Length: {len(body)}", "", ""]
    return Call(tuple(("\r\n".join(lines).encode() + body).split(mark)), expected, tolerated)


def run(
    port: int,
    call: Call,
    seconds: float,
    *,
    connections: int = CONNECTIONS,
    rate: float | None = None,
    warm_up_seconds: float = 1.0,
) -> Figures:
    """Send `call` to a port of this machine for `seconds` and return the figures after the warm-up.

    Without `rate` each connection sends again as soon as it was answered. With `rate`, that many are due each
    second, and an answer's time counts from when its request was due, so that waiting is not left out.
    Raises LoadFailed for any answer that was neither expected nor tolerated.
    """
    with _Load(port, call, connections, rate) as load:
        load.send_for(warm_up_seconds + seconds)
    return load.figures(warm_up_seconds, seconds)


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    received: bytes = b""
    due: float = 0.0


class _Load:
    def __init__(self, port: int, call: Call, connections: int, rate: float | None) -> None:
        self._port = port
        self._call = call
        self._rate = rate
        self._prefix = secrets.token_hex(8)
        self._sent = 0
        self._poll = select.epoll()
        self._open = dict(self._connect() for _ in range(connections))
        self._idle = list(self._open.values())
        self._began = time.perf_counter()
        self._taken: list[tuple[float, float]] = []
        self._failed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for connection in self._open.values():
            connection.socket.close()
        self._poll.close()

    def send_for(self, seconds: float) -> None:
        """Send until the time is over, then wait for the last answers."""
        end = self._began + seconds
        while True:
            now = time.perf_counter()
            if now < end:
                self._send_what_is_due(now)
            elif len(self._idle) == len(self._open):
                return
            events = self._poll.poll(self._wait_seconds(now, end))
            if not events and time.perf_counter() > end + PATIENCE_SECONDS:
                raise LoadFailed(f"no answer within {PATIENCE_SECONDS:.0f} s")
            for descriptor, event in events:
                self._serve(self._open[descriptor], event)

    def figures(self, warm_up_seconds: float, seconds: float) -> Figures:
        """Return the figures of what was due after the warm-up."""
        begin = self._began + warm_up_seconds
        taken = sorted(took for due, took in self._taken if due >= begin)
        if not taken:
            raise LoadFailed("no answer after the warm-up")
        last = max(due + took for due, took in self._taken)
        return Figures(
            rate=len(taken) / max(seconds, last - begin),
            p50_ms=_percentile(taken, 0.50) * 1000,
            p95_ms=_percentile(taken, 0.95) * 1000,
            p99_ms=_percentile(taken, 0.99) * 1000,
            answers=len(taken),
            failed=self._failed,
        )

    def _connect(self) -> tuple[int, _Connection]:
        opened = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setblocking(False)
        self._poll.register(opened, select.EPOLLIN)
        return opened.fileno(), _Connection(opened)

    def _wait_seconds(self, now: float, end: float) -> float:
        if self._rate is None or not self._idle or now >= end:
            return 1.0
        return max(0.0, self._began + self._sent / self._rate - now)

    def _send_what_is_due(self, now: float) -> None:
        while self._idle:
            due = now if self._rate is None else self._began + self._sent / self._rate
            if due > now:
                return
            connection = self._idle.pop()
            connection.due = due
            key = b"%s%016x" % (self._prefix.encode(), self._sent)
            self._sent += 1
            connection.unsent = memoryview(self._call.filled(key))
            self._write(connection)

    def _write(self, connection: _Connection) -> None:
        try:
            count = connection.socket.send(connection.unsent)
        except BlockingIOError:
            count = 0
        connection.unsent = connection.unsent[count:]
        if connection.unsent:
            self._poll.modify(connection.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _serve(self, connection: _Connection, event: int) -> None:
        if event & select.EPOLLOUT:
            self._poll.modify(connection.socket.fileno(), select.EPOLLIN)
            self._write(connection)
        if event & ~select.EPOLLOUT:
            self._read(connection)

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(CHUNK_BYTES)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        received = connection.received + data if connection.received else data
        if data and not _is_whole(received):
            connection.received = received
            return
        connection.received = b""
        self._note(connection, received)
        if not data or _closes(received):
            self._replace(connection)
        else:
            self._idle.append(connection)

    def _note(self, connection: _Connection, answer: bytes) -> None:
        status = int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0
        if status == self._call.tolerated:
            self._failed += 1
            return
        if status != self._call.expected:
            shown = answer[:600].decode("utf-8", "replace") or "the connection was closed without an answer"
            raise LoadFailed(f"expected {self._call.expected}, got {status}:\n{shown}")
        self._taken.append((connection.due, time.perf_counter() - connection.due))

    def _replace(self, connection: _Connection) -> None:
        # A server that closes after each answer makes its clients connect again; that is part of its cost.
        del self._open[connection.socket.fileno()]
        self._poll.unregister(connection.socket)
        connection.socket.close()
        descriptor, fresh = self._connect()
        self._open[descriptor] = fresh
        self._idle.append(fresh)


def _is_whole(answer: bytes) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = answer[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        return len(answer) >= end + 4 + int(head[at + 17 :].split(b"\r", 1)[0])
    if b"\r\ntransfer-encoding: chunked" in head:
        return answer.endswith(b"\r\n0\r\n\r\n")
    return False  # ends with the connection


def _closes(answer: bytes) -> bool:
    return b"\r\nconnection: close" in answer[: answer.find(b"\r\n\r\n")].lower()


def _percentile(ordered: list[float], share: float) -> float:
    """Return the nearest-rank percentile (ISO 3534-1 sample quantile) of an ordered list."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
