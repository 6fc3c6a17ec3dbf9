"""What a picture is by its first bytes, without decoding it: kind, size, and that it is a single one.

Owns the quick check inside the request. Refuses what is no PNG, JPEG or WebP (415) and what is too large
or moves (422). What passes here may still be broken: the decoder, a child process, finds that out later.
"""

import base64
import binascii
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.errors import ClientError, FieldError
from app.pictures import MAX_PIXELS, MAX_SIDE

# Chunks and segments that stand before the picture in honest files are a few dozen.
MOST_CHUNKS = 1000

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
# JPEG markers, ITU T.81 table B.1: frames that Pillow decodes (baseline, extended, progressive), and those
# that carry no length.
FRAMES = frozenset({0xC0, 0xC1, 0xC2})
OTHER_FRAMES = frozenset({0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
BARE = frozenset({0x01, *range(0xD0, 0xD8)})
SCAN, END, APP2 = 0xDA, 0xD9, 0xE2
ANIMATION_FLAG = 0x02  # of WebP's VP8X chunk


class UnfitImage(Exception):
    """The picture cannot be taken; the text says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What an upload says about itself: media type and size in pixels."""

    media_type: str
    width: int
    height: int


def inspect(data: bytes) -> Picture:
    """Read kind and size from an upload's header.

    Raises ClientError 415 `unsupported_media_type` for what is no PNG, JPEG or WebP by its bytes, and
    UnfitImage (to become a 422) for one that is broken at its head, moves, or has over 24 megapixels or
    16,384 pixels a side.
    """
    media_type, measure = _kind(data)
    try:
        width, height = measure(data)
    except (struct.error, IndexError):
        raise UnfitImage("ends before it says how large it is") from None
    if width < 1 or height < 1:
        raise UnfitImage("has no pixels")
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise UnfitImage("must be at most 24 megapixels and 16,384 pixels a side")
    return Picture(media_type, width, height)


def from_data_url(text: str) -> bytes:
    """Return the bytes of a `data:image/…;base64,` URL. Raises UnfitImage for anything else."""
    head, comma, encoded = text.partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        raise UnfitImage("must be a data:image/…;base64, URL")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise UnfitImage("is not valid base64") from None


def as_field_error(error: UnfitImage) -> FieldError:
    """Name the field that an unfit picture came in."""
    return FieldError("screenshot", str(error))


def _kind(data: bytes) -> tuple[str, Callable[[bytes], tuple[int, int]]]:
    if data.startswith(PNG):
        return "image/png", _measure_png
    if data.startswith(JPEG):
        return "image/jpeg", _measure_jpeg
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", _measure_webp
    raise ClientError(415, "unsupported_media_type", "A picture is PNG, JPEG or WebP by its bytes.")


def _measure_png(data: bytes) -> tuple[int, int]:
    # IHDR is the first chunk and 13 bytes long; acTL before IDAT makes it an animation (PNG, 3rd edition).
    if data[8:16] != b"\x00\x00\x00\rIHDR":
        raise UnfitImage("is a PNG without a header")
    for name in _png_chunks(data):
        if name == b"acTL":
            raise UnfitImage("must be one picture, not an animation")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _png_chunks(data: bytes) -> Iterator[bytes]:
    position = 8
    for _ in range(MOST_CHUNKS):
        length, name = struct.unpack_from(">I4s", data, position)
        if name == b"IDAT":
            return
        yield name
        position += 12 + length
    raise UnfitImage("holds too much besides a picture")


def _measure_jpeg(data: bytes) -> tuple[int, int]:
    size: tuple[int, int] | None = None
    for marker, start in _jpeg_segments(data):
        # A Multi-Picture file (CIPA DC-007) names its further pictures in an APP2 segment.
        if marker == APP2 and data[start + 2 : start + 6] == b"MPF\x00":
            raise UnfitImage("must be one picture, not several")
        if marker in OTHER_FRAMES:
            raise UnfitImage("is a kind of JPEG that is not taken")
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 3)
            size = (width, height)
    if size is None:
        raise UnfitImage("is a JPEG that does not say how large it is")
    return size


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    position = 2
    for _ in range(MOST_CHUNKS):
        if data[position] != 0xFF:
            raise UnfitImage("is a JPEG with a broken header")
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte, T.81 B.1.1.2
            position += 1
            continue
        if marker in (SCAN, END):
            return
        yield marker, position + 2
        length = 0 if marker in BARE else struct.unpack_from(">H", data, position + 2)[0]
        position += 2 + length
    raise UnfitImage("holds too much besides a picture")


def _measure_webp(data: bytes) -> tuple[int, int]:
    # RFC 9649, section 2: the first chunk is VP8 (lossy), VP8L (lossless) or VP8X (extended).
    chunk = data[12:16]
    if chunk == b"VP8X":
        if data[20] & ANIMATION_FLAG:
            raise UnfitImage("must be one picture, not an animation")
        return _uint24(data, 24) + 1, _uint24(data, 27) + 1
    if chunk == b"VP8L":
        if data[20] != 0x2F:
            raise UnfitImage("is a WebP with a broken header")
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise UnfitImage("is a WebP with a broken header")


def _uint24(data: bytes, position: int) -> int:
    low, middle, high = data[position], data[position + 1], data[position + 2]
    return low | middle << 8 | high << 16
