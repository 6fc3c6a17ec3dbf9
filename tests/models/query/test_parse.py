"""Reading and printing queries: what is meant, what is refused and where, and that nothing else happens."""

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models.query import Query, QueryError, parse
from app.models.query.parser import MOST_NESTED, MOST_TERMS
from app.models.query.query import of_parts
from app.models.query.terms import TERMS
from app.models.query.tokens import MOST_CHARACTERS
from app.models.query.tree import All, Either, Not, Term, Words

VALUES = {
    "project": ["Shop", "pk_a1", "Help centre", 'the "new" one'],
    "category": ["bug", "own_kind", "zwei worte"],
    "rating": ["<3", "<=3", ">1", ">=4", "5"],
    "browser": ["Firefox", "Firefox 145", "fire*"],
    "os": ["macOS", "Windows 11"],
    "release": ["web-2026.47.2"],
    "answered": ["2026-10-01"],
    "settled": ["2026-10-01T09:30Z"],
    "url": ["*pricing*", "https://shop.example/a?b=c", "/basket"],
    "email": ["ana@example.org"],
    "reporter": ["user-17", "a b"],
    "session": ["9f3c", "(x)"],
    "after": ["2026-10-01", "2026-10-01T09:30Z"],
    "before": ["2026-11-01"],
    "age": [">7d", "<12h", ">4w"],
    "assignee": ["me", "none", "Jana Okafor"],
    "tag": ["checkout", "two words"],
}
terms = st.sampled_from(sorted(TERMS)).flatmap(
    lambda name: st.builds(Term, st.just(name), st.sampled_from(TERMS[name].values or VALUES[name]))
)
texts = st.text(min_size=1, max_size=12).filter(lambda text: any(map(str.isalnum, text)))
words = st.builds(Words, texts, st.just(True), st.booleans()) | st.builds(
    Words,
    st.sampled_from(["basket", "Größe", "日本語", "a-b", "or", "a:b", "it's"]).filter(lambda w: ":" not in w),
)


def joined(items):
    """Make trees as the parser does: no All in an All, no double negation."""
    parts = st.lists(items, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        parts.map(lambda found: All(flat(All, found))),
        parts.map(lambda found: Either(flat(Either, found))),
        items.filter(lambda item: not isinstance(item, Not)).map(Not),
    )


def flat(kind, found):
    return tuple(inner for item in found for inner in (item.items if isinstance(item, kind) else (item,)))


trees = st.recursive(terms | words, joined, max_leaves=12)


@settings(max_examples=300, deadline=None)
@given(trees)
def test_what_is_printed_reads_back_as_the_same(tree):
    query = Query(tree)
    assert parse(str(query)) == query
    assert str(parse(str(query))) == str(query)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet=st.sampled_from('ab:"()-* \\\nOR<>7disé日\0'), max_size=40))
def test_whatever_is_typed_is_read_or_refused_with_its_place(text):
    read_or_refused(text)


def test_mutated_queries_are_read_or_refused():
    """PROVE_QUERIES mutations of real queries, from PROVE_SEED."""
    chance = random.Random(int(os.environ.get("PROVE_SEED", "1")))
    seeds = [f"{name}:{value}" for name, kind in TERMS.items() for value in kind.values or VALUES[name]]
    seeds += ['"a phrase"', "(a OR b)", "-x", "word*"]
    for _ in range(int(os.environ.get("PROVE_QUERIES", "5000"))):
        text = list(" ".join(chance.sample(seeds, chance.randint(1, 5))))
        for _ in range(chance.randint(0, 4)):
            place = chance.randrange(len(text) + 1)
            text[place : place + chance.randint(0, 3)] = chance.choice('()"-*: \\OR<>:é漢\ud800\0')
        read_or_refused("".join(text))


def read_or_refused(text):
    try:
        query = parse(text)
    except QueryError as error:
        assert 0 <= error.position <= error.end <= len(text)
        assert (error.code, error.status, error.details[0].field) == ("query_invalid", 422, "q")
    else:
        assert parse(str(query)) == query


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        ("  ", None),
        ("basket", Words("basket")),
        ("bask*", Words("bask", prefix=True)),
        ('"add to basket"', Words("add to basket", phrase=True)),
        ('"add to bas"*', Words("add to bas", phrase=True, prefix=True)),
        ("-basket", Not(Words("basket"))),
        ("--basket", Words("basket")),
        ("Status:OPEN", Term("status", "open")),
        ('project:"Help centre"', Term("project", "Help centre")),
        ("a b", All((Words("a"), Words("b")))),
        ("a b OR c", Either((All((Words("a"), Words("b"))), Words("c")))),
        ("a (b OR c)", All((Words("a"), Either((Words("b"), Words("c")))))),
        ("a or b", All((Words("a"), Words("or"), Words("b")))),
        ("((a))", Words("a")),
        ("(a b) c", All((Words("a"), Words("b"), Words("c")))),
        ("-(a b)", Not(All((Words("a"), Words("b"))))),
        ("rating:=3", Term("rating", "3")),
        ("https://shop.example/a", Words("https://shop.example/a")),
        (r'"say \"hi\" \\"', Words('say "hi" \\', phrase=True)),
    ],
)
def test_reading(text, tree):
    assert parse(text) == Query(tree)


@pytest.mark.parametrize(
    ("text", "marked", "suggestion"),
    [
        ("a staus:open", "staus:open", "a status:open"),
        ("status:opn", "status:opn", "status:open"),
        ("status:in-progress b", "status:in-progress", "status:in_progress b"),
        ("is:", "is:", "is:unread"),
        ("foo:bar", "foo:bar", '"foo:bar"'),
        ("age:7d", "age:7d", "age:>7d"),
        ("age:>7y", "age:>7y", None),
        ("age:>99999d", "age:>99999d", None),
        ("rating:6", "rating:6", None),
        ("after:2026-13-01", "after:2026-13-01", None),
        ("after:0000-01-01", "after:0000-01-01", None),
        ("has:picture", "has:picture", None),
        ('a "b', '"b', 'a "b"'),
        ("(a", "(", "(a)"),
        ("a) b", ")", "a b"),
        ("a ()", ")", None),
        ("a OR", "OR", 'a "OR"'),
        ("OR a", "OR", '"OR" a'),
        ("- a", "-", None),
        ("a &&", "&&", None),
        ("url:*", "url:*", None),
    ],
)
def test_a_refusal_names_the_place_and_suggests(text, marked, suggestion):
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert text[error.position : error.end] == marked
    assert error.suggestion == suggestion
    assert error.details[0].message.startswith(f"At character {error.position + 1}: ")
    if suggestion is not None:
        parse(suggestion)


def test_a_query_is_bounded():
    parse("a" * MOST_CHARACTERS)
    for text in (
        "a" * (MOST_CHARACTERS + 1),
        "a " * (MOST_TERMS + 1),
        "(" * (MOST_NESTED + 2),
        "-" * 100 + "a",
    ):
        with pytest.raises(QueryError):
            parse(text)


def test_a_part_is_changed_in_its_place():
    query = parse("status:open basket -tag:x" if "tag" in TERMS else "status:open basket -rating:5")
    assert query.value("status") == "open"
    assert query.value("category") is None
    assert str(query.setting("status", "closed")).endswith("status:closed")
    assert "status" not in query.setting("status", None).names()
    assert str(query.without(Words("basket"))) == str(of_parts((query.parts[0], query.parts[2])))
    assert query.having(Words("basket")) is query
    assert str(parse("").having(Term("is", "unread"))) == "is:unread"
    assert not parse("")
