"""The admin's side: sign-in, inbox, settings, their JSON API and commands."""

from typing import Any

from flask import url_for
from flask_openapi import OpenAPI
from sqlalchemy import select

from app.blueprints.admin import (
    api,
    bulk_api,
    commands,
    dashboard,
    dashboard_api,
    export_api,
    export_command,
    export_pages,
    inbox,
    live_api,
    macros_api,
    macros_pages,
    merging_api,
    messages_api,
    parts,
    profile_pages,
    settings_api,
    settings_pages,
    signin,
    tags_api,
    tags_pages,
    threads,
    timetable,
    users_api,
    users_pages,
    views_api,
    views_pages,
    welcome,
)
from app.extensions import db
from app.models import User
from app.models.user import initials, role_covers
from app.rail import Place, Section, add_section
from app.security import actor

__all__ = [
    "ACCESS",
    "bulk_api",
    "dashboard",
    "dashboard_api",
    "export_api",
    "export_pages",
    "init_app",
    "live_api",
    "macros_api",
    "macros_pages",
    "merging_api",
    "messages_api",
    "parts",
    "profile_pages",
    "settings_api",
    "settings_pages",
    "signin",
    "tags_api",
    "tags_pages",
    "threads",
    "timetable",
    "users_api",
    "users_pages",
    "views_api",
    "views_pages",
    "welcome",
]

ACCESS = {
    "admin.sign_in": "guest",
    "admin.sign_in_code": "guest",
    "admin.welcome": "guest",
    "admin.sign_out": "viewer",
    "admin.index": "viewer",
    "admin.arrivals": "viewer",
    "admin.rows": "viewer",
    "admin.bulk_choices": "agent",
    "admin.names": "viewer",
    "admin.listening": "viewer",
    "admin.view_counts": "viewer",
    "admin.save_view": "viewer",
    "admin.rename_view": "viewer",
    "admin.delete_view": "viewer",
    "admin.detail": "viewer",
    "admin.picture": "viewer",
    "admin.change": "agent",
    "admin.add_message": "agent",
    "admin.change_link": "agent",
    "admin.redact": "agent",
    "admin.delete": "admin",
    "admin.own_profile": "viewer",
    "admin.profile_password": "viewer",
    "admin.profile_session_end": "viewer",
    "admin.profile_sessions_end": "viewer",
    "admin.second_factor_begin": "viewer",
    "admin.second_factor_page": "viewer",
    "admin.second_factor_qr": "viewer",
    "admin.second_factor_codes": "viewer",
    "admin.second_factor_remove": "viewer",
    "admin.export_page": "admin",
    "admin_api.export_feedback": "admin",
    "admin.users_list": "admin",
    "admin.user": "admin",
    "admin.user_active": "admin",
    "admin.user_link": "admin",
    "admin.user_second_factor": "admin",
    "admin.user_withdraw": "admin",
    "admin.projects": "admin",
    "admin.project": "admin",
    "admin.rotate_key": "admin",
    "admin.tokens": "admin",
    "admin.revoke_token": "admin",
    "admin.dashboard": "viewer",
    "admin_api.metrics": "viewer",
    "admin_api.chart": "viewer",
    "admin_api.list_feedback": "viewer",
    "admin_api.get_feedback": "viewer",
    "admin_api.change_feedback": "agent",
    "admin_api.delete_feedback": "admin",
    "admin_api.screenshot": "viewer",
    "admin_api.bulk_change": "agent",
    "admin_api.undo_act": "agent",
    "admin_api.merge_feedback": "agent",
    "admin_api.unmerge_feedback": "agent",
    "admin.macros_list": "agent",
    "admin.macro": "agent",
    "admin.delete_macro": "agent",
    "admin.macro_choices": "agent",
    "admin_api.list_macros": "agent",
    "admin_api.create_macro": "agent",
    "admin_api.get_macro": "agent",
    "admin_api.change_macro": "agent",
    "admin_api.delete_macro": "agent",
    "admin.merge": "agent",
    "admin.unmerge": "agent",
    "admin_api.events": "viewer",
    "admin_api.live": "viewer",
    "admin_api.list_views": "viewer",
    "admin_api.create_view": "viewer",
    "admin_api.get_view": "viewer",
    "admin_api.change_view": "viewer",
    "admin_api.delete_view": "viewer",
    "admin_api.list_messages": "viewer",
    "admin_api.add_message": "agent",
    "admin_api.change_link": "agent",
    "admin_api.redact": "agent",
    "admin.tags_list": "viewer",
    "POST admin.tags_list": "agent",
    "admin.tag": "viewer",
    "POST admin.tag": "agent",
    "admin.merge_tag": "admin",
    "admin.delete_tag": "admin",
    "admin_api.merge_tag": "admin",
    "admin_api.list_tags": "viewer",
    "admin_api.create_tag": "agent",
    "admin_api.change_tag": "agent",
    "admin_api.delete_tag": "admin",
    "admin_api.list_users": "admin",
    "admin_api.invite_user": "admin",
    "admin_api.get_user": "admin",
    "admin_api.change_user": "admin",
    "admin_api.withdraw_invitation": "admin",
    "admin_api.open_user_link": "admin",
    "admin_api.reset_second_factor": "admin",
    "admin_api.list_projects": "admin",
    "admin_api.create_project": "admin",
    "admin_api.get_project": "admin",
    "admin_api.change_project": "admin",
    "admin_api.delete_project": "admin",
    "admin_api.list_tokens": "admin",
    "admin_api.create_token": "admin",
    "admin_api.get_token": "admin",
    "admin_api.change_token": "admin",
    "admin_api.revoke_token": "admin",
}


# As many names as one reads in a sentence.
MOST_ADMINS = 3


def init_app(app: OpenAPI) -> None:
    """Add the routes and the commands."""
    app.register_blueprint(inbox.blueprint)
    app.register_api(api.blueprint)
    add_section(
        app,
        Section(
            "dashboard",
            "Dashboard",
            "chart-column",
            "viewer",
            lambda: (Place("", "Dashboard", url_for("admin.dashboard")),),
        ),
    )
    app.context_processor(_signed_in)
    for group in (*commands.GROUPS, export_command.export_command):
        app.cli.add_command(group)


def _signed_in() -> dict[str, Any]:
    """Give every template who is signed in and what the role may."""
    someone = actor()

    def may(role: str) -> bool:
        return someone is not None and role_covers(someone.role, role)

    me = someone and {
        "public_id": someone.public_id,
        "name": someone.name,
        "email": someone.email,
        "role": someone.role,
        "initials": initials(someone.name),
    }
    return {"me": me, "may": may, "admins": _admins}


def _admins() -> list[str]:
    """Return names of admins, whom to ask for what one may not do oneself."""
    query = select(User.name).where(User.is_active, User.role == "admin").order_by(User.name, User.id)
    return list(db.session.scalars(query.limit(MOST_ADMINS)))
