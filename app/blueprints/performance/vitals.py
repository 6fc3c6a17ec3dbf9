"""The browsers' own timings: taken from a page's beacon, counted under the route of the page.

Owns what a beacon may be. Refuses addresses that are no page, other sites, and timings of pages that the
sender may not open, so that only those who see a page speak of it. Nothing of the visitor is kept, and no
address: `/f/TOKEN` counts as `/f/<token>`.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from flask import Response, current_app, request
from flask_openapi import APIBlueprint, OpenAPI, Tag
from flask_openapi.models import MediaType, Reference, RequestBody, Schema
from limits import RateLimitItem, parse_many
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from app.blueprints.performance.timings import SHIFT_PARTS, VitalsBody
from app.config import current_settings
from app.database.tracking.watch import current_watcher
from app.errors import ClientError, FieldError
from app.limits_storage import rate_limiter, request_key
from app.responses import Failure
from app.security import ACCESS as GUARDED
from app.security import GUEST, PUBLIC, needs
from app.strict_json import malformed, parse_json
from app.validation import refuse

log = logging.getLogger("earmark.vitals")

ACCESS = {"performance_vitals.take_vitals": PUBLIC}
MEDIA_TYPES = ("application/json", "text/plain")
SCHEMAS = "#/components/schemas/"
MOST_BYTES = 8 * 1024


blueprint = APIBlueprint(
    "performance_vitals",
    __name__,
    abp_tags=[Tag(name="performance", description="How fast Earmark is, and why")],
)


def _request_body() -> RequestBody:
    schema = VitalsBody.model_json_schema(ref_template=SCHEMAS + "{model}")
    definitions = {**schema.pop("$defs"), "VitalsBody": schema}
    blueprint.components_schemas.update(
        {name: Schema(**definition) for name, definition in definitions.items()}
    )
    media = MediaType(media_type_schema=Reference(**{"$ref": SCHEMAS + "VitalsBody"}))
    return RequestBody(content=dict.fromkeys(MEDIA_TYPES, media))


def register(app: OpenAPI) -> None:
    """Add the route, and for templates `vitals_percent()`: of 100 visits of the page, how many report."""
    app.register_api(blueprint)
    app.jinja_env.globals["vitals_percent"] = vitals_percent


def vitals_percent() -> int:
    """Return how many of 100 visits of the page at work report: all of a signed-in page, none of no page."""
    percent = current_settings().vitals_percent
    if percent == 0 or request.url_rule is None or not current_watcher().tracking:
        return 0
    return percent if _role_of(request.endpoint) in (PUBLIC, GUEST) else 100


@blueprint.post(
    "/api/performance/vitals",
    summary="A browser's own timings of one visit",
    description="Sent by Earmark's pages when they are left (`navigator.sendBeacon`).",
    request_body=_request_body(),
    responses={"204": None, **dict.fromkeys(map(str, (400, 401, 403, 411, 413, 415, 422, 429)), Failure)},
)
def take_vitals() -> Response:
    """Count the timings of one visit under its page's route."""
    _count_request(request_key())
    _check_sender()
    body = _parsed(_read())
    page = _route_of(body.page)
    watcher = current_watcher()
    for timing in body.timings if watcher.tracking else ():
        parts = SHIFT_PARTS if timing.metric == "CLS" else 1
        watcher.record_browser(page, timing.metric, timing.value * parts)
    return Response(status=204)


def _count_request(client: str) -> None:
    """Count one beacon of a client. Raises ClientError 429; lets it through when the limits store is away."""
    limiter = rate_limiter()
    for item in _limits(current_settings().flood_rate_limit):
        try:
            allowed = limiter.hit(item, "vitals", client)
        except limiter.storage.base_exceptions:
            log.warning("the limits store is away; the timings were let through")
            return
        if not allowed:
            message = "Too many timings from this address."
            raise ClientError(429, "rate_limited", message, retry_after=item.get_expiry())


@lru_cache(maxsize=16)
def _limits(text: str) -> tuple[RateLimitItem, ...]:
    return tuple(parse_many(text))


def _check_sender() -> None:
    """Refuse what another site's page sends (403): its visitors would speak of our pages."""
    if not _is_own_page():
        raise ClientError(403, "origin_not_allowed", "Timings are taken from Earmark's own pages only.")


def _is_own_page() -> bool:
    # A page without referrer sends `Origin: null` to its own site too, so what the browser says of the site
    # goes first (Fetch Metadata, W3C).
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _read() -> bytes:
    """Return the body as it was sent. Raises ClientError 411, 413, 415, 400."""
    if request.mimetype not in MEDIA_TYPES or request.content_encoding not in (None, "", "identity"):
        raise ClientError(415, "unsupported_media_type", "Send application/json, or JSON as text/plain.")
    length = request.content_length
    if length is None:
        raise ClientError(411, "length_required", "Send the body with a Content-Length.")
    if length > MOST_BYTES:
        raise ClientError(413, "payload_too_large", f"Timings are at most {MOST_BYTES // 1024} KiB.")
    data = request.get_data()
    if len(data) != length:
        malformed("The body is shorter than its Content-Length.")
    return data


def _parsed(data: bytes) -> VitalsBody:
    try:
        body = VitalsBody.model_validate(parse_json(data))
    except ValidationError as error:
        refuse(error)
    if len({timing.metric for timing in body.timings}) < len(body.timings):
        raise _not_right("timings", "name a timing twice")
    return body


def _route_of(page: str) -> str:
    """Return the route of a page's address, such as `/f/<token>`, if the sender may open the page.

    Raises ClientError 422 for what is no page, 401 or 403 for one that the sender may not see.
    """
    try:
        rule, _ = current_app.url_map.bind(request.host).match(unquote(page), "GET", return_rule=True)
    except HTTPException:
        raise _not_right("page", "is no page of Earmark") from None
    role = _role_of(rule.endpoint)
    if role is None:
        raise _not_right("page", "is no page of Earmark")
    if role not in (PUBLIC, GUEST):
        needs(role)
    return rule.rule


def _role_of(endpoint: str | None) -> str | None:
    table: Mapping[str, str] = current_app.extensions[GUARDED]
    return table.get(f"GET {endpoint}") or table.get(endpoint or "")


def _not_right(field: str, message: str) -> ClientError:
    faults = [FieldError(field, message)]
    return ClientError(422, "validation_failed", "Some fields are not right.", faults)
