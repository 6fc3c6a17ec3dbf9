"""`/metrics`: who may read it, that it is documented, and what it counts."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families


def figures(answer):
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_tells_what_the_database_holds(client, plant):
    plant(0, picture=40), plant(0)
    answer = client.get("/metrics")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    found = figures(answer)
    assert found["earmark_submissions"] == 2
    assert found["earmark_stored_bytes"] > 40
    assert found["earmark_database_bytes"] > 10_000
    assert found["earmark_retention_last_run_failed"] == 0
    assert found["earmark_retention_next_run_timestamp_seconds"] > 1_700_000_000


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_from_elsewhere_it_asks_for_a_token(client, bearer, database):
    away = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/metrics", environ_base=away).status_code == 401
    assert client.get("/metrics", environ_base=away, headers=bearer("viewer")).status_code == 200
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert client.get("/metrics", headers=forwarded).status_code == 401


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_metric_is_documented(client, plant, database):
    plant(0)
    written = set(re.findall(r"`(earmark_[a-z_]+)`", Path("docs/retention.md").read_text("utf-8")))
    given = set(figures(client.get("/metrics")))
    runs = {name for name in written if "last_run" in name}  # there once a run was
    assert given <= written
    assert written - given <= runs
