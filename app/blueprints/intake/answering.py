"""The reporter's answer on their own page: read strictly, from the form or as JSON."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from app.blueprints.intake.body import declared_length, read_exactly
from app.errors import ClientError, FieldError
from app.models import message
from app.strict_json import malformed, parse_json

# 10,000 characters of four bytes, each written as %XX in a form.
MOST_BYTES = 160 * 1024
MOST_FIELDS = 5
FORM = "application/x-www-form-urlencoded"


def read(environ: Mapping[str, Any], media_type: str) -> str:
    """Return what was written, as it came.

    Raises ClientError: 411, 413, 415 for a body that is not taken, 400 `malformed_body` for one that two
    readers could take for two different things, 422 for one without `text`.
    """
    length = declared_length(environ)
    if length > MOST_BYTES:
        raise ClientError(413, "payload_too_large", f"An answer is at most {MOST_BYTES // 1024} KiB.")
    if media_type not in (FORM, "application/json"):
        raise ClientError(415, "unsupported_media_type", f"Send application/json or {FORM}.")
    data = read_exactly(environ["wsgi.input"], length)
    fields = parse_json(data) if media_type == "application/json" else _form(data)
    unknown = sorted(set(fields) - {"text"})
    if unknown:
        raise _wrong(unknown[0], "is not taken")
    if not isinstance(fields.get("text"), str):
        raise _wrong("text", "is needed")
    return str(fields["text"])


def check(text: str) -> str:
    """Return what is kept of an answer. Raises ClientError 422 when it says nothing or too much."""
    try:
        return message.clean(text)
    except ValueError as error:
        raise _wrong("text", str(error)) from None


def _form(data: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            data.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError too
        malformed("The form cannot be read.")
    fields = dict(pairs)
    if len(fields) != len(pairs):
        malformed("The form names a field twice.")
    return fields


def _wrong(field: str, text: str) -> ClientError:
    return ClientError(422, "validation_failed", "Nothing was sent.", [FieldError(field, text)])
