"""Whom a query names, wherever in it, and what is left of it without the name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.query import parse, people

JANA = ("email", "jana@example.org")
# A query; what it is without Jana; whether it can find anything then.
CASES = {
    "email:Jana@Example.org": ("email:[erased]", False),
    "reporter:jana@example.org": ("reporter:[erased]", False),
    "status:spam email:jana@example.org": ("status:spam email:[erased]", False),
    "status:spam -email:jana@example.org": ("status:spam -email:[erased]", True),
    "email:jana@example.org OR email:otto@example.org": ("email:[erased] OR email:otto@example.org", True),
    "email:jana@example.org OR reporter:jana@example.org": ("email:[erased] OR reporter:[erased]", False),
    "is:read (rating:1 OR -(tag:x email:jana@example.org))": (
        "is:read (rating:1 OR -(tag:x email:[erased]))",
        True,
    ),
    "jana@example.org": ("email:[erased]", False),
    '"from jana@example.org."': ("email:[erased]", False),
    "url:*?mail=jana%40example.org&x=1*": ("email:[erased]", False),
    "assignee:jana@example.org": None,
    "email:anjana@example.org": None,
    "email:jana@example.org.uk": None,
    "session:jana@example.org": None,
    "jana": None,
    "": None,
}


def is_jana(kind, value):
    return (kind, value.lower()) == JANA


@pytest.mark.parametrize("text", CASES)
def test_a_name_gives_way_to_what_finds_nobody(text):
    query, wanted = parse(text), CASES[text]
    left = people.without(query, is_jana)
    assert people.names(query, is_jana) == (wanted is not None)
    assert (str(left), not people.finds_nobody(left)) == (wanted or (str(query), True))
    assert not people.names(left, is_jana)
    assert parse(str(left)) == left


@pytest.mark.parametrize(
    ("text", "kind", "value", "is_named"),
    [
        ("session:s-1", "session", "s-1", True),
        ("session:s-1", "session", "s-2", False),
        ("reporter:17", "reporter", "17", True),
        ("17 rating:1 session:17", "reporter", "17", False),
    ],
)
def test_an_id_is_a_name_only_as_the_value_of_its_own_filter(text, kind, value, is_named):
    assert people.names(parse(text), lambda *name: name == (kind, value)) == is_named


def test_a_record_of_a_query_names_nobody():
    text = "status:open (email:a@b.example OR session:s-1 OR reporter:7) mail@x.example -tag:late"
    withheld = "(email:[withheld] OR session:[withheld] OR reporter:[withheld]) email:[withheld]"
    assert people.withheld(text) == f"status:open {withheld} -tag:late"


def test_a_query_that_cannot_be_read_any_more_still_names_whom_it_names():
    query = people.read("gone:x (email:jana@example.org")
    assert people.names(query, is_jana)
    assert str(people.without(query, is_jana)) == "email:[erased]"


@given(st.text(max_size=80))
def test_any_text_is_read_and_a_record_of_it_holds_no_address(text):
    kept = people.withheld(f"{text} jana@example.org")
    assert "jana@example.org" not in kept or list(people.addresses(kept)) == []
