"""Pictures: what the quick check refuses, and what the decoder makes of hostile ones, within its limits."""

import base64
import io
import json
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image, PngImagePlugin

from app.blueprints.intake import images
from app.blueprints.intake.images import Picture, UnfitImage
from app.errors import ClientError
from app.pictures import decode, sandbox

from .sending import picture, png, png_chunk

MARK = b"<script>earmark-payload</script>"
LIMIT_MB = 512
# Starts the decoder from a small process: a child's peak would otherwise include this one's (getrusage(2)).
MEASURE = (
    "import json, resource, subprocess, sys\n"
    "done = subprocess.run([sys.executable, '-I', *sys.argv[1:]], stdin=sys.stdin, capture_output=True)\n"
    "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024\n"
    "print(json.dumps([done.returncode, done.stdout.split(b'\\n')[0].decode('latin-1'), peak]))\n"
)


def animation(kind, **options):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "green", "blue")]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], **options)
    return file.getvalue()


def jpeg_with(segment, data=None):
    honest = data or picture(kind="JPEG")
    return honest[:2] + segment + honest[2:]


def webp(chunk, content, canvas=None):
    body = b"WEBP" + chunk + struct.pack("<I", len(content)) + content + b"\x00" * (len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def oriented(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = MARK.decode()
    return picture(size=(60, 40), kind=kind, exif=exif)


def noted_png():
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", MARK.decode())
    notes.add_text("zip", MARK.decode(), zip=True)
    notes.add_itxt("Title", MARK.decode())
    return picture(pnginfo=notes)


def with_two_sizes():
    data = picture(size=(64, 48), kind="JPEG")
    start = data.index(b"\xff\xc0")
    length = 2 + struct.unpack_from(">H", data, start + 2)[0]
    frame = data[start : start + length]
    huge = frame[:5] + struct.pack(">HH", 5000, 4000) + frame[9:]
    return data[:start] + huge + data[start:]


def rows(width, height, channels=3):
    return (b"\x00" + b"\x00" * (width * channels)) * height


UNKNOWN = {
    "text": b"hello",
    "one byte": b"\x89",
    "gif": picture(kind="GIF"),
    "gif polyglot": b"GIF89a/*" + MARK + b"*/=1;",
    "bmp": picture(kind="BMP"),
    "tiff": picture(kind="TIFF"),
    "ico": picture(kind="ICO"),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "html": b"<!doctype html>" + MARK,
    "pdf": b"%PDF-1.7\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "heic": b"\x00\x00\x00\x18ftypheic" + bytes(100),
    "png a byte off": b"\n" + picture(),
    "riff that is sound": b"RIFF\x24\x00\x00\x00WAVEfmt ",
}
UNFIT = {
    "png magic alone": b"\x89PNG\r\n\x1a\n",
    "png without header": b"\x89PNG\r\n\x1a\n" + png_chunk(b"IDAT", b""),
    "jpeg named png": b"\x89PNG\r\n\x1a\n" + picture(kind="JPEG"),
    "png 0x0": png(0, 0),
    "png 25 megapixels": png(5000, 5001),
    "png 2^31": png(2**31 - 1, 2**31 - 1),
    "png too wide": png(16_385, 1),
    "apng": animation("PNG"),
    "png of chunks": png(1, 1, before=png_chunk(b"tEXt", b"a\x00b") * 1001),
    "png chunk beyond the end": png(1, 1, before=b"\x7f\xff\xff\xfftEXt"),
    "jpeg magic alone": b"\xff\xd8\xff",
    "jpeg of fill bytes": b"\xff\xd8" + b"\xff" * 9_000_000,
    "jpeg lossless": b"\xff\xd8\xff\xc3\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00\xff\xd9",
    "jpeg 65535": b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00\xff\xda\x00\x00",
    "jpeg without a frame": b"\xff\xd8\xff\xda\x00\x02",
    "jpeg with junk for a marker": b"\xff\xd8\xff\xe0\x00\x04ab" + b"junk",
    "jpeg of empty segments": b"\xff\xd8" + b"\xff\x01" * 2000,
    "mpo": animation("MPO"),
    "webp animated": animation("WEBP"),
    "webp head alone": b"RIFF\x04\x00\x00\x00WEBP",
    "webp unknown chunk": webp(b"JUNK", bytes(20)),
    "webp lossless broken": webp(b"VP8L", bytes(20)),
    "webp lossy broken": webp(b"VP8 ", bytes(20)),
    "webp canvas 16 M wide": webp(b"VP8X", b"\x00\x00\x00\x00" + b"\xff" * 6),
}
BROKEN = {
    "png truncated": picture(size=(640, 480), color="red")[:-40],
    "png says more than it holds": png(6000, 4000, rows=b"\x00" * 100),
    "png wrong checksum": png(2, 2, before=png_chunk(b"gAMA", bytes(4), crc=1), rows=rows(2, 2)),
    "png of noise": png(64, 48).replace(b"IDAT", b"IDAT" + b"\xaa" * 50),
    "png color type 7": png(64, 48, color=7, rows=rows(64, 48)),
    "png text of 100 MB": png(
        1, 1, rows=rows(1, 1), before=png_chunk(b"zTXt", b"a\x00\x00" + zlib.compress(bytes(100_000_000)))
    ),
    "jpeg truncated": picture(size=(640, 480), kind="JPEG")[:700],
    "jpeg of two sizes": with_two_sizes(),
    "webp truncated": picture(size=(640, 480), kind="WEBP", color="red")[:60],
    "webp canvas is not its frame": webp(b"VP8X", bytes(4) + b"\x07\x00\x00\x07\x00\x00")
    + picture(size=(640, 480), kind="WEBP")[12:],
}
FINE = {
    "png rgb": picture(),
    "png rgba": picture("RGBA", color=(255, 0, 0, 128)),
    "png palette with transparency": picture("P", transparency=0),
    "png grey": picture("L"),
    "png grey and alpha": picture("LA"),
    "png 1 bit": picture("1"),
    "png 16 bit": picture("I;16", color=40_000),
    "png 24 megapixels of black": png(6000, 4000, rows=rows(6000, 4000)),
    "png with more pixels than it says": png(10, 10, rows=bytes(60_000_000)),
    "png with text": noted_png(),
    "png and html": picture() + MARK,
    "png with a colour profile": picture(icc_profile=MARK * 10),
    "jpeg": picture(kind="JPEG"),
    "jpeg cmyk": picture("CMYK", kind="JPEG"),
    "jpeg grey": picture("L", kind="JPEG"),
    "jpeg progressive": picture(kind="JPEG", progressive=True),
    "jpeg with a comment": picture(kind="JPEG", comment=MARK),
    "jpeg and zip": picture(kind="JPEG") + b"PK\x03\x04" + MARK,
    "jpeg turned": oriented("JPEG"),
    "webp": picture(kind="WEBP"),
    "webp lossless": picture(kind="WEBP", lossless=True),
    "webp turned": oriented("WEBP"),
    "webp with alpha": picture("RGBA", kind="WEBP", color=(0, 255, 0, 10)),
    "one pixel": picture(size=(1, 1)),
    "as wide as allowed": picture(size=(16_384, 2)),
}


@pytest.fixture(autouse=True)
def _own_pixel_limit(monkeypatch):
    # The decoder sets Pillow's limit for its process, which here is the tests'.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_no_picture_by_its_bytes_is_415(name):
    with pytest.raises(ClientError) as caught:
        images.inspect(UNKNOWN[name])
    assert (caught.value.status, caught.value.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("name", UNFIT)
def test_a_picture_that_is_too_large_or_moves_is_unfit(name):
    with pytest.raises(UnfitImage):
        images.inspect(UNFIT[name])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (16_000, 2)])
def test_size_and_kind_are_read_from_the_header(kind, size):
    assert images.inspect(picture(size=size, kind=kind)) == Picture(f"image/{kind.lower()}", *size)


def test_a_lossless_webp_says_its_size():
    assert images.inspect(picture(size=(300, 7), kind="WEBP", lossless=True)).width == 300
    extended = picture("RGBA", size=(300, 7), kind="WEBP", color=(1, 2, 3, 4), exif=b"Exif\x00\x00")
    assert images.inspect(extended).height == 7


def test_a_data_url_is_its_bytes():
    assert images.from_data_url("data:image/png;base64," + base64.b64encode(b"abc").decode()) == b"abc"


@pytest.mark.parametrize(
    "text", ["", "abc", "data:image/png,abc", "data:text/html;base64,YQ==", "data:image/png;base64,Y Q=="]
)
def test_what_is_no_data_url_of_a_picture_is_unfit(text):
    with pytest.raises(UnfitImage):
        images.from_data_url(text)


def run_measured(data, tmp_path):
    """Run the decoder; return its exit status, its first line, and its peak memory in MB."""
    file = tmp_path / "upload"
    file.write_bytes(data)
    with file.open("rb") as upload:
        done = subprocess.run(
            [
                sys.executable,
                "-I",
                "-c",
                MEASURE,
                str(sandbox.DECODER),
                str(images.MAX_PIXELS),
                str(images.MAX_SIDE),
            ],
            stdin=upload,
            capture_output=True,
            check=True,
            timeout=60,
        )
    status, line, peak_mb = json.loads(done.stdout)
    return status, json.loads(line) if line else {}, peak_mb


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_ends_in_a_word_and_within_the_limits(name, tmp_path):
    images.inspect(BROKEN[name])  # it passes the quick check
    status, head, peak_mb = run_measured(BROKEN[name], tmp_path)
    assert (status, head.get("failure") in ("broken", "not_a_picture")) == (0, True)
    assert peak_mb < LIMIT_MB
    with pytest.raises(sandbox.DecodeFailed) as caught:
        sandbox.decode(BROKEN[name])
    assert caught.value.reason == head["failure"]


@pytest.mark.parametrize("name", FINE)
def test_a_picture_becomes_pixels_and_nothing_else(name):
    images.inspect(FINE[name])
    made = sandbox.decode(FINE[name])
    for blob in (made.picture, made.thumbnail):
        assert blob[12:16] == b"VP8 "  # the simple format: it has no place for metadata or alpha
        assert 20 + struct.unpack_from("<I", blob, 16)[0] == len(blob)
        assert MARK not in blob
    whole = Image.open(io.BytesIO(made.picture))
    assert (whole.size, whole.mode) == ((made.width, made.height), "RGB")


def test_the_largest_picture_stays_within_the_limits(tmp_path):
    # Memory goes by the pixels. Noise in each of them would take a slow machine longer than the five seconds
    # of processor time, which are not this test's matter.
    smooth = Image.effect_noise((600, 400), 200).convert("RGB").resize((6000, 4000))
    file = io.BytesIO()
    smooth.save(file, "WEBP", quality=30, method=0)
    status, head, peak_mb = run_measured(file.getvalue(), tmp_path)
    assert (status, head["width"], head["height"]) == (0, 6000, 4000)
    assert peak_mb < LIMIT_MB


def test_a_picture_stands_upright_and_transparency_lies_on_white():
    turned = sandbox.decode(FINE["jpeg turned"])
    assert (turned.width, turned.height) == (40, 60)
    clear = sandbox.decode(picture("RGBA", color=(0, 0, 0, 0)))
    assert Image.open(io.BytesIO(clear.picture)).getpixel((5, 5)) == (255, 255, 255)
    grey = sandbox.decode(FINE["png 16 bit"])
    assert abs(Image.open(io.BytesIO(grey.picture)).getpixel((5, 5))[0] - 40_000 // 256) <= 3


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((1600, 1000), (192, 144)),
        ((100, 50), (67, 50)),
        ((1, 1), (1, 1)),
        ((4000, 3), (4, 3)),
        ((50, 4000), (50, 38)),
    ],
)
def test_a_thumbnail_fills_its_slot_and_is_never_enlarged(size, small):
    assert decode.thumbnail(Image.new("RGB", size)).size == small


