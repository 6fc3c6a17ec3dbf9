"""What a submission is: every field, its type and its bounds, checked at once.

Owns the shape of the JSON that `POST /api/feedback` takes and the words said about what is wrong with
it. Types are strict: `true` and `"5"` are no numbers. Knows no request and no table.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from app.errors import ClientError, FieldError

MAX_DESCRIPTION = 10_000
MAX_STATE_BYTES = 64 * 1024
MAX_SHAPES = 500
MAX_POINTS = 20_000
MAX_CUSTOM_FIELDS = 50
MAX_DETAILS = 50
# More names than there are fields can only be noise; each would become an error of its own.
MAX_NAMES = 64
# Left out of the digest: what a client that tries again may honestly send anew.
OF_THE_ATTEMPT = frozenset({"idempotency_key", "timestamp", "elapsed_ms", "screenshot"})

IDEMPOTENCY_KEY = r"^[\x21-\x7e]{1,128}$"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
POINTS_OF = {"rectangle": (2, 2), "highlight": (2, 2), "arrow": (2, 2), "text": (1, 1)}


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        raise PydanticCustomError("moment", "must be a time such as 2026-11-21T09:30:00Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("moment", "is not a time that exists") from None


def _small_state(value: dict[str, Any]) -> dict[str, Any]:
    if len(_canonical(value)) > MAX_STATE_BYTES:
        raise PydanticCustomError("state", "must be at most 64 KiB of JSON")
    return value


def _few_names(value: Any) -> Any:
    if isinstance(value, dict) and len(value) > MAX_CUSTOM_FIELDS:
        raise PydanticCustomError("names", "must have at most 50 names")
    return value


# Text on one line: no control characters (Unicode category Cc).
Word = Annotated[str, StringConstraints(max_length=64, pattern=r"^\P{Cc}*$")]
Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^\P{Cc}*$")]
Pixels = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]
Point = Annotated[list[Pixels], Field(min_length=2, max_length=2, fail_fast=True)]
Size = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}x[0-9]{1,5}$")]
Ratio = Annotated[float, Field(gt=0, le=32, allow_inf_nan=False)]
Moment = Annotated[
    datetime | None,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Strict(BaseModel):
    """What all parts share: strict types, no unknown names, no copies."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class Shape(Strict):
    """One annotation, in CSS pixels of the picture."""

    kind: Literal["rectangle", "arrow", "pen", "text", "highlight"]
    points: Annotated[list[Point], Field(min_length=1, max_length=MAX_POINTS, fail_fast=True)]
    text: Annotated[str, StringConstraints(max_length=500)] | None = None
    color: Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None

    @model_validator(mode="after")
    def has_the_points_of_its_kind(self) -> Self:
        """A rectangle or highlight has two corners, an arrow two ends, a text one, a pen two or more."""
        least, most = POINTS_OF.get(self.kind, (2, MAX_POINTS))
        if not least <= len(self.points) <= most:
            raise PydanticCustomError("points", "has the wrong number of points for its kind")
        return self


def _few_points(shapes: list[Shape]) -> list[Shape]:
    if sum(len(shape.points) for shape in shapes) > MAX_POINTS:
        raise PydanticCustomError("points", "must have at most 20,000 points in all")
    return shapes


Shapes = Annotated[list[Shape], Field(max_length=MAX_SHAPES, fail_fast=True), AfterValidator(_few_points)]


class Reporter(Strict):
    """Who sends it, as the page says; nothing here is verified."""

    id: Line | None = None
    name: Line | None = None
    email: (
        Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$")] | None
    ) = None


