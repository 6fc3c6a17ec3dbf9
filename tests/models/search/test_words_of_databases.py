"""PostgreSQL cuts what is not indexed yet into the words that Python cuts for the index."""

from random import Random

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import TSVECTOR, array

from app.blueprints.operations.seed.languages import LANGUAGES
from app.blueprints.operations.seed.words import write
from app.database.search.index import _tsvector, indexed
from app.database.search.postgresql import FUNCTION
from app.extensions import db

HOSTILE = (
    "C++ says 'x' AND \"y\" NOT (z) OR NEAR/2 a*",
    "Größe STRASSE Straße ΣΊΣΥΦΟΣ ﬁne İstanbul ǅ ŉ",
    "東京タワーの写真が見えない 한국어 검색이 안 됩니다 a東b 東",
    "مُحَمَّد لا يعمل الزر שָׁלוֹם",
    "x² ½ Ⅷ ① 1.5 a_b __ 'quoted' \\ back % _",
    "love it ❤️ 👍🏽 a❤b",
    "हिन्दी में लिखा ไทยไม่มีช่องว่าง",
    "e\u0301te\u0301 \u0301 \u200dzero\u200bwidth\ufeff",
    "https://shop.example/basket?x=1&y=%20#top",
    "w" * 300,
    "",
    " = ",
)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_both_cut_alike(app):
    rng = Random(1)
    texts = [*HOSTILE, *(write(rng, language, "bug") for language in LANGUAGES for _ in range(5))]
    with app.app_context():
        for given in texts:
            facts = {"browser": given[:40], "os": "Mac OS X 10", "release": None}
            made = getattr(func, FUNCTION)(
                array([given, None, "second text"]), array(list(facts)), array(facts.values()), type_=TSVECTOR
            )
            ours = _tsvector(indexed([given, None, "second text"], facts))
            wanted = db.session.scalar(text("select cast(:words as tsvector)"), {"words": ours})
            assert db.session.scalar(select(made)) == wanted, given
        db.session.rollback()
