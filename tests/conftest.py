"""Fixtures: a fresh, migrated database for each test, on SQLite and on PostgreSQL, and an application on it.

Real parts only. What a machine lacks is skipped with the reason; with NO_SKIPS set, as CI does, that is a
failure.
"""

import gc
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import make_url, select

from app import create_app
from app.blueprints.operations.migrations import migrate_to_head
from app.config import Settings
from app.database.tracking.scope import Scope, origin
from app.database.transactions import transaction
from app.extensions import db
from app.models import ApiToken, Project, User
from app.static_files import build_id


def _worker() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


POSTGRESQL_URL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
# A database of its own a test process, so that what else is kept in that Redis stays.
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379") + f"/{10 + _worker()}"
PASSWORD = "correct horse battery"
HERE = Path(__file__).parent
DATABASES = ("sqlite", "postgresql")
# An application is 100,000 objects that live as long as its test. Looking through them every 700 new ones, as
# Python does by itself, was an eighth of the processor time.
gc.set_threshold(50_000, 20, 10)
# What a test of a server or a browser may take on a machine that is busy; most take seconds.
LIVE_SECONDS = 600


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """With NO_SKIPS, a skipped test is a failed one."""
    if os.environ.get("NO_SKIPS") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a test of whole servers or a browser a second try, shown as RERUN, and time."""
    for item in items:
        if item.path.relative_to(HERE).parts[0] in ("browser", "faults", "operations"):
            item.add_marker(pytest.mark.flaky(reruns=1))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LIVE_SECONDS))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a first try failed: it is a fault to look into."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.section(f"first try of {report.nodeid}")
        terminalreporter.line(report.longreprtext)


@pytest.fixture(scope="session")
def base_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a test: generous limits, no disk floor; tests that need others replace them."""
    return Settings(
        instance_path=tmp_path_factory.mktemp("instance"),
        secret_key="test-secret-" + "x" * 32,
        intake_rate_limit="100000 per hour",
        flood_rate_limit="100000 per minute",
        min_free_disk_mb=0,
        log_level="ERROR",
        base_url="http://localhost",
    )


def _dispose(app: Flask) -> None:
    app.extensions["earmark_intake"].close()
    app.extensions["earmark_live"].close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(base_settings: Settings) -> Path:
    """A migrated, empty SQLite database to copy."""
    folder = base_settings.instance_path / "template"
    app = create_app(replace(base_settings, instance_path=folder))
    with app.app_context():
        migrate_to_head()
    _dispose(app)
    return folder


def _publish_once(published: Path, folder: Path) -> None:
    """Have the static files in `folder`: compressing them takes seconds, and a build never changes."""
    folder.mkdir(parents=True)
    (folder / build_id()).symlink_to(published / build_id())


def _postgresql() -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(POSTGRESQL_URL, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL at TEST_POSTGRESQL_URL: {error}")


def _url_of(name: str) -> str:
    url = make_url(POSTGRESQL_URL).set(database=name)
    return url.render_as_string(hide_password=False)


def _create(name: str, template: str | None = None) -> None:
    statement = sql.SQL("create database {}").format(sql.Identifier(name))
    if template:
        statement += sql.SQL(" template {}").format(sql.Identifier(template))
    with _postgresql() as connection:
        connection.execute(statement)


def _drop(name: str) -> None:
    with _postgresql() as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def let_go() -> Iterator[Callable[[str], object]]:
    """Drop a database while the next test runs: each drop waits for a checkpoint, a second on a busy disk."""
    with ThreadPoolExecutor(1) as drops:
        asked = []
        yield lambda name: asked.append(drops.submit(_drop, name))
    for one in asked:
        one.result()


@pytest.fixture(scope="session")
def postgresql_template(base_settings: Settings, sqlite_template: Path) -> Iterator[str]:
    """A migrated, empty PostgreSQL database to copy."""
    name = f"earmark_test_{secrets.token_hex(6)}"
    _create(name)
    folder = base_settings.instance_path / "template-postgresql"
    _publish_once(sqlite_template / "static", folder / "static")
    app = create_app(replace(base_settings, instance_path=folder, database_url=_url_of(name)))
    with app.app_context():
        migrate_to_head()
    _dispose(app)
    yield name
    _drop(name)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on; each test that touches data runs on both."""
    return str(request.param)


@pytest.fixture
def settings(
    database: str,
    base_settings: Settings,
    tmp_path: Path,
    let_go: Callable[[str], object],
    request: pytest.FixtureRequest,
) -> Iterator[Settings]:
    """Settings of a fresh instance on a fresh, migrated database."""
    instance = tmp_path / "instance"
    template = request.getfixturevalue("sqlite_template")
    _publish_once(template / "static", instance / "static")
    if database == "sqlite":
        shutil.copy(template / "earmark.sqlite3", instance / "earmark.sqlite3")
        yield replace(base_settings, instance_path=instance)
        return
    name = f"earmark_test_{secrets.token_hex(6)}"
    _create(name, template=request.getfixturevalue("postgresql_template"))
    yield replace(base_settings, instance_path=instance, database_url=_url_of(name))
    let_go(name)


@pytest.fixture
def make_app(settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Make applications on the test's database, with some settings replaced."""
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        app = create_app(replace(settings, **changes))
        app.testing = True
        made.append(app)
        return app

    yield make
    for app in made:
        _dispose(app)


@pytest.fixture
def redis_url() -> Iterator[str]:
    """An empty Redis database of the test's own."""
    connection = redis.Redis.from_url(REDIS_URL)
    try:
        connection.ping()
    except redis.ConnectionError as error:
        pytest.skip(f"no Redis at TEST_REDIS_URL: {error}")
    connection.flushdb()
    yield REDIS_URL
    connection.flushdb()
    connection.close()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An application on a fresh, migrated database."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that nobody has signed in."""
    return app.test_client()


@pytest.fixture
def project(app: Flask) -> Project:
    """A project with default settings, detached."""
    with app.app_context():
        with transaction() as session:
            made = Project(name="Shop")
            session.add(made)
        return _detached(made)


def _detached(entity: Any) -> Any:
    db.session.refresh(entity)
    db.session.expunge(entity)
    db.session.rollback()
    return entity


@pytest.fixture
def make_user(app: Flask) -> Callable[..., User]:
    """Make users; the password is PASSWORD."""

    def make(role: str = "admin", email: str | None = None) -> User:
        with app.app_context():
            with transaction() as session:
                user = User(email=email or f"{role}@example.org", name=role.title(), role=role)
                user.set_password(session, PASSWORD)
                session.add(user)
            return _detached(user)

    return make


@pytest.fixture
def bearer(app: Flask, make_user: Callable[..., User]) -> Callable[..., dict[str, str]]:
    """Make request headers with a token of a role."""

    def make(role: str = "admin") -> dict[str, str]:
        email = f"token-{role}@example.org"
        with app.app_context():
            known = db.session.scalar(select(User).where(User.email == email))
            known = known and _detached(known)
        user = known or make_user(role, email)
        with app.app_context(), transaction() as session:
            _, secret = ApiToken.create(session, user, name="test", role=role)
        return {"Authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
def assert_statements() -> Callable[[int], AbstractContextManager[Scope]]:
    """Assert how many statements the body issues, transactions' own included."""

    @contextmanager
    def asserted(count: int) -> Iterator[Scope]:
        with origin("test") as scope:
            yield scope
        assert scope.statements == count

    return asserted
