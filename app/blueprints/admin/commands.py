"""Commands for users, projects and tokens. Exit code 0 done, 1 failed, 2 wrong usage."""

import json
import secrets
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import IntegrityError

from app.blueprints.admin import settings, settings_answers
from app.blueprints.admin import users as accounts
from app.blueprints.admin.settings_schemas import exact_origin
from app.blueprints.admin.user_shapes import plain_email, state_of
from app.clock import rfc3339, utc_now
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.models import User, audit
from app.models.user import ROLES

users = AppGroup("users", help="People who sign in.")
projects = AppGroup("projects", help="Sites that carry the widget.")
tokens = AppGroup("tokens", help="Bearer tokens for the API.")
GROUPS = (users, projects, tokens)

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
role_option = click.option("--role", type=click.Choice(ROLES), required=True, help="What it may do.")
stdin_option = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@users.command("create")
@click.argument("email")
@role_option
@click.option("--name", help="Name shown to others; default the part before the @.")
@stdin_option
@as_json_option
def create_user(email: str, role: str, name: str | None, password_stdin: bool, as_json: bool) -> None:
    """Make a user. Without --password-stdin a password is made up and shown once.

    Example: earmark users create jana@example.org --role agent
    """
    address = _email(email)
    password, generated = _password(password_stdin)
    try:
        with transaction() as session:
            user = User(email=address, name=(name or address.partition("@")[0]).strip(), role=role)
            _set_password(user, password)
            session.add(user)
            session.flush()
            audit.record(session, "user.create", target=f"user:{address}", details={"role": role})
    except IntegrityError:
        raise click.ClickException(f"there is a user {address} already") from None
    shown = {"email": address, "role": role} | ({"password": password} if generated else {})
    _print(shown, as_json, f"Made {address}, {role}." + _shown_once(password, generated))


@users.command("list")
@as_json_option
def list_users(as_json: bool) -> None:
    """List all users.

    Example: earmark users list --json
    """
    rows = [
        {
            "email": user.email,
            "name": user.name,
            "role": user.role,
            "state": state_of(user),
            "is_active": user.is_active,
            "second_factor": user.has_second_factor,
            "created_at": user.created_at,
        }
        for user in settings.all_users()
    ]
    _table(rows, as_json)


@users.command("set-password")
@click.argument("email")
@stdin_option
@as_json_option
def set_password(email: str, password_stdin: bool, as_json: bool) -> None:
    """Set a user's password and end every session of the user.

    Example: earmark users set-password jana@example.org --password-stdin < password.txt
    """
    password, generated = _password(password_stdin)
    with transaction() as session:
        user = _user(email)
        _set_password(user, password)
        session.flush()
        audit.record(session, "user.password", target=f"user:{user.email}")
    shown = {"email": email} | ({"password": password} if generated else {})
    _print(shown, as_json, f"Set the password of {email}." + _shown_once(password, generated))


@users.command("set-role")
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
@as_json_option
def set_role(email: str, role: str, as_json: bool) -> None:
    """Change a user's role and end every session of the user.

    Example: earmark users set-role jana@example.org admin
    """
    _or_fail(accounts.change_user, _user(email).public_id, {"role": role})
    _print({"email": email, "role": role}, as_json, f"{email} is {role} now.")


