"""Submissions for the roll-ups to count."""

from collections.abc import Callable

import pytest
from flask import Flask

from app.models import Project
from app.models.intake import submit
from tests.models.test_intake import submission


@pytest.fixture
def context(app: Flask) -> Flask:
    """An application whose context is entered."""
    with app.app_context():
        yield app


@pytest.fixture
def send(context: Flask, project: Project) -> Callable[..., str]:
    """Send a submission as intake does; returns its public id."""

    def send(**values: object) -> str:
        return submit(submission(project, **values)).public_id

    return send
