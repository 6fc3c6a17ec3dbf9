"""The timeline in words: every kind says something, whatever its details hold."""

import pytest

from app.blueprints.admin.happenings import _SAID, icon_of, words
from app.models import Event
from app.models.message import EVENT_OF


def act(kind, details=None):
    return Event(feedback_id=1, kind=kind, actor="Ana", details=details, version=1)


@pytest.mark.parametrize(
    ("kind", "details", "said"),
    [
        ("status", {"from": "open", "to": "resolved"}, "moved it to Resolved"),
        ("assignee", {"to": "Piet"}, "gave it to Piet"),
        ("assignee", {"to": "Ana"}, "took it"),
        ("assignee", {"to": None}, "took it from everybody"),
        ("category", {"to": "idea"}, "made it Idea"),
        ("category", {"to": "own"}, "made it own"),
        ("archive", {"to": True}, "archived it"),
        ("archive", {"to": False}, "took it out of the archive"),
        ("tags", {"added": ["a", "b"], "removed": ["c"]}, "tagged it a, b and took off the tag c"),
        ("link", {"to": "revoked"}, "revoked the reporter's link"),
        ("redact", {"boxes": 2}, "blacked out 2 parts of the picture for good"),
        ("redact", {"policy": "Old"}, "took out who sent it, by the policy Old"),
        ("screenshot", {"policy": "Old"}, "removed the picture, by the policy Old"),
        ("hold", {"what": "placed", "reason": "a claim"}, "held it: a claim"),
        ("hold", {"what": "ended", "reason": "a claim"}, "ended the hold"),
        ("never_heard_of", None, "changed it (never heard of)"),
    ],
)
def test_an_act_is_told_in_words(kind, details, said):
    assert words(act(kind, details)) == said


KINDS = sorted({*_SAID, *EVENT_OF.values()})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("details", [None, {}])
def test_an_act_without_details_is_told_too(kind, details):
    assert words(act(kind, details))
    assert icon_of(kind)
