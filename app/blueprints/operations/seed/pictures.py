"""Pictures of demo submissions: three prepared ones, under a key of its own for each submission.

In the local folder a copy is a second name for the same bytes (Storage.copy), so many take little room.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, cast

from sqlalchemy import Connection, Table

from app.blueprints.operations.seed.lives import Life
from app.database.bulk import bulk_insert
from app.models import Screenshot
from app.storage import storage

FOLDER = Path(__file__).parent / "pictures"
SHARE = 2614 / 3809
MARKED_SHARE = 0.7
THUMBNAIL_SUFFIX = ".thumb"
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


def with_pictures(lives: Iterable[Life], rng: Random) -> Iterator[tuple[Life, Picture | None]]:
    """Give two of three submissions a picture that fits their page and machine, most of those with marks."""
    for life in lives:
        row = life.row
        if rng.random() > SHARE:
            yield life, None
            continue
        picture = _fitting(row)
        row["has_screenshot"] = True
        row["screenshot_scale"] = picture.scale
        if rng.random() < MARKED_SHARE:
            row["has_annotation"] = True
            row["annotation_coords"] = list(picture.marks)
        yield life, picture


def put_copies(batch: Iterable[tuple[Life, Picture | None]]) -> None:
    """Put the pictures of a batch into the blob store, before their rows are written."""
    for life, picture in batch:
        if picture is not None:
            for suffix in ("", THUMBNAIL_SUFFIX):
                storage().copy(_original(picture) + suffix, _key(life.row) + suffix)


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


def write_rows(connection: Connection, batch: Iterable[tuple[Life, Picture | None]]) -> None:
    """Add the screenshots' rows of submissions that are already written."""
    rows = (_row(life.row, picture) for life, picture in batch if picture is not None)
    bulk_insert(connection, _screenshots, rows)


def _fitting(row: Mapping[str, Any]) -> Picture:
    if "Mobile" in row["browser"]:
        return PHONE
    return BASKET if "/basket" in row["url"] or "/checkout" in row["url"] else PRODUCT


def _original(picture: Picture) -> str:
    return f"screenshots/demo/{picture.name}"


def _key(row: Mapping[str, Any]) -> str:
    return f"screenshots/{row['public_id'][:4]}/{row['public_id']}"


def _row(row: Mapping[str, Any], picture: Picture) -> dict[str, Any]:
    return {
        "feedback_id": row["id"],
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
