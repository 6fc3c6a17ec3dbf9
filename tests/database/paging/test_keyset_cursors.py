import math
import os
import random
import string
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.database.paging import cursors
from app.database.paging.keyset import paginate
from app.database.transactions import transaction
from app.errors import ClientError
from tests.database.samples import stored, things

# The long form tries 200,000 (`make prove`).
TAMPERED = int(os.environ.get("PROVE_CURSORS", "5000"))
VALUES = [
    None,
    True,
    -(2**63),
    0.1,
    math.inf,
    "é \0 '",
    b"\x00\xff",
    datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 1, 1),
    date(2026, 1, 1),
    time(23, 59, 59, 999999),
    timedelta(days=-3, microseconds=7),
    Decimal("12345678901234567890.12"),
    UUID(int=7),
]
C = things.c


@pytest.fixture
def signing(app):
    with app.app_context():
        yield app


def refused(context, cursor, code="cursor_invalid"):
    with pytest.raises(ClientError) as caught:
        cursors.read(context, cursor, 9)
    assert (caught.value.status, caught.value.code) == (400, code)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_with_its_type(signing, value):
    found = cursors.read("list", cursors.write("list", [1, value]), 9)[1]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_tampered_cursors_are_refused(signing):
    pick = random.Random(1)
    good = cursors.write("list", [1, datetime(2026, 1, 1, tzinfo=UTC), 4711])
    for _ in range(TAMPERED):
        place = pick.randrange(len(good))
        kind = pick.randrange(4)
        letter = pick.choice(string.printable)
        changed = (
            good[:place] + letter + good[place + 1 :],
            good[:place] + letter + good[place:],
            good[:place] + good[place + 1 :],
            "".join(pick.choices(string.ascii_letters + ".-_", k=pick.randrange(600))),
        )[kind]
        if changed != good:
            refused("list", changed)
    assert cursors.read("list", good, 9)[2] == 4711
    refused("another list", good)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_cursor_outlives_the_change_of_the_key_as_long_as_the_old_one_is_kept(signing):
    cursor = cursors.write("list", [1, 2])
    old = signing.config["SECRET_KEY"]
    signing.config["SECRET_KEY"] = "another key " * 4
    refused("list", cursor)
    signing.config["SECRET_KEY_FALLBACKS"] = [old]
    assert cursors.read("list", cursor, 9) == [1, 2]
    newer = cursors.write("list", [1, 2])
    signing.config["SECRET_KEY_FALLBACKS"] = []
    assert cursors.read("list", newer, 9) == [1, 2]


def test_words_too_long_for_a_cursor_are_found_again_by_their_key(app):
    with stored(app, things, [{"id": n, "word": "x" * 600 + str(n // 3)} for n in range(1, 12)]):
        seen, cursor = [], None
        while True:
            page = paginate(things.select(), order=[C.word.asc(), C.id.asc()], cursor=cursor, limit=2)
            seen += [row.id for row in page.rows]
            cursor = page.next
            if cursor is None:
                break
            assert len(cursor) <= cursors.LONGEST_CURSOR
            last = cursor
        assert seen == list(range(1, 12))
        with transaction() as session:
            session.execute(things.delete().where(C.id > 8))
        with pytest.raises(ClientError, match="does not belong"):
            paginate(things.select(), order=[C.word.asc(), C.id.asc()], cursor=last, limit=2)
