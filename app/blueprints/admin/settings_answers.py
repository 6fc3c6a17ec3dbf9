"""What the admin API answers of projects and tokens: the shapes as OpenAPI describes them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from app.models import ApiToken, Project


class ProjectData(BaseModel):
    """A project's settings; `byte_quota` and `stored_bytes` in bytes."""

    key: str
    name: str
    origins: list[str]
    categories: list[dict[str, Any]]
    ask_name: str
    ask_email: str
    ask_rating: bool
    screenshots: bool
    theme: str
    position: str
    locale: str | None
    texts: dict[str, dict[str, str]]
    consent: str | None
    privacy_url: str | None
    rate_limit: str | None
    byte_quota: int | None
    stored_bytes: int
    is_active: bool
    tag_seen_at: datetime | None
    created_at: datetime


class OneProject(BaseModel):
    """One project."""

    success: Literal[True]
    data: ProjectData


class ProjectList(BaseModel):
    """All projects."""

    success: Literal[True]
    data: list[ProjectData]


class TokenData(BaseModel):
    """A token; its secret is shown once, when it is made."""

    id: str
    name: str
    user: str
    role: str
    effective_role: str
    last4: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewTokenData(TokenData):
    """A token with its secret."""

    token: str


class OneToken(BaseModel):
    """One token."""

    success: Literal[True]
    data: TokenData


class OneNewToken(BaseModel):
    """The token that was made."""

    success: Literal[True]
    data: NewTokenData


class TokenList(BaseModel):
    """All tokens."""

    success: Literal[True]
    data: list[TokenData]


def project(found: Project) -> dict[str, Any]:
    """Return a project as `ProjectData`."""
    names = [name for name in ProjectData.model_fields if name not in ("key", "tag_seen_at", "created_at")]
    return {
        "key": found.public_key,
        **{name: getattr(found, name) for name in names},
        "tag_seen_at": found.tag_seen_at,
        "created_at": found.created_at,
    }


def project_words(found: Project) -> dict[str, Any]:
    """Return what a listing on a terminal shows of a project."""
    return {
        "key": found.public_key,
        "name": found.name,
        "origins": found.origins,
        "is_active": found.is_active,
        "created_at": found.created_at,
    }


def token(found: ApiToken) -> dict[str, Any]:
    """Return a token as `TokenData`."""
    return {
        "id": found.public_id,
        "name": found.name,
        "user": found.user.email,
        "role": found.role,
        "effective_role": found.effective_role,
        "last4": found.last4,
        "created_at": found.created_at,
        "last_used_at": found.last_used_at,
        "revoked_at": found.revoked_at,
    }
