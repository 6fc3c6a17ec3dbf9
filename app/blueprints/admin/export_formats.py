"""How an export is written: CSV that no spreadsheet takes for formulas, or a JSON object a line.

Both write a batch of rows at a time and keep nothing of it.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

FORMATS = ("csv", "jsonl")
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
BOM = b"\xef\xbb\xbf"
# What a spreadsheet may take for a formula at a cell's beginning, in the full-width forms as well (OWASP, CSV
# injection). Numbers and times are ours and begin with a digit.
RISKY = frozenset("=+-@\t\r\n|%＝＋－＠｜％")


class CsvWriter:
    """Comma-separated values by RFC 4180, every cell quoted, UTF-8."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns

    def head(self, *, bom: bool = False) -> bytes:
        """Return the line of names; with a byte order mark where the reader wants one."""
        return (BOM if bom else b"") + _csv([self._columns])

    def batch(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Return the lines of some rows."""
        # A column at a time: one look at the type for a thousand cells, and the loops run in C.
        cells = [_column(values) for values in zip(*rows, strict=True)]
        return _csv(zip(*cells, strict=True))


class JsonlWriter:
    """One JSON object a line (jsonlines.org), UTF-8."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._encode = json.JSONEncoder(
            ensure_ascii=False, separators=(",", ":"), default=_json_moment
        ).encode

    def head(self, *, bom: bool = False) -> bytes:  # noqa: ARG002  # JSON has none (RFC 8259, 8.1)
        """Return nothing: each line names its values."""
        return b""

    def batch(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Return the lines of some rows."""
        lines = [self._encode(dict(zip(self._columns, row, strict=True))) for row in rows]
        return ("\n".join(lines) + "\n").encode()


WRITERS: dict[str, type[CsvWriter] | type[JsonlWriter]] = {"csv": CsvWriter, "jsonl": JsonlWriter}


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe stands before a risky sign."""
    return "'" + text if text and text[0] in RISKY else text


def _csv(rows: Any) -> bytes:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(rows)
    return written.getvalue().encode()


def _column(values: Sequence[Any]) -> Sequence[Any]:
    kinds = set(map(type, values)) - {type(None)}
    if len(kinds) != 1:
        return [None if value is None else _cell(type(value))(value) for value in values]
    (kind,) = kinds
    if kind is int:
        return values
    write = _cell(kind)
    return [None if value is None else write(value) for value in values]


def _cell(kind: type) -> Callable[[Any], Any]:
    return _CELLS.get(kind, _json)


def _moment(value: datetime) -> str:
    # Times are in UTC already: RFC 3339 as `app.clock.rfc3339` writes it, without looking for the zone.
    return value.isoformat()[:-6] + "Z"


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _json(value: Any) -> str:
    return safe(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _json_moment(value: Any) -> str:
    if isinstance(value, datetime):
        return _moment(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


_CELLS: dict[Any, Callable[[Any], Any]] = {
    str: safe,
    bool: _truth,
    int: int,
    float: repr,
    datetime: _moment,
}
