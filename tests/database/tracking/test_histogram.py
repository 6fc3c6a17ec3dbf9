import random
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.database.tracking.histogram import Histogram, merged

durations = st.lists(st.floats(1, 3.6e9), min_size=1, max_size=200)


def histogram_of(values):
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


@given(durations)
def test_a_percentile_is_off_by_one_percent_at_most(values):
    histogram = histogram_of(values)
    for share in (0.5, 0.95, 0.99, 1.0):
        rank = next(n for n in range(1, len(values) + 1) if n >= share * len(values))
        exact_ms = sorted(values)[rank - 1] / 1000
        assert histogram.percentile_ms(share) == pytest.approx(exact_ms, rel=0.01)


@given(durations, durations)
def test_merging_is_the_same_as_counting_together(some, others):
    assert merged([histogram_of(some), histogram_of(others)]).buckets == histogram_of(some + others).buckets


@given(durations)
def test_it_survives_being_written_down(values):
    histogram = histogram_of(values)
    assert Histogram.of_json(histogram.as_json()).buckets == histogram.buckets


def test_percentiles_of_a_known_distribution():
    values = [random.Random(7).lognormvariate(8, 1) for _ in range(10_000)]
    median = quantiles(values, n=2)[0] / 1000
    assert histogram_of(values).percentile_ms(0.5) == pytest.approx(median, rel=0.02)


def test_columns_double_and_hold_everything():
    columns = histogram_of([300, 900, 1100, 1100, 40_000]).columns()
    assert sum(column.count for column in columns) == 5
    assert all(column.high_ms == 2 * column.low_ms for column in columns)
    assert [a.high_ms for a in columns[:-1]] == [b.low_ms for b in columns[1:]]


def test_nothing_has_no_columns_and_no_duration():
    assert Histogram().columns() == ()
    assert Histogram().percentile_ms(0.5) == 0.0


def test_less_than_a_microsecond_counts():
    assert histogram_of([0.0, 0.4]).percentile_ms(1.0) == 0.001
