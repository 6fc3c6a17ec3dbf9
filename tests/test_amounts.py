"""Amounts in words: the same on every page and terminal."""

import pytest

from app.amounts import count, many, size


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "unknown"),
        (812, "812 bytes"),
        (1000, "1 KB"),
        (120 * 1024, "120 KB"),
        (3.8 * 2**20, "3.8 MB"),
        (420 * 2**20, "420 MB"),
        (2**60, "1,024 PB"),
        (-2048, "-2 KB"),
    ],
)
def test_a_size_has_its_unit(value, words):
    assert size(value) == words


def test_a_number_has_its_noun():
    assert many(1, "index", "indexes") == "1 index"
    assert many(0, "index", "indexes") == "0 indexes"
    assert many(3809.0, "row") == "3,809 rows"
    assert [count(value) for value in (None, 0, 41_206)] == ["–", "0", "41,206"]
