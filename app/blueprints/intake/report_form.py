"""The plain form's side of a submission: what was typed, and what is said at each field.

Owns the way from form fields to the JSON fields of `POST /api/feedback`, and from its errors back to
sentences at the fields. Decides nothing itself: what may be sent is intake's to say.
"""

import math
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from app.blueprints.intake.body import MAX_BODY_BYTES
from app.blueprints.intake.page_texts import Words
from app.errors import ClientError, FieldError
from app.strict_json import BAD_CHARACTER

# Room for the form's other fields beside the picture, so that the hint never promises too much.
MAX_PICTURE_MB = MAX_BODY_BYTES // 1024 // 1024 - 1
FIELD_OF = {"reporter.name": "name", "reporter.email": "email"}
SHOWN = ("category", "description", "url", "screenshot", "rating", "name", "email")


@dataclass(frozen=True)
class Typed:
    """What stands in the form's fields, as text."""

    category: str = ""
    description: str = ""
    url: str = ""
    rating: str = ""
    name: str = ""
    email: str = ""
    website: str = ""
    idempotency_key: str = ""

    @classmethod
    def blank(cls, category: str, url: str) -> "Typed":
        """Return a fresh form: its own key, a kind chosen, and the page it was opened from."""
        about = url if is_web_address(url) else ""
        return cls(category=category, url=about, idempotency_key=new_key())

    @classmethod
    def read(cls, form: Mapping[str, str]) -> "Typed":
        """Take what a browser sent; its line ends (CR LF, HTML 4.10.21) become ours."""
        return cls(**{name: form.get(name, "").replace("\r\n", "\n") for name in cls.__dataclass_fields__})

    def fields(self, project_key: str) -> dict[str, Any]:
        """Return the JSON fields of this submission; what was left empty is left out."""
        reporter = {"name": self.name.strip(), "email": self.email.strip()}
        reporter = {name: text for name, text in reporter.items() if text}
        fields: dict[str, Any] = {
            "project": project_key,
            "description": self.description,
            "category": self.category,
            "url": self.url.strip(),
            "rating": int(self.rating) if self.rating in "12345" and self.rating else self.rating,
            "reporter": reporter,
            "website": self.website,
            "idempotency_key": self.idempotency_key,
        }
        return {name: value for name, value in fields.items() if value or name == "description"}

    def faults(self) -> list[FieldError]:
        """Return the fields with characters that JSON's reader would have refused."""
        return [
            FieldError(name, "holds a character that cannot be kept")
            for name, text in asdict(self).items()
            if BAD_CHARACTER.search(text)
        ]


def new_key() -> str:
    """Return an idempotency key for one rendered form: pressing its button twice makes one submission."""
    return f"form-{secrets.token_urlsafe(18)}"


def is_web_address(url: str) -> bool:
    """Tell whether an address is http or https with a host, so that a link to it runs nothing."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def sentences(error: ClientError, typed: Typed, t: Words, *, had_image: bool) -> dict[str, str]:
    """Say what is wrong at each field, in the form's order and the page's language.

    A browser does not keep a chosen file, so a picture that was fine has to be chosen again.
    """
    at_fault = {FIELD_OF.get(one.field, one.field.split(".")[0]) for one in error.details}
    if error.code == "unsupported_media_type":
        at_fault.add("screenshot")
    found = {field: _sentence(field, typed, t) for field in SHOWN if field in at_fault}
    if had_image:
        found.setdefault("screenshot", t("image.again"))
    return {field: found[field] for field in SHOWN if field in found}


def notice(error: ClientError, t: Words) -> str:
    """Say at the top why nothing was sent."""
    if error.details or error.status == 415:
        return t("check")
    if error.code == "idempotency_mismatch":
        return t("refused.sent")
    if error.code == "rate_limited":
        seconds = int(error.headers.get("Retry-After", "60"))
        return t("refused.limited", n=max(1, math.ceil(seconds / 60)))
    return t("refused.busy" if error.status in (409, 429, 503) else "refused")


def _sentence(field: str, typed: Typed, t: Words) -> str:
    text = getattr(typed, field, "")
    if field in ("description", "name", "email") and not text.strip():
        return t(f"empty.{field}")
    if field == "description" and not BAD_CHARACTER.search(text):
        return t("long.description")
    return t(f"wrong.{field}", n=MAX_PICTURE_MB)
