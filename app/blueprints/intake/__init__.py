"""Intake: the widget's settings, taking submissions, the plain form, and the reporter's page."""

from flask_openapi import OpenAPI

from app.blueprints.intake import pages, projects, routes

ACCESS = {
    "intake.create_feedback": "public",
    "intake.preflight_feedback": "public",
    "intake.preflight_widget": "public",
    "intake.widget_settings": "public",
    **pages.ACCESS,
}


def init_app(app: OpenAPI) -> None:
    """Add the routes and the cache of projects."""
    projects.init_app(app)
    app.register_api(routes.blueprint)
    app.register_blueprint(pages.blueprint)
