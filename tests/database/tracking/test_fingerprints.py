import pysqlite3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.database.tracking import fingerprints
from app.database.tracking.fingerprints import Fingerprints, fingerprint, normalise


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select * from t where id in (?, ?)", "select * from t where id in (?, ?, ?, ?)"),
        ("select * from t where id = 1", "select * from t where id = 22.5e3"),
        ("select 'it''s' from t", "select '' from t"),
        ("insert into t (a, b) values (?, ?), (?, ?)", "insert into t (a, b) values (?, ?)"),
        ("select a\n  from t -- why\n", "select a from t"),
        ("select a /* b */ from t;", "select a from t"),
        ("select x'00ff', 0x1F", "select ?, ?"),
        ("SAVEPOINT sa_savepoint_1", "SAVEPOINT sa_savepoint_27"),
        ("select a from t where b = :name", "select a from t where b = ?1"),
    ],
)
def test_what_differs_only_in_values_is_one(one, other):
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select a from t", "select b from t"),
        ("select a from t1", "select a from t2"),
        ('select "1" from t', 'select "2" from t'),
        ("select a from t order by a", "select a from t order by a desc"),
    ],
)
def test_what_differs_otherwise_is_two(one, other):
    assert fingerprint(one).hash != fingerprint(other).hash


def test_postgresql_is_read_by_its_driver_s_marks():
    sql = "select a::text, b ? 'k' from t where id in (%(id_1)s::INTEGER, %(id_2)s::INTEGER) limit %(n)s"
    assert normalise(sql, "%s") == "select a::text, b ? %s from t where id in (%s::INTEGER) limit %s"


def test_the_text_can_still_be_explained():
    connection = pysqlite3.connect(":memory:")
    connection.execute("create table t (a, b)")
    for sql in (
        "select * from t where a in (1, 2, 3) and b = 'x' limit 5",
        "insert into t (a, b) values (1, 'it''s'), (2, 'x')",
        "update t set a = a + 1 where b like 'q%'",
    ):
        connection.execute("explain " + normalise(sql), [None] * normalise(sql).count("?"))
    connection.close()


@given(st.text(max_size=300))
def test_any_text_has_a_fingerprint(text):
    found = fingerprint(text)
    assert len(found.hash) == 12
    assert fingerprint(text) == found


@given(st.lists(st.text(alphabet="ab'\\", max_size=5), min_size=1, max_size=5))
def test_no_value_is_left_in_the_text(values):
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    assert normalise(f"select {quoted}") == "select " + ", ".join("?" for _ in values)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(fingerprints, "KEPT_TEXTS", 3)
    known = Fingerprints()
    for n in range(10):
        assert known.of(f"select a{n}") == fingerprint(f"select a{n}")
    assert len(known._known) <= 3
