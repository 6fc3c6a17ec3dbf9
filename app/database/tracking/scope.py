"""Who issues statements: the request, command, job or thread at work, and how long its reads may take."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Scope:
    """Who issues statements now (a request, a command, a job), and how many it has issued so far.

    `budget_seconds` is how long one read may take; 0 is no limit. `counts` is the collector's.
    """

    origin: str
    request_id: str | None = None
    budget_seconds: float = 0.0
    statements: int = 0
    database_seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)


IGNORED = Scope("")
_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)
current_scope = _scope.get  # the scope of the request, command or job at work; called at each statement


def thread_scope() -> Scope:
    """Make the scope of a statement that belongs to no request, command or job."""
    return Scope(f"thread {threading.current_thread().name}")


def enter(scope: Scope) -> None:
    """Begin a scope on this thread, until `leave`."""
    _scope.set(scope)


def leave() -> None:
    """End the scope of this thread."""
    _scope.set(None)


@contextmanager
def origin(name: str, request_id: str | None = None, budget_seconds: float = 0.0) -> Iterator[Scope]:
    """Name who issues the statements of the body, such as `command retention run`."""
    scope = Scope(name, request_id, budget_seconds)
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


@contextmanager
def ignored() -> Iterator[None]:
    """Leave the statements of the body out; they have no time budget either."""
    token = _scope.set(IGNORED)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def time_budget(seconds: float) -> Iterator[None]:
    """Give the reads of the body another time budget, such as an export's; 0 is no limit."""
    scope = _scope.get()
    if scope is None:
        yield
        return
    before, scope.budget_seconds = scope.budget_seconds, seconds
    try:
        yield
    finally:
        scope.budget_seconds = before
