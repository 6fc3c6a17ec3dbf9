"""Mutated bodies: whatever arrives, the answer is never a 5xx, and what is taken can be read back.

The count comes from PROVE_BODIES (default 5,000).
"""

import json
import os
import random

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Feedback

from .sending import FORM, form, picture, send
from .test_submission import FULL

BODIES = int(os.environ.get("PROVE_BODIES", "5000"))
TOKENS = [
    b"NaN",
    b"Infinity",
    b"-0",
    b"1e999",
    b"9223372036854775808",
    b"1" * 400,
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"[[",
    b'{"a":',
    b'"',
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\\ud83d\\ude00",
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xc0\x80",
    b"\r\n",
    b"--",
    b",",
    b":",
    b"}",
    b"]",
    b"'",
    b"\x7f",
    b"\x1b",
    b"project",
    "\u202e\u2028\ufeff".encode(),
    b"9" * 20,
    b"0.1",
    b"-",
    b'"project": "x",',
    b"[" * 20,
    b'{"a":{' * 20,
    b"data:image/png;base64,",
    b"1970-01-01T00:00:00Z",
    b"javascript:",
    b"\xf0\x9f\x92\xa9" * 10,
]


def mutate(raw, chance):
    """Cut, repeat, replace, insert or swap some bytes."""
    data = bytearray(raw)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((1, 1, 2, 5, 20, 200)))
        action = chance.randrange(6)
        if action == 0:
            del data[start:end]
        elif action == 1:
            data[start:start] = data[start:end] * chance.choice((1, 2, 10))
        elif action == 2:
            data[start:end] = chance.choice(TOKENS)
        elif action == 3:
            data[start:start] = chance.choice(TOKENS)
        elif action == 4 and start < len(data):
            data[start] ^= 1 << chance.randrange(8)
        else:
            data[start:end] = chance.randbytes(end - start)
    return bytes(data)


def mutate_values(fields, chance):
    """Put a value where another kind is expected: valid JSON, wrong content."""
    values = [
        None,
        True,
        0,
        -1,
        2**63 - 1,
        1.5,
        1e308,
        "",
        " ",
        "x" * 10_001,
        "\u202e",
        "\ud7ff\ue000",
        "a\nb",
        [],
        {},
        [[]],
        {"a": {"b": []}},
        [None] * 50,
        "2026-11-21T09:30:00Z",
        "http://a",
        "ü" * 100,
        {"": ""},
        5,
        "bug",
    ]
    changed = dict(fields)
    for _ in range(chance.choice((1, 1, 2, 4))):
        name = chance.choice([*changed, "new", "x" * 300])
        value = changed.get(name)
        if isinstance(value, dict) and value and chance.random() < 0.5:
            changed[name] = value | {chance.choice(list(value)): chance.choice(values)}
        elif isinstance(value, list) and value and chance.random() < 0.5:
            changed[name] = [*value, chance.choice(values)]
        else:
            changed[name] = chance.choice(values)
    return changed


@pytest.fixture
def honest(project):
    return FULL | {
        "project": project.public_key,
        "api_state": {"text": 'a "b" \\ ü 😀 [}{]', "n": [1, [2, [3]]]},
    }


def bodies(honest, count, chance):
    """Yield bodies and their content types."""
    image = picture(size=(8, 8))
    raw = json.dumps(honest).encode()
    whole = form(
        ('form-data; name="feedback"', raw),
        ('form-data; name="screenshot"; filename="s.png"\r\nContent-Type: image/png', image),
    )
    for number in range(count):
        if number % 3 == 0:
            yield mutate(raw, chance), "application/json"
        elif number % 3 == 1:
            fresh = honest | {"idempotency_key": f"k{number}"}
            yield json.dumps(mutate_values(fresh, chance)).encode(), "application/json"
        else:
            yield mutate(whole, chance), FORM


@pytest.mark.timeout(0)
def test_no_mutated_body_is_a_defect(app, client, honest):
    seed = int(os.environ.get("PROVE_SEED", "20261121"))
    chance = random.Random(seed)
    seen = set()
    for number, (raw, content_type) in enumerate(bodies(honest, BODIES, chance)):
        status = send(client, raw, content_type).status_code
        seen.add(status)
        assert status < 500, (seed, number, content_type, raw)
    assert {201, 400, 422} <= seen
    with app.app_context():
        for row in db.session.scalars(select(Feedback)).unique():
            assert 1 <= len(row.description) <= 10_000
