"""Operations: is it up, what does it offer, how is it started."""

from flask import Flask
from flask_openapi import OpenAPI

from app.blueprints.operations import commands, metrics, routes
from app.blueprints.operations.doctor_commands import doctor
from app.blueprints.operations.seed.commands import demo

ACCESS = {
    "operations.front_door": "public",
    "operations.health": "public",
    "operations.health_db": "public",
    "operations.openapi": "public",
    "operations.metrics": "public",  # asks for a token itself, unless the request comes from this machine
}


def init_app(app: OpenAPI) -> None:
    """Add the routes and the commands."""
    app.register_api(routes.blueprint)
    metrics.register(app)
    _add_commands(app)


def _add_commands(app: Flask) -> None:
    for command in (commands.serve, commands.worker, commands.show_config, doctor, demo):
        app.cli.add_command(command)
