"""The envelopes of the API's answers, and their shapes as OpenAPI describes them."""

from collections.abc import Mapping
from typing import Any, Literal

from flask import Response, jsonify
from pydantic import BaseModel


class Fault(BaseModel):
    """One field at fault."""

    field: str
    message: str


class Error(BaseModel):
    """Why a request was not done: a stable word and a sentence."""

    code: str
    message: str
    details: list[Fault]
    request_id: str | None


class Failure(BaseModel):
    """The envelope of every failure."""

    success: Literal[False]
    error: Error


class PageInfo(BaseModel):
    """Where a list goes on; cursors are opaque. A page asked for by number has the four figures below."""

    limit: int
    next: str | None
    prev: str | None
    number: int | None = None
    pages: int | None = None
    total: int | None = None
    capped: bool | None = None


def success(
    data: Any,
    status: int = 200,
    *,
    page: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer `{"success": true, "data": …}`; a list adds `"page": {"limit", "next", "prev"}`."""
    body: dict[str, Any] = {"success": True, "data": data}
    if page is not None:
        body["page"] = dict(page)
    response = jsonify(body)
    response.status_code = status
    response.headers.update(headers or {})
    return response
