"""Strict reading of what a request says, and pydantic's errors as ours: a field and a sentence each."""

import re
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, NoReturn

from flask import request
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from app.errors import ClientError, FieldError
from app.strict_json import parse_json

MOMENT = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d))?", re.ASCII)


class Strict(BaseModel):
    """What all that is read shares: `"5"` and `true` are no numbers, and an unknown name is refused."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Return the JSON schema, without arguments the one that is kept; nobody may change it.

        flask-openapi asks for it at each request with a query, only to know which names are lists: of the
        list of submissions that was half of the processor time (docs/performance.md).
        """
        if arguments or options:
            return super().model_json_schema(*arguments, **options)
        return _kept_schema(cls)


@cache
def _kept_schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)  # the default, said so that it is made


def moment_of(value: Any) -> datetime:
    """Read an RFC 3339 time, or a day as its first moment in UTC. Raises ValueError."""
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        raise ValueError("must be a time such as 2026-11-21T09:30:00Z, or a day")
    try:
        if len(value) == 10:
            return datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a time that exists") from None


QueryMoment = Annotated[
    datetime, BeforeValidator(moment_of), WithJsonSchema({"type": "string", "format": "date-time"})
]


def check_body(most_bytes: int) -> None:
    """Check that the body is one JSON object that can be stored; flask-openapi reads it afterwards.

    Raises ClientError: 413 `payload_too_large`, 415 `unsupported_media_type`, 400 `malformed_body` for what
    is no UTF-8, no JSON object, names a field twice, holds NaN, a NUL or half of a surrogate pair.
    """
    if not request.is_json:
        raise ClientError(415, "unsupported_media_type", "Send application/json.")
    data = request.get_data()
    if len(data) > most_bytes:
        raise ClientError(413, "payload_too_large", f"The body is at most {most_bytes // 1024} KiB.")
    parse_json(data)


def refuse(error: ValidationError) -> NoReturn:
    """Raise ClientError `validation_failed` (422) with every field at fault."""
    raise ClientError(422, "validation_failed", "Some fields are not right.", field_errors(error))


def field_errors(error: ValidationError) -> list[FieldError]:
    """Return field and message of each fault; `url` and `input` are left out."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [FieldError(".".join(map(str, fault["loc"])), _sentence(fault["msg"])) for fault in found]


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
