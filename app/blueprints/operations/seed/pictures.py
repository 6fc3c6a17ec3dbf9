"""Pictures of demo submissions: three prepared ones, under a key of its own for each submission.

In the local folder a copy is a second name for the same bytes (Storage.copy), so many take little room.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, cast

from sqlalchemy import Connection, Table, select

from app.database.bulk import bulk_insert
from app.models import Feedback, Screenshot
from app.storage import storage

FOLDER = Path(__file__).parent / "pictures"
SHARE = 2614 / 3809
MARKED_SHARE = 0.7
THUMBNAIL_SUFFIX = ".thumb"
# Under SQLite's oldest limit of 999 values a statement (sqlite.org/limits.html, 9).
IDS_A_QUERY = 900
_feedback = cast(Table, Feedback.__table__)
_screenshots = cast(Table, Screenshot.__table__)


@dataclass(frozen=True)
class Picture:
    """A prepared picture in pixels, and what a reporter drew on it in CSS pixels."""

    name: str
    width: int
    height: int
    scale: float
    marks: tuple[dict[str, Any], ...]

    def data(self, suffix: str = "") -> bytes:
        """Return the WebP file's bytes."""
        return _read(self.name + suffix)


BASKET = Picture(
    "basket",
    1280,
    800,
    1.0,
    (
        {"kind": "rectangle", "points": [[604, 578], [736, 610]]},
        {"kind": "arrow", "points": [[560, 690], [630, 616]]},
        {"kind": "text", "points": [[492, 696]], "text": "should be 102.00"},
    ),
)
PRODUCT = Picture(
    "product",
    1280,
    800,
    1.0,
    (
        {"kind": "rectangle", "points": [[52, 392], [448, 446]]},
        {"kind": "arrow", "points": [[600, 480], [456, 424]]},
    ),
)
PHONE = Picture("phone", 780, 1688, 2.0, ({"kind": "rectangle", "points": [[12, 640], [110, 672]]},))
PICTURES = (BASKET, PRODUCT, PHONE)


@cache
def _read(name: str) -> bytes:
    return (FOLDER / f"{name}.webp").read_bytes()


def with_pictures(
    rows: Iterable[dict[str, Any]], rng: Random
) -> Iterator[tuple[dict[str, Any], Picture | None]]:
    """Give two of three rows a picture that fits their page and machine, most of those with marks."""
    for row in rows:
        if rng.random() > SHARE:
            yield row, None
            continue
        picture = _fitting(row)
        row["has_screenshot"] = True
        row["screenshot_scale"] = picture.scale
        if rng.random() < MARKED_SHARE:
            row["has_annotation"] = True
            row["annotation_coords"] = list(picture.marks)
        yield row, picture


def put_copies(batch: Iterable[tuple[Mapping[str, Any], Picture | None]]) -> None:
    """Put the pictures of a batch into the blob store, before their rows are written."""
    for row, picture in batch:
        if picture is not None:
            for suffix in ("", THUMBNAIL_SUFFIX):
                storage().copy(_original(picture) + suffix, _key(row) + suffix)


def put_originals() -> None:
    """Put the prepared pictures into the blob store; they are copied from and removed at the end."""
    for picture in PICTURES:
        for suffix in ("", THUMBNAIL_SUFFIX):
            storage().put(_original(picture) + suffix, picture.data(suffix))


def remove_originals() -> None:
    """Remove what `put_originals` put."""
    for picture in PICTURES:
        for suffix in ("", THUMBNAIL_SUFFIX):
            storage().delete(_original(picture) + suffix)


def write_rows(connection: Connection, batch: Sequence[tuple[Mapping[str, Any], Picture | None]]) -> None:
    """Add the screenshots' rows of submissions that are already written."""
    pictures = {row["public_id"]: (row, picture) for row, picture in batch if picture is not None}
    ids = ids_of(connection, list(pictures))
    bulk_insert(connection, _screenshots, (_row(ids[key], *pictures[key]) for key in pictures))


def ids_of(connection: Connection, public_ids: Sequence[str]) -> dict[str, int]:
    """Return the submissions' numbers by their public ids."""
    found: dict[str, int] = {}
    for begin in range(0, len(public_ids), IDS_A_QUERY):
        part = public_ids[begin : begin + IDS_A_QUERY]
        query = select(_feedback.c.public_id, _feedback.c.id).where(_feedback.c.public_id.in_(part))
        found.update((row.public_id, row.id) for row in connection.execute(query))
    return found


def _fitting(row: Mapping[str, Any]) -> Picture:
    if "Mobile" in row["browser"]:
        return PHONE
    return BASKET if "/basket" in row["url"] or "/checkout" in row["url"] else PRODUCT


def _original(picture: Picture) -> str:
    return f"screenshots/demo/{picture.name}"


def _key(row: Mapping[str, Any]) -> str:
    return f"screenshots/{row['public_id'][:4]}/{row['public_id']}"


def _row(feedback_id: int, row: Mapping[str, Any], picture: Picture) -> dict[str, Any]:
    return {
        "feedback_id": feedback_id,
        "blob_key": _key(row),
        "thumbnail_key": _key(row) + THUMBNAIL_SUFFIX,
        "media_type": "image/webp",
        "size_bytes": len(picture.data()),
        "width": picture.width,
        "height": picture.height,
        "state": "ready",
        "attempts": 1,
        "created_at": row["created_at"],
    }
