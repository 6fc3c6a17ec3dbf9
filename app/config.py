"""Settings: one table, read from the environment first and the instance file second.

Owns every `EARMARK_*` name, its type, default and help. Refuses unknown names and wrong values with
one line, before anything is opened. Nothing else in the program reads the environment.
"""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from flask import current_app
from limits import parse_many

PREFIX = "EARMARK_"
INSTANCE_FILE = "earmark.env"
GENERATED = ("secret_key",)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ConfigError(Exception):
    """A setting is unknown or wrong; the text is one line that names it."""


def _check_port(value: int) -> None:
    if not 1 <= value <= 65535:
        raise ValueError("a port is a number from 1 to 65535")


def _check_positive(value: int) -> None:
    if value < 1:
        raise ValueError("at least 1 is needed")


def _check_not_negative(value: int) -> None:
    if value < 0:
        raise ValueError("0 or more is needed")


def _check_percent(value: int) -> None:
    if not 0 <= value <= 100:
        raise ValueError("a share from 0 to 100 is needed")


def _check_time(value: str) -> None:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError('a time of day is needed, such as "03:00"')


def _check_limit(value: str) -> None:
    try:
        parse_many(value)
    except ValueError:
        raise ValueError('write it like "5 per hour"') from None


def _check_base_url(value: str | None) -> None:
    if value is None:
        return
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an http or https address is needed, such as https://help.example.org")
    if parts.path not in ("", "/"):
        raise ValueError("Earmark stands at the root of its host, so the address has no path")


def _check_database_url(value: str | None) -> None:
    if value is not None and not re.match(r"(sqlite:///|postgresql(\+psycopg)?://)", value):
        raise ValueError("it begins with sqlite:/// or postgresql://")


def _check_redis_url(value: str | None) -> None:
    if value is not None and not re.match(r"rediss?://", value):
        raise ValueError("it begins with redis:// or rediss://")


def _check_secret(value: str) -> None:
    if len(value) < 32:
        raise ValueError("at least 32 characters are needed")


def _one_of(*words: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if value not in words:
            raise ValueError("one of " + ", ".join(words))

    return check


def setting(
    default: Any, text: str, *, secret: bool = False, check: Callable[[Any], None] | None = None
) -> Any:
    """Declare one row of the table: default, help, whether it is masked, and its check."""
    return field(default=default, metadata={"help": text, "secret": secret, "check": check})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting. A field `host` is the variable `EARMARK_HOST`; its annotation is its type."""

    instance_path: Path = setting(
        Path("instance"), "Folder of the database, pictures, jobs and generated secrets."
    )
    host: str = setting("127.0.0.1", "Address the server listens on.")
    port: int = setting(8000, "Port the server listens on.", check=_check_port)
    workers: int = setting(2, "Web server processes.", check=_check_positive)
    threads: int = setting(128, "Threads of each web server process.", check=_check_positive)
    database_url: str | None = setting(
        None,
        "Database: unset for SQLite in the instance folder, or postgresql://…",
        check=_check_database_url,
        secret=True,
    )
    redis_url: str | None = setting(
        None,
        "Redis for limits and jobs; unset keeps both in files of the instance folder.",
        check=_check_redis_url,
        secret=True,
    )
    storage_url: str | None = setting(
        None, "Where pictures are kept: unset for the instance folder, or s3://bucket/prefix."
    )
    base_url: str | None = setting(
        None,
        "Address people reach Earmark at; unset means http://HOST:PORT.",
        check=_check_base_url,
    )
    trusted_hosts: tuple[str, ...] = setting(
        (), "Further host names that requests may name, separated by commas."
    )
    trusted_proxies: int = setting(
        0,
        "How many proxies stand in front and append to X-Forwarded-For.",
        check=_check_not_negative,
    )
    demo: bool = setting(False, "Serve the demo page at /demo.")
    intake_rate_limit: str = setting(
        "5 per hour", "Submissions taken from one address for one project.", check=_check_limit
    )
    flood_rate_limit: str = setting(
        "120 per minute",
        "Requests to intake from one address, refused and invalid ones included.",
        check=_check_limit,
    )
    project_quota_mb: int = setting(
        5120,
        "Megabytes one project may keep unless it has its own quota; 0 is no limit.",
        check=_check_not_negative,
    )
    min_free_disk_mb: int = setting(
        256, "Intake answers 503 when less is free on the disk.", check=_check_not_negative
    )
    sqlite_synchronous: str = setting(
        "FULL",
        "FULL survives a power cut; NORMAL may lose the last moments, nothing else.",
        check=_one_of("FULL", "NORMAL"),
    )
    query_tracking: bool = setting(True, "Time every statement; its cost is shown beside what it measures.")
    slow_query_ms: int = setting(
        100, "Milliseconds from which a statement stands in the slow log.", check=_check_positive
    )
    read_budget_ms: int = setting(
        5000,
        "Milliseconds after which a read of the web server is ended with 503; 0 is no limit.",
        check=_check_not_negative,
    )
    vitals_percent: int = setting(
        10, "Visits of 100 whose browser sends its own timings; 0 asks none.", check=_check_percent
    )
    archive_days: int = setting(
        30, "Days for which what a sweep archived can be brought back.", check=_check_positive
    )
    retention_time: str = setting(
        "03:00", "Time of the daily sweep in UTC, such as 03:00.", check=_check_time
    )
    session_days: int = setting(14, "Days until a sign-in ends by itself.", check=_check_positive)
    log_format: str = setting(
        "auto",
        "auto (readable on a terminal, else JSON), json or text.",
        check=_one_of("auto", "json", "text"),
    )
    log_level: str = setting(
        "INFO", "Least level that is logged.", check=_one_of("DEBUG", "INFO", "WARNING", "ERROR")
    )
    secret_key: str = setting(
        "", "Signs sessions, cursors and status links; generated.", secret=True, check=_check_secret
    )
    secret_key_fallbacks: tuple[str, ...] = setting(
        (), "Earlier secret keys, separated by commas: what they signed still counts.", secret=True
    )
    admin_email: str | None = setting(None, "E-mail of the first admin, made at the first start.")
    admin_password: str | None = setting(
        None, "Password of the first admin; unset generates one and shows it once.", secret=True
    )

    @property
    def public_url(self) -> str:
        """The address people reach Earmark at, without a slash at its end."""
        if self.base_url:
            return self.base_url.rstrip("/")
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def sqlalchemy_url(self) -> str:
        """The database URL for SQLAlchemy."""
        if self.database_url is None:
            return f"sqlite:///{self.instance_path.resolve() / 'earmark.sqlite3'}"
        return re.sub(r"^postgresql://", "postgresql+psycopg://", self.database_url)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names that a request may carry."""
        own = urlsplit(self.public_url).hostname or ""
        return (own, *LOOPBACK, *self.trusted_hosts)

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are `Secure`; off only for plain http on the loopback."""
        parts = urlsplit(self.public_url)
        return parts.scheme == "https" or parts.hostname not in LOOPBACK


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings and check each.

    Raises ConfigError, in one line, for an unknown `EARMARK_*` name or a wrong value.
    """
    environment = os.environ if environment is None else environment
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX)}
    folder = Path(given.get(PREFIX + "INSTANCE_PATH") or "instance")
    merged = {**read_instance_file(folder / INSTANCE_FILE), **given}
    table = {PREFIX + row.name.upper(): row for row in fields(Settings)}
    unknown = sorted(set(merged) - set(table))
    if unknown:
        raise ConfigError(f"{unknown[0]} is not a setting; `earmark config` lists them")
    values = {table[name].name: _parse(name, table[name], text) for name, text in merged.items()}
    return Settings(**values)


