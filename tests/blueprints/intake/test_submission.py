"""The fields: what is taken, what is said about what is not, and what makes two submissions the same."""

from datetime import UTC, datetime

import pytest

from app.blueprints.intake.submission import SubmissionBody, choose_key, digest, parse
from app.errors import ClientError

FULL = {
    "project": "pk_1",
    "category": "bug",
    "description": "  The button does nothing\n",
    "url": "https://shop.example.org/basket?id=1#top",
    "session_id": "s-1",
    "timestamp": "2026-11-21T10:30:00.5+01:00",
    "browser": "Firefox 140",
    "os": "Linux",
    "screen_resolution": "2560x1440",
    "viewport_size": "1280x720",
    "device_pixel_ratio": 2,
    "annotation_coords": [
        {"kind": "rectangle", "points": [[1, 2], [3.5, 4]], "color": "#d4351c"},
        {"kind": "highlight", "points": [[1, 2], [3, 4]]},
        {"kind": "arrow", "points": [[1, 2], [3, 4]]},
        {"kind": "pen", "points": [[1, 2], [3, 4], [5, 6]]},
        {"kind": "text", "points": [[-1, 2]], "text": "here"},
    ],
    "screenshot_scale": 1.5,
    "api_state": {"cart": [1, None, {"x": True}]},
    "reporter": {"id": "42", "name": "Ann", "email": "ann@example.org"},
    "rating": 5,
    "custom": {"release": "1.2"},
    "idempotency_key": "k-1",
    "website": "",
    "elapsed_ms": 1234,
}


def faults(**changes):
    with pytest.raises(ClientError) as caught:
        parse({"project": "pk", "description": "text"} | changes)
    error = caught.value
    assert (error.status, error.code) == (422, "validation_failed")
    return {detail.field: detail.message for detail in error.details}


def test_every_field_is_taken():
    body = parse(FULL)
    assert body.description == "The button does nothing"
    assert body.timestamp == datetime(2026, 11, 21, 9, 30, 0, 500_000, tzinfo=UTC)
    assert set(FULL) | {"screenshot"} == set(SubmissionBody.model_fields)


def test_only_project_and_description_are_needed_and_null_means_absent():
    body = parse({"project": "pk", "description": "x"})
    optional = set(SubmissionBody.model_fields) - {"project", "description"}
    assert parse({"project": "pk", "description": "x"} | dict.fromkeys(optional)) == body


def test_all_faults_are_named_at_once():
    found = faults(project=1, description=" \u3000\n", url="javascript:alert(1)", rating=True, nope=1)
    assert found == {
        "project": "must be text",
        "description": "must not be empty",
        "url": "must be an http or https address without spaces or control characters",
        "rating": "must be a whole number",
        "nope": "is not a field of a submission",
    }


