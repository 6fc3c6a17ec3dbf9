"""The rules of a project's settings and of tokens: for the admin API, the pages and the commands."""

import re
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from app.blueprints.admin.schemas import PRINTABLE, Name, PublicId, Role, Word
from app.validation import Strict

MOST_ORIGINS = 100
MOST_CATEGORIES = 20
MOST_TEXTS = 200
DEFAULT_PORTS = {"http": 80, "https": 443}
Asked = Literal["no", "optional", "required"]
Theme = Literal["auto", "light", "dark"]
Position = Literal["bottom-right", "bottom-left", "top-right", "top-left"]
Locale = Literal["en", "de"]
LOCALES = get_args(Locale)
Sentence = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=PRINTABLE)
]


class ProjectPath(BaseModel):
    """The address of a project."""

    public_key: Annotated[str, Field(max_length=64, description="Public key.")]


class TokenPath(BaseModel):
    """The address of a token."""

    public_id: PublicId


def exact_origin(value: str) -> str:
    """Return `scheme://host[:port]` as browsers send it (RFC 6454, 6.2); raises ValueError."""
    text = value.strip().rstrip("/").lower()
    wrong = ValueError(f"{value.strip()[:80]} is no origin; write scheme://host or scheme://host:port")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    host = parts.hostname or ""
    named = re.fullmatch(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", host)
    if parts.scheme not in DEFAULT_PORTS or not (named or ":" in host):
        raise wrong
    shown = f"[{host}]" if ":" in host else host
    bare = f"{parts.scheme}://{shown}"
    if text not in (bare, f"{bare}:{port}") or port == 0:
        raise wrong
    return bare if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{bare}:{port}"


def _different(values: list[Any]) -> list[Any]:
    seen = [value.key if isinstance(value, Category) else value for value in values]
    twice = sorted({key for key in seen if seen.count(key) > 1})
    if twice:
        raise ValueError(f"names {', '.join(twice)} twice")
    return values


def _limit(value: str) -> str:
    try:
        parse_many(value)
    except ValueError:
        raise ValueError('is written like "5 per hour"') from None
    return value


def _address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s]*", value):
        raise ValueError("is an address that begins with https:// or http://")
    return value


class Category(Strict):
    """A category; without a label it has the widget's word for its key."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    label: Word | None = None


TextKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-zA-Z0-9_.-]{0,63}$")]
Words = Annotated[str, StringConstraints(max_length=500, pattern=PRINTABLE)]
Texts = Annotated[dict[TextKey, Words], Field(max_length=MOST_TEXTS)]


# Where null is a value of its own; elsewhere a null is refused.
NULLABLE = frozenset({"locale", "consent", "privacy_url", "rate_limit", "byte_quota"})


class ProjectFields(Strict):
    """A project's settings; all are optional in a change."""

    name: Name | None = None
    origins: (
        Annotated[
            list[Annotated[str, AfterValidator(exact_origin)]],
            Field(max_length=MOST_ORIGINS),
            AfterValidator(_different),
        ]
        | None
    ) = None
    categories: (
        Annotated[list[Category], Field(min_length=1, max_length=MOST_CATEGORIES), AfterValidator(_different)]
        | None
    ) = None
    ask_name: Asked | None = None
    ask_email: Asked | None = None
    ask_rating: bool | None = None
    screenshots: bool | None = None
    theme: Theme | None = None
    position: Position | None = None
    locale: Locale | None = None
    texts: dict[Locale, Texts] | None = None
    consent: Sentence | None = None
    privacy_url: Annotated[Sentence, AfterValidator(_address)] | None = None
    rate_limit: Annotated[Word, AfterValidator(_limit)] | None = None
    byte_quota: Annotated[int, Field(ge=0, le=2**60)] | None = None
    is_active: bool | None = None


class NewProject(ProjectFields):
    """A project to be made."""

    name: Name


class NewToken(Strict):
    """A token to be made."""

    name: Name
    role: Role
    user: Annotated[str, StringConstraints(max_length=254)] | None = None


class TokenChange(Strict):
    """What may be changed of a token."""

    name: Name | None = None
    role: Role | None = None
