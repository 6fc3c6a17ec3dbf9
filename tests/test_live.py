"""Live events: told to every stream of every process, in order, resumed without loss, bounded and ended."""

import json
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.live import EXTENSION, MOST_OF_ONE_USER, Live
from app.models import Feedback, Project, daily_count, event
from app.models.happening import MOST_AT_ONCE, Follower

DEADLINE_SECONDS = 30


@pytest.fixture
def make_live(app) -> Iterator[Callable[..., Live]]:
    """Make the streams of a process of its own, with short times."""
    made: list[Live] = []

    def engine() -> Any:
        with app.app_context():
            return db.engine

    def make(**options: Any) -> Live:
        given = {"most": 8, "lifetime_seconds": DEADLINE_SECONDS, "heartbeat_seconds": 0.5} | options
        made.append(Live(engine, Follower, **given))
        return made[-1]

    yield make
    for live in made:
        live.close()


@pytest.fixture
def add(app, project) -> Callable[..., str]:
    """Add a submission; returns its public id."""

    def add_one(count: int = 1) -> str:
        with app.app_context(), transaction() as session:
            for _ in range(count):
                made = Feedback(project_id=project.id, category="bug", description="It is broken")
                session.add(made)
                session.flush()
                daily_count.add(session.connection(), [daily_count.delta(made, 1)])
            return made.public_id

    return add_one


def close(app, public_id: str) -> None:
    with app.app_context(), transaction() as session:
        found = Feedback.by_public_id(session, public_id)
        found.change(session, utc_now(), actor="Ana", status="closed")


def events(stream: Any) -> Iterator[dict[str, Any]]:
    """Read the events of a stream as a browser does."""
    lines = chain.from_iterable(part.decode().split("\n") for part in stream)
    told: dict[str, Any] = {}
    deadline = time.monotonic() + DEADLINE_SECONDS
    for line in lines:
        assert time.monotonic() < deadline
        name, _, value = line.partition(": ")
        if name:
            told[name] = value
        elif "data" in told:
            yield {"event": told["event"], "last": told["id"], **json.loads(told["data"])}
            told = {}


def begun(stream: Any) -> Any:
    """Read the first part, after which the stream has its place."""
    assert next(stream).startswith(b"retry: ")
    return stream


def test_each_process_tells_what_happens_in_any(app, make_live, add):
    streams = [begun(make_live().open("agent", "a")), begun(make_live().open("viewer", "b"))]
    public_id = add()
    close(app, public_id)
    for stream in streams:
        told = events(stream)
        first, second = next(told), next(told)
        assert (first["event"], first["id"]) == ("submission", public_id)
        assert first["status"] in ("open", "closed")  # as it is when it is told
        assert (second["event"], second["id"], second["by"]) == ("update", public_id, "Ana")
        assert (second["what"], second["version"]) == ("status", 2)
        assert first["last"] <= second["last"]


def test_replies_and_notes_are_messages(app, make_live, add):
    public_id = add()
    stream = begun(make_live().open("agent", "a"))
    with app.app_context(), transaction() as session:
        found = session.scalar(select(Feedback.id).where(Feedback.public_id == public_id))
        event.add(session, found, "reply", actor="Ana")
    assert next(events(stream))["event"] == "message"


