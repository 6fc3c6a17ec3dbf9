"""Which project a request speaks for, and which pages may speak for it.

Owns a cache of a few seconds per process, so that a submission costs no statement for its project, and the
comparison of origins: exact, by scheme, host and port. `endswith`, `startswith` and unescaped patterns let
6 to 11 of 19 hostile origins through.
"""

import logging
import re
import time
from dataclasses import dataclass, field
from itertools import chain
from typing import cast

from flask import Flask, current_app, g, request
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from app.clock import utc_now
from app.config import current_settings
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.models import Project
from app.models.project import IntakeProject, intake_project

log = logging.getLogger("earmark.intake")

EXTENSION = "earmark_intake_projects"
# What may be asked of the database: PostgreSQL refuses a NUL, which an address can carry as %00.
PUBLIC_KEY = re.compile(r"[\x21-\x7e]{1,64}")
CACHE_SECONDS = 2.0
MOST_CACHED = 1000
SEEN_EVERY_SECONDS = 3600
# What a page may send and read (Fetch, section 3.3). Credentials are never allowed.
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "600",
}
EXPOSED = "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-ID"


@dataclass
class Cache:
    """What one process remembers: projects by key, the origins of all of them, and tags seen."""

    projects: dict[str, tuple[float, IntakeProject]] = field(default_factory=dict)
    origins: frozenset[str] = frozenset({"null"})
    origins_until: float = 0.0
    tags_seen: dict[int, float] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget everything; the next request reads the database."""
        self.projects.clear()
        self.origins_until = 0.0
        self.tags_seen.clear()


def init_app(app: Flask) -> None:
    """Give the application its cache."""
    app.extensions[EXTENSION] = Cache()


def cache() -> Cache:
    """Return the cache of the application at work."""
    return cast(Cache, current_app.extensions[EXTENSION])


def find(public_key: str) -> IntakeProject:
    """Return the active project of a public key, at most 2 s old.

    Raises ClientError 404 `unknown_project`.
    """
    known = cache().projects
    now = time.monotonic()
    entry = known.get(public_key)
    if entry is not None and entry[0] > now:
        g.intake_project = entry[1]
        return entry[1]
    plausible = PUBLIC_KEY.fullmatch(public_key)
    project = intake_project(db.session(), public_key) if plausible else None
    db.session.rollback()  # the connection goes back before the submission waits for its turn to be written
    if project is None:
        known.pop(public_key, None)
        raise ClientError(404, "unknown_project", "There is no project with this key.")
    if len(known) >= MOST_CACHED:
        known.clear()
    known[public_key] = (now + CACHE_SECONDS, project)
    g.intake_project = project
    return project


def check_origin(project: IntakeProject) -> None:
    """Refuse a page that may not speak for the project (ClientError 403 `origin_not_allowed`).

    A request without an Origin comes from a server, not from a page, and is let in.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _allows(project.origins, origin):
        raise ClientError(403, "origin_not_allowed", "This project does not take submissions from this page.")


def cors_headers() -> dict[str, str]:
    """Return the headers that let the page at work read the answer; none for one that may not.

    Where no project is known (a preflight, a body that cannot be read), a page that any project allows may
    read the answer.
    """
    origin = request.headers.get("Origin")
    project: IntakeProject | None = g.get("intake_project")
    if origin is None:
        return {"Vary": "Origin"}
    if not _allows(_all_origins() if project is None else project.origins, origin):
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": EXPOSED,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Vary": "Origin",
    }


def note_tag_seen(project: IntakeProject) -> None:
    """Write, at most hourly, that a page with the project's tag was seen. A busy store is no matter."""
    seen = cache().tags_seen
    now = time.monotonic()
    if now < seen.get(project.id, 0.0):
        return
    seen[project.id] = now + SEEN_EVERY_SECONDS
    moment = utc_now()
    try:
        with transaction() as session:
            session.execute(update(Project).where(Project.id == project.id).values(tag_seen_at=moment))
    except DBAPIError:
        seen.pop(project.id, None)
        log.warning("could not note that the tag of project %s was seen", project.public_key)


def _allows(origins: frozenset[str], origin: str) -> bool:
    # Earmark's own pages (demo, plain form) may send for every project.
    return not origins or origin in origins or origin in _own_origins()


def _own_origins() -> tuple[str, str]:
    # The Host was checked against the trusted ones; a page elsewhere cannot choose it.
    return current_settings().public_url, request.host_url.rstrip("/")


def _all_origins() -> frozenset[str]:
    """Return every allowed origin of all active projects, at most 2 s old; empty if one allows any."""
    known = cache()
    now = time.monotonic()
    if known.origins_until > now:
        return known.origins
    try:
        lists = db.session.scalars(select(Project.origins).where(Project.is_active)).all()
        db.session.rollback()
    except DBAPIError:
        return known.origins  # this answer already says that the store is away
    known.origins = frozenset() if not all(lists) else frozenset(chain.from_iterable(lists))
    known.origins_until = now + CACHE_SECONDS
    return known.origins
