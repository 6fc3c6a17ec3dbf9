"""The command group `earmark retention`, on which each part hangs its commands, and what a part is."""

from collections.abc import Mapping
from typing import Protocol

from flask.cli import AppGroup
from flask_openapi import OpenAPI

retention = AppGroup("retention", help="How long data stays, and what becomes of it.")


class Part(Protocol):
    """A module with routes: which roles they need, and how they are added to the application."""

    @property
    def ACCESS(self) -> Mapping[str, str]:  # noqa: N802  # a module's constant
        """Endpoint → role, as `security.init_app` takes it."""

    def register(self, app: OpenAPI) -> None:
        """Add the part's routes."""
