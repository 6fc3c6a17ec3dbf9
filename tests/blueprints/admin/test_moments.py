"""Moments of the admin API as they are written: RFC 3339 in UTC, by one serializer."""

import re
from datetime import UTC, datetime

import pytest
from pydantic_core import to_json

from app.clock import rfc3339

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
API = "/admin/api"


@pytest.mark.parametrize("microsecond", [0, 1, 120_000, 999_999])
def test_the_serializer_writes_a_moment_as_rfc_3339_is_written(microsecond):
    moment = datetime(2026, 11, 21, 9, 30, 5, microsecond, tzinfo=UTC)
    assert to_json(moment).decode() == f'"{rfc3339(moment)}"'


def test_every_moment_of_the_admin_api_is_written_alike(app, bearer, project, submit):
    client, headers = app.test_client(), bearer("admin")
    submission = submit(picture="ready", created_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC))

    def call(path, **body):
        answer = client.open(
            f"{API}{path}", method="POST" if body else "GET", json=body or None, headers=headers
        )
        assert answer.status_code in (200, 201), answer.text
        return answer.json["data"]

    sent = call(f"/feedback/{submission}")
    assert sent["created_at"] == "2026-11-21T09:30:00Z"
    call("/views", name="Mine", query="status=open")
    call("/macros", name="Thanks", text="Thank you.")
    said = {
        path: list(_moments(call(path)))
        for path in ("/feedback", "/projects", "/tokens", "/users", "/views", "/macros", "/metrics")
    }
    said["bulk"] = list(_moments(call("/feedback/bulk", ids=[submission], set={"status": "closed"})))
    said["chart"] = list(_moments(call("/charts/submissions?days=7&tz=Asia/Kolkata")))
    for path, found in said.items():
        assert found, path
        assert all(MOMENT.fullmatch(one) for one in found), (path, found)


def _moments(value, name=""):
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _moments(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _moments(one, name)
    elif isinstance(value, str) and (name.endswith("_at") or name in ("since", "undo_until")):
        yield value
