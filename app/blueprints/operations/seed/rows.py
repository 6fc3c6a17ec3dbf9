"""Rows of `feedback_submissions` as intake would have written them, made one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from app.blueprints.operations.seed import scene, words
from app.blueprints.operations.seed.languages import Language
from app.blueprints.operations.seed.moments import moments
from app.blueprints.operations.seed.outcomes import Outcome, outcomes
from app.blueprints.operations.seed.people import reporter
from app.models import Feedback
from app.models.feedback import SETTLED
from app.models.identifiers import LENGTH, encode

# The spread of the logarithm gives a long tail.
SETTLED_SPREAD = 1.1
SETTLED_MEDIAN_DAYS = 2.4
ANSWERED_SHARE = 0.62
ANSWERED_MEDIAN_HOURS = 3.2
ANSWERED_SPREAD = 1.0
NOTE_SHARE = 0.03
NOTES = ("Same cause as the discount fault.", "Asked the shop team.", "Known since web-2026.47.2.")


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


def rows(count: int, places: Sequence[Place], until: datetime, rng: Random) -> Iterator[dict[str, Any]]:
    """Yield `count` rows of the year before `until`, the oldest first, complete but for the id."""
    blank = _blank()
    weights = [place.weight for place in places]
    when = moments(count, until, rng)
    for number, (created_at, outcome) in enumerate(zip(when, outcomes(count, rng), strict=True)):
        (place,) = rng.choices(places, weights)
        (language,) = words.languages(rng, 1)
        yield (
            blank
            | _sent(place, language, created_at, rng)
            | _sender(language, number, count, rng)
            | _machine(created_at, until, rng)
            | _handled(outcome, created_at, until, rng)
        )


def _blank() -> dict[str, Any]:
    # What the model gives a new submission, so that a column added later has its default here too.
    new = Feedback(project_id=0, category="", description="")
    values = {column: getattr(new, column.key) for column in Feedback.__table__.columns if column.key != "id"}
    return {
        column.key: value
        for column, value in values.items()
        if value is not None or column.server_default is None
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


def _handled(outcome: Outcome, created_at: datetime, until: datetime, rng: Random) -> dict[str, Any]:
    days = SETTLED_MEDIAN_DAYS * rng.lognormvariate(0, SETTLED_SPREAD)
    changed_at = min(created_at + timedelta(days=days), until) if outcome.is_read else created_at
    return {
        "status": outcome.status,
        "is_read": outcome.is_read,
        "updated_at": changed_at,
        "first_answered_at": _answered(outcome, created_at, changed_at, rng),
        "settled_at": changed_at if outcome.status in SETTLED else None,
        "admin_notes": rng.choice(NOTES) if rng.random() < NOTE_SHARE else "",
    }


def _answered(outcome: Outcome, created_at: datetime, changed_at: datetime, rng: Random) -> datetime | None:
    hours = ANSWERED_MEDIAN_HOURS * rng.lognormvariate(0, ANSWERED_SPREAD)
    if not outcome.is_read or rng.random() >= ANSWERED_SHARE:
        return None
    return min(created_at + timedelta(hours=hours), changed_at)
