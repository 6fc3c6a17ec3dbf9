"""How fast Earmark is, and why: the API, the pages and the commands of the watching."""

from flask_openapi import OpenAPI

from app.blueprints.performance import commands, pages_routes, routes, timetable, vitals

__all__ = ["ACCESS", "init_app", "timetable"]  # its import puts its jobs on the timetable

ACCESS = {
    "performance_api.list_queries": "admin",
    "performance_api.forget_queries": "admin",
    "performance_api.get_query": "admin",
    "performance_api.list_slow": "admin",
    "performance_api.list_requests": "admin",
    "performance_api.query_plan": "admin",
    "performance_api.list_indexes": "admin",
    "performance_api.build_index": "admin",
    "performance_api.get_resources": "admin",
    "performance_api.get_pool": "admin",
    "performance_api.end_statement": "admin",
    **pages_routes.ACCESS,
    **vitals.ACCESS,
}


def init_app(app: OpenAPI) -> None:
    """Add the routes and the commands."""
    app.register_api(routes.blueprint)
    vitals.register(app)
    pages_routes.register(app)
    app.cli.add_command(commands.performance)
