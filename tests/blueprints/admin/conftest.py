"""Factories of the admin's tests: submissions with their roll-up, signed-in browsers."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.database.transactions import transaction
from app.extensions import db
from app.limits_storage import rate_limiter
from app.models import DailyCount, Feedback, Project, Screenshot, User, daily_count
from app.storage import new_key, storage
from tests.conftest import PASSWORD

WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def api(client: FlaskClient, bearer: Callable[[str], dict[str, str]]) -> Callable[..., Any]:
    """Call the API; returns the data or the error, and fails on any other status than `expected`."""

    def call(method: str, path: str, expected: int = 200, *, role: str = "agent", **body: Any) -> Any:
        json = None if method == "GET" else body
        answer = client.open(path, method=method, headers=bearer(role), json=json)
        assert answer.status_code == expected, answer.json
        return answer.json["data"] if expected < 300 else answer.json["error"]

    return call


@pytest.fixture
def submit(app: Flask, project: Project) -> Callable[..., str]:
    """Add a submission as intake does, counted in the roll-up; returns its public id."""

    def add(picture: str | None = None, **values: Any) -> str:
        given = {"project_id": project.id, "category": "bug", "description": "It is broken"} | values
        with app.app_context(), transaction() as session:
            made = Feedback(has_screenshot=picture is not None, **given)
            session.add(made)
            session.flush()
            bucket = daily_count.bucket_of(
                project_id=made.project_id,
                created_at=made.created_at,
                category=made.category,
                status=made.status,
                is_archived=made.is_archived,
            )
            delta = daily_count.Delta(bucket, not made.is_read, made.has_screenshot)
            daily_count.add(session.connection(), [delta])
            if picture is not None:
                session.add(_screenshot(made.id, picture))
            return made.public_id

    return add


def _screenshot(feedback_id: int, state: str) -> Screenshot:
    keys = [new_key("screenshots"), new_key("thumbnails")]
    for key in keys:
        storage().put(key, WEBP)
    return Screenshot(
        feedback_id=feedback_id,
        blob_key=keys[0],
        thumbnail_key=keys[1] if state == "ready" else None,
        media_type="image/webp",
        size_bytes=len(WEBP),
        width=1280,
        height=800,
        state=state,
        failure="it is no image" if state == "failed" else None,
    )


@pytest.fixture
def sign_in(app: Flask, make_user: Callable[..., User]) -> Callable[..., "Browser"]:
    """Sign a new user of a role in, in a browser of its own."""

    def go(role: str = "admin") -> Browser:
        user = make_user(role)
        browser = Browser(app.test_client())
        answer = browser.post("/admin/sign-in", {"email": user.email, "password": PASSWORD})
        assert answer.status_code == 303
        return browser

    return go


@pytest.fixture
def still_limits(app: Flask) -> None:
    """Stop the clock of the limits, so that no window ends in the middle of a test on a busy machine."""
    with app.app_context():
        rate_limiter().storage.now = lambda: 1_800_000_000.0  # type: ignore[attr-defined]


class Browser:
    """A test client that sends forms as a browser does: with the token of the page they stand on."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def get(self, path: str, **headers: str) -> Any:
        """Load a page and remember its token."""
        answer = self.client.get(path, headers={"Accept": "text/html", **headers})
        if answer.mimetype == "text/html" and (found := TOKEN.search(answer.text)):
            self.token = found[1]
        return answer

    def post(self, path: str, form: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
        """Send a form; the token is taken from the sign-in page where no page was loaded yet."""
        if not self.token:
            self.get("/admin/sign-in")
        answer = self.client.post(
            path,
            data={"csrf_token": self.token, **form},
            headers={"Accept": "text/html", **(headers or {})},
        )
        self.token = ""
        if answer.status_code < 400 and "sign-in" in path:
            self.get("/admin/")
        return answer


@pytest.fixture
def counts(app: Flask) -> Callable[[], dict[tuple[str, bool], tuple[int, int, int]]]:
    """Read the roll-up: submissions, unread, screenshots by status and archive, without empty buckets."""

    def read() -> dict[tuple[str, bool], tuple[int, int, int]]:
        with app.app_context():
            found: dict[tuple[str, bool], tuple[int, int, int]] = {}
            for row in db.session.query(DailyCount):
                key = (row.status, row.is_archived)
                old = found.get(key, (0, 0, 0))
                new = (row.submissions, row.unread, row.screenshots)
                found[key] = tuple(a + b for a, b in zip(old, new, strict=True))  # type: ignore[assignment]
            return {key: value for key, value in found.items() if any(value)}

    return read
