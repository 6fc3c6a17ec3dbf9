import pytest

from app import jobs
from app.extensions import db


@pytest.fixture
def ran(monkeypatch):
    """Register a job and an entry of the timetable for one test."""
    calls = []

    def remember(number, word):
        calls.append((number, word, db.engine.dialect.name))

    def regularly():
        calls.append("regularly")

    monkeypatch.setitem(jobs._tasks, "remember", remember)
    monkeypatch.setitem(jobs._timetable, "regularly", (regularly, "*/5"))
    return calls, remember


@pytest.fixture(params=["file", "redis"])
def job_app(request, make_app, ran):
    if request.param == "file":
        return make_app()
    url = request.getfixturevalue("redis_url")
    return make_app(redis_url=url)


def test_a_job_runs_in_the_application_with_its_arguments(job_app, ran):
    calls, remember = ran
    with job_app.app_context():
        jobs.enqueue(remember, 7, "x")
        name = db.engine.dialect.name
    queue = jobs.queue_of(job_app)
    queue.execute(queue.dequeue())
    assert calls == [(7, "x", name)]


def test_the_timetable_runs_in_the_application(job_app, ran):
    calls, _ = ran
    queue = jobs.queue_of(job_app)
    periodic = {task.name: task for task in queue._registry.periodic_tasks}
    queue.execute(periodic["regularly"])
    assert calls == ["regularly"]