@users.command("reset-totp")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@as_json_option
def reset_totp(email: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Take a user's second factor away, whose phone is lost, and end every session of the user.

    Example: earmark users reset-totp jana@example.org --yes
    """
    found = _user(email)
    if dry_run:
        _print({"email": email, "done": False}, as_json, f"Would take the second factor of {email} away.")
        return
    _confirm(f"Take the second factor of {email} away?", yes)
    _or_fail(accounts.reset_second_factor, found.public_id)
    _print({"email": email, "second_factor": False}, as_json, f"{email} signs in by password alone now.")


@projects.command("create")
@click.argument("name")
@click.option("--origin", "origins", multiple=True, help="A site that may send; may be repeated.")
@as_json_option
def create_project(name: str, origins: tuple[str, ...], as_json: bool) -> None:
    """Make a project. Without --origin any site may send to it.

    Example: earmark projects create Shop --origin https://shop.example
    """
    values = {"name": _name(name), "origins": list(dict.fromkeys(map(_origin, origins)))}
    made = _or_fail(settings.create_project, values)
    _print(settings_answers.project_words(made), as_json, f"Made {made.name}, key {made.public_key}.")


@projects.command("list")
@as_json_option
def list_projects(as_json: bool) -> None:
    """List all projects.

    Example: earmark projects list
    """
    rows = [settings_answers.project_words(found) for found in settings.all_projects()]
    _table(rows, as_json)


@projects.command("rotate-key")
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@as_json_option
def rotate_key(key: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Give a project a new key. Pages with the old tag send nothing until their tag is changed.

    Example: earmark projects rotate-key pk_3vQ9 --yes
    """
    found = _or_fail(settings.load_project, key)
    if dry_run:
        _print({"key": key, "done": False}, as_json, f"Would give {found.name} a new key.")
        return
    _confirm(f"Give {found.name} a new key? Tags with the old one stop working.", yes)
    made = _or_fail(settings.rotate_key, key)
    shown = {"key": made.public_key, "old_key": key}
    _print(shown, as_json, f"{made.name} has the key {made.public_key} now.")


@tokens.command("create")
@click.option("--user", "email", required=True, help="E-mail of the user it belongs to.")
@role_option
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@as_json_option
def create_token(email: str, role: str, name: str, as_json: bool) -> None:
    """Make a token and show it once.

    Example: earmark tokens create --user jana@example.org --role viewer --name "nightly export"
    """
    found, secret = _or_fail(settings.create_token, email, name=_name(name), role=role)
    shown = {"id": found.public_id, "token": secret, "user": found.user.email, "role": role}
    _print(shown, as_json, f"Token, shown once: {secret}")


@tokens.command("list")
@as_json_option
def list_tokens(as_json: bool) -> None:
    """List all tokens, without their secrets.

    Example: earmark tokens list
    """
    _table([settings_answers.token(found) for found in settings.all_tokens()], as_json)


@tokens.command("revoke")
@click.argument("token_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@as_json_option
def revoke_token(token_id: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Revoke a token at once and for good; `tokens list` shows its id.

    Example: earmark tokens revoke 01KATZ4M1Q8V6R2T0YB5W9XCDE --yes
    """
    found = _or_fail(settings.load_token, token_id)
    if dry_run:
        _print({"id": token_id, "done": False}, as_json, f"Would revoke {found.name}.")
        return
    _confirm(f"Revoke {found.name} of {found.user.email}?", yes)
    _or_fail(settings.revoke_token, token_id, utc_now())
    _print({"id": token_id, "revoked": True}, as_json, f"Revoked {found.name}.")


def _user(email: str) -> User:
    found = User.by_email(db.session(), email)
    if found is None:
        raise click.ClickException(f"there is no user {email}")
    return found


def _email(text: str) -> str:
    try:
        return plain_email(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} {error}", param_hint="EMAIL") from None


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise click.BadParameter("a name has 1 to 100 characters on one line", param_hint="NAME")
    return name


def _origin(text: str) -> str:
    try:
        return exact_origin(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--origin") from None


def _password(from_stdin: bool) -> tuple[str, bool]:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    return secrets.token_urlsafe(12), True


def _set_password(user: User, password: str) -> None:
    try:
        user.set_password(db.session(), password)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--password-stdin") from None


def _shown_once(password: str, generated: bool) -> str:
    return f" Password, shown once: {password}" if generated else ""


def _or_fail(function: Any, *args: Any, **options: Any) -> Any:
    try:
        return function(*args, **options)
    except ClientError as error:
        words = "; ".join(f"{fault.field} {fault.message}" for fault in error.details)
        raise click.ClickException(words or error.message) from None


def _confirm(question: str, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True)


def _print(values: Mapping[str, Any], as_json: bool, sentence: str) -> None:
    click.echo(_json(dict(values)) if as_json else sentence)


def _table(rows: Iterable[Mapping[str, Any]], as_json: bool) -> None:
    found = list(rows)
    if as_json:
        click.echo(_json(found, indent=2))
        return
    for row in found:
        click.echo("  ".join(f"{name}={_cell(value)}" for name, value in row.items()))


def _json(values: Any, indent: int | None = None) -> str:
    return json.dumps(values, indent=indent, default=rfc3339)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, list):
        return ",".join(map(str, value)) or "any"
    return "-" if value is None else str(value)