@pytest.mark.parametrize("name", sorted(set(FINE) - {"png 24 megapixels of black"}))
def test_the_decoder_answers_in_frames(name):
    target = io.BytesIO()
    decode.main(["24000000", "16384"], io.BytesIO(FINE[name]), target)
    head, _, rest = target.getvalue().partition(b"\n")
    sizes = json.loads(head)
    assert len(rest) == sizes["picture"] + sizes["thumbnail"]
    assert Image.open(io.BytesIO(rest)).size == (sizes["width"], sizes["height"])


def test_a_picture_that_the_encoder_cannot_take_is_too_large():
    with pytest.raises(decode.Undecodable, match="too_large"):
        decode.encode_webp(Image.new("RGB", (16_384, 1)))


@pytest.mark.parametrize(
    ("data", "limits", "word"),
    [
        (b"no picture", ("100", "100"), "not_a_picture"),
        (picture(kind="GIF"), ("100", "100"), "not_a_picture"),
        (picture(size=(50, 50)), ("100", "100"), "too_large"),
        (picture(size=(50, 1)), ("100", "40"), "too_large"),
        (animation("PNG"), ("1000", "100"), "several_pictures"),
        (animation("WEBP"), ("1000", "100"), "several_pictures"),
        (picture()[:-30], ("10000", "100"), "broken"),
    ],
)
def test_the_decoder_has_a_word_for_each_failure(data, limits, word):
    target = io.BytesIO()
    decode.main(list(limits), io.BytesIO(data), target)
    assert json.loads(target.getvalue()) == {"failure": word}


