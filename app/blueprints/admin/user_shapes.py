"""What the API of users takes and answers; the pages use the same checks."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, StringConstraints

from app.blueprints.admin.schemas import Name, PublicId, Role
from app.models import User
from app.validation import Strict

LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3


def plain_email(value: str) -> str:
    """Return an address in the form in which it is kept; raises ValueError."""
    address = value.strip().lower()
    local, at, host = address.rpartition("@")
    if not (local and at and host) or len(address) > LONGEST_EMAIL or "@" in local:
        raise ValueError("is no e-mail address")
    if not address.isprintable() or any(sign.isspace() for sign in address):
        raise ValueError("is no e-mail address")
    return address


Email = Annotated[str, StringConstraints(max_length=1000), AfterValidator(plain_email)]


class UserPath(BaseModel):
    """The address of a user."""

    public_id: PublicId


class NewUser(Strict):
    """A user to be invited; the name is the part before the @ unless given."""

    email: Email
    role: Role
    name: Name | None = None


class UserChange(Strict):
    """What may be changed of a user; what is left out stays."""

    name: Name | None = None
    role: Role | None = None
    is_active: bool | None = None


class UserData(BaseModel):
    """A user. `seen_at` is when a session was last used, where one is open and the question was for all."""

    id: str
    email: str
    name: str
    role: str
    state: Literal["active", "invited", "deactivated"]
    is_active: bool
    second_factor: bool
    created_at: datetime
    seen_at: datetime | None


class NewUserData(UserData):
    """A user with the link that sets a password."""

    link: str
    purpose: Literal["invitation", "reset"]
    link_expires_at: datetime


class OneUser(BaseModel):
    """One user."""

    success: Literal[True]
    data: UserData


class OneNewUser(BaseModel):
    """A user with the link that was opened."""

    success: Literal[True]
    data: NewUserData


class UserList(BaseModel):
    """All users."""

    success: Literal[True]
    data: list[UserData]


def state_of(found: User) -> str:
    """Return `active`, `invited` (no password yet) or `deactivated`."""
    if not found.is_active:
        return "deactivated"
    return "invited" if found.is_invited else "active"


def user(found: User, seen_at: datetime | None = None) -> dict[str, Any]:
    """Return a user as `UserData`."""
    return {
        "id": found.public_id,
        "email": found.email,
        "name": found.name,
        "role": found.role,
        "state": state_of(found),
        "is_active": found.is_active,
        "second_factor": found.has_second_factor,
        "created_at": found.created_at,
        "seen_at": seen_at,
    }
