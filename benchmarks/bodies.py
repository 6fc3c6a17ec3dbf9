"""The requests that are sent: the same 2 KB of report, in each program's own form."""

import io
import json
import random
from datetime import UTC, datetime
from typing import Any

from PIL import Image, ImageDraw

from benchmarks.load import Call, prepare

BODY_BYTES = 2048
SCREENSHOT_BYTES = 440_000
# What the load generator replaces by a new key each time.
MARK = b"0123456789abcdef0123456789abcdef"
BOUNDARY = "----earmark-benchmark-0123456789"
SENTENCE = (
    "the basket forgets its second row when I go back from the payment page and the total stays "
    "at the old sum until I load the page again which happened three times today on the phone, "
)


def earmark(project: str) -> Call:
    """Return a submission as JSON to Earmark."""
    return prepare(_head("/api/feedback", "application/json"), _submission(project), MARK, 201)


def earmark_form(project: str, screenshot: bytes | None) -> Call:
    """Return a submission as the widget sends it: a form, with or without a screenshot."""
    parts = [_part('name="feedback"', "application/json", _submission(project))]
    if screenshot is not None:
        parts.append(_part('name="screenshot"; filename="page.png"', "image/png", screenshot))
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return prepare(_head("/api/feedback", kind), body, MARK, 201)


def bugsink(project_id: int, sentry_key: str) -> Call:
    """Return the same report as an event in a Sentry envelope."""
    event: dict[str, Any] = {
        "event_id": MARK.decode(),
        "timestamp": _now(),
        "platform": "javascript",
        "level": "info",
        "user": {"id": "u-4711", "email": "ada@example.org"},
        "request": {"url": "https://shop.example.org/basket", "headers": {"User-Agent": _AGENT}},
        "contexts": {"basket": _STATE},
    }
    head = {"event_id": MARK.decode(), "sent_at": _now()}
    room = BODY_BYTES - len(_lines(head, {"type": "event"}, {**event, "message": ""}))
    body = _lines(head, {"type": "event"}, {**event, "message": _text(room)})
    path = f"/api/{project_id}/envelope/"
    auth = f"X-Sentry-Auth: Sentry sentry_version=7, sentry_key={sentry_key}"
    return prepare(_head(path, "application/x-sentry-envelope", auth), body, MARK, 200)


def isso() -> Call:
    """Return the same report as a comment to Isso."""
    comment = {"author": "Ada", "email": "ada@example.org", "title": "Basket", "text": MARK.decode() + " "}
    comment["text"] += _text(BODY_BYTES - len(json.dumps(comment)))
    body = json.dumps(comment).encode()
    # "Database is locked" becomes a 500 now and then.
    return prepare(_head("/new?uri=%2Fbasket", "application/json"), body, MARK, 201, tolerated=500)


def screenshot() -> bytes:
    """Draw a page-like PNG of about 440 KB: 1600×1000, flat areas, text, and one noisy photograph."""
    noise = random.Random(1)
    page = Image.new("RGB", (1600, 1000), "#f7f5f1")
    draw = ImageDraw.Draw(page)
    for row in range(40):
        draw.text((60, 40 + row * 24), _text(150), fill="#222222")
    side = 320  # found by trying: noise does not compress, so its area sets the size
    photograph = Image.frombytes("RGB", (side, side), noise.randbytes(side * side * 3))
    page.paste(photograph, (1150, 80))
    file = io.BytesIO()
    page.save(file, "PNG")
    return file.getvalue()


def _submission(project: str) -> bytes:
    fields: dict[str, Any] = {
        "project": project,
        "category": "bug",
        "description": "",
        "url": "https://shop.example.org/basket",
        "session_id": "s-" + "7" * 30,
        "timestamp": _now(),
        "browser": "Firefox 145",
        "os": "Windows 11",
        "screen_resolution": "1920x1080",
        "viewport_size": "1600x1000",
        "device_pixel_ratio": 1.25,
        "annotation_coords": [
            {"kind": "rectangle", "points": [[120, 80], [420, 260]], "color": "#d4351c"},
            {"kind": "arrow", "points": [[500, 300], [430, 250]], "color": "#d4351c"},
        ],
        "api_state": _STATE,
        "reporter": {"id": "u-4711", "name": "Ada", "email": "ada@example.org"},
        "rating": 2,
        "custom": {"release": "2026.11.3"},
        "idempotency_key": MARK.decode(),
        "website": "",
        "elapsed_ms": 41_250,
    }
    fields["description"] = _text(BODY_BYTES - len(json.dumps(fields)))
    return json.dumps(fields).encode()


_STATE: dict[str, Any] = {
    "route": "/basket",
    "basket": {"rows": [{"sku": "HK-204", "count": 2}, {"sku": "HK-771", "count": 1}], "total": 84.5},
    "flags": ["new-payment", "fast-search"],
}
_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"


def _head(path: str, content_type: str, *more: str) -> str:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"User-Agent: {_AGENT}",
        "Accept: */*",
        f"Content-Type: {content_type}",
        *more,
    ]
    return "\n".join(lines)


def _part(disposition: str, content_type: str, content: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {content_type}"
    return f"{head}\r\n\r\n".encode() + content + b"\r\n"


def _lines(*objects: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


def _text(length: int) -> str:
    repeated = SENTENCE * (length // len(SENTENCE) + 1)
    return repeated[: length - 1] + "."


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