def test_the_limits_hold_for_good():
    program = (
        f"import runpy; module = runpy.run_path({str(sandbox.DECODER)!r}); module['limit_self']();\n"
        "import resource\n"
        "print([resource.getrlimit(kind) == most for kind, most in module['LIMITS'].items()])\n"
        "bytearray(600_000_000)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str([True] * 5)
    assert "MemoryError" in done.stderr


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Put another program in the decoder's place."""

    def become(program):
        path = tmp_path / "child.py"
        path.write_text(program)
        monkeypatch.setattr(sandbox, "DECODER", path)
        monkeypatch.setattr(sandbox, "TIMEOUT_SECONDS", 1)

    return become


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ('print(\'{"failure": "too_large"}\')', "too_large"),
        ('print(\'{"failure": "<script>"}\')', "broken"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "too_slow"),
    ],
)
def test_a_child_that_knows_says_why_in_a_word(child, program, reason):
    child(program)
    with pytest.raises(sandbox.DecodeFailed) as caught:
        sandbox.decode(b"")
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit(3)",
        "import os; os.abort()",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
        "print('not json')",
        "print('[]')",
        "print('{}')",
        "import time; time.sleep(60)",
    ],
)
def test_a_child_that_was_lost_says_nothing_about_the_picture(child, program):
    child(program)
    with pytest.raises(sandbox.DecoderLost):
        sandbox.decode(b"")


def test_a_child_that_cannot_be_started_says_nothing_about_the_picture(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(sandbox.DecoderLost):
        sandbox.decode(b"")
