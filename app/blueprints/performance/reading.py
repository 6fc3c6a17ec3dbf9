"""Reading a request of the performance API strictly: what could be read in two ways is refused."""

from flask import request

from app.errors import ClientError, FieldError
from app.validation import check_body

MOST_BYTES = 64 * 1024


def check_request() -> None:
    """Check that a body is one JSON object that can be stored, and that no parameter is given twice.

    Raises ClientError: 413 `payload_too_large`, 415 `unsupported_media_type`, 400 `malformed_body`, 422
    `validation_failed`.
    """
    if request.method == "POST":
        check_body(MOST_BYTES)
    twice = sorted(name for name, values in request.args.lists() if len(values) > 1)
    if twice:
        faults = [FieldError(name, "is given twice") for name in twice]
        raise ClientError(422, "validation_failed", "A parameter is given twice.", faults)