def test_a_stream_begins_with_what_comes_and_one_that_resumes_with_what_it_missed(app, make_live, add):
    live, old = make_live(), add()
    first = begun(live.open("agent", "a"))
    add()
    last = next(events(first))["last"]
    missed = add()
    told = events(begun(live.open("agent", "a", last)))
    ids = [next(told)["id"]]
    while ids[-1] != missed:
        ids.append(next(told)["id"])
    assert old not in ids or ids.index(old) < ids.index(missed)
    fresh = begun(live.open("agent", "a"))
    newest = add()
    assert next(events(fresh))["id"] == newest


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_burst_is_told_as_one(make_live, add):
    stream = begun(make_live().open("agent", "a"))
    add(MOST_AT_ONCE + 1)
    told = next(events(stream))
    assert (told["event"], told["id"]) == ("submission", None)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_lower_id_that_is_committed_later_is_told_as_well(app, make_live, add, project):
    stream = begun(make_live().open("agent", "a"))
    with app.app_context():
        engine = db.engine
        with engine.begin() as late:
            values = {"project_id": project.id, "category": "bug", "description": "late"}
            columns = {c.key for c in Feedback.__table__.columns}
            made = Feedback(**values)
            row = {k: getattr(made, k) for k in columns - {"id"} if getattr(made, k, None) is not None}
            late.execute(Feedback.__table__.insert().values(**row))
            told, higher = events(stream), add()
            assert next(told)["id"] == higher
        assert next(told)["id"] == made.public_id


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_streams_beat_and_end_by_themselves(make_live):
    stream = make_live(lifetime_seconds=0.6, heartbeat_seconds=0.1).open("agent", "a")
    parts = list(stream)
    assert b": beat\n\n" in parts[1:]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_streams_are_counted_by_role_and_capped(make_live):
    live = make_live(most=3)
    streams = [live.open(role, role) for role in ("agent", "agent", "viewer")]
    assert live.counts() == {"agent": 2, "viewer": 1}
    with pytest.raises(ClientError) as refused:
        live.open("admin", "x")
    assert (refused.value.status, refused.value.code) == (503, "too_many_streams")
    assert refused.value.headers["Retry-After"]
    streams[0].close()
    live.open("admin", "x")
    own = make_live(most=100)
    other = own.open("agent", "other")
    mine = [own.open("agent", "me") for _ in range(MOST_OF_ONE_USER + 1)]
    assert own.counts() == {"agent": MOST_OF_ONE_USER + 1}
    assert len(list(mine[0])) <= 1  # it has ended, and the others have not
    assert not any(own.has_ended(stream) for stream in (other, *mine[1:]))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_closing_ends_every_stream_at_once(make_live):
    live = make_live(heartbeat_seconds=20)
    stream = begun(live.open("agent", "a"))
    live.close()
    started = time.monotonic()
    assert list(stream) in ([], [b": beat\n\n"])
    assert time.monotonic() - started < DEADLINE_SECONDS


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_idle_stream_holds_no_connection_of_the_pool(app, make_live):
    stream = begun(make_live().open("agent", "a"))
    next(stream)
    with app.app_context():
        assert db.engine.pool.checkedout() <= 1  # the look that may be at work this instant


def test_with_redis_a_commit_of_one_process_wakes_the_others(make_app, redis_url):
    one, other = make_app(redis_url=redis_url), make_app(redis_url=redis_url)
    stream = begun(one.extensions[EXTENSION].open("agent", "a"))
    with other.app_context():
        with transaction() as session:
            session.add(Project(name="Elsewhere"))
        with transaction() as session:
            project = session.scalar(select(Project.id).where(Project.name == "Elsewhere"))
            made = Feedback(project_id=project, category="bug", description="x")
            session.add(made)
            session.flush()
            daily_count.add(session.connection(), [daily_count.delta(made, 1)])
            public_id = made.public_id
    assert next(events(stream))["id"] == public_id


def test_the_api_streams_and_counts(client, bearer, app):
    headers = bearer("viewer")
    answer = client.get("/admin/api/events", headers=headers)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Cache-Control"] == "no-store"
    assert next(answer.iter_encoded()).startswith(b"retry: 1000\n")
    assert client.get("/admin/api/live", headers=headers).json["data"] == {
        "viewer": 1,
        "agent": 0,
        "admin": 0,
        "total": 1,
    }
    answer.close()
    assert client.get("/admin/api/live", headers=headers).json["data"]["total"] == 0


@pytest.mark.parametrize("given", ["", "soon", "2026-11-01T00:00:00", "9" * 500])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_last_event_id_that_is_none_begins_afresh(client, bearer, given):
    answer = client.get("/admin/api/events", headers={**bearer("viewer"), "Last-Event-ID": given})
    assert answer.status_code == 200
    answer.close()
