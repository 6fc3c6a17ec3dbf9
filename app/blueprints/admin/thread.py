"""The stream of one submission as its page shows it: what was said and what happened, in order."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.blueprints.admin import wording
from app.blueprints.admin.happenings import icon_of, words
from app.extensions import db
from app.models import Event, Feedback, Message, message
from app.models.user import initials

LONGEST = 1000  # entries that one page shows at most
# Acts of one person, one right after the other, are told in one sentence.
ONE_GO = timedelta(minutes=2)
SAID = {
    message.REPLY: "replied",
    message.NOTE: "note, only agents see this",
    message.REPORTER: "answered",
}


@dataclass(frozen=True)
class Entry:
    """One entry: `kind` is `act`, `reply`, `note` or `reporter`; an act has no text."""

    kind: str
    who: str
    initials: str
    said: str
    text: str
    icon: str
    when: str
    moment: datetime

    @property
    def iso(self) -> str:
        """The moment for `<time>`."""
        return self.moment.isoformat()


@dataclass(frozen=True)
class Thread:
    """The newest entries, oldest first; `more` is how many to ask for to see earlier ones too."""

    entries: tuple[Entry, ...]
    more: int | None


def load_thread(found: Feedback, now: datetime, *, me: int, shown: int = message.PAGE) -> Thread:
    """Read the newest `shown` entries, in one statement."""
    stream = message.stream(db.session(), found.id, limit=min(shown, LONGEST))
    entries: list[Entry] = []
    for act, said in stream.entries:
        entry = _said(found, said, now, me) if said else _act(act, now, me)
        if entries and _goes_on(entries[-1], entry):
            entry = replace(entry, said=f"{entries.pop().said}, {entry.said}")
        entries.append(entry)
    more = min(4 * shown, LONGEST) if stream.earlier and shown < LONGEST else None
    return Thread(tuple(entries), more)


def _goes_on(before: Entry, entry: Entry) -> bool:
    return (
        before.kind == entry.kind == "act"
        and before.who == entry.who
        and entry.moment - before.moment <= ONE_GO
    )


def _said(found: Feedback, said: Message, now: datetime, me: int) -> Entry:
    reporter = said.kind == message.REPORTER
    name = found.reporter_name or found.reporter_email or "The reporter" if reporter else said.author
    return Entry(
        kind=said.kind,
        who="You" if said.author_id == me else name,
        initials=initials(name),
        said=SAID[said.kind],
        text=said.text,
        icon="",
        when=wording.sent(said.created_at, now),
        moment=said.created_at,
    )


def _act(act: Event, now: datetime, me: int) -> Entry:
    return Entry(
        kind="act",
        who="You" if act.actor_id == me else act.actor,
        initials="",
        said=words(act),
        text="",
        icon=icon_of(act.kind),
        when=wording.sent(act.created_at, now),
        moment=act.created_at,
    )
