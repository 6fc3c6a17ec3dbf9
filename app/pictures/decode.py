"""The decoder: a program of its own that turns an upload into clean pixels, and nothing else.

Run as `python -I decode.py MAX_PIXELS MAX_SIDE [BOXES]` with the upload on standard input. It limits itself
before it imports the image library, so that a bomb or a hole in a codec ends this process and no other. It
writes one line of JSON (sizes, or the word for what went wrong), then the bytes of the WebP picture and its
thumbnail. It imports nothing of Earmark's: the less that runs here, the better.
"""

import io
import json
import os
import resource
import sys
import warnings
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from PIL import Image

# The worst pictures allowed (24 megapixels of noise) were measured: as WebP 469 MB and 3.4 s, as PNG or
# JPEG 270 MB and 2.9 s. A screenshot of 1600×1000 takes 36 MB and 0.14 s.
MEMORY_BYTES = 512 * 1024 * 1024
OUTPUT_BYTES = 32 * 1024 * 1024
LIMITS = {
    resource.RLIMIT_AS: (MEMORY_BYTES, MEMORY_BYTES),
    # At the first limit SIGXCPU, which tells the parent why; at the second one SIGKILL (setrlimit(2)).
    resource.RLIMIT_CPU: (5, 6),
    resource.RLIMIT_FSIZE: (OUTPUT_BYTES, OUTPUT_BYTES),
    resource.RLIMIT_NOFILE: (32, 32),
    resource.RLIMIT_CORE: (0, 0),
}
# Requests come first: a picture has minutes, an answer milliseconds.
NICENESS = 10
FORMATS = ("PNG", "JPEG", "WEBP")
# WebP's own bound (RFC 9649, section 2.5); one row of pixels less than is let in.
WEBP_SIDE = 16_383
WEBP = {"quality": 80, "method": 2}  # 90 ms for 1600×1000; method 4 takes 171 ms and saves 3 %
# The list shows 48×36 CSS pixels: sharp up to four device pixels for one.
THUMBNAIL = (192, 144)
REDACTION = (20, 26, 38)  # --redaction of tokens.css


class Undecodable(Exception):
    """The upload is no picture that can be shown; the text is one word."""


def limit_self() -> None:
    """Give up memory, time, files and core dumps beyond `LIMITS`, and priority, for good."""
    for kind, limits in LIMITS.items():
        resource.setrlimit(kind, limits)
    os.nice(NICENESS)


def decode(data: bytes, max_pixels: int, max_side: int) -> "Image.Image":
    """Return the upload's pixels: upright, RGB, on white. Raises Undecodable with a word."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
        if getattr(opened, "n_frames", 1) != 1:
            raise Undecodable("several_pictures")
        width, height = opened.size
        if width * height > max_pixels or max(width, height) > max_side:
            raise Undecodable("too_large")
        opened.load()
        ImageOps.exif_transpose(opened, in_place=True)
        return _plain(opened)
    except UnidentifiedImageError:
        raise Undecodable("not_a_picture") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        raise Undecodable("too_large") from None
    # Codecs raise nearly anything on broken input (struct.error, KeyError, RecursionError, …).
    except Exception as error:
        raise (error if isinstance(error, Undecodable) else Undecodable("broken")) from None


def blacken(image: "Image.Image", boxes: list[list[int]]) -> None:
    """Fill boxes (left, top, right, bottom; the ends are outside) with one colour: nothing shines through."""
    for left, top, right, bottom in boxes:
        image.paste(REDACTION, (left, top, right, bottom))


def encode(image: "Image.Image") -> tuple[bytes, bytes]:
    """Return picture and thumbnail as WebP, with pixels in them and no metadata."""
    width, height = image.size
    if max(width, height) > WEBP_SIDE:
        image = image.crop((0, 0, min(width, WEBP_SIDE), min(height, WEBP_SIDE)))
    return encode_webp(image), encode_webp(thumbnail(image))


def encode_webp(image: "Image.Image") -> bytes:
    """Return a picture without metadata as WebP. Raises Undecodable when the encoder cannot."""
    buffer = io.BytesIO()
    try:
        image.save(buffer, "WEBP", **WEBP)
    except ValueError:  # Pillow's word for no memory, or for more than the format's sides
        raise Undecodable("too_large") from None
    return buffer.getvalue()


def thumbnail(image: "Image.Image") -> "Image.Image":
    """Return the part that the list shows: filled, from the top, never enlarged."""
    from PIL import Image

    width, height = image.size
    wide, high = THUMBNAIL
    part_width, part_height = min(width, height * wide / high), min(height, width * high / wide)
    left = (width - part_width) / 2
    size = (max(1, min(wide, round(part_width))), max(1, min(high, round(part_height))))
    box = (left, 0, left + part_width, part_height)
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)


def main(arguments: list[str], source: BinaryIO, target: BinaryIO) -> None:
    """Decode `source` and write the answer, or the word for what went wrong, to `target`."""
    max_pixels, max_side = (int(argument) for argument in arguments[:2])
    boxes = json.loads(arguments[2]) if arguments[2:] else []
    try:
        image = decode(source.read(), max_pixels, max_side)
        blacken(image, boxes)
        picture, small = encode(image)
    except Undecodable as error:
        _write(target, {"failure": str(error)})
    except MemoryError:
        _write(target, {"failure": "too_large"})
    else:
        width, height = (min(side, WEBP_SIDE) for side in image.size)
        sizes = {"width": width, "height": height, "picture": len(picture), "thumbnail": len(small)}
        _write(target, sizes, picture, small)


def _plain(image: "Image.Image") -> "Image.Image":
    if image.mode.startswith("I;16"):
        # Greyscale of 16 bits; Pillow's own conversion would clip instead of scale.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    image = _on_white(image) if image.has_transparency_data else image.convert("RGB")
    image.info = {}  # colour profile, text and the rest, which the encoder would carry over
    return image


def _on_white(image: "Image.Image") -> "Image.Image":
    # Transparency would cost the encoder 300 MB more, and says nothing in a screenshot.
    from PIL import Image

    if image.mode != "RGBA":
        image = image.convert("RGBA")
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _write(target: BinaryIO, head: dict[str, int] | dict[str, str], *blobs: bytes) -> None:
    target.write(json.dumps(head).encode() + b"\n")
    for blob in blobs:
        target.write(blob)
    target.flush()


if __name__ == "__main__":
    limit_self()
    main(sys.argv[1:], sys.stdin.buffer, sys.stdout.buffer)
