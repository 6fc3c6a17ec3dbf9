"""The strict reader: each hostile body has one status and one code, and nothing is kept."""

import gzip
import io
import json

import pytest

from app.blueprints.intake import body
from app.errors import ClientError

from .sending import BOUNDARY, FORM, form

GOOD = b'{"project": "pk", "description": "Hello"}'
FEEDBACK = 'form-data; name="feedback"'
SCREENSHOT = 'form-data; name="screenshot"; filename="a.png"'


class CutStream(io.BytesIO):
    """A connection that breaks after its bytes."""

    def read(self, size=-1):
        found = super().read(size)
        if not found:
            raise ConnectionResetError
        return found


class SlowStream(io.BytesIO):
    """A connection that gives one byte at a time."""

    def read(self, size=-1):
        return super().read(min(size, 1))


def environ(raw=GOOD, content_type="application/json", **changes):
    values = {
        "CONTENT_LENGTH": str(len(raw)),
        "CONTENT_TYPE": content_type,
        "wsgi.input": io.BytesIO(raw),
    } | changes
    return {name: value for name, value in values.items() if value is not None}


def refusal(raw=GOOD, content_type="application/json", **changes):
    with pytest.raises(ClientError) as caught:
        body.read(environ(raw, content_type, **changes))
    return caught.value.status, caught.value.code


def nested(levels, opening=b"[", closing=b"]"):
    """`levels` levels in all, the outer object being the first."""
    return b'{"a":' + opening * (levels - 1) + closing * (levels - 1) + b"}"


NO_LENGTH = (411, "length_required")
TOO_LARGE = (413, "payload_too_large")
WRONG_TYPE = (415, "unsupported_media_type")
MALFORMED = (400, "malformed_body")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"CONTENT_LENGTH": None}, NO_LENGTH),
        ({"CONTENT_LENGTH": ""}, NO_LENGTH),
        ({"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}, NO_LENGTH),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, NO_LENGTH),
        ({"CONTENT_LENGTH": "-1"}, MALFORMED),
        ({"CONTENT_LENGTH": "+42"}, MALFORMED),
        ({"CONTENT_LENGTH": "4_2"}, MALFORMED),
        ({"CONTENT_LENGTH": "42, 42"}, MALFORMED),
        ({"CONTENT_LENGTH": "0x2a"}, MALFORMED),
        ({"CONTENT_LENGTH": "٤٢"}, MALFORMED),
        ({"CONTENT_LENGTH": str(body.MAX_BODY_BYTES + 1)}, TOO_LARGE),
        ({"CONTENT_LENGTH": "9" * 5000}, TOO_LARGE),
        ({"CONTENT_LENGTH": "0"}, MALFORMED),
        ({"CONTENT_LENGTH": "1000"}, MALFORMED),
        ({"CONTENT_LENGTH": "1000", "wsgi.input": CutStream(GOOD)}, MALFORMED),
        ({"HTTP_CONTENT_ENCODING": "gzip", "wsgi.input": io.BytesIO(gzip.compress(GOOD))}, WRONG_TYPE),
        ({"HTTP_CONTENT_ENCODING": "identity, gzip"}, WRONG_TYPE),
        ({"HTTP_CONTENT_ENCODING": "br"}, WRONG_TYPE),
        ({"CONTENT_TYPE": None}, WRONG_TYPE),
        ({"CONTENT_TYPE": ""}, WRONG_TYPE),
        ({"CONTENT_TYPE": "text/plain"}, WRONG_TYPE),
        ({"CONTENT_TYPE": "application/x-www-form-urlencoded"}, WRONG_TYPE),
        ({"CONTENT_TYPE": "application/json-patch+json"}, WRONG_TYPE),
        ({"CONTENT_TYPE": "application/json; charset=utf-16"}, WRONG_TYPE),
        ({"CONTENT_TYPE": "multipart/mixed; boundary=a"}, WRONG_TYPE),
        ({"CONTENT_TYPE": "multipart/form-data"}, MALFORMED),
        ({"CONTENT_TYPE": "multipart/form-data; boundary="}, MALFORMED),
        ({"CONTENT_TYPE": "multipart/form-data; boundary=" + "a" * 71}, MALFORMED),
        ({"CONTENT_TYPE": 'multipart/form-data; boundary="a b "'}, MALFORMED),
        ({"CONTENT_TYPE": 'multipart/form-data; boundary="é"'}, MALFORMED),
    ],
)
def test_a_head_that_cannot_be_trusted_is_refused(changes, expected):
    assert refusal(**changes) == expected


