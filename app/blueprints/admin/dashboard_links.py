"""Where a figure of the dashboard leads: the list of the inbox that it counts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import url_for

from app.models.query.tree import Term

KEPT = "-status:spam -status:trash"


@dataclass(frozen=True)
class Links:
    """Links for one project, or for all where `project` is empty."""

    project: str

    def sent(self, since: datetime, until: datetime | None = None, **filters: str) -> str:
        """Lead to what was sent from `since` until before `until`, archived or not; no spam and no trash."""
        words = [f"after:{_moment(since)}"]
        if until is not None:
            words.append(f"before:{_moment(until)}")
        terms = [
            str(Term(name, value)) for name, value in filters.items() if name not in ("category", "status")
        ]
        found = {name: value for name, value in filters.items() if name in ("category", "status")}
        if "status" not in found:
            words.append(KEPT)
        return self._inbox(**{"status": "any", "is_archived": "any", "q": " ".join([*words, *terms])} | found)

    def waiting(self, in_progress: int, *terms: str, **order: str) -> str:
        """Lead to what is open, and what is in progress where there is any."""
        if not in_progress:
            return self._inbox(**order, **({"q": " ".join(terms)} if terms else {}))
        both = "(status:open OR status:in_progress)"
        return self._inbox(status="any", q=" ".join((both, *terms)), **order)

    def unread(self) -> str:
        """Lead to what nobody has read."""
        return self._inbox(is_read="false")

    def responded(self, term: str, since: datetime) -> str:
        """Lead to what was `answered` or `settled` since then."""
        return self._inbox(status="any", is_archived="any", q=f"{term}:{_moment(since)} {KEPT}")

    def pictures(self) -> str:
        """Lead to what has a picture."""
        return self._inbox(status="any", is_archived="any", has_screenshot="true")

    def _inbox(self, **query: str) -> str:
        words: dict[str, Any] = query | ({"project": self.project} if self.project else {})
        return url_for("admin.index", **words)


def page_terms(page: str) -> dict[str, str]:
    """Return the terms that find a page, `shop.example/basket`."""
    return {"url": f"*://{page}"}


def browser_terms(named: str) -> dict[str, str]:
    """Return the terms that find a browser and its system, `Chrome, Windows`."""
    browser, _, system = named.partition(", ")
    return {"browser": browser} | ({"os": system} if system else {})


def _moment(moment: datetime) -> str:
    # A moment that says its day and hour is short enough to be read in the filter bar.
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
