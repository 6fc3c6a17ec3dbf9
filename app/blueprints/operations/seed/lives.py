"""What became of a submission after it arrived, as acts in order: taken up, talked about, settled.

The last state of the row follows from the acts, as it does for real ones: the first reply is the first
answer, the last status settles, each change is a version, and a message is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from app.blueprints.operations.seed import talk
from app.blueprints.operations.seed.languages import Language
from app.blueprints.operations.seed.outcomes import Outcome
from app.blueprints.operations.seed.team import Person, Team
from app.models.feedback import SETTLED
from app.models.message import EVENT_OF, NOTE, REPLY, REPORTER

# The spread of the logarithm gives a long tail.
SETTLED_SPREAD = 1.1
SETTLED_MEDIAN = timedelta(days=2.4)
ANSWERED_SHARE = 0.62
ANSWERED_MEDIAN = timedelta(hours=3.2)
ANSWERED_SPREAD = 1.0
# Of the unread open ones, those that the reporter's own answer made unread again.
ANSWERED_BACK_SHARE = 0.25
ASSIGNED_SHARE = 0.55
MOVED_SHARE = 0.03  # to another category
STARTED_SHARE = 0.15  # in progress on the way to the end
NOTED_SHARE = 0.12
JOTTED_SHARE = 0.03  # the notes on the submission itself
ARCHIVED_SHARE = 0.04
ARCHIVED_DAYS = 30.0
ASKED_AGAIN_SHARE = 0.4  # after each reply; so one in six threads has three turns
MOST_TURNS = 12


class Act(NamedTuple):
    """One entry of the timeline; `text` is a message's, of the kind `said`."""

    kind: str
    at: datetime
    actor: str
    actor_id: int | None
    details: dict[str, Any] | None
    version: int
    said: str = ""
    text: str = ""


@dataclass
class Life:
    """The acts on one submission so far, and what they make of its row; `who` acts."""

    row: dict[str, Any]
    who: Person = Person("", None)
    acts: list[Act] = field(default_factory=list)
    tag_ids: tuple[int, ...] = ()

    def act(self, kind: str, at: datetime, details: dict[str, Any] | None = None) -> None:
        """Change something: a new version."""
        self.row["version"] += 1
        self.row["updated_at"] = at
        self.acts.append(Act(kind, at, *self.who, details, self.row["version"]))

    def say(self, kind: str, at: datetime, text: str) -> None:
        """Write a message of the agent's, or of the reporter's."""
        who = Person(self.row["reporter_name"] or "The reporter", None) if kind == REPORTER else self.who
        self.row["updated_at"] = at
        self.acts.append(Act(EVENT_OF[kind], at, *who, None, self.row["version"], kind, text))
        if kind == REPLY and self.row["first_answered_at"] is None:
            self.row["first_answered_at"] = at

    def move(self, status: str, at: datetime) -> None:
        """Put it into another box."""
        self.act("status", at, {"from": self.row["status"], "to": status})
        self.row["status"] = status
        self.row["settled_at"] = at if status in SETTLED else None


@dataclass(frozen=True)
class Means:
    """What lives are drawn with: who works, when the year ends, and chance."""

    team: Team
    until: datetime
    rng: Random

    def between(self, start: datetime, end: datetime, count: int) -> Iterator[datetime]:
        """Give so many moments in order."""
        step = (end - start) / count
        return (start + (at + self.rng.random()) * step for at in range(count))

    def later(self, moment: datetime, median: timedelta, spread: float) -> datetime:
        """Draw a later moment, at most the end of the year."""
        return min(moment + median * self.rng.lognormvariate(0, spread), self.until)


def live(row: dict[str, Any], outcome: Outcome, language: Language, means: Means) -> Life:
    """Lead a submission that just arrived to its outcome; `row` is changed."""
    rng, life = means.rng, Life(row)
    row |= {"status": "open", "version": 1, "updated_at": row["created_at"], "is_read": outcome.is_read}
    if not outcome.is_read and not (outcome.status == "open" and rng.random() < ANSWERED_BACK_SHARE):
        row["status"] = outcome.status
        return life
    life.who = means.team.somebody(rng)
    end = means.later(row["created_at"], SETTLED_MEDIAN, SETTLED_SPREAD)
    if outcome.status in ("spam", "trash"):
        life.move(outcome.status, end)
        return life
    replies = not outcome.is_read or rng.random() < ANSWERED_SHARE
    answered = min(means.later(row["created_at"], ANSWERED_MEDIAN, ANSWERED_SPREAD), end) if replies else end
    _take_up(life, answered, means)
    if replies:
        _talk(life, language, (answered, end), means)
    if outcome.status != "open":
        _end(life, outcome.status, end, means)
    return life


def _take_up(life: Life, answered: datetime, means: Means) -> None:
    """Do what is done before the first answer."""
    row, who, rng = life.row, life.who, means.rng
    moments = means.between(row["created_at"], answered, 4)
    if rng.random() < ASSIGNED_SHARE:
        life.act("assignee", next(moments), {"from": None, "to": who.name})
        row["assignee_id"] = who.id
    if tags := means.team.tags_for(row["category"], rng):
        life.act("tags", next(moments), {"added": [tag.name for tag in tags], "removed": []})
        life.tag_ids = tuple(tag.id for tag in tags)
    if rng.random() < MOVED_SHARE:
        life.act("category", next(moments), {"from": "other", "to": row["category"]})
    if rng.random() < JOTTED_SHARE:
        life.act("note", next(moments))
        row["admin_notes"] = rng.choice(talk.JOTTED)


def _talk(life: Life, language: Language, span: tuple[datetime, datetime], means: Means) -> None:
    """Reply, and let the reporter and the agent take turns until one of them leaves it there."""
    rng = means.rng
    life.say(REPLY, span[0], talk.reply(rng))
    turns = 0 if life.row["is_read"] else 1  # what is unread again ends with the reporter
    while turns < MOST_TURNS and rng.random() < ASKED_AGAIN_SHARE:
        turns += 2
    moments = means.between(*span, turns + 1)
    if rng.random() < NOTED_SHARE:
        life.say(NOTE, next(moments), talk.note(rng))
    for turn in range(turns):
        kind, text = (REPLY, talk.reply(rng)) if turn % 2 else (REPORTER, talk.answer(language, rng))
        life.say(kind, next(moments), text)


def _end(life: Life, status: str, end: datetime, means: Means) -> None:
    rng = means.rng
    if status == "in_progress" or rng.random() < STARTED_SHARE:
        life.move("in_progress", life.row["updated_at"])
    if status == "in_progress":
        return
    life.move(status, end)
    tidied = end + timedelta(days=rng.expovariate(1 / ARCHIVED_DAYS))
    if rng.random() < ARCHIVED_SHARE and tidied < means.until:
        life.who = means.team.somebody(rng)
        life.act("archive", tidied, {"from": False, "to": True})
        life.row["is_archived"] = True
