"""The reference of F1: a bare Flask route that validates a submission and makes one raw SQLite insert.

No framework beyond Flask, no limits, no sessions, no log line, no request id, no security header, one table
with two indexes (key, idempotency key): what Earmark's whole intake is compared with. Started by
`Stage.bare_flask`, which names the file and its `synchronous`.
"""

import os
import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite
from flask import Flask, Response, jsonify, request

COLUMNS = {
    "project": 64,
    "category": 64,
    "description": 10_000,
    "url": 2000,
    "session_id": 200,
    "timestamp": 40,
    "browser": 200,
    "os": 200,
    "screen_resolution": 20,
    "viewport_size": 20,
    "idempotency_key": 128,
}
SIZE = re.compile(r"[0-9]{1,5}x[0-9]{1,5}")
INSERT = (
    f"insert into submissions (public_id, created_at, annotation_coords, api_state, reporter, rating, "
    f"{', '.join(COLUMNS)}) values (?, ?, ?, ?, ?, ?, {', '.join('?' * len(COLUMNS))})"
)
SCHEMA = f"""
create table if not exists submissions (
    id integer primary key, public_id text not null unique, created_at text not null,
    annotation_coords text, api_state text, reporter text, rating integer, {", ".join(COLUMNS)},
    unique (idempotency_key)
)
"""

app = Flask(__name__)
_local = threading.local()


def create_database(path: Path) -> None:
    """Make the file before the server starts: switching to WAL does not wait for a lock."""
    opened = sqlite.connect(str(path), isolation_level=None)
    opened.execute("pragma journal_mode = wal")
    opened.execute(SCHEMA)
    opened.close()


@app.post("/api/feedback")
def create() -> tuple[Response, int]:
    """Validate, insert in one transaction, answer."""
    fields = request.get_json()
    fault = _fault(fields)
    if fault is not None:
        return jsonify(success=False, error=fault), 422
    public_id, created_at = os.urandom(13).hex(), datetime.now(UTC).isoformat()
    nested = [app.json.dumps(fields.get(name)) for name in ("annotation_coords", "api_state", "reporter")]
    row = [public_id, created_at, *nested, fields.get("rating"), *(fields.get(name) for name in COLUMNS)]
    _connection().execute(INSERT, row)
    return jsonify(success=True, data={"id": public_id, "created_at": created_at}), 201


def _fault(fields: Any) -> str | None:
    if not isinstance(fields, dict) or not fields.get("description"):
        return "description is needed"
    for name, longest in COLUMNS.items():
        value = fields.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > longest):
            return f"{name} must be text of at most {longest} characters"
    if not SIZE.fullmatch(fields.get("viewport_size", "1x1")):
        return "viewport_size must look like 1280x720"
    if fields.get("rating") not in (None, 1, 2, 3, 4, 5):
        return "rating is 1 to 5"
    return None


def _connection() -> Any:
    if not hasattr(_local, "connection"):
        _local.connection = sqlite.connect(os.environ["BARE_DATABASE"], isolation_level=None, timeout=10)
        _local.connection.execute(f"pragma synchronous = {os.environ['BARE_SYNCHRONOUS']}")
    return _local.connection