class SubmissionBody(Strict):
    """The JSON object that `POST /api/feedback` takes."""

    project: Annotated[str, Field(min_length=1, max_length=64, description="Public key.")]
    category: Word | None = None
    description: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_DESCRIPTION)
    ]
    url: (
        Annotated[
            str,
            StringConstraints(max_length=2000, pattern=r"^(?i:https?)://[^\s/?#\\\p{Cc}][^\s\p{Cc}]*$"),
        ]
        | None
    ) = None
    session_id: Line | None = None
    timestamp: Moment = None
    browser: Line | None = None
    os: Line | None = None
    screen_resolution: Size | None = None
    viewport_size: Size | None = None
    device_pixel_ratio: Ratio | None = None
    annotation_coords: Shapes | None = None
    screenshot_scale: Annotated[
        Ratio | None, Field(description="Pixels of the picture for one CSS pixel.")
    ] = None
    api_state: Annotated[dict[str, Any], AfterValidator(_small_state)] | None = None
    screenshot: Annotated[str | None, Field(description="JSON form only: a data:image/…;base64, URL.")] = None
    reporter: Reporter | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    custom: Annotated[
        dict[
            Annotated[str, StringConstraints(min_length=1, max_length=64)],
            Annotated[str, StringConstraints(max_length=1000)],
        ]
        | None,
        BeforeValidator(_few_names),
    ] = None
    idempotency_key: Annotated[str, StringConstraints(pattern=IDEMPOTENCY_KEY)] | None = None
    website: Annotated[str | None, Field(max_length=2000, description="People leave it empty.")] = None
    elapsed_ms: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None = None


def parse(fields: Mapping[str, Any]) -> SubmissionBody:
    """Check every field at once.

    Raises ClientError 422 `validation_failed` whose details name each field at fault (at most 50).
    """
    if len(fields) > MAX_NAMES:
        raise invalid([FieldError("", "has more names than a submission has fields")])
    try:
        return SubmissionBody.model_validate(fields)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise invalid([_describe(one) for one in found[:MAX_DETAILS]]) from None


def invalid(details: list[FieldError]) -> ClientError:
    """Make the 422 for fields that are at fault."""
    names = ", ".join(sorted({detail.field.split(".")[0] for detail in details} - {""}))
    message = f"Nothing was kept; check {names}." if names else "Nothing was kept; check the fields."
    return ClientError(422, "validation_failed", message, details)


def choose_key(header: str | None, field: str | None) -> str | None:
    """Return the idempotency key of a request; the header's wins where only one is given.

    Raises ClientError 422 if the header is not 1 to 128 visible ASCII characters, or differs from the
    field.
    """
    if header is None:
        return field
    if not re.fullmatch(IDEMPOTENCY_KEY[1:-1], header):
        raise invalid([FieldError("idempotency_key", MESSAGES_OF_FIELDS["idempotency_key"])])
    if field is not None and field != header:
        raise invalid([FieldError("idempotency_key", "differs from the Idempotency-Key header")])
    return header


def digest(fields: Mapping[str, Any], image: bytes | None) -> str:
    """Return the SHA-256 (hex) of what was sent: equal for a retry, different for any other content.

    The key, the clock and the time taken do not count; the picture counts by its bytes, however it came.
    """
    kept = {name: value for name, value in fields.items() if name not in OF_THE_ATTEMPT}
    sha = hashlib.sha256(_canonical(kept))
    if image is not None:
        sha.update(b"\x00")  # cannot stand in JSON, so text and picture cannot run together
        sha.update(image)
    return sha.hexdigest()


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _canonical(value: Any) -> bytes:
    return _ENCODER.encode(value).encode("utf-8")


MESSAGES_OF_FIELDS = {
    "url": "must be an http or https address without spaces or control characters",
    "email": "must be an e-mail address",
    "color": "must be a colour such as #d4351c",
    "screen_resolution": 'must look like "1280x720"',
    "viewport_size": 'must look like "1280x720"',
    "idempotency_key": "must be 1 to 128 visible ASCII characters",
}
MESSAGES = {
    "missing": "is needed",
    "extra_forbidden": "is not a field of a submission",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length:,} characters",
    "string_pattern_mismatch": "must not hold control characters",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be one of {expected}",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "too_short": "must have at least {min_length:,}",
    "too_long": "must have at most {max_length:,}",
}


def _describe(error: ErrorDetails) -> FieldError:
    location = error["loc"]
    field = ".".join(str(step)[:64] for step in location if step != "[key]")
    kind = error["type"]
    if kind == "string_pattern_mismatch" and location[-1] in MESSAGES_OF_FIELDS:
        return FieldError(field, MESSAGES_OF_FIELDS[str(location[-1])])
    template = MESSAGES.get(kind)
    if template is None:
        return FieldError(field, error["msg"])
    return FieldError(field, template.format(**error.get("ctx", {})))
