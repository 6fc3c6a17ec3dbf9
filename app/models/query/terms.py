"""The table of filters: what each is for, what it takes, and how a wrong value is told."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches

from app.database.search.words import words
from app.models.feedback import STATUSES

MOST_VALUE = 500
ME, NOBODY = "me", "none"
AGES = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
# Ages beyond a century are a slip, and dates before the year 1 cannot be reckoned with.
_AGE = re.compile(r"([<>])([0-9]{1,5})([hdw])")
_MOST_AGE = timedelta(days=36_525)
_RATING = re.compile(r"(<=|>=|<|>)?([1-5])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z")

Read = Callable[[str], str]


class Meant(ValueError):
    """A wrong value of which it is known what was probably meant: its argument."""


@dataclass(frozen=True)
class Kind:
    """A filter: what it finds, what it takes, and an example of a value.

    `values` is the closed list of what it takes, if there is one; `reader` returns a value as it is kept and
    raises ValueError for a wrong one.
    """

    finds: str
    example: str
    values: tuple[str, ...] = ()
    takes: str = ""
    reader: Read | None = None

    def read(self, value: str) -> str:
        """Return a value as it is kept. Raises ValueError; Meant where it is known what was meant."""
        if "\0" in value or len(value) > MOST_VALUE:
            raise ValueError
        if self.values:
            return _one_of(self.values, value)
        return self.reader(value) if self.reader else value

    def wrong(self, name: str, value: str) -> str:
        """Say what is wrong with a value."""
        takes = self.takes or f"one of {', '.join(self.values)}"
        shown = value if len(value) <= 40 else value[:39] + "…"
        return f"{name}: does not know “{shown}”; it takes {takes}."


def moment_of(value: str) -> datetime:
    """Read a day (its beginning in UTC) or a moment such as `2026-10-01T09:30Z`. Raises ValueError."""
    if _DAY.fullmatch(value):
        return datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
    if not _MOMENT.fullmatch(value):
        raise ValueError
    return datetime.fromisoformat(value)


def age_of(value: str) -> tuple[str, timedelta]:
    """Read an age, `>7d`, as `<` or `>` and how long. Raises ValueError."""
    found = _AGE.fullmatch(value)
    if found is None or (length := int(found.group(2)) * AGES[found.group(3)]) > _MOST_AGE:
        raise ValueError
    return found.group(1), length


def rating_of(value: str) -> tuple[str, int]:
    """Read a rating, `<3` or `4`, as a comparison and a number. Raises ValueError."""
    found = _RATING.fullmatch(value)
    if found is None:
        raise ValueError
    return found.group(1) or "", int(found.group(2))


def _one_of(values: tuple[str, ...], value: str) -> str:
    word = value.lower()
    if word in values:
        return word
    near = get_close_matches(word.replace("-", "_").replace(" ", "_"), values, n=1)
    raise Meant(near[0]) if near else ValueError


def _lower(value: str) -> str:
    return value.lower()


def _person(value: str) -> str:
    return value.lower() if value.lower() in (ME, NOBODY) else value


def _moment(value: str) -> str:
    moment_of(value.upper())
    return value.upper()


def _age(value: str) -> str:
    word = value.lower()
    if _AGE.fullmatch(f">{word}"):
        raise Meant(f">{word}")
    age_of(word)
    return word


def _rating(value: str) -> str:
    word = value.removeprefix("=")
    rating_of(word)
    return word


def _holding_text(value: str) -> str:
    if not any(words(value)):
        raise ValueError
    return value


_TEXT = "words, with a star at the end for whatever begins so"

TERMS: dict[str, Kind] = {
    "is": Kind("Unread, read, archived or snoozed", "unread", ("unread", "read", "archived", "snoozed")),
    "status": Kind("The box it is in", "open", STATUSES),
    "category": Kind("What it was sent as", "bug", takes="the key of a category", reader=_lower),
    "project": Kind("Its project", "Shop", takes="the name or key of a project"),
    "assignee": Kind("Whose it is", "me", takes="me, none, or a name or address", reader=_person),
    "tag": Kind("A tag on it", "checkout", takes="the name of a tag"),
    "has": Kind("What came with it", "screenshot", ("screenshot", "annotation", "reply", "note")),
    "rating": Kind("Its stars", "<3", takes="1 to 5, or <3, <=3, >3, >=3", reader=_rating),
    "browser": Kind("The browser", "Firefox", takes=_TEXT, reader=_holding_text),
    "os": Kind("The system", "macOS", takes=_TEXT, reader=_holding_text),
    "release": Kind("The version of the site", "web-2026.47.2", takes="a version"),
    "url": Kind(
        "The page it was sent from",
        "*pricing*",
        takes="an address, or parts of one between stars",
        reader=_holding_text,
    ),
    "email": Kind("The reporter's address", "ana@example.org", takes="an address", reader=_lower),
    "reporter": Kind("The reporter's id at your site", "user-17", takes="an id, or an address"),
    "session": Kind("The reporter's session", "9f3c41e07", takes="the id of a session"),
    "after": Kind("Sent on or after", "2026-10-01", takes="a day such as 2026-10-01", reader=_moment),
    "before": Kind("Sent before", "2026-11-01", takes="a day such as 2026-10-01", reader=_moment),
    "answered": Kind(
        "First answered on or after", "2026-10-01", takes="a day such as 2026-10-01", reader=_moment
    ),
    "settled": Kind("Settled on or after", "2026-10-01", takes="a day such as 2026-10-01", reader=_moment),
    "age": Kind("How long ago it was sent", ">7d", takes="<12h, >7d or >4w", reader=_age),
}
