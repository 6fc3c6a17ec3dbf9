"""Keeping and forgetting: how long each kind of data stays, the sweep that carries it out, and its proof.

Each module of `PARTS` brings its routes (`ACCESS`, `register(app)`); modules of commands hang theirs on
`group.retention` when they are imported.
"""

from flask_openapi import OpenAPI

from app.blueprints.retention import (
    api,
    audit_api,
    audit_commands,
    audit_pages,
    commands,
    group,
    holds_api,
    keeping_commands,
    keeping_timetable,
    pages,
    policy_commands,
    privacy_api,
    privacy_commands,
    privacy_pages,
    space_commands,
    timetable,
)

# The import of these modules puts their jobs on the timetable, their commands on the group.
__all__ = [
    "ACCESS",
    "commands",
    "init_app",
    "keeping_commands",
    "keeping_timetable",
    "policy_commands",
    "space_commands",
    "timetable",
]

PARTS: tuple[group.Part, ...] = (
    api,
    holds_api,
    pages,
    audit_api,
    audit_pages,
    privacy_api,
    privacy_pages,
)
ACCESS = {endpoint: role for part in PARTS for endpoint, role in part.ACCESS.items()}


def init_app(app: OpenAPI) -> None:
    """Add the routes and the commands."""
    for part in PARTS:
        part.register(app)
    app.cli.add_command(group.retention)
    app.cli.add_command(audit_commands.audit)
    app.cli.add_command(privacy_commands.privacy)
