"""Submissions as intake would have written them, made one after the other, each with its later life."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from app.blueprints.operations.seed import scene, words
from app.blueprints.operations.seed.languages import Language
from app.blueprints.operations.seed.lives import Life, Means, live
from app.blueprints.operations.seed.moments import moments
from app.blueprints.operations.seed.outcomes import outcomes
from app.blueprints.operations.seed.people import reporter
from app.blueprints.operations.seed.team import Team
from app.models import Feedback
from app.models.identifiers import LENGTH, encode


@dataclass(frozen=True)
class Place:
    """A project that submissions are sent to."""

    id: int
    name: str
    categories: tuple[str, ...]
    weight: int

    @property
    def category_weights(self) -> list[int]:
        """How often each category is chosen."""
        return [scene.CATEGORIES.get(key, scene.RARE_CATEGORY) for key in self.categories]


def rows(count: int, places: Sequence[Place], team: Team, until: datetime, rng: Random) -> Iterator[Life]:
    """Yield `count` submissions of the year before `until`, the oldest first.

    Their rows are complete but for the id, and hold what their acts made of them.
    """
    blank = _blank()
    weights = [place.weight for place in places]
    when = moments(count, until, rng)
    # Of its own, so that texts stay the same whoever works on them.
    means = Means(team, until, Random(rng.getrandbits(64)))  # noqa: S311  # the same each time is the point
    for number, (created_at, outcome) in enumerate(zip(when, outcomes(count, rng), strict=True)):
        (place,) = rng.choices(places, weights)
        (language,) = words.languages(rng, 1)
        row = (
            blank
            | _sent(place, language, created_at, rng)
            | _sender(language, number, count, rng)
            | _machine(created_at, until, rng)
        )
        yield live(row, outcome, language, means)


def _blank() -> dict[str, Any]:
    # What the model gives a new submission, so that a column added later has its default here too.
    new = Feedback(project_id=0, category="", description="")
    values = {column: getattr(new, column.key) for column in Feedback.__table__.columns if column.key != "id"}
    return {
        column.key: value
        for column, value in values.items()
        if value is not None or column.server_default is None or column.key == "version"
    }


def _sent(place: Place, language: Language, created_at: datetime, rng: Random) -> dict[str, Any]:
    (category,) = rng.choices(place.categories, place.category_weights)
    told = rng.random() < scene.TOLD_RELEASE_SHARE
    milliseconds = int(created_at.timestamp() * 1000)
    return {
        "public_id": encode(milliseconds << 80 | rng.getrandbits(80), LENGTH),
        "project_id": place.id,
        "category": category,
        "description": words.write(rng, language, category),
        "url": scene.address(place.name, rng),
        "rating": scene.rating(category, rng),
        "custom": {"release": scene.release(created_at, rng)} if told else None,
        "api_state": scene.state(rng),
        "created_at": created_at,
        "timestamp": created_at - timedelta(seconds=rng.random() * 3),
    }


def _sender(language: Language, number: int, count: int, rng: Random) -> dict[str, Any]:
    who = reporter(language, count, rng)
    # A session sends one to three; the factor spreads its numbers over 64 bits.
    session = (number - rng.choice((0, 0, 0, 1, 2))) * 0x9E3779B97F4A7C15 % 2**64
    return {
        "session_id": f"{session:016x}",
        "reporter_id": who.id,
        "reporter_name": who.name,
        "reporter_email": who.email,
    }


def _machine(created_at: datetime, until: datetime, rng: Random) -> dict[str, Any]:
    (machine,) = rng.choices(scene.MACHINES, scene.MACHINE_WEIGHTS)
    major = scene.version(machine, created_at, until)
    return {
        "browser": f"{machine.browser} {major}",
        "os": machine.system,
        "user_agent": machine.agent.format(major=major),
        "screen_resolution": machine.screen,
        "viewport_size": machine.viewport,
        "device_pixel_ratio": machine.ratio,
    }
