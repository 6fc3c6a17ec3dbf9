"""Logging: one line a request, JSON for machines, a readable form on a terminal.

A line never holds a body, a token, a password or a query string, and control characters are escaped, so
that a sender cannot forge lines.
"""

import json
import logging
import sys
import time
from typing import Any

from flask import Flask, Response, g, request

from app.clock import rfc3339, utc_now
from app.config import Settings

access = logging.getLogger("earmark.access")
SECRET_PATHS = ("/f/", "/admin/welcome/")
FIELDS = ("method", "path", "status", "duration_ms", "bytes", "request_id", "code", "endpoint")


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; json.dumps escapes control characters."""
        entry: dict[str, Any] = {
            "time": rfc3339(utc_now()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update(getattr(record, "fields", {}))
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=True, default=str)


class TextFormatter(logging.Formatter):
    """A line for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record: time, level, message; a traceback below it."""
        fields = getattr(record, "fields", None)
        message = _readable(fields) if fields else record.getMessage()
        line = f"{time.strftime('%H:%M:%S')} {record.levelname.lower():7} {_escaped(message)}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def configure(settings: Settings) -> None:
    """Send every log line to standard error in the form the settings ask for."""
    handler = logging.StreamHandler(sys.stderr)
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    root = logging.getLogger("earmark")
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    root.propagate = False


def init_app(app: Flask) -> None:
    """Log one line when a request is answered."""

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _log(response: Response) -> Response:
        access.info("request", extra={"fields": _fields(response)})
        return response


def _fields(response: Response) -> dict[str, Any]:
    started = g.get("started")
    taken_ms = None if started is None else round((time.perf_counter() - started) * 1000, 2)
    return {
        "method": request.method,
        "path": _path(),
        "status": response.status_code,
        "duration_ms": taken_ms,
        "bytes": response.content_length,
        "request_id": g.get("request_id"),
        "code": g.get("error_code"),
        "endpoint": request.endpoint,
    }


def _path() -> str:
    # A link that opens by itself is a secret: only its address without the token is logged.
    for secret in SECRET_PATHS:
        if request.path.startswith(secret):
            return f"{secret}…"
    return request.path


def _readable(fields: dict[str, Any]) -> str:
    words = [fields["method"], fields["path"], str(fields["status"]), f"{fields['duration_ms']} ms"]
    if fields.get("code"):
        words.append(fields["code"])
    return " ".join(words)


def _escaped(line: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
