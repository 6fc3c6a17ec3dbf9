"""Cutting and folding words, what is marked in a text, and matches written for both databases."""

import pytest

from app.database.search.highlight import snippet
from app.database.search.index import indexed
from app.database.search.match import Every, Phrase, Some, fts5, phrase, tsquery
from app.database.search.words import asked, words


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Add to basket!", ["add", "to", "basket"]),
        ("Größe STRASSE Straße", ["grosse", "strasse", "strasse"]),
        ("it's a_b 10.5", ["it", "s", "a", "b", "10", "5"]),
        ("ｆｕｌｌ ﬁne", ["full", "fine"]),
        ("東京タワー", ["東京", "京タ", "タワ", "ワー", "ー"]),
        ("한국어 검색", ["한국", "국어", "어", "검색", "색"]),
        ("مُحَمَّد", ["محمد"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("love it ❤️👍", ["love", "it", "❤", "👍"]),
        ("\0 ' \" \\ : * = ( )", []),
        ("", []),
    ],
)
def test_a_text_is_cut_into_folded_words(text, cut):
    assert [word.text for word in words(text)] == cut


def test_words_know_where_they_stand():
    text = "Ein Übel, 東京!"
    assert [text[word.start : word.end] for word in words(text)] == ["Ein", "Übel", "東京", "京"]


def test_what_is_asked_of_writing_without_spaces_follows_each_other():
    assert asked("東京タワー") == (("東京", "京タ", "タワ", "ワー"), False)
    assert asked("京") == (("京",), True)
    assert asked("東京 bag") == (("東京", "京", "bag"), False)


def test_matches_are_written_for_both_databases():
    match = Every(
        (Phrase(("a", "b"), False, "a b"), Some((Phrase(("c",), True, "c"), phrase("d", fact="os")))),
        (phrase("e"),),
    )
    assert fts5(match) == '(("a b" AND ("c" * OR "os=d")) NOT ("e"))'
    assert tsquery(match) == "(('a' <-> 'b') & (('c':*) | ('os=d')) & !('e'))"
    assert phrase("!!") is None


def test_no_phrase_reaches_from_one_text_into_the_next():
    assert indexed(["a b", None, "c"], {"page": "/x/y", "os": None}) == " = a b = c = page=x page=y = "


@pytest.mark.parametrize(
    ("text", "wanted", "marked"),
    [
        ("The basket is empty", "basket", ["basket"]),
        ("GRÖSSE und Größe", "grösse", ["GRÖSSE", "Größe"]),
        ("add to basket", "to basket", ["to basket"]),
        ("baskets, basketry", "bask*", ["baskets", "basketry"]),
        ("私は東京タワーへ", "東京タワー", ["東京タワー"]),
        ("私は京へ", "京", ["京"]),
        ("<b>basket</b>", "basket", ["basket"]),
        ("nothing", "basket", None),
    ],
)
def test_what_was_found_is_marked(text, wanted, marked):
    pieces = snippet(text, [phrase(wanted, prefix=wanted.endswith("*"))], 100)
    assert (pieces and [piece.text for piece in pieces if piece.marked]) == marked
    if pieces:
        assert "".join(piece.text for piece in pieces) == text


def test_a_snippet_begins_near_the_first_place():
    text = "word " * 100 + "basket " + "word " * 100
    pieces = snippet(text, [phrase("basket")], 60)
    assert [piece.text for piece in pieces if piece.marked] == ["basket"]
    shown = "".join(piece.text for piece in pieces)
    assert len(shown) < 80
    assert shown.startswith("… ")
    assert shown.endswith(" …")