def test_a_body_that_is_too_large_is_refused_before_it_is_read():
    stream = io.BytesIO(GOOD)
    assert refusal(**{"CONTENT_LENGTH": str(body.MAX_BODY_BYTES + 1), "wsgi.input": stream}) == TOO_LARGE
    assert stream.tell() == 0


def test_no_more_is_read_than_was_announced():
    stream = io.BytesIO(GOOD + b"POST /next")
    body.read(environ(**{"wsgi.input": stream}))
    assert stream.read() == b"POST /next"


def test_a_body_may_arrive_in_pieces():
    assert body.read(environ(**{"wsgi.input": SlowStream(GOOD)})).fields["description"] == "Hello"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json; charset="utf8"'],
)
@pytest.mark.parametrize("encoding", [None, "identity", "Identity"])
def test_plain_json_is_taken(content_type, encoding):
    received = body.read(environ(content_type=content_type, HTTP_CONTENT_ENCODING=encoding))
    assert received == body.Body({"project": "pk", "description": "Hello"}, None)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"null",
        b"true",
        b"1",
        b'"text"',
        b"[]",
        b"[{}]",
        b"{}{}",
        b"{} x",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a" 1}',
        b'{"a": 01}',
        b'{"a": .5}',
        b'{"a": +1}',
        b'{"a": 0x10}',
        b'{"a": undefined}',
        b'{"a": "\\x41"}',
        b'{"a": "\\u12"}',
        b'{"a": "unclosed}',
        b'{"a": "line\nbreak"}',
        b'{"a": "tab\there"}',
        b'{"a": 1} // comment',
        # encodings
        b"\xef\xbb\xbf" + GOOD,
        GOOD.decode().encode("utf-16"),
        GOOD.decode().encode("utf-16-le"),
        GOOD.decode().encode("utf-32"),
        '{"a": "ü"}'.encode("latin-1"),
        b'{"a": "\xc0\xaf"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xf5\x80\x80\x80"}',
        # constants and numbers
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": [-Infinity]}',
        b'{"a": 1e999}',
        b'{"a": -1E+400}',
        b'{"a": 1' + b"0" * 400 + b".0}",
        b'{"a": 9223372036854775808}',
        b'{"a": -9223372036854775809}',
        b'{"a": 1' + b"0" * 5000 + b"}",
        # names
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a": [{"b": 1, "c": 2, "b": 3}]}',
        # characters
        b'{"a": "\\u0000"}',
        b'{"a": "\x00"}',
        b'{"a": ["x\\u0000y"]}',
        b'{"\\u0000": 1}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\udfff"}',
        b'{"a": "\\ude00\\ud83d"}',
        b'{"a": {"\\uD83D": 1}}',
        b'{"a": "\\ud83d\\u0041"}',
        # levels
        nested(17),
        nested(17, b'{"a":', b"}").replace(b":}", b":1}"),
        nested(1000),
        nested(100_000),
        b'{"a":' + b"[" * 5_000_000,
        b'{"a": "]]]]]]]]]]]]]]]]]", "b": ' + b"[" * 16 + b"]" * 16 + b"}",
        b'{"a": [}, "b": ' + b"[" * 20 + b"]" * 20 + b"}",
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_json_that_two_readers_could_take_differently_is_malformed(raw):
    assert refusal(raw) == MALFORMED


