"""Words, marks and trees: values in, what a page shows out."""

from datetime import UTC, datetime, timedelta

import pytest

from app.blueprints.admin import wording
from app.blueprints.admin.tree import tree
from app.models.marks import DEFAULT_COLOR, drawn
from app.models.user import initials

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(hours=25), "Yesterday"),
        (timedelta(days=3), "3 days"),
        (timedelta(days=30), "23 Oct"),
        (timedelta(days=400), "18 Oct 2025"),
    ],
)
def test_ages(passed, words):
    assert wording.age(NOW - passed, NOW) == words


def test_when_something_was_sent():
    assert wording.sent(NOW - timedelta(minutes=14), NOW) == "11:46 UTC, 14 min ago"
    assert wording.sent(NOW, NOW) == "12:00 UTC, now"
    assert wording.sent(NOW - timedelta(days=3), NOW) == "19 Nov 2026, 12:00 UTC"


@pytest.mark.parametrize(
    "url",
    [None, "", "javascript:alert(1)", "data:text/html,x", "//x", "https://a b", "http:x", "https://x\n"],
)
def test_only_http_addresses_become_links(url):
    assert wording.safe_link(url) is None
    assert wording.page_path(url) is None


def test_paths_and_names():
    assert wording.page_path("https://shop.example") == "/"
    assert wording.page_path("HTTPS://shop.example/basket?x=1#y") == "/basket"
    assert wording.page_path("http://[::1/x") is None
    assert wording.dimensions("1280x720") == "1280 × 720"
    assert [initials(name) for name in ("Marta Lindqvist", "jo", "4471", "")] == [
        "ML",
        "JO",
        "?",
        "?",
    ]


def test_categories_of_a_project_and_those_it_no_longer_has():
    kinds = wording.kinds_of([{"key": "bug", "label": "Fault"}, {"key": "late_delivery", "label": None}])
    assert (kinds["bug"].label, kinds["bug"].icon) == ("Fault", "bug")
    assert (kinds["late_delivery"].label, kinds["late_delivery"].icon) == ("Late delivery", "tag")
    assert wording.kind_of(kinds, "idea").label == "Idea"


def test_each_kind_of_mark_is_drawn_in_page_pixels():
    marks = drawn(
        [
            {"kind": "rectangle", "points": [[1, 2], [30.25, 40]], "color": "#00ff00"},
            {"kind": "highlight", "points": [[0, 0], [1, 1]]},
            {"kind": "pen", "points": [[0, 0], [1, 1], [2, 0]]},
            {"kind": "arrow", "points": [[0, 0], [100, 0]]},
            {"kind": "text", "points": [[5, 10]], "text": "a\nb"},
        ]
    )
    assert [mark.path[:30] for mark in marks[:3]] == ["M1 2H30.2V40H1Z", "M0 0H1V1H0Z", "M0 0L1 1L2 0"]
    assert marks[0].color == "#00ff00"
    assert marks[1].filled
    assert marks[1].color == DEFAULT_COLOR
    assert marks[3].path == "M0 0L100 0L81.4 -11.7L100 0L81.4 11.7"
    assert marks[4].lines == (("28", "a"), ("52", "b"))


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"kind": "star", "points": [[0, 0]]},
        {"kind": "rectangle", "points": [[0, 0]]},
        {"kind": "rectangle", "points": "none"},
        {"kind": "text", "points": []},
        {"kind": "pen", "points": [[float("nan"), 0], [1, 1]]},
        {"kind": "arrow", "points": [[0, 0], [1]]},
    ],
)
def test_a_shape_that_cannot_be_drawn_is_left_out(shape):
    assert drawn([shape]) == []


def test_a_tree_opens_its_first_branch():
    nodes = tree({"a": 1, "cart": {"items": [1, 2], "none": None}, "more": {"x": "y" * 600}})
    assert [(node.name, node.summary, node.open) for node in nodes] == [
        ("a", "1", False),
        ("cart", "2 entries", True),
        ("more", "1 entry", False),
    ]
    assert nodes[1].children[1].is_null
    assert nodes[2].children[0].summary.endswith("…")
    assert tree(["é"])[0].summary == '"é"'
