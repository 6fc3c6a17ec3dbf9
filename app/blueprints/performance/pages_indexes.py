"""The page of indexes: their rows, and building one that the advice offers."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app

from app.blueprints.performance import views
from app.blueprints.performance.views import IndexView
from app.database.advice.indexes import IndexReport

# Verdict, word, icon, tone; what could go stands first.
VERDICTS = {
    "duplicate": ("Twice there", "copy", "warn"),
    "redundant": ("Not needed", "file", "warn"),
    "unused": ("Never used", "file", "warn"),
    "unknown": ("Not known yet", "circle-question-mark", "faint"),
    "used": ("Used", "check", "good"),
}


_DDL = re.compile(
    r"(?P<head>create(?: unique)? index(?: concurrently)?) (?P<name>\S+) on (?P<table>\S+) ?"
    r"\((?P<columns>[^()]+)\)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
EXTENSION = "earmark_index_views"
# Trying indexes takes up to some seconds; what the overview says of them may be this old.
KEPT_SECONDS = 60.0


class LastViews:
    """What was last read of the indexes in this process, by the span that was asked for."""

    def __init__(self) -> None:
        self._kept: dict[str | None, tuple[float, IndexView]] = {}

    def get(self, asked: str | None) -> IndexView | None:
        """Return what was read within the last minute."""
        read_at, view = self._kept.get(asked, (0.0, None))
        return view if time.monotonic() - read_at < KEPT_SECONDS else None

    def keep(self, asked: str | None, view: IndexView) -> None:
        """Keep what was read, and nothing that is too old."""
        now = time.monotonic()
        self._kept = {key: one for key, one in self._kept.items() if now - one[0] < KEPT_SECONDS}
        self._kept[asked] = (now, view)

    def forget(self) -> None:
        """Forget all: the indexes or the figures have changed."""
        self._kept = {}


def last_views() -> LastViews:
    """Return those of the application at work."""
    return cast(LastViews, current_app.extensions[EXTENSION])


def read(asked: str | None, since: datetime) -> IndexView:
    """Say of every index whether it is used, and which are missing, as of now."""
    view = views.index_view(since)
    last_views().keep(asked, view)
    return view


def recent(asked: str | None, since: datetime) -> IndexView:
    """Say it as of the last minute."""
    return last_views().get(asked) or read(asked, since)


@dataclass(frozen=True)
class IndexRow:
    """One index and its verdict in a word."""

    report: IndexReport
    word: str
    icon: str
    tone: str


def rows_of(reports: Sequence[IndexReport]) -> list[IndexRow]:
    """Make the rows of the table, what could go first and the largest of that."""
    order = list(VERDICTS)
    ordered = sorted(reports, key=lambda one: (order.index(one.verdict), -(one.size_bytes or 0), one.name))
    return [IndexRow(one, *VERDICTS[one.verdict]) for one in ordered]


def build(ddl: str, since: datetime, fingerprint: str | None) -> str:
    """Build an index that the advice offers; return its name, empty for one that cannot be read.

    Raises ClientError: 422 `index_not_advised` for what no advice says, 409 `index_exists`.
    """
    views.build_index(ddl, since, fingerprint or None)
    last_views().forget()
    found = read_ddl(ddl)
    return found.name if found else ""


@dataclass(frozen=True)
class Ddl:
    """The statement that makes an index, in its parts; `rest` is a condition."""

    head: str
    name: str
    table: str
    columns: tuple[str, ...]
    rest: str


def read_ddl(ddl: str) -> Ddl | None:
    """Take the statement that makes an index apart; None for any other text."""
    found = _DDL.fullmatch(ddl.strip().rstrip(";"))
    if found is None:
        return None
    columns = tuple(part.strip() for part in found["columns"].split(","))
    head = " ".join(found["head"].upper().split())
    return Ddl(head, found["name"].strip('"'), found["table"].strip('"'), columns, found["rest"].strip())
