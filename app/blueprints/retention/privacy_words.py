"""An erasure in words and as JSON, the same for command line, API and pages."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.amounts import many
from app.blueprints.retention.privacy_erase import Preview
from app.blueprints.retention.privacy_filters import DELETED, ENDED, NAMELESS, SWITCHED_OFF, Named
from app.clock import rfc3339
from app.models.erasure import Erasure

KINDS = {"saved_view": "View", "policy": "Policy", "hold": "Hold"}
TABLES = {"saved_view": "saved_views", "policy": "retention_policies", "hold": "holds"}
FATES = {
    DELETED: "it is deleted",
    SWITCHED_OFF: "it can find nothing without the name, and is switched off",
    ENDED: "it can find nothing without the name, and ends",
    NAMELESS: "the name goes, the rest of it stays in force",
}
# Tables in people's words; another one is called by its name.
PLACES = {
    "submissions": "Submissions",
    "feedback_screenshots": "Pictures, with their thumbnails",
    "messages": "Replies and notes",
    "submission_events": "Entries of timelines",
    "feedback_tags": "Tags on submissions",
    "merges": "Pointers to submissions that say the same",
    "archived": "Copies in the archive",
    "saved_views": "Saved views that name the person",
    "retention_policies": "Policies whose filter names the person",
    "holds": "Holds whose filter names the person",
    "bytes": "Bytes",
}


def counts(found: Preview) -> dict[str, int]:
    """Return what would go, by place; what there is none of is left out."""
    all_ = {
        "submissions": found.submissions,
        **found.rows,
        "archived": found.archived,
        **Counter(TABLES[one.kind] for one in found.named),
    }
    return {name: count for name, count in all_.items() if count}


def rows(removed: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    """Return places in words with their counts."""
    return [(PLACES.get(name, name.replace("_", " ").capitalize()), count) for name, count in removed.items()]


def lines(found: Preview) -> list[str]:
    """Write a preview for a terminal."""
    if found.is_empty:
        return ["Nothing is kept under this name. A tombstone would be kept all the same."]
    said = [f"{count:>8,}  {word}" for word, count in rows(counts(found))]
    said += sentences(found.named)
    if found.held:
        said.append(f"{many(found.held, 'submission')} held: release the hold first.")
    return said


def sentences(named: Iterable[Named]) -> list[str]:
    """Write which filters name the person, and what becomes of each."""
    return [f"{KINDS[one.kind]} “{one.name}” names the person: {FATES[one.fate]}." for one in named]


def as_json(found: Preview) -> dict[str, Any]:
    """Return a preview as the API answers it."""
    return {
        "submissions": found.submissions,
        "held": found.held,
        "rows": dict(found.rows),
        "archived": found.archived,
        "saved_views": sum(one.kind == "saved_view" for one in found.named),
        "filters": [
            {"kind": one.kind, "id": one.public_id, "name": one.name, "fate": one.fate} for one in found.named
        ],
        "oldest": found.oldest and rfc3339(found.oldest),
        "newest": found.newest and rfc3339(found.newest),
    }


def erasure(found: Erasure) -> dict[str, Any]:
    """Return an erasure as the API answers it; the person is a keyed hash."""
    return {
        "id": found.public_id,
        "kind": found.kind,
        "mark": found.mark,
        "requested_by": found.requested_by,
        "created_at": rfc3339(found.created_at),
        "finished_at": found.finished_at and rfc3339(found.finished_at),
        "removed": found.removed,
        "certificate": found.certificate and json.loads(found.certificate),
    }


def certificate_lines(said: Mapping[str, Any]) -> list[str]:
    """Write a certificate for a terminal."""
    body = [f"{count:>8,}  {word}" for word, count in rows(said["removed"])]
    return [
        f"Erased. Certificate {said['id']}",
        f"Finished {said['finished_at'][:19].replace('T', ' ')} UTC, asked for by {said['requested_by']}.",
        *(body or ["Nothing was kept under this name; the tombstone stands."]),
        f"Signature {said['signature']}",
    ]