@pytest.mark.parametrize(
    "raw",
    [
        nested(16),
        b'{"a": ["' + b"[{" * 1000 + b'"]}',
        b'{"a": "\\"[[[[[[[[[[[[[[[[[[[[[[[[[[", "b": "\\\\"}',
        b'{"a": 9223372036854775807, "b": -9223372036854775808}',
        b'{"a": 1e99, "b": 1E-400, "c": 1.5e+30, "d": "1e999"}',
        b'{"a": "\\ud83d\\ude00", "b": "\\\\u0000", "c": "\\\\ud800"}',
        '{"a": "ü€😀\\n\\t"}'.encode(),
        b' \r\n\t{"a": -0.0}\n',
        b'{"a": "12345678901234567890123"}',
        b'{"": ""}',
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_strict_json_is_read_as_everybody_reads_it(raw):
    assert body.parse_json(raw) == json.loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": [' + b"{}," * 2_000_000 + b"{}]}",
        b'{"a": [' + b'"",' * 2_000_000 + b'""]}',
        b'{"a": [' + b"1," * 600_000 + b"1]}",
    ],
    ids=["objects", "strings", "numbers"],
)
def test_a_body_of_millions_of_values_is_too_large_before_they_exist(raw):
    assert refusal(raw) == TOO_LARGE


def test_a_form_carries_feedback_and_perhaps_a_picture():
    raw = form((FEEDBACK, GOOD), (SCREENSHOT, b"\x89PNG\r\n--x\r\n\x00"))
    assert body.read(environ(raw, FORM)) == body.Body(json.loads(GOOD), b"\x89PNG\r\n--x\r\n\x00")
    assert body.read(environ(form((FEEDBACK, GOOD)), FORM)).image is None
    empty = form(('form-data; name="screenshot"; filename=""', b""), (FEEDBACK, GOOD))
    assert body.read(environ(empty, FORM)).image is None


@pytest.mark.parametrize(
    "disposition",
    [
        "form-data; name=feedback",
        'form-data;name="feedback";filename="blob"',
        'FORM-DATA; filename="ü.json"; name="feedback"',
        'form-data; name="feedback"\r\nContent-Type: application/json',
        'form-data; name="feedback"\r\nContent-Transfer-Encoding: binary',
    ],
)
def test_a_part_may_be_headed_as_browsers_do(disposition):
    assert body.read(environ(form((disposition, GOOD)), FORM)).fields["description"] == "Hello"


MARK = f"--{BOUNDARY}".encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x",
        MARK + b"--\r\n",
        MARK + b"\r\n",
        b"preamble\r\n" + form((FEEDBACK, GOOD)),
        b"\r\n" + form((FEEDBACK, GOOD)),
        form((FEEDBACK, GOOD)) + b"epilogue",
        form((FEEDBACK, GOOD), closed=False),
        form((FEEDBACK, GOOD))[:-6],
        form((FEEDBACK, GOOD)).replace(b"\r\n", b"\n"),
        form((FEEDBACK, GOOD), boundary="other"),
        form((SCREENSHOT, b"x")),
        form((FEEDBACK, GOOD), (FEEDBACK, GOOD)),
        form((FEEDBACK, GOOD), (SCREENSHOT, b"x"), (SCREENSHOT, b"x")),
        form((FEEDBACK, GOOD), (SCREENSHOT, b"x"), ('form-data; name="more"', b"x")),
        form((FEEDBACK, GOOD), ('form-data; name="other"', b"x")),
        form((FEEDBACK, GOOD), ("form-data", b"x")),
        form(("attachment; name=feedback", GOOD)),
        form(("form-data; name=feedback\r\nContent-Disposition: form-data; name=screenshot", GOOD)),
        form(("form-data; name=feedback\r\nContent-Transfer-Encoding: base64", GOOD)),
        form(("form-data; name=feedback\r\nno colon", GOOD)),
        form(("form-data; name=feedback\r\n: no name", GOOD)),
        form(("form-data; name=feedback\r\nX : space", GOOD)),
        form(("form-data; name=feedback\r\nX: " + "x" * 3000, GOOD)),
        MARK + b"\r\n\r\n" + GOOD + b"\r\n" + MARK + b"--\r\n",
        MARK + b"Content-Disposition: form-data; name=feedback\r\n\r\n{}\r\n" + MARK + b"--",
        form((FEEDBACK, b"")),
        form((FEEDBACK, b"[]")),
        form(*[('form-data; name="x"', b"")] * 100_000),
    ],
    ids=lambda raw: repr(raw[-40:]),
)
def test_a_form_that_is_cut_or_ambiguous_is_malformed(raw):
    assert refusal(raw, FORM) == MALFORMED
