"""What tests of intake send: bodies with defaults, forms, pictures, and requests exactly as written."""

import io
import json
import struct
import zlib

from PIL import Image

BOUNDARY = "----EarmarkBoundary7MA4YWxkTrZu0gW"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def fields_of(project, /, **changes):
    """The smallest submission; a change to None leaves a field out."""
    fields = {"project": project.public_key, "description": "The button does nothing"} | changes
    return {name: value for name, value in fields.items() if value is not None}


def send(client, raw, content_type="application/json", *, headers=None, **environ):
    """POST bytes as they are; `environ` replaces WSGI's variables."""
    return client.post(
        "/api/feedback", data=raw, content_type=content_type, headers=headers, environ_overrides=environ
    )


def send_fields(client, fields, *, headers=None, **environ):
    return send(client, json.dumps(fields).encode(), headers=headers, **environ)


def form(*parts, boundary=BOUNDARY, closed=True):
    """A multipart body of (disposition, bytes) pairs."""
    mark = boundary.encode()
    body = b"".join(
        b"--" + mark + b"\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"
        for disposition, content in parts
    )
    return body + b"--" + mark + (b"--\r\n" if closed else b"\r\n")


def send_form(client, fields, image=None, *, headers=None, **environ):
    parts = [('form-data; name="feedback"', json.dumps(fields).encode())]
    if image is not None:
        parts.append(('form-data; name="screenshot"; filename="s.png"', image))
    return send(client, form(*parts), FORM, headers=headers, **environ)


def picture(mode="RGB", size=(64, 48), kind="PNG", color=None, **options):
    """An honest picture."""
    image = Image.new(mode, size, color) if color is not None else Image.new(mode, size)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_chunk(name, content, crc=None):
    crc = zlib.crc32(name + content) if crc is None else crc
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def png(width, height, *, rows=b"", depth=8, color=2, before=b"", after=b"", end=True):
    """A PNG written by hand: what its header says need not be true."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + before
        + png_chunk(b"IDAT", zlib.compress(rows, 9))
        + after
        + (png_chunk(b"IEND", b"") if end else b"")
    )


def error_of(response):
    """Status, code, and the fields at fault."""
    error = response.json["error"]
    return response.status_code, error["code"], sorted(detail["field"] for detail in error["details"])
