"""Errors: one shape for every answer, and what each failure becomes.

A client's fault is a `ClientError` with a stable code; a store that is busy, full or away is 503 with
`Retry-After`; anything else is a defect, logged with its traceback and answered without one.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from flask import Flask, Response, g, jsonify, render_template, request
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

log = logging.getLogger("earmark.errors")

# Codes for what Werkzeug raises by itself (RFC 9110 status codes).
HTTP_CODES = {
    400: "malformed_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    411: "length_required",
    412: "precondition_failed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "validation_failed",
    429: "rate_limited",
}

# Primary result codes of SQLite that mean "not now" rather than "wrong" (sqlite.org/rescode.html):
# busy, locked, no memory, read-only, I/O error, full, cannot open.
SQLITE_NOT_NOW = frozenset({5, 6, 7, 8, 10, 13, 14})
# A statement that was ended: SQLITE_INTERRUPT, and PostgreSQL's query_canceled (its appendix A).
SQLITE_INTERRUPT = 9
QUERY_CANCELED = "57014"


@dataclass(frozen=True)
class FieldError:
    """One field of a request that is at fault."""

    field: str
    message: str


class ClientError(Exception):
    """A request that cannot be done as asked: status 4xx (or 503), a stable code, a plain sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Sequence[FieldError] = (),
        *,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)


class Unavailable(ClientError):
    """A store is busy, full or away: 503 `storage_unavailable`; `retry_after` in seconds."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(503, "storage_unavailable", message, retry_after=retry_after)


def not_found(what: str = "That") -> ClientError:
    """Make the 404 that is the same for what is missing and what the caller may not see."""
    return ClientError(404, "not_found", f"{what} does not exist, or you may not see it.")


def is_store_unavailable(error: BaseException) -> bool:
    """Tell whether a database error means busy, full or away, rather than a defect of ours."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in SQLITE_NOT_NOW
    return isinstance(error, OperationalError) or error.connection_invalidated


def is_over_time(error: BaseException) -> bool:
    """Tell whether a statement was ended: by its time budget, or by somebody."""
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    return code == SQLITE_INTERRUPT or getattr(error.orig, "sqlstate", None) == QUERY_CANCELED


def init_app(app: Flask) -> None:
    """Answer every failure in the one shape."""
    app.register_error_handler(ClientError, _answer)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400 and error.response is not None:
        return error.response  # type: ignore[return-value]
    if status < 400:
        return error.get_response()  # type: ignore[return-value]
    known = HTTP_CODES.get(status, "bad_request" if status < 500 else "internal_error")
    headers = {"Allow": ", ".join(sorted(_methods(error)))} if _methods(error) else {}
    return _answer(ClientError(status, known, _sentence(status), headers=headers))


def _methods(error: HTTPException) -> Sequence[str]:
    return list(error.valid_methods or ()) if isinstance(error, MethodNotAllowed) else []


def _sentence(status: int) -> str:
    return {
        400: "The request could not be read.",
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        413: "The request is larger than is taken.",
        429: "Too many requests. Wait a little, then try again.",
    }.get(status, "The request could not be done.")


def _answer_unexpected(error: Exception) -> Response:
    if is_over_time(error):
        log.warning("a statement was ended", exc_info=error)
        return _answer(_over_time())
    if is_store_unavailable(error):
        log.warning("store unavailable", exc_info=error)
        return _answer(Unavailable("The store is busy. Nothing was kept; try again in a moment."))
    log.error("unexpected error", exc_info=error)
    message = "Something failed on our side. It was logged under the request id."
    return _answer(ClientError(500, "internal_error", message))


def _over_time() -> ClientError:
    message = "The database took too long over this. Nothing was changed; ask for less, or try again later."
    return ClientError(503, "query_timeout", message, retry_after=30)


def _answer(error: ClientError) -> Response:
    if _wants_page():
        page = render_template("error.html", error=error, request_id=g.get("request_id"))
        response = Response(page, error.status, mimetype="text/html")
    else:
        response = jsonify(success=False, error=as_json(error))
        response.status_code = error.status
    response.headers.update(error.headers)
    g.error_code = error.code
    return response


def as_json(error: ClientError) -> dict[str, object]:
    """Return the `error` member of the failure envelope."""
    return {
        "code": error.code,
        "message": error.message,
        "details": [asdict(detail) for detail in error.details],
        "request_id": g.get("request_id"),
    }


def _wants_page() -> bool:
    path = request.path
    if path.startswith(("/api/", "/admin/api/", "/health", "/static/")):
        return False
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    return best == "text/html" and "text/html" in request.headers.get("Accept", "")
