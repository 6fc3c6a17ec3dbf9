"""Keeping what belongs to a user and may be shared, macros and saved views: one set of rules for both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import func, select

from app.database.transactions import transaction
from app.errors import ClientError, FieldError, not_found
from app.extensions import db
from app.models.owned import Owned
from app.security import Actor

Some = TypeVar("Some", bound=Owned)
Values = Mapping[str, Any]


class OwnedData(BaseModel):
    """What answers say of each."""

    id: str
    name: str
    is_shared: bool
    is_mine: bool
    owner: str
    created_at: str


@dataclass(frozen=True)
class Keeping(Generic[Some]):
    """How one kind is kept: its word, how many a user has at most, and what makes values fit to be kept.

    `check` returns the values as they are kept. It raises ClientError 422 or 403.
    """

    model: type[Some]
    noun: str
    most: int
    check: Callable[[Values, Actor], dict[str, Any]]

    def seen_by(self, someone: Actor) -> Sequence[Some]:
        """Return what somebody may use: the own ones, and what others share."""
        return db.session.scalars(self.model.seen_by(someone.user_id)).all()

    def load(self, public_id: str, someone: Actor) -> Some:
        """Load one that somebody may use. Raises ClientError `not_found` (404)."""
        found = self.model.find(db.session(), public_id, someone.user_id)
        if found is None:
            raise not_found(f"This {self.noun}")
        return found

    def create(self, someone: Actor, values: Values) -> Some:
        """Keep one. Raises ClientError 422 for a name that is taken or one too many, and as `check` does."""
        checked = self.check(values, someone)
        with transaction() as session:
            mine = select(func.count()).select_from(self.model).where(self.model.user_id == someone.user_id)
            if (session.scalar(mine) or 0) >= self.most:
                raise self.wrong("name", f"is one too many: {self.most} {self.noun}s are the most")
            self._refuse_taken(someone.user_id, checked["name"], None)
            made = self.model(user_id=someone.user_id, **checked)
            session.add(made)
            session.flush()
            public_id = made.public_id
        return self.load(public_id, someone)

    def change(self, public_id: str, someone: Actor, values: Values) -> Some:
        """Change one's own, an admin also a shared one. Raises ClientError 404, 403, or as `create`."""
        with transaction():
            found = self._to_change(public_id, someone)
            checked = self.check(values, someone)
            if "name" in checked:
                self._refuse_taken(found.user_id, checked["name"], found.id)
            for name, value in checked.items():
                setattr(found, name, value)
            owner = found.user_id
        # An admin who ends the sharing of another's no longer sees it.
        return db.session.scalars(self.model.seen_by(owner).where(self.model.public_id == public_id)).one()

    def delete(self, public_id: str, someone: Actor) -> None:
        """Delete one; what was found or sent with it stays. Raises ClientError 404 or 403."""
        with transaction() as session:
            session.delete(self._to_change(public_id, someone))

    def answer(self, found: Some, someone: Actor) -> dict[str, Any]:
        """Return what `OwnedData` says."""
        return {
            "id": found.public_id,
            "name": found.name,
            "is_shared": found.is_shared,
            "is_mine": found.user_id == someone.user_id,
            "owner": found.user.name,
            "created_at": found.created_at,
        }

    def wrong(self, field: str, message: str) -> ClientError:
        """Return the 422 `validation_failed` that names one field."""
        said = f"The {self.noun} was not kept: its {field} {message}."
        return ClientError(422, "validation_failed", said, [FieldError(field, message)])

    def _to_change(self, public_id: str, someone: Actor) -> Some:
        found = self.load(public_id, someone)
        if found.user_id != someone.user_id and someone.role != "admin":
            whose = f"This {self.noun} belongs to {found.user.name}; only an admin may."
            raise ClientError(403, "forbidden", whose)
        return found

    def _refuse_taken(self, user_id: int, name: str, own_id: int | None) -> None:
        query = select(self.model.id).where(self.model.user_id == user_id, self.model.name == name)
        taken = db.session.scalar(query)
        if taken is not None and taken != own_id:
            raise self.wrong("name", f"is the name of another {self.noun} of yours")
