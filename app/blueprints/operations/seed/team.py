"""Who works on demo submissions, and the tags that they use.

The instance's own agents, and colleagues who have left: these stand in the history by name, and nothing
belongs to them any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from sqlalchemy import select

from app.database.transactions import transaction
from app.extensions import db
from app.models import Tag, User, tag

MOST_AGENTS = 12
LEAST_PEOPLE = 4
LEFT = ("Jana Okafor", "Mats Lindgren", "Inès Moreau", "Haruto Sato")
# How often each is used of 1,000 submissions that were read, by category; the rest has none.
TAGS = {
    "checkout": {"bug": 150, "question": 40, "idea": 30},
    "payment": {"bug": 90, "question": 50},
    "vouchers": {"bug": 80, "question": 60},
    "delivery": {"question": 150, "other": 120, "praise": 60},
    "returns": {"question": 110, "other": 60},
    "account": {"bug": 60, "question": 70},
    "search": {"bug": 50, "idea": 90},
    "mobile": {"bug": 110, "idea": 20},
    "pictures": {"bug": 40},
    "prices": {"bug": 30, "question": 30, "idea": 20},
    "accessibility": {"bug": 15, "idea": 12},
    "translation": {"bug": 12, "other": 10},
    "performance": {"bug": 40},
    "duplicate": {"bug": 70, "idea": 90},
    "needs details": {"bug": 60, "question": 20},
    "wish list": {"idea": 80},
    "quote": {"praise": 120},
    "regression": {"bug": 6},
}


class Person(NamedTuple):
    """Somebody who acts; without an id one who has left, or a reporter."""

    name: str
    id: int | None


class TagOf(NamedTuple):
    """A tag as it is put on a submission."""

    id: int
    name: str


@dataclass(frozen=True)
class Team:
    """People, and tags with the share of a category's submissions that have them."""

    people: Sequence[Person]
    tags: Sequence[TagOf] = ()
    _cumulative: dict[str, list[tuple[float, TagOf]]] = field(default_factory=dict, compare=False)

    def somebody(self, rng: Random) -> Person:
        """Draw who acts; the first ones do most."""
        return self.people[int(rng.random() ** 2 * len(self.people))]

    def tags_for(self, category: str, rng: Random) -> list[TagOf]:
        """Draw the tags of a submission: mostly none or one."""
        likely = self._cumulative.get(category)
        if likely is None:
            likely = self._cumulative[category] = _shares(self.tags, category)
        drawn = [_drawn(likely, rng)] if likely else []
        if drawn and drawn[0] is not None and rng.random() < SECOND_SHARE:
            drawn.append(_drawn(likely, rng))
        return [one for at, one in enumerate(drawn) if one is not None and one not in drawn[:at]]


SECOND_SHARE = 0.3


def load_team() -> Team:
    """Read the agents, the oldest first, and make the tags that are missing."""
    query = select(User.name, User.id).where(User.is_active, User.role != "viewer")
    people = [Person(*row) for row in db.session.execute(query.order_by(User.id).limit(MOST_AGENTS))]
    people += [Person(name, None) for name in LEFT[: max(LEAST_PEOPLE - len(people), 0)]]
    with transaction() as session:
        for name in TAGS:
            tag.make(session, name)
    keys = list(map(tag.key_of, TAGS))
    rows = db.session.execute(select(Tag.id, Tag.name).where(Tag.key.in_(keys)).order_by(Tag.key))
    return Team(people, [TagOf(*row) for row in rows])


def _shares(tags: Sequence[TagOf], category: str) -> list[tuple[float, TagOf]]:
    total, found = 0.0, []
    for one in tags:
        total += TAGS.get(tag.key_of(one.name), {}).get(category, 0) / 1000
        found.append((total, one))
    return found


def _drawn(likely: list[tuple[float, TagOf]], rng: Random) -> TagOf | None:
    place = rng.random()
    return next((one for reached, one in likely if place < reached), None)
