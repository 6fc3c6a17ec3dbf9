"""People's data: who is meant, what of theirs is here, and the tombstones of those who were erased.

A tombstone says nothing about the person: it is a keyed hash of what names them. It outlives the data, so
that a backup or an archive that comes back is erased again. What a person sends afterwards is theirs anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, Index, Select, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import utc_now
from app.database.types import Json, UtcTime
from app.errors import ClientError, FieldError
from app.models import signing
from app.models.addresses import is_address, lowered
from app.models.audit import canonical
from app.models.base import Base
from app.models.feedback import Feedback
from app.models.identifiers import new_public_id

MARK, CERTIFICATE = "erasure", "certificate"  # purposes of keyed hashes
LONGEST = 300
COLUMNS = {
    "email": Feedback.reporter_email,
    "session": Feedback.session_id,
    "reporter": Feedback.reporter_id,
}


@dataclass(frozen=True)
class Person:
    """Somebody, named by an e-mail, by a session of their browser, or by the id that a page gave them."""

    kind: str
    value: str

    @staticmethod
    def of(given: Mapping[str, str | None]) -> "Person":
        """Make the person that one of `email`, `session`, `reporter` names. Raises ClientError 422."""
        named = [(kind, (given.get(kind) or "").strip()) for kind in COLUMNS if given.get(kind)]
        if len(named) != 1:
            raise _wrong("email", "name the person by one of e-mail, session and reporter")
        kind, value = named[0]
        if not 1 <= len(value) <= LONGEST or "\0" in value:
            raise _wrong(kind, f"has 1 to {LONGEST} characters")
        if kind == "email" and "@" not in value:
            raise _wrong(kind, "must be an e-mail address")
        return Person(kind, normal(kind, value))

    @property
    def mark(self) -> str:
        """The keyed hash that stands for the person, under the secret in force."""
        return signing.sign(MARK, f"{self.kind}:{self.value}")

    def of_same(self, other: "Person") -> bool:
        """Tell whether both are one person."""
        return self.kind == other.kind and normal(self.kind, self.value) == normal(other.kind, other.value)

    def condition(self) -> ColumnElement[bool]:
        """Return the SQL condition of the person's submissions; e-mails are compared whatever their case."""
        column = COLUMNS[self.kind]
        return is_address(column, self.value) if self.kind == "email" else column == self.value


class Erasure(Base, kw_only=True):
    """One person who was erased: the tombstone, what went, and the certificate once all is done."""

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("kind in ('email', 'session', 'reporter')", name="kind"),
        Index("ix_erasures_mark", "mark", "created_at"),
        Index("ix_erasures_created", "created_at", "id"),
        Index(
            "ix_erasures_unfinished",
            "id",
            sqlite_where=text("finished_at is null"),
            postgresql_where=text("finished_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default_factory=new_public_id)
    kind: Mapped[str]
    mark: Mapped[str]
    requested_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    removed: Mapped[dict[str, int]] = mapped_column(Json, default_factory=dict)
    certificate: Mapped[str | None] = mapped_column(default=None)

    def add_removed(self, more: Mapping[str, int]) -> None:
        """Add to what went, inside the transaction in which it goes."""
        names = [*self.removed, *(name for name in more if name not in self.removed)]
        self.removed = {name: self.removed.get(name, 0) + more.get(name, 0) for name in names}

    def finish(self, now: datetime) -> None:
        """Write the certificate: what, where, when, how many; signed with the instance's secret."""
        self.finished_at = now
        said = {
            "earmark_erasure": 1,
            "id": self.public_id,
            "person": {"kind": self.kind, "mark": self.mark},
            "requested_by": self.requested_by,
            "requested_at": self.created_at,
            "finished_at": now,
            "removed": self.removed,
            "places": [
                "database",
                "search index",
                "pictures",
                "archives",
                "saved views",
                "policies",
                "holds",
            ],
        }
        signature = signing.sign(CERTIFICATE, canonical(said))
        self.certificate = canonical({**said, "signature": signature})


def is_certificate(said: Mapping[str, Any]) -> bool:
    """Tell whether this instance signed a certificate, to the last byte of what it says."""
    rest = {name: value for name, value in said.items() if name != "signature"}
    return signing.is_signed(CERTIFICATE, canonical(rest), str(said.get("signature")))


def normal(kind: str, value: str) -> str:
    """Return the form in which what names a person is compared."""
    return lowered(value) if kind == "email" else value


class Tombstones:
    """Looks submissions up among the erased; each name is hashed once."""

    def __init__(self, session: Session, only: Iterable[str] | None = None) -> None:
        """Read all tombstones, or those of some public ids."""
        query = select(Erasure.kind, Erasure.mark, Erasure.created_at, Erasure.public_id)
        if only is not None:
            query = query.where(Erasure.public_id.in_(list(only)))
        self._stones: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
        for row in session.execute(query):
            self._stones.setdefault((row.kind, row.mark), []).append((row.created_at, row.public_id))
        self._kinds = {kind for kind, _ in self._stones}
        self._marks: dict[tuple[str, str], list[str]] = {}

    def erased_by(self, submission: Mapping[str, Any], created_at: datetime) -> str | None:
        """Return the public id of the erasure that covers a submission's columns, or None."""
        for kind in self._kinds:
            value = submission.get(COLUMNS[kind].key)
            found = self.named_by(kind, value, created_at) if value else None
            if found is not None:
                return found
        return None

    def named_by(self, kind: str, value: str, created_at: datetime) -> str | None:
        """Return the public id of the erasure whose person a name of that moment is, or None."""
        if kind in self._kinds:
            for mark in self._marks_of(kind, value):
                for moment, public_id in self._stones.get((kind, mark), ()):
                    if created_at <= moment:
                        return public_id
        return None

    def _marks_of(self, kind: str, value: str) -> list[str]:
        found = self._marks.get((kind, value))
        if found is None:
            said = f"{kind}:{normal(kind, value)}"
            secrets = signing.keys()
            found = [signing.sign(MARK, said, secret) for secret in secrets]
            self._marks[kind, value] = found
        return found


def listing() -> Select[Any]:
    """Select erasures; page it by `Erasure.created_at, Erasure.id`."""
    return select(Erasure)


def _wrong(field: str, message: str) -> ClientError:
    details = [FieldError(field, message)]
    return ClientError(422, "validation_failed", "Some fields are not right.", details)