def load_or_generate() -> Settings:
    """Read the settings of the environment; at a first start, generate the secrets before."""
    settings = load()
    if settings.secret_key:
        return settings
    ensure_secrets(settings.instance_path)
    return load()


def read_instance_file(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines; blank lines and those that begin with # are passed over.

    Raises ConfigError for a line that is neither.
    """
    if not path.exists():
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, text = line.partition("=")
        if not equals or not name.strip().startswith(PREFIX):
            raise ConfigError(f"{path.name}, line {number}: expected {PREFIX}NAME=value")
        found[name.strip()] = text.strip()
    return found


def ensure_secrets(folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Generate what must be secret and is set nowhere, into the instance file (mode 0600)."""
    environment = os.environ if environment is None else environment
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / INSTANCE_FILE
    present = {**read_instance_file(path), **environment}
    missing = [name for name in GENERATED if not present.get(PREFIX + name.upper())]
    if not missing:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        for name in missing:
            file.write(f"{PREFIX}{name.upper()}={secrets.token_urlsafe(48)}\n")


@dataclass(frozen=True)
class SettingRow:
    """One line of `earmark config` and of docs/configuration.md."""

    name: str
    type: str
    default: str
    help: str
    secret: bool


def table() -> list[SettingRow]:
    """Describe every setting, in order."""
    return [
        SettingRow(
            name=PREFIX + row.name.upper(),
            type=_type_name(row),
            default=_written(row.default),
            help=row.metadata["help"],
            secret=row.metadata["secret"],
        )
        for row in fields(Settings)
    ]


def shown(settings: Settings) -> dict[str, str]:
    """Return each variable with its value as text, secrets masked."""
    result: dict[str, str] = {}
    for row in fields(Settings):
        value = getattr(settings, row.name)
        masked = row.metadata["secret"] and value
        result[PREFIX + row.name.upper()] = "********" if masked else _written(value)
    return result


def current_settings() -> Settings:
    """Return the settings of the application at work."""
    return cast(Settings, current_app.extensions["earmark_settings"])


def _parse(name: str, row: "Field[Any]", text: str) -> Any:
    optional = row.default is None
    if text == "" and (optional or row.type is tuple[str, ...]):
        return row.default
    try:
        value = _convert(row, text)
        if row.metadata["check"]:
            row.metadata["check"](value)
    except ValueError as error:
        shown_text = "the value given" if row.metadata["secret"] else repr(text)
        raise ConfigError(f"{name}: {shown_text} does not do: {error}") from None
    return value


def _convert(row: "Field[Any]", text: str) -> Any:
    if row.type is bool:
        if text.lower() not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
            raise ValueError("write true or false")
        return text.lower() in ("1", "true", "yes", "on")
    if row.type is int:
        if not re.fullmatch(r"-?[0-9]{1,12}", text):
            raise ValueError("a whole number is needed")
        return int(text)
    if row.type is Path:
        return Path(text)
    if row.type == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _type_name(row: "Field[Any]") -> str:
    names = {bool: "true or false", int: "number", Path: "path"}
    if row.type == tuple[str, ...]:
        return "list"
    return names.get(cast(type, row.type), "text")


def _written(value: Any) -> str:
    if value is None or value is MISSING:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)
