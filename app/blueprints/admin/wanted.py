"""The filter that the address of an inbox page asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from app.blueprints.admin.wording import BOX_BY_KEY
from app.clock import utc_now
from app.errors import ClientError, FieldError
from app.models.inbox_filter import InboxFilter
from app.models.query import QueryContext, parse
from app.models.query.query import of_parts
from app.models.query.tree import Either, Node, Term
from app.models.search.finding import text_of
from app.security import actor

TRUTH = {"true": True, "false": False}
ORDERS = {"newest": "Newest", "oldest": "Oldest", "updated": "Last changed", "relevance": "Relevance"}
EVERYWHERE = "any"
# What the text and the fields both say, in both directions.
_FIELD_OF = {
    "is:unread": ("is_read", "false"),
    "is:read": ("is_read", "true"),
    "is:archived": ("is_archived", "true"),
    "has:screenshot": ("has_screenshot", "true"),
    "-has:screenshot": ("has_screenshot", "false"),
}
_TERMS = {"category": "category", "session": "session_id", "email": "reporter"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The filter of an inbox page, as words of its address; empty means not asked for."""

    status: str = "open"
    project: str = ""
    category: str = ""
    is_read: str = ""
    is_archived: str = ""
    has_screenshot: str = ""
    session_id: str = ""
    reporter: str = ""
    q: str = ""
    sort: str = "newest"

    @staticmethod
    def of(args: Mapping[str, str]) -> "Wanted":
        """Read the filter; what the text of `q` says of a field becomes that field.

        Raises ClientError `validation_failed` (422) for a word that means nothing, QueryError for a `q`
        that cannot be read.
        """
        names = Wanted.__dataclass_fields__
        wanted = Wanted(**{name: args[name] for name in names if args.get(name)})._read()
        allowed = {
            "status": (*BOX_BY_KEY, EVERYWHERE),
            "is_read": ("", *TRUTH),
            "is_archived": ("", EVERYWHERE, *TRUTH),
            "has_screenshot": ("", *TRUTH),
            "sort": tuple(ORDERS),
        }
        wrong = [name for name, words in allowed.items() if getattr(wanted, name) not in words]
        if wrong:
            details = [FieldError(name, "has no such value") for name in wrong]
            raise ClientError(422, "validation_failed", "This address asks for no list.", details)
        return wanted

    def _read(self) -> "Wanted":
        if not self.q:
            return replace(self, sort="newest") if self.sort == "relevance" else self
        asked = parse(self.q)
        fields: dict[str, str] = {}
        rest = []
        for part in asked.parts:
            name, value = _FIELD_OF.get(str(part)) or _field(part)
            if name and name not in fields:
                fields[name] = value
            else:
                rest.append(part)
        left = of_parts(tuple(rest))
        # A box that is asked for anywhere else in the text is not held against it.
        if "status" in left.names():
            fields.setdefault("status", EVERYWHERE)
        if "is:archived" in str(left) or "is:snoozed" in str(left):
            fields.setdefault("is_archived", EVERYWHERE)
        read = replace(self, q=str(left), **fields)
        return replace(read, sort="newest") if read.sort == "relevance" and not read.has_text else read

    @property
    def text(self) -> str:
        """The filter as text: what the fields say, then the rest; box, project and order stand elsewhere."""
        said = {(name, value): text for text, (name, value) in _FIELD_OF.items()}
        fields = [said[key] for key in said if getattr(self, key[0]) == key[1]]
        fields += [str(Term(term, value)) for term, name in _TERMS.items() if (value := getattr(self, name))]
        rest = _beside(self.q) if fields else self.q
        return " ".join(part for part in (*fields, rest) if part)

    @property
    def has_text(self) -> bool:
        """Whether there are words to be found, so that relevance means something."""
        return bool(self.q) and text_of(parse(self.q)) is not None

    @property
    def orders(self) -> dict[str, str]:
        """The orders that this list can have, by key."""
        return {key: word for key, word in ORDERS.items() if key != "relevance" or self.has_text}

    def query(self, **changes: str) -> dict[str, Any]:
        """Return the words of an address for this filter, changed; what is usual is left out."""
        changed = replace(self, **changes)
        usual = Wanted()
        return {
            name: value
            for name in Wanted.__dataclass_fields__
            if (value := getattr(changed, name)) != getattr(usual, name)
        }

    def address(self) -> str:
        """Return the filter as the query of an address, one text for one filter."""
        return urlencode(self.query())

    def filter(self, project_id: int | None) -> InboxFilter:
        """Return the filter for the database; archived submissions stay out unless asked for."""
        archived = None if self.is_archived == EVERYWHERE else TRUTH.get(self.is_archived, False)
        return InboxFilter(
            project_id=project_id,
            category=self.category or None,
            status=None if self.status == EVERYWHERE else self.status,
            is_read=TRUTH.get(self.is_read),
            is_archived=archived,
            has_screenshot=TRUTH.get(self.has_screenshot),
            session_id=self.session_id or None,
            reporter=self.reporter or None,
            query=parse(self.q) if self.q else None,
            context=QueryContext(utc_now(), someone.user_id if (someone := actor()) else None),
            sort=self.sort,
        )

    @property
    def title(self) -> str:
        """The name of the place."""
        return "All" if self.status == EVERYWHERE else BOX_BY_KEY[self.status].label

    @property
    def is_plain(self) -> bool:
        """Whether it shows a whole box of one project or all, which the roll-up counts."""
        return not set(self.query()) - {"status", "project", "sort"} and self.status != EVERYWHERE


def _field(part: Node) -> tuple[str, str]:
    """Return the field that a part of a query is about, and its value; empty where there is none."""
    if isinstance(part, Term) and part.name == "status":
        return "status", part.value
    if isinstance(part, Term) and part.name in _TERMS:
        return _TERMS[part.name], part.value
    return "", ""


def _beside(text: str) -> str:
    # What stands beside other parts is held together.
    return f"({text})" if text and isinstance(parse(text).tree, Either) else text