@pytest.mark.parametrize("length", [1, 10_000])
def test_a_description_has_1_to_10000_characters_after_trimming(length):
    assert len(parse({"project": "p", "description": " " + "😀" * length + "\n"}).description) == length


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("description", ""),
        ("description", "x" * 10_001),
        ("description", ["x"]),
        ("project", ""),
        ("project", "x" * 65),
        ("category", "bug\n"),
        ("url", "ftp://example.org"),
        ("url", "//example.org"),
        ("url", "http://"),
        ("url", "http:///path"),
        ("url", "http://a b"),
        ("url", "http://a\tb"),
        ("url", "https://a/\u0085"),
        ("url", " https://a"),
        ("url", "https://a/" + "x" * 2000),
        ("session_id", "a\x1b[31m"),
        ("browser", "x" * 201),
        ("os", 5),
        ("screen_resolution", "1280 x 720"),
        ("viewport_size", "1280x720\n"),
        ("viewport_size", "123456x1"),
        ("viewport_size", "١x٢"),
        ("device_pixel_ratio", 0),
        ("device_pixel_ratio", "2"),
        ("device_pixel_ratio", True),
        ("screenshot_scale", 33),
        ("timestamp", 1763717400),
        ("timestamp", "2026-11-21"),
        ("timestamp", "2026-11-21T09:30:00"),
        ("timestamp", "2026-02-30T09:30:00Z"),
        ("timestamp", "2026-11-21T25:30:00Z"),
        ("timestamp", "0001-01-01T00:00:00+01:00"),
        ("timestamp", "9999-12-31T23:59:59-01:00"),
        ("timestamp", "٢026-11-21T09:30:00Z"),
        ("rating", 0),
        ("rating", 6),
        ("rating", 3.0),
        ("rating", "3"),
        ("api_state", []),
        ("api_state", "{}"),
        ("api_state", {"a": "x" * 65_530}),
        ("custom", {"a": 1}),
        ("custom", {"": "x"}),
        ("custom", {"k" * 65: "x"}),
        ("custom", {"k": "x" * 1001}),
        ("custom", {str(n): "" for n in range(51)}),
        ("custom", {str(n): 1 for n in range(100_000)}),
        ("reporter", "ann"),
        ("reporter", {"name": "a\nb"}),
        ("reporter", {"email": "ann"}),
        ("reporter", {"email": "a@b c"}),
        ("reporter", {"phone": "1"}),
        ("annotation_coords", {}),
        ("annotation_coords", [[1, 2]]),
        ("annotation_coords", [{"kind": "circle", "points": [[1, 2], [3, 4]]}]),
        ("annotation_coords", [{"kind": "rectangle", "points": [[1, 2]]}]),
        ("annotation_coords", [{"kind": "arrow", "points": [[1, 2]] * 3}]),
        ("annotation_coords", [{"kind": "pen", "points": [[1, 2]]}]),
        ("annotation_coords", [{"kind": "text", "points": []}]),
        ("annotation_coords", [{"kind": "text", "points": [[1]]}]),
        ("annotation_coords", [{"kind": "text", "points": [[1, "2"]]}]),
        ("annotation_coords", [{"kind": "text", "points": [[1, True]]}]),
        ("annotation_coords", [{"kind": "text", "points": [[1, 100_001]]}]),
        ("annotation_coords", [{"kind": "text", "points": [[1, 2]], "text": "x" * 501}]),
        ("annotation_coords", [{"kind": "text", "points": [[1, 2]], "color": "red"}]),
        ("annotation_coords", [{"kind": "text", "points": [[1, 2]], "onclick": "x"}]),
        ("annotation_coords", [{"kind": "text", "points": [[1, 2]]}] * 501),
        ("annotation_coords", [{"kind": "pen", "points": [[1, 2]] * 20_001}]),
        ("annotation_coords", [{"kind": "pen", "points": [[1, 2]] * 10_001}] * 2),
        ("annotation_coords", [1] * 100_000),
        ("idempotency_key", ""),
        ("idempotency_key", "a b"),
        ("idempotency_key", "a\n"),
        ("idempotency_key", "é"),
        ("idempotency_key", "x" * 129),
        ("website", 5),
        ("elapsed_ms", -1),
        ("screenshot", {}),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(field, value):
    found = faults(**{field: value})
    assert {name.split(".")[0] for name in found} == {field}
    assert all(message and "input" not in message.lower() for message in found.values())


def test_a_shape_at_fault_is_named_by_its_place():
    shapes = [{"kind": "text", "points": [[1, 2]]}, {"kind": "text", "points": [[1, 2]], "color": "red"}]
    assert faults(annotation_coords=shapes) == {
        "annotation_coords.1.color": "must be a colour such as #d4351c"
    }


def test_thousands_of_unknown_names_are_one_fault():
    assert faults(**{f"n{n}": 1 for n in range(10_000)}) == {
        "": "has more names than a submission has fields"
    }


@pytest.mark.parametrize(
    ("header", "field", "chosen"),
    [
        (None, None, None),
        ("h", None, "h"),
        (None, "f", "f"),
        ("same", "same", "same"),
        ("x" * 128, None, "x" * 128),
    ],
)
def test_the_key_comes_from_the_header_or_the_field(header, field, chosen):
    assert choose_key(header, field) == chosen


@pytest.mark.parametrize(
    ("header", "field"),
    [("a", "b"), ("", None), ("a b", None), ("é", None), ("x" * 129, None), ("a\n", None)],
)
def test_a_key_that_is_wrong_or_contradicts_itself_is_refused(header, field):
    with pytest.raises(ClientError) as caught:
        choose_key(header, field)
    assert [detail.field for detail in caught.value.details] == ["idempotency_key"]


@pytest.mark.parametrize(
    "changes",
    [
        {"idempotency_key": "other"},
        {"timestamp": "2020-01-01T00:00:00Z"},
        {"elapsed_ms": 9},
        {"screenshot": "data:"},
    ],
)
def test_what_belongs_to_the_attempt_does_not_change_the_digest(changes):
    assert digest(FULL | changes, b"image") == digest(FULL, b"image")


def test_the_order_of_names_does_not_change_the_digest():
    assert digest(dict(reversed(FULL.items())), None) == digest(FULL, None)


@pytest.mark.parametrize("field", sorted(set(FULL) - {"idempotency_key", "timestamp", "elapsed_ms"}))
def test_any_other_content_changes_the_digest(field):
    assert digest(FULL | {field: "other"}, None) != digest(FULL, None)


def test_the_picture_changes_the_digest():
    assert len({digest(FULL, None), digest(FULL, b""), digest(FULL, b"a"), digest(FULL, b"b")}) == 4
