"""What is kept of a person, as a zip that they can read: pages, JSON, pictures."""

import base64
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from flask import current_app
from sqlalchemy import select

from app.blueprints.retention import archive_records as records
from app.blueprints.retention.privacy_erase import archived
from app.clock import rfc3339
from app.database.bulk import in_batches
from app.database.transactions import current_session, transaction
from app.models import Feedback, audit
from app.models.erasure import Person
from app.models.identifiers import reference
from app.storage import BlobMissing, storage

BATCH = 50  # submissions in memory at once, their pictures one at a time
# A zip keeps no time zone; the moment of each file is that of the export.
SUFFIXES = {"image/webp": ".webp", "image/png": ".png", "image/jpeg": ".jpg"}
# What names other people, or is a matter of the machine: keys of blobs, leases, who of the team did what.
MACHINE = ("blob_key", "thumbnail_key", "lease_until", "attempts", "version")
LEFT_OUT = frozenset({*MACHINE, "actor", "actor_id", "author", "author_id", "assignee_id"})


@dataclass
class Found:
    """One submission as the person reads it; `pictures` are names in the zip."""

    reference: str
    where: str
    said: dict[str, Any]
    rows: dict[str, list[dict[str, Any]]]
    pictures: list[str] = field(default_factory=list)


def export(person: Person, out: IO[bytes], now: datetime) -> int:
    """Write the zip and return how many submissions it holds; the act is recorded without the person's name.

    Raises Unavailable (503) when the archive cannot be read.
    """
    found: list[Found] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for where, content in _contents(person):
            one = _found(where, content)
            for name, data in _pictures(one.reference, content):
                file.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), data)
                one.pictures.append(name)
            found.append(one)
        _write_pages(file, person, found, now)
    with transaction() as session:
        details = {"kind": person.kind, "mark": person.mark, "submissions": len(found)}
        audit.record(session, "privacy.export", details=details)
    return len(found)


def _contents(person: Person) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the person's submissions as records, then copies that only the archive has."""
    seen = set()
    for rows in in_batches(select(Feedback.id).where(person.condition()), BATCH):
        session = current_session()
        found = records.read(session, [row.id for row in rows])
        session.rollback()
        for record in found:
            seen.add(record.public_id)
            yield "inbox", record.content
    for content in archived(person):
        if content["submission"]["public_id"] not in seen:
            yield "archive", content


def _found(where: str, content: Mapping[str, Any]) -> Found:
    submission = content["submission"]
    rows = {name: [_plain(row) for row in rows] for name, rows in content["rows"].items()}
    return Found(reference(submission["public_id"]), where, _plain(submission), rows)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in LEFT_OUT}


def _pictures(ref: str, content: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    for number, row in enumerate(content["rows"].get("feedback_screenshots", ()), start=1):
        data = _blob(row["blob_key"], content.get("blobs", {}))
        # What was never re-encoded may be anything: it is not handed on.
        if data is not None and row.get("state") == "ready":
            yield f"pictures/{ref}-{number}{SUFFIXES.get(row['media_type'], '.bin')}", data


def _blob(key: str, kept: Mapping[str, str]) -> bytes | None:
    if key in kept:
        return base64.b64decode(kept[key])
    try:
        return storage().get(key)
    except BlobMissing:
        return None


def _write_pages(file: zipfile.ZipFile, person: Person, found: Sequence[Found], now: datetime) -> None:
    values = [{"where": one.where, **one.said, "rows": one.rows, "pictures": one.pictures} for one in found]
    said = {"person": {person.kind: person.value}, "exported_at": rfc3339(now), "submissions": values}
    _write(file, "data.json", json.dumps(said, indent=2, ensure_ascii=False), now)
    # Not `render_template`: the page is the same for commands, where nobody is signed in.
    template = current_app.jinja_env.get_template("retention/person.html")
    page = template.render(person=person, found=found, now=now)
    _write(file, "index.html", page, now)


def _write(file: zipfile.ZipFile, name: str, text: str, now: datetime) -> None:
    info = zipfile.ZipInfo(name, now.timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    file.writestr(info, text)
